from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from thrive_sync.lib.encryption import EncryptedTextField

from .choices import AlertKind, DeliveryState

# Of a delivery: two rounds, for one that was given up and tried again; and of each answer so many characters.
MOST_TRIES_KEPT = 12
MOST_SAID = 500


class AlertState(models.Model):
    """How one thing stands with one kind of trouble; changed by claims alone, so that a change is told once."""

    kind = models.CharField(max_length=16, choices=AlertKind.choices)
    key = models.CharField(max_length=40)  # "group:12"
    is_bad = models.BooleanField(default=False, db_default=False)
    # Good again since then, and not told yet: it must stay so for a while (ALERT_SETTLE_SECONDS).
    good_since = models.DateTimeField(null=True)
    # Of what shrank: the run that it was told of, and how many members there were before it.
    run_id = models.BigIntegerField(default=0, db_default=0)
    level = models.PositiveIntegerField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="alert_state_once")]
        indexes = [
            # The sweep: what was not good when it last looked.
            models.Index(fields=["kind", "key"], name="alert_state_bad", condition=models.Q(is_bad=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Alert(models.Model):
    """One time that something was not good: from when until when, in words, and where to look."""

    kind = models.CharField(max_length=16, choices=AlertKind.choices)
    key = models.CharField(max_length=40)
    about = models.CharField(max_length=500)
    text = models.TextField(blank=True)
    link = models.CharField(max_length=200)
    raised_at = models.DateTimeField()
    recovered_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(recovered_at__isnull=True), name="alert_one_open"
            )
        ]
        indexes = [
            # The menu's count, on every page; few are open.
            models.Index(fields=["id", "kind"], name="alert_open", condition=models.Q(recovered_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.about}"

    @property
    def is_open(self) -> bool:
        return self.recovered_at is None


class Wishes(models.Model):
    """What a person wants to be told of, and where; null is what their rights suggest."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="alert_wishes"
    )
    email = ArrayField(models.CharField(max_length=16), null=True)
    app = ArrayField(models.CharField(max_length=16), null=True)
    # Alerts up to this one are no news any more.
    seen_id = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"alert wishes of {self.user_id}"


class AlertLetter(models.Model):
    """That a person is to be told of an alert, or of its end, by e-mail. What waits together goes in one message."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="letters")
    is_recovery = models.BooleanField()
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    batch = models.UUIDField(null=True)  # of the worker that has it now
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=60, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "alert", "is_recovery"], name="alert_letter_once"),
        ]
        indexes = [
            # What waits to be sent; nearly nothing does.
            models.Index(fields=["due_at"], name="alert_letter_due", condition=models.Q(sent_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"alert {self.alert_id} to {self.user_id}"


class Swept(models.Model):
    """How far the sweep has read the runs: everything below was over when it looked. One row."""

    run_id = models.BigIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"runs up to {self.run_id}"


class Webhook(models.Model):
    """An address of another program that is told of events."""

    name = models.CharField(max_length=100)
    address = models.URLField(max_length=500)
    events = ArrayField(models.CharField(max_length=32), default=list)
    secret = EncryptedTextField()
    # The one before, which signs beside it until then: time to replace it at the other end.
    old_secret = EncryptedTextField(blank=True, default="")
    old_secret_until = models.DateTimeField(null=True)
    secret_set_at = models.DateTimeField()
    is_on = models.BooleanField(default=True, db_default=True)
    # Switched off by itself, and why; empty where a person did it.
    off_at = models.DateTimeField(null=True)
    off_text = models.CharField(max_length=300, blank=True)
    # The first failure that no success has followed.
    failing_since = models.DateTimeField(null=True)
    # One worker works on its deliveries at a time; a dead one's claim ends by itself.
    busy_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Try:
    """One try to deliver an event: when, and what came of it. Neither status nor problem: nobody knows (yet)."""

    at: datetime
    status_code: int | None = None
    took_ms: int | None = None
    problem: str = ""
    said: str = ""

    def kept(self) -> dict[str, Any]:
        """Return it as a delivery keeps it, with less of a long answer."""
        return asdict(self) | {"at": self.at.isoformat(), "said": self.said[:MOST_SAID]}


class Delivery(models.Model):
    """One event for one webhook: what is to be told, and how the telling went. The outbox and its log in one."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    # Of the event: the same one is written once, however many sweeps see it.
    key = models.CharField(max_length=80)
    message_id = models.CharField(max_length=40)
    event = models.CharField(max_length=32)
    payload = models.JSONField()
    state = models.CharField(max_length=16, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    took_ms = models.PositiveIntegerField(null=True)
    # What kept it from being delivered, in our words; and how the answer began.
    problem = models.CharField(max_length=200, blank=True)
    said = models.TextField(blank=True)
    # Every try up to now as `Try.kept` has it, the last MOST_TRIES_KEPT; what stands above is of the last one.
    history = models.JSONField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["webhook", "key"], name="delivery_once")]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_log"),
            # What waits to be delivered.
            models.Index(fields=["webhook", "due_at"], name="delivery_due", condition=models.Q(state="waiting")),
            models.Index(fields=["created_at"], name="delivery_age"),  # cleaning up
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook_id}"

    @property
    def past_tries(self) -> list[Try]:
        """Return the tries that are kept, the oldest first."""
        return [Try(**one | {"at": datetime.fromisoformat(one["at"])}) for one in self.history or []]

    def history_with(self, one: Try) -> list[dict[str, Any]]:
        return [*(self.history or []), one.kept()][-MOST_TRIES_KEPT:]
