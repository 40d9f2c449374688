"""The words for a mailing's states and its recipients' outcomes, with the sets that code decides by."""

from django.db import models


class MailingStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    SCHEDULED = "scheduled", "Scheduled"
    RESYNCING = "resyncing", "Resyncing"
    STOPPED = "stopped", "Stopped"
    SENDING = "sending", "Sending"
    PAUSED = "paused", "Paused"
    SENT = "sent", "Sent"
    SENT_WITH_ERRORS = "sent_with_errors", "Sent with errors"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"


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
    TO = "to", "Send to"
    NOT_TO = "not_to", "Do not send to"


class Outcome(models.TextChoices):
    """What became of one recipient (R13)."""

    QUEUED = "queued", "Queued"
    LEASED = "leased", "Leased"
    IN_FLIGHT = "in_flight", "In flight"
    DEFERRED = "deferred", "Deferred"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    BOUNCED = "bounced", "Bounced"
    SKIPPED = "skipped", "Skipped"
    UNKNOWN = "unknown", "Unknown"


# Nothing more will be done with a recipient by itself.
SETTLED = (Outcome.SENT, Outcome.FAILED, Outcome.BOUNCED, Outcome.SKIPPED, Outcome.UNKNOWN)
# Something will still be done with these.
UNSETTLED = (Outcome.QUEUED, Outcome.LEASED, Outcome.IN_FLIGHT, Outcome.DEFERRED)
# A worker may lease these.
SENDABLE = (Outcome.QUEUED, Outcome.DEFERRED)


class LeftOutReason(models.TextChoices):
    """Why a member of the mailing's groups does not get it. The first five are the suppression's causes."""

    OPT_OUT = "opt_out", "Opted out here"
    HARD_BOUNCE = "hard_bounce", "Hard bounce"
    SOFT_BOUNCES = "soft_bounces", "Repeated soft bounces"
    COMPLAINT = "complaint", "Complaint"
    MANUAL = "manual", "Suppressed by a person"
    ERASED = "erased", "Erased on request"
    DO_NOT_EMAIL = "do_not_email", "Do Not Email seen elsewhere"
    NO_ADDRESS = "no_address", "No e-mail address"
    SHARED_ADDRESS = "shared_address", "Shares the address of another recipient"
    NOT_TO_GROUP = "not_to_group", 'In a "Do not send to" group'
    NOT_TO_ADDRESS = "not_to_address", 'A "Do not send to" address'
    LEFT_GROUP = "left_group", "Left the target groups before sending"
    CANCELLED = "cancelled", "The mailing was cancelled first"


class StopCode(models.TextChoices):
    """Why a mailing does not go on by itself.

    Before its recipients are fixed it becomes *stopped* and may be changed (R12); after that it becomes *paused* and
    can be resumed or cancelled: "mail_server", "refuses_everybody" and "unexpected" alone can be the reason then.
    """

    GROUP_GONE = "group_gone", "A target group is no longer in MemberSuite"
    GROUP_DELETED = "group_deleted", "A target group was deleted"
    GROUP_NOT_RUNNABLE = "group_not_runnable", "A target group's search can't be run"
    SYNC_FAILED = "sync_failed", "A target group could not be resynced"
    SYNC_HELD = "sync_held", "A target group's resync is held"
    SYNC_CANCELLED = "sync_cancelled", "A target group's resync was cancelled"
    TOO_LATE = "too_late", "Its time was over before it could begin"
    LIST_MOVED = "list_moved", "The list moved since it was reviewed"
    RESTORED = "restored", "The database was restored from a back-up"
    NOBODY = "nobody", "Nobody would receive it"
    MAIL_SERVER = "mail_server", "The mail server can't be reached or refuses the sender"
    REFUSES_EVERYBODY = "refuses_everybody", "The mail server refuses nearly everybody"
    UNEXPECTED = "unexpected", "Something went wrong in this program"


# A group has a last good list all the same; to send to it is a decision of its own (R10, R12).
STALE_STOPS = (StopCode.GROUP_GONE, StopCode.GROUP_NOT_RUNNABLE, StopCode.SYNC_FAILED, StopCode.SYNC_HELD)


class NoticeState(models.TextChoices):
    """Whether the author knows by e-mail that the mailing does not go on by itself; empty: there is nothing to tell."""

    DUE = "due", "Being told"
    SENT = "sent", "Told"
    FAILED = "failed", "Not told"
    NOBODY = "nobody", "Nobody to tell"


class EventKind(models.TextChoices):
    """What a mail provider told of a message."""

    HARD_BOUNCE = "hard_bounce", "Hard bounce"
    SOFT_BOUNCE = "soft_bounce", "Soft bounce"
    COMPLAINT = "complaint", "Complaint"
    OPT_OUT = "opt_out", "Opted out at the provider"
    REJECTED = "rejected", "Not sent by the provider"
    DELIVERED = "delivered", "Delivered"


class EventEffect(models.TextChoices):
    """What became of it here."""

    SUPPRESSED = "suppressed", "Address suppressed"
    NOTED = "noted", "Noted"
    OUTLIVED = "outlived", "Older than what is known"
    UNKNOWN_ADDRESS = "unknown_address", "Nobody here has the address"
