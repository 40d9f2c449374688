"""The words for a mailing's states and its recipients' outcomes, with the sets that code decides by."""

from django.db import models
from django.utils.translation import gettext_lazy


class MailingStatus(models.TextChoices):
    DRAFT = "draft", gettext_lazy("Draft")
    SCHEDULED = "scheduled", gettext_lazy("Scheduled")
    RESYNCING = "resyncing", gettext_lazy("Resyncing")
    STOPPED = "stopped", gettext_lazy("Stopped")
    SENDING = "sending", gettext_lazy("Sending")
    PAUSED = "paused", gettext_lazy("Paused")
    SENT = "sent", gettext_lazy("Sent")
    SENT_WITH_ERRORS = "sent_with_errors", gettext_lazy("Sent with errors")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")
    FAILED = "failed", gettext_lazy("Failed")


# Its text, groups and time may still be changed.
EDITABLE = (MailingStatus.DRAFT, MailingStatus.STOPPED)
# A worker has something to do with it, now or when its time comes.
ACTIVE = (MailingStatus.SCHEDULED, MailingStatus.RESYNCING, MailingStatus.SENDING)
# Over: nothing of it will go out any more.
FINAL = (MailingStatus.SENT, MailingStatus.SENT_WITH_ERRORS, MailingStatus.CANCELLED, MailingStatus.FAILED)
CANCELLABLE = (
    MailingStatus.SCHEDULED,
    MailingStatus.RESYNCING,
    MailingStatus.STOPPED,
    MailingStatus.SENDING,
    MailingStatus.PAUSED,
)


class GroupRole(models.TextChoices):
    TO = "to", gettext_lazy("Send to")
    NOT_TO = "not_to", gettext_lazy("Do not send to")


class Outcome(models.TextChoices):
    """What became of one recipient (R13)."""

    QUEUED = "queued", gettext_lazy("Queued")
    # Of the version before alone, which may be at work beside this one during an upgrade. Now the turn is the lease.
    LEASED = "leased", gettext_lazy("Leased")
    IN_FLIGHT = "in_flight", gettext_lazy("In flight")
    DEFERRED = "deferred", gettext_lazy("Deferred")
    SENT = "sent", gettext_lazy("Sent")
    FAILED = "failed", gettext_lazy("Failed")
    BOUNCED = "bounced", gettext_lazy("Bounced")
    SKIPPED = "skipped", gettext_lazy("Skipped")
    UNKNOWN = "unknown", gettext_lazy("Unknown")


# Nothing more will be done with a recipient by itself.
SETTLED = (Outcome.SENT, Outcome.FAILED, Outcome.BOUNCED, Outcome.SKIPPED, Outcome.UNKNOWN)
# Something will still be done with these.
UNSETTLED = (Outcome.QUEUED, Outcome.LEASED, Outcome.IN_FLIGHT, Outcome.DEFERRED)
# A worker whose turn it is may send to these.
SENDABLE = (Outcome.QUEUED, Outcome.DEFERRED)


class LeftOutReason(models.TextChoices):
    """Why a member of the mailing's groups does not get it. The first five are the suppression's causes."""

    OPT_OUT = "opt_out", gettext_lazy("Opted out here")
    HARD_BOUNCE = "hard_bounce", gettext_lazy("Hard bounce")
    SOFT_BOUNCES = "soft_bounces", gettext_lazy("Repeated soft bounces")
    COMPLAINT = "complaint", gettext_lazy("Complaint")
    MANUAL = "manual", gettext_lazy("Suppressed by a person")
    ERASED = "erased", gettext_lazy("Erased on request")
    DO_NOT_EMAIL = "do_not_email", gettext_lazy("Do Not Email seen elsewhere")
    NO_ADDRESS = "no_address", gettext_lazy("No e-mail address")
    SHARED_ADDRESS = "shared_address", gettext_lazy("Shares the address of another recipient")
    NOT_TO_GROUP = "not_to_group", gettext_lazy('In a "Do not send to" group')
    NOT_TO_ADDRESS = "not_to_address", gettext_lazy('A "Do not send to" address')
    LEFT_GROUP = "left_group", gettext_lazy("Left the target groups before sending")
    CANCELLED = "cancelled", gettext_lazy("The mailing was cancelled first")


class StopCode(models.TextChoices):
    """Why a mailing does not go on by itself.

    Before its recipients are fixed it becomes *stopped* and may be changed (R12); after that it becomes *paused* and
    can be resumed or cancelled: "mail_server", "refuses_everybody" and "unexpected" alone can be the reason then.
    """

    GROUP_GONE = "group_gone", gettext_lazy("A target group is no longer in MemberSuite")
    GROUP_DELETED = "group_deleted", gettext_lazy("A target group was deleted")
    GROUP_NOT_RUNNABLE = "group_not_runnable", gettext_lazy("A target group's search can't be run")
    SYNC_FAILED = "sync_failed", gettext_lazy("A target group could not be resynced")
    SYNC_HELD = "sync_held", gettext_lazy("A target group's resync is held")
    SYNC_CANCELLED = "sync_cancelled", gettext_lazy("A target group's resync was cancelled")
    TOO_LATE = "too_late", gettext_lazy("Its time was over before it could begin")
    LIST_MOVED = "list_moved", gettext_lazy("The list moved since it was reviewed")
    RESTORED = "restored", gettext_lazy("The database was restored from a back-up")
    NOBODY = "nobody", gettext_lazy("Nobody would receive it")
    MAIL_SERVER = "mail_server", gettext_lazy("The mail server can't be reached or refuses the sender")
    REFUSES_EVERYBODY = "refuses_everybody", gettext_lazy("The mail server refuses nearly everybody")
    UNEXPECTED = "unexpected", gettext_lazy("Something went wrong in this program")


# A group has a last good list all the same; to send to it is a decision of its own (R10, R12).
STALE_STOPS = (StopCode.GROUP_GONE, StopCode.GROUP_NOT_RUNNABLE, StopCode.SYNC_FAILED, StopCode.SYNC_HELD)


class NoticeState(models.TextChoices):
    """Whether the author knows by e-mail that the mailing does not go on by itself; empty: there is nothing to tell."""

    DUE = "due", gettext_lazy("Being told")
    SENT = "sent", gettext_lazy("Told")
    FAILED = "failed", gettext_lazy("Not told")
    NOBODY = "nobody", gettext_lazy("Nobody to tell")


class EventKind(models.TextChoices):
    """What a mail provider told of a message."""

    HARD_BOUNCE = "hard_bounce", gettext_lazy("Hard bounce")
    SOFT_BOUNCE = "soft_bounce", gettext_lazy("Soft bounce")
    COMPLAINT = "complaint", gettext_lazy("Complaint")
    OPT_OUT = "opt_out", gettext_lazy("Opted out at the provider")
    REJECTED = "rejected", gettext_lazy("Not sent by the provider")
    DELIVERED = "delivered", gettext_lazy("Delivered")


class EventEffect(models.TextChoices):
    """What became of it here."""

    SUPPRESSED = "suppressed", gettext_lazy("Address suppressed")
    NOTED = "noted", gettext_lazy("Noted")
    OUTLIVED = "outlived", gettext_lazy("Older than what is known")
    UNKNOWN_ADDRESS = "unknown_address", gettext_lazy("Nobody here has the address")
