from django.db import models

from targetgroups.models import Subscriber, TargetGroup

from ..choices import SENDABLE, LeftOutReason, Outcome
from ..querysets import RecipientQuerySet
from .mailing import Mailing


class Recipient(models.Model):
    """One address in one frozen mailing: at most one copy of the message (R13).

    Address and names are those of the freeze and stay for good, whatever becomes of the subscriber (R1's exemption).
    Only `send` changes the outcome, and every change of it is counted in Tally in the same transaction.
    """

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="recipients", db_index=False)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.PROTECT, related_name="recipients")
    target_group = models.ForeignKey(TargetGroup, on_delete=models.PROTECT, related_name="+", db_index=False)
    remote_id = models.CharField("Remote ID", max_length=100)
    email = models.TextField("e-mail")
    address_key = models.TextField(db_collation="C")
    first_name = models.TextField(blank=True)
    last_name = models.TextField(blank=True)

    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.QUEUED)
    # Of a skipped one: why; of a failed one: the mail server's reply code.
    reason = models.CharField(max_length=32, blank=True)
    said = models.TextField("what the mail server said", blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Of one in flight: by whose turn, and until when that worker counts as alive.
    leased_by = models.CharField(max_length=64, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    in_flight_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)

    objects = RecipientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailing", "address_key"], name="recipient_address_once"),
        ]
        indexes = [
            models.Index(fields=["mailing", "outcome", "id"], name="recipient_by_outcome"),  # Report's lists
            # The next ones.
            models.Index(fields=["mailing", "id"], name="recipient_sendable", condition=models.Q(outcome__in=SENDABLE)),
            # Messages of a killed worker.
            models.Index(
                fields=["mailing", "leased_until"],
                name="recipient_leased",
                condition=models.Q(outcome__in=(Outcome.LEASED, Outcome.IN_FLIGHT)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id}: {self.outcome}"


class LeftOut(models.Model):
    """A member of the mailing's groups who was not made a recipient, and why ("Subscribers Removed")."""

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="left_out", db_index=False)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.PROTECT, related_name="+", db_index=False)
    target_group = models.ForeignKey(TargetGroup, on_delete=models.PROTECT, related_name="+", db_index=False)
    remote_id = models.CharField("Remote ID", max_length=100)
    reason = models.CharField(max_length=32, choices=LeftOutReason.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailing", "subscriber"], name="left_out_once"),
        ]
        indexes = [
            models.Index(fields=["mailing", "reason", "id"], name="left_out_by_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id}: {self.reason}"


class Tally(models.Model):
    """How many of a mailing's people stand where, so that no page counts them.

    `kind` is an Outcome, or "left_out"; `reason` belongs to skipped and left_out. Written in the transaction that
    moves the people.
    """

    LEFT_OUT = "left_out"

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    kind = models.CharField(max_length=16)
    reason = models.CharField(max_length=32, blank=True)
    people_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailing", "kind", "reason"], name="tally_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reason}: {self.people_count}"


class MinuteTally(models.Model):
    """How many of a mailing's recipients were settled in a minute, by outcome; written with Tally, and adds up to it.

    One whose outcome changes later counts in the minute of the change alone.
    """

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="minutes", db_index=False)
    minute = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    people_count = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailing", "minute", "outcome"], name="minute_tally_once"),
        ]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} {self.outcome}: {self.people_count}"
