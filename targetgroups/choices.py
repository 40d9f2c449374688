"""The words for states and reasons, with the sets that code decides by. One list: nothing is listed again elsewhere."""

from django.db import models
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy, pgettext_lazy

from thrive_sync.lib.words import Words, number


class Transport(models.TextChoices):
    CONCIERGE = "concierge", gettext_lazy("Concierge (SOAP)")
    REST = "rest", gettext_lazy("REST")


class RunKind(models.TextChoices):
    LIST = "list", gettext_lazy("List refresh")
    GROUP = "group", gettext_lazy("Group sync")
    PREVIEW = "preview", gettext_lazy("Preview")
    CHECK = "check", gettext_lazy("Connection test")
    PERSON = "person", gettext_lazy("Person check")


class Trigger(models.TextChoices):
    INFO = "info", gettext_lazy("Info")
    RESYNC_NOW = "resync_now", gettext_lazy("Resync Now")
    REFRESH = "refresh", gettext_lazy("Refresh Target Group List")
    MAILING = "mailing", gettext_lazy("Mailing")
    SCHEDULE = "schedule", gettext_lazy("Schedule")
    APPLY = "apply", gettext_lazy("Apply")
    RETRY = "retry", gettext_lazy("Retry")
    COMMAND = "command", gettext_lazy("Command")
    API = "api", gettext_lazy("API")
    TEST_CONNECTION = "test_connection", gettext_lazy("Test connection")
    PREVIEW = "preview", gettext_lazy("Preview changes")
    CHECK_AGAIN = "check_again", gettext_lazy("Check again")


class ScheduleKind(models.TextChoices):
    LIST = "list", gettext_lazy("Refresh the list of target groups")
    GROUPS = "groups", gettext_lazy("Sync target groups")


class Phase(models.TextChoices):
    WAITING = "waiting", gettext_lazy("Waiting")
    READING = "reading", gettext_lazy("Reading from MemberSuite")
    CHECKING = "checking", gettext_lazy("Checking")
    COMPARING = "comparing", gettext_lazy("Comparing")
    WRITING = "writing", gettext_lazy("Writing")
    DONE = "done", gettext_lazy("Done")


class RunStatus(models.TextChoices):
    WAITING = "waiting", gettext_lazy("Waiting")
    RUNNING = "running", gettext_lazy("Running")
    HELD = "held", gettext_lazy("Held")
    SUPERSEDED = "superseded", gettext_lazy("Superseded")
    COMPLETED = "completed", gettext_lazy("Completed")
    COMPLETED_WITH_REJECTS = "completed_with_rejects", gettext_lazy("Completed with rejects")
    FAILED = "failed", gettext_lazy("Failed")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")


# A run in one of these may still change something; at most one waiting and one running run of a slot (R7).
ACTIVE = (RunStatus.WAITING, RunStatus.RUNNING)
GOOD = (RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_REJECTS)
FINAL = (*GOOD, RunStatus.HELD, RunStatus.SUPERSEDED, RunStatus.FAILED, RunStatus.CANCELLED)


# Within a sentence: "this run is completed".
STATUS_WITHIN: dict[RunStatus, Words] = {
    RunStatus.WAITING: pgettext_lazy("this run is", "waiting"),
    RunStatus.RUNNING: pgettext_lazy("this run is", "running"),
    RunStatus.HELD: pgettext_lazy("this run is", "held"),
    RunStatus.SUPERSEDED: pgettext_lazy("this run is", "superseded"),
    RunStatus.COMPLETED: pgettext_lazy("this run is", "completed"),
    RunStatus.COMPLETED_WITH_REJECTS: pgettext_lazy("this run is", "completed with rejects"),
    RunStatus.FAILED: pgettext_lazy("this run is", "failed"),
    RunStatus.CANCELLED: pgettext_lazy("this run is", "cancelled"),
}
_RUNS_THAT = {
    RunStatus.WAITING: ngettext_lazy("%(count)s waiting", "%(count)s waiting", "n"),
    RunStatus.RUNNING: ngettext_lazy("%(count)s running", "%(count)s running", "n"),
    RunStatus.HELD: ngettext_lazy("%(count)s held", "%(count)s held", "n"),
    RunStatus.SUPERSEDED: ngettext_lazy("%(count)s superseded", "%(count)s superseded", "n"),
    RunStatus.COMPLETED: ngettext_lazy("%(count)s completed", "%(count)s completed", "n"),
    RunStatus.COMPLETED_WITH_REJECTS: ngettext_lazy(
        "%(count)s completed with rejects", "%(count)s completed with rejects", "n"
    ),
    RunStatus.FAILED: ngettext_lazy("%(count)s failed", "%(count)s failed", "n"),
    RunStatus.CANCELLED: ngettext_lazy("%(count)s cancelled", "%(count)s cancelled", "n"),
}


def runs_that_are(status: RunStatus, count: int) -> str:
    """Say how many runs stand so."""
    return str(_RUNS_THAT[status] % {"n": count, "count": number(count)})


class Queue(models.TextChoices):
    INTERACTIVE = "interactive", gettext_lazy("Interactive")
    SCHEDULED = "scheduled", gettext_lazy("Scheduled")


class ExclusionReason(models.TextChoices):
    """Why a record of the search is not a member. The last one is an error's word, the others are rules'."""

    DO_NOT_EMAIL = "do_not_email", gettext_lazy("Do Not Email is Yes")
    NO_ADDRESS = "no_address", gettext_lazy("No e-mail address")
    MALFORMED_ADDRESS = "malformed_address", gettext_lazy("Malformed e-mail address")
    DUPLICATE_ROW = "duplicate_row", gettext_lazy("Duplicate row")
    UNREADABLE_ROW = "unreadable_row", gettext_lazy("Unreadable row (rejected)")


class RemovalReason(models.TextChoices):
    """Why a member left. The two address reasons name people who are still in the search but can't be mailed."""

    NOW_DO_NOT_EMAIL = "now_do_not_email", gettext_lazy("Do Not Email is now Yes")
    NO_LONGER_IN_SEARCH = "no_longer_in_search", gettext_lazy("No longer in the search")
    RECORD_DELETED = "record_deleted", gettext_lazy("Record deleted")
    NOW_NO_ADDRESS = "now_no_address", gettext_lazy("E-mail address is now missing")
    NOW_MALFORMED_ADDRESS = "now_malformed_address", gettext_lazy("E-mail address is now malformed")
    ERASED = "erased", gettext_lazy("Erased here on request")


class DoubtReason(models.TextChoices):
    """Why a member whom a reading does not show as eligible was not removed (R5)."""

    UNREADABLE_ROW = "unreadable_row", gettext_lazy("Unreadable row (rejected)")
    UNREADABLE_ANSWER = "unreadable_answer", gettext_lazy("Asked for again, and the answer was not readable")


class OutcomeKind(models.TextChoices):
    CHANGED = "changed", gettext_lazy("Changed")
    REMOVED = "removed", gettext_lazy("Removed")
    WOULD_ADD = "would_add", gettext_lazy("Would be added")
    WOULD_CHANGE = "would_change", gettext_lazy("Would be changed")
    WOULD_REMOVE = "would_remove", gettext_lazy("Would be removed")
    WOULD_STAY = "would_stay", gettext_lazy("Would stay")
    KEPT = "kept", gettext_lazy("Kept on doubt")


class GroupState(models.TextChoices):
    """What stands beside a group's count, most urgent first (R15: a word for each, never a false 0)."""

    ERROR = "error", gettext_lazy("Error")
    UNAVAILABLE = "unavailable", gettext_lazy("Unavailable")
    NOT_COUNTED = "not_counted", gettext_lazy("Not counted yet")
    COUNTED = "counted", gettext_lazy("Counted")


class RefreshPart(models.TextChoices):
    """The parts of a list refresh's sentence, in its order; a group is in one of them."""

    NEW = "new", gettext_lazy("new")
    RENAMED = "renamed", gettext_lazy("renamed")
    RETURNED = "returned", gettext_lazy("back in MemberSuite")
    GONE = "gone", gettext_lazy("no longer in MemberSuite")
    UNCHANGED = "unchanged", gettext_lazy("unchanged")
    DELETED = "deleted", gettext_lazy("deleted here")


_REFRESHED = {
    RefreshPart.NEW: ngettext_lazy("%(count)s new", "%(count)s new", "n"),
    RefreshPart.RENAMED: ngettext_lazy("%(count)s renamed", "%(count)s renamed", "n"),
    RefreshPart.RETURNED: ngettext_lazy("%(count)s back in MemberSuite", "%(count)s back in MemberSuite", "n"),
    RefreshPart.GONE: ngettext_lazy("%(count)s no longer in MemberSuite", "%(count)s no longer in MemberSuite", "n"),
    RefreshPart.UNCHANGED: ngettext_lazy("%(count)s unchanged", "%(count)s unchanged", "n"),
    RefreshPart.DELETED: ngettext_lazy("%(count)s deleted here", "%(count)s deleted here", "n"),
}


def refreshed(part: RefreshPart, count: int) -> str:
    """Put one part of a list refresh's sentence in words."""
    return str(_REFRESHED[part] % {"n": count, "count": number(count)})


class SuppressionCause(models.TextChoices):
    OPT_OUT = "opt_out", gettext_lazy("Opted out")
    HARD_BOUNCE = "hard_bounce", gettext_lazy("Hard bounce")
    SOFT_BOUNCES = "soft_bounces", gettext_lazy("Repeated soft bounces")
    COMPLAINT = "complaint", gettext_lazy("Complaint")
    MANUAL = "manual", gettext_lazy("Suppressed by a person")
    ERASED = "erased", gettext_lazy("Erased on request")


# What Manage Subscribers lists as bounced; every other cause is somebody's wish, and stands among the opted out.
BOUNCES = (SuppressionCause.HARD_BOUNCE, SuppressionCause.SOFT_BOUNCES)
WISHES = tuple(cause for cause in SuppressionCause if cause not in BOUNCES)


class WritebackState(models.TextChoices):
    PENDING = "pending", gettext_lazy("Pending")
    COMPLETED = "completed", gettext_lazy("Completed")
    FAILED = "failed", gettext_lazy("Failed")


class WritebackCause(models.TextChoices):
    """What happened here that MemberSuite is to be told of."""

    OPT_OUT = SuppressionCause.OPT_OUT.value, gettext_lazy("Opted out here")
    HARD_BOUNCE = SuppressionCause.HARD_BOUNCE.value, gettext_lazy("Hard bounce")
    OPT_IN = "opt_in", gettext_lazy("Opted in again here")


class NotReceiving(models.TextChoices):
    """Why a member receives no mailing; of several reasons the first one counts. The suppressions' words are causes."""

    DO_NOT_EMAIL = "do_not_email", gettext_lazy("Now Do Not Email, seen elsewhere")
    NO_ADDRESS = "no_address", gettext_lazy("No e-mail address")
    OPT_OUT = SuppressionCause.OPT_OUT.value, gettext_lazy("Opted out here")
    HARD_BOUNCE = SuppressionCause.HARD_BOUNCE.value, gettext_lazy("Hard bounce")
    SOFT_BOUNCES = SuppressionCause.SOFT_BOUNCES.value, gettext_lazy("Repeated soft bounces")
    COMPLAINT = SuppressionCause.COMPLAINT.value, gettext_lazy("Complaint")
    MANUAL = SuppressionCause.MANUAL.value, gettext_lazy("Suppressed by a person")
    ERASED = SuppressionCause.ERASED.value, gettext_lazy("Erased on request")
    SHARED_ADDRESS = "shared_address", gettext_lazy("Shared address: another member gets the one copy")


# Beside these reasons, the word of those whom a mailing reaches.
RECEIVING = "receiving"


def reason_label(word: str) -> str:
    """Put a reason of a removal or an exclusion in words; the empty one is of a held run, which asks nobody (R6)."""
    if not word:
        return gettext("Not among the eligible; the reason is asked for when it is applied")
    for choices in (RemovalReason, ExclusionReason, DoubtReason):
        if word in choices.values:
            return str(choices(word).label)
    return word.replace("_", " ").capitalize()


FIELDS = {
    "email": gettext_lazy("E-mail"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "local_id": gettext_lazy("Local ID"),
    "remote_id": gettext_lazy("Remote ID"),
    "do_not_email": gettext_lazy("Do Not Email"),
}


# Details of exclusions, by the word that is kept: a sync writes them for many rows.
_DETAILS = {
    "no readable flag": gettext_lazy("no readable flag"),
    "seen in another group": gettext_lazy("seen in another group"),
    "erased here on request": gettext_lazy("erased here on request"),
    "no_id": gettext_lazy("no ID"),
    "column_twice": gettext_lazy("a column came twice"),
    "Remote ID is too long": gettext_lazy("Remote ID is too long"),
}


def detail_label(word: str) -> str:
    """Put the detail of an exclusion in words."""
    return str(_DETAILS.get(word, word))


def field_label(name: str) -> str:
    """Name a field as the lists of changes do; an extra field of a search has its own name."""
    return str(FIELDS.get(name, name))


# Trouble with MemberSuite as a whole, which no search is to blame for.
CONNECTION_CODES = {
    "invalid_access_key",
    "invalid_secret",
    "login_refused",
    "wrong_tenant",
    "address_wrong",
    "address_private",
    "host_unreachable",
    "certificate_invalid",
    "redirect_refused",
    "access_denied",
}
# Trouble of one call, for which the client asks again within the run.
CALL_CODES = {
    "timed_out",
    "connection_cut",
    "throttled",
    "server_trouble",
    "general_exception",
    "host_unreachable",
    "temporary_trouble",
}
