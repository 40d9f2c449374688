from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from targetgroups.models import SyncRun, TargetGroup

from ..choices import CANCELLABLE, EDITABLE, FINAL, GroupRole, MailingStatus, NoticeState, StopCode
from ..querysets import MailingQuerySet


class Mailing(models.Model):
    """A message and the target groups it goes to.

    `enqueue` changes it for people, `send.pipeline` for workers; both by claims on `status`, never by saving a row
    that was read before.
    """

    name = models.CharField("mailing name", max_length=200)
    from_name = models.CharField("from name", max_length=200, blank=True)
    from_email = models.CharField("from address", max_length=254, blank=True)
    reply_to = models.CharField("reply-to address", max_length=254, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    # What an inbox shows beside the subject.
    preheader = models.CharField(max_length=300, blank=True)
    # Empty: made from the HTML.
    text = models.TextField(blank=True)
    # A mailing without it is sent as text alone.
    html = models.TextField("HTML", blank=True)
    # Beside the "Do not send to" groups: single addresses, by their keys.
    not_to_addresses = ArrayField(models.TextField(), default=list, blank=True)
    target_groups = models.ManyToManyField(TargetGroup, through="MailingGroup", related_name="mailings")

    status = models.CharField(max_length=32, choices=MailingStatus.choices, default=MailingStatus.DRAFT)
    # Counts every save by a person: an edit of an older version is refused, not merged.
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    # Who said Send, when, and for which moment (null: at once). The zone is the one the time was typed in.
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_at = models.DateTimeField(null=True, blank=True)
    scheduled_for = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)

    # The numbers that the sender reviewed when they said Send, with who and when; and those found after the resync.
    reviewed = models.JSONField(null=True, blank=True)
    found = models.JSONField(null=True, blank=True)

    # The steps, each when it began (or was done), by the database's clock.
    moment_at = models.DateTimeField("sending moment came", null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField("first message", null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    # Why it stopped (before the freeze) or paused by itself (after it); while it is sending, why it waits.
    stop_code = models.CharField(max_length=32, choices=StopCode.choices, blank=True)
    stop_text = models.TextField(blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    # The e-mail about that: how often it was begun, and what became of it.
    notice = models.CharField(max_length=8, choices=NoticeState.choices, blank=True)
    notice_tries = models.PositiveSmallIntegerField(default=0)
    notice_text = models.TextField(blank=True)
    # Not to be taken up before: it waits for syncs, for deferred recipients, or for a mail server that is away. Null
    # is at once: whoever knows that what it waits for has come empties this.
    due_at = models.DateTimeField(null=True, blank=True)
    # How often in a row the mail server would not talk to us.
    server_tries = models.PositiveSmallIntegerField(default=0)

    # One worker advances a mailing at a time; a silent one's claim ends by itself.
    worker = models.CharField(max_length=64, blank=True)
    worker_until = models.DateTimeField(null=True, blank=True)

    objects = MailingQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "-id"], name="mailing_by_status"),  # Mailings; the sweep
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_editable(self) -> bool:
        return self.status in EDITABLE

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def is_cancellable(self) -> bool:
        return self.status in CANCELLABLE

    @property
    def is_frozen(self) -> bool:
        """Say whether the recipients are fixed for good."""
        return self.frozen_at is not None


class MailingGroup(models.Model):
    """A target group of a mailing, and the run that made it current for the sending moment (R12)."""

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="groups")
    target_group = models.ForeignKey(TargetGroup, on_delete=models.PROTECT, related_name="mailing_groups")
    role = models.CharField(max_length=8, choices=GroupRole.choices, default=GroupRole.TO)
    run = models.ForeignKey(SyncRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="mailing_groups")
    # It can't be made current, and somebody who may has decided to send to its list of this time.
    stale_read_at = models.DateTimeField(null=True, blank=True)
    # As frozen: how many members the group had.
    member_count = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["role", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["mailing", "target_group"], name="mailing_group_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.target_group_id}"
