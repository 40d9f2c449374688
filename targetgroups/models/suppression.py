from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models

from ..choices import SuppressionCause
from ..querysets import SuppressionQuerySet


class Suppression(models.Model):
    """An address not to be mailed, and why. It wins over anything a sync brings (R11)."""

    address_key = models.TextField(db_collation="C")
    address = models.TextField()
    cause = models.CharField(max_length=16, choices=SuppressionCause.choices)
    note = models.CharField(max_length=500, blank=True)
    # The words of the mail server or the provider, and the mailing of which they were, if it was one.
    said = models.TextField(blank=True, default="", db_default="")
    mailing_id = models.BigIntegerField(null=True, blank=True)
    # The person or program, by name; in the audit log by number as well. Empty: the person at the address.
    added_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    suppressed_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    lifted_because = models.CharField(max_length=500, blank=True, default="", db_default="")

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address_key", "cause"],
                condition=models.Q(lifted_at__isnull=True),
                name="suppression_once_a_cause",
            ),
        ]
        indexes = [
            # Suppressions, and Manage Subscribers: who opted out or bounced, by time; and those of one cause.
            models.Index(
                fields=["suppressed_at", "id"],
                condition=models.Q(lifted_at__isnull=True),
                name="suppression_by_time",
            ),
            models.Index(
                fields=["cause", "suppressed_at", "id"],
                condition=models.Q(lifted_at__isnull=True),
                name="suppression_by_cause",
            ),
            # The same by address.
            models.Index(
                fields=["address_key", "id"], condition=models.Q(lifted_at__isnull=True), name="suppression_by_address"
            ),
            # The lifted ones, by time; and whether one address's was.
            models.Index(
                fields=["lifted_at", "id"],
                condition=models.Q(lifted_at__isnull=False),
                name="suppression_lifted",
            ),
            models.Index(
                fields=["address_key", "lifted_at"],
                condition=models.Q(lifted_at__isnull=False),
                name="suppression_lifted_address",
            ),
            # A part of an address.
            GinIndex(OpClass("address_key", name="gin_trgm_ops"), name="suppression_search"),
        ]

    def __str__(self) -> str:
        return f"{self.cause} since {self.suppressed_at:%Y-%m-%d}"
