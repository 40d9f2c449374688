from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext

from ..choices import WritebackCause, WritebackState
from ..querysets import WritebackQuerySet
from .bridge import Bridge
from .suppression import Suppression


class Outbox(models.Model):
    """One bridge's writebacks as a whole: who writes now, until when nobody may, and the last daily check.

    Whoever queues, takes or ends writebacks locks this row first, so that these come one after the other.
    """

    bridge = models.OneToOneField(Bridge, primary_key=True, on_delete=models.CASCADE, related_name="outbox")
    # The one writer, and when its turn ends if it falls silent.
    writer = models.UUIDField(null=True, blank=True)
    writer_until = models.DateTimeField(null=True, blank=True)
    # Trouble with the connection concerns every record: nothing is tried before this.
    paused_until = models.DateTimeField(null=True, blank=True)
    trouble_count = models.PositiveIntegerField(default=0)  # in a row; decides how long the next pause is
    trouble_code = models.CharField(max_length=64, blank=True)
    trouble_text = models.TextField(blank=True)
    # Opted out here, and mailable there by the last syncs.
    still_mailable_count = models.PositiveIntegerField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"outbox of {self.bridge_id}"


class Writeback(models.Model):
    """A change owed to MemberSuite: Do Not Email of one record. No address or name stands here (R1)."""

    bridge = models.ForeignKey(Bridge, on_delete=models.CASCADE, related_name="writebacks", db_index=False)
    remote_id = models.CharField("Remote ID", max_length=100)
    remote_key = models.CharField(max_length=100, db_collation="C")
    do_not_email = models.BooleanField()
    cause = models.CharField(max_length=16, choices=WritebackCause.choices)
    suppression = models.ForeignKey(
        Suppression, null=True, blank=True, on_delete=models.SET_NULL, related_name="writebacks"
    )
    # One wish, one row: what is queued a second time is found by it.
    key = models.CharField(max_length=40)
    # The Yes there is, or may be, of our writing: only such a Yes is ever taken back.
    is_ours = models.BooleanField(default=False)
    state = models.CharField(max_length=16, choices=WritebackState.choices, default=WritebackState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)
    remote_said = models.TextField(blank=True)
    queued_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    # MemberSuite has said otherwise since, or we wrote otherwise: this no longer stands.
    overtaken_at = models.DateTimeField(null=True, blank=True)

    objects = WritebackQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also: what was written for one record.
            models.UniqueConstraint(fields=["bridge", "remote_key", "key"], name="writeback_once_a_wish"),
            models.UniqueConstraint(
                fields=["bridge", "remote_key"],
                condition=models.Q(state=WritebackState.PENDING),
                name="writeback_one_pending_a_record",
            ),
        ]
        indexes = [
            models.Index(fields=["bridge", "id"], name="writeback_list"),
            models.Index(fields=["bridge", "state", "id"], name="writeback_list_by_state"),
            # The writer: what is due?
            models.Index(
                fields=["bridge", "due_at", "id"],
                condition=models.Q(state=WritebackState.PENDING),
                name="writeback_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id}: Do Not Email = {'Yes' if self.do_not_email else 'No'}"

    @property
    def wish(self) -> str:
        """The value as MemberSuite shows it."""
        return gettext("Yes") if self.do_not_email else gettext("No")
