"""The words for states and reasons, with the sets that code decides by. One list: nothing is listed again elsewhere."""

from django.db import models


class Transport(models.TextChoices):
    CONCIERGE = "concierge", "Concierge (SOAP)"
    REST = "rest", "REST"


class RunKind(models.TextChoices):
    LIST = "list", "List refresh"
    GROUP = "group", "Group sync"
    PREVIEW = "preview", "Preview"
    CHECK = "check", "Connection test"
    PERSON = "person", "Person check"


class Trigger(models.TextChoices):
    INFO = "info", "Info"
    RESYNC_NOW = "resync_now", "Resync Now"
    REFRESH = "refresh", "Refresh Target Group List"
    MAILING = "mailing", "Mailing"
    SCHEDULE = "schedule", "Schedule"
    APPLY = "apply", "Apply"
    RETRY = "retry", "Retry"
    COMMAND = "command", "Command"
    API = "api", "API"
    TEST_CONNECTION = "test_connection", "Test connection"
    PREVIEW = "preview", "Preview changes"
    CHECK_AGAIN = "check_again", "Check again"


class ScheduleKind(models.TextChoices):
    LIST = "list", "Refresh the list of target groups"
    GROUPS = "groups", "Sync target groups"


class Phase(models.TextChoices):
    WAITING = "waiting", "Waiting"
    READING = "reading", "Reading from MemberSuite"
    CHECKING = "checking", "Checking"
    COMPARING = "comparing", "Comparing"
    WRITING = "writing", "Writing"
    DONE = "done", "Done"


class RunStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    HELD = "held", "Held"
    SUPERSEDED = "superseded", "Superseded"
    COMPLETED = "completed", "Completed"
    COMPLETED_WITH_REJECTS = "completed_with_rejects", "Completed with rejects"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


# A run in one of these may still change something; at most one waiting and one running run of a slot (R7).
ACTIVE = (RunStatus.WAITING, RunStatus.RUNNING)
GOOD = (RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_REJECTS)
FINAL = (*GOOD, RunStatus.HELD, RunStatus.SUPERSEDED, RunStatus.FAILED, RunStatus.CANCELLED)


class Queue(models.TextChoices):
    INTERACTIVE = "interactive", "Interactive"
    SCHEDULED = "scheduled", "Scheduled"


class ExclusionReason(models.TextChoices):
    """Why a record of the search is not a member. The last one is an error's word, the others are rules'."""

    DO_NOT_EMAIL = "do_not_email", "Do Not Email is Yes"
    NO_ADDRESS = "no_address", "No e-mail address"
    MALFORMED_ADDRESS = "malformed_address", "Malformed e-mail address"
    DUPLICATE_ROW = "duplicate_row", "Duplicate row"
    UNREADABLE_ROW = "unreadable_row", "Unreadable row (rejected)"


class RemovalReason(models.TextChoices):
    """Why a member left. The two address reasons name people who are still in the search but can't be mailed."""

    NOW_DO_NOT_EMAIL = "now_do_not_email", "Do Not Email is now Yes"
    NO_LONGER_IN_SEARCH = "no_longer_in_search", "No longer in the search"
    RECORD_DELETED = "record_deleted", "Record deleted"
    NOW_NO_ADDRESS = "now_no_address", "E-mail address is now missing"
    NOW_MALFORMED_ADDRESS = "now_malformed_address", "E-mail address is now malformed"
    ERASED = "erased", "Erased here on request"


class DoubtReason(models.TextChoices):
    """Why a member whom a reading does not show as eligible was not removed (R5)."""

    UNREADABLE_ROW = "unreadable_row", "Unreadable row (rejected)"
    UNREADABLE_ANSWER = "unreadable_answer", "Asked for again, and the answer was not readable"


class OutcomeKind(models.TextChoices):
    CHANGED = "changed", "Changed"
    REMOVED = "removed", "Removed"
    WOULD_ADD = "would_add", "Would be added"
    WOULD_CHANGE = "would_change", "Would be changed"
    WOULD_REMOVE = "would_remove", "Would be removed"
    WOULD_STAY = "would_stay", "Would stay"
    KEPT = "kept", "Kept on doubt"


class GroupState(models.TextChoices):
    """What stands beside a group's count, most urgent first (R15: a word for each, never a false 0)."""

    ERROR = "error", "Error"
    UNAVAILABLE = "unavailable", "Unavailable"
    NOT_COUNTED = "not_counted", "Not counted yet"
    COUNTED = "counted", "Counted"


class RefreshPart(models.TextChoices):
    """The parts of a list refresh's sentence, in its order; a group is in one of them."""

    NEW = "new", "new"
    RENAMED = "renamed", "renamed"
    RETURNED = "returned", "back in MemberSuite"
    GONE = "gone", "no longer in MemberSuite"
    UNCHANGED = "unchanged", "unchanged"
    DELETED = "deleted", "deleted here"


class SuppressionCause(models.TextChoices):
    OPT_OUT = "opt_out", "Opted out"
    HARD_BOUNCE = "hard_bounce", "Hard bounce"
    SOFT_BOUNCES = "soft_bounces", "Repeated soft bounces"
    COMPLAINT = "complaint", "Complaint"
    MANUAL = "manual", "Suppressed by a person"
    ERASED = "erased", "Erased on request"


# What Manage Subscribers lists as bounced; every other cause is somebody's wish, and stands among the opted out.
BOUNCES = (SuppressionCause.HARD_BOUNCE, SuppressionCause.SOFT_BOUNCES)
WISHES = tuple(cause for cause in SuppressionCause if cause not in BOUNCES)


class WritebackState(models.TextChoices):
    PENDING = "pending", "Pending"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"


class WritebackCause(models.TextChoices):
    """What happened here that MemberSuite is to be told of."""

    OPT_OUT = SuppressionCause.OPT_OUT.value, "Opted out here"
    HARD_BOUNCE = SuppressionCause.HARD_BOUNCE.value, "Hard bounce"
    OPT_IN = "opt_in", "Opted in again here"


class NotReceiving(models.TextChoices):
    """Why a member receives no mailing; of several reasons the first one counts. The suppressions' words are causes."""

    DO_NOT_EMAIL = "do_not_email", "Now Do Not Email, seen elsewhere"
    NO_ADDRESS = "no_address", "No e-mail address"
    OPT_OUT = SuppressionCause.OPT_OUT.value, "Opted out here"
    HARD_BOUNCE = SuppressionCause.HARD_BOUNCE.value, "Hard bounce"
    SOFT_BOUNCES = SuppressionCause.SOFT_BOUNCES.value, "Repeated soft bounces"
    COMPLAINT = SuppressionCause.COMPLAINT.value, "Complaint"
    MANUAL = SuppressionCause.MANUAL.value, "Suppressed by a person"
    ERASED = SuppressionCause.ERASED.value, "Erased on request"
    SHARED_ADDRESS = "shared_address", "Shared address: another member gets the one copy"


# Beside these reasons, the word of those whom a mailing reaches.
RECEIVING = "receiving"


def reason_label(word: str) -> str:
    """Put a reason of a removal or an exclusion in words; the empty one is of a held run, which asks nobody (R6)."""
    if not word:
        return "Not among the eligible; the reason is asked for when it is applied"
    for choices in (RemovalReason, ExclusionReason, DoubtReason):
        if word in choices.values:
            return str(choices(word).label)
    return word.replace("_", " ").capitalize()


FIELDS = {
    "email": "E-mail",
    "first_name": "First name",
    "last_name": "Last name",
    "local_id": "Local ID",
    "remote_id": "Remote ID",
    "do_not_email": "Do Not Email",
}


def field_label(name: str) -> str:
    """Name a field as the lists of changes do; an extra field of a search has its own name."""
    return FIELDS.get(name, name)
