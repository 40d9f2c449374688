from django.db import models

from ..choices import EventEffect, EventKind
from ..querysets import MailEventQuerySet
from .recipient import Recipient


class MailEvent(models.Model):
    """What a mail provider told of one message, once, however often it was told.

    `told` holds the address and the words until the event has been applied; then only whom it was about is kept.
    """

    provider = models.CharField(max_length=32)
    key = models.CharField("the provider's name of it", max_length=64)
    kind = models.CharField(max_length=16, choices=EventKind.choices)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    told = models.JSONField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    applied_at = models.DateTimeField(null=True, blank=True)
    effect = models.CharField(max_length=16, choices=EventEffect.choices, blank=True)
    recipient = models.ForeignKey(
        Recipient, null=True, blank=True, on_delete=models.CASCADE, related_name="mail_events"
    )

    objects = MailEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "key"], name="mail_event_once"),
        ]
        indexes = [
            # What is still to be applied.
            models.Index(
                fields=["tries", "id"], name="mail_event_waiting", condition=models.Q(applied_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.kind}"


class EventCount(models.Model):
    """How often a provider told what, and what became of it; written in the transaction that applies an event."""

    provider = models.CharField(max_length=32)
    kind = models.CharField(max_length=16, choices=EventKind.choices)
    effect = models.CharField(max_length=16, choices=EventEffect.choices)
    event_count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "kind", "effect"], name="event_count_once"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.effect}: {self.event_count}"


class RefusedEvents(models.Model):
    """How often somebody posted to a provider's webhook without its signature: one row each, whoever posts how much."""

    provider = models.CharField(max_length=32, unique=True)
    refused_count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "refused events"

    def __str__(self) -> str:
        return f"{self.provider} {self.refused_count}"
