from django.db import models

from ..choices import SuppressionCause
from ..querysets import SuppressionQuerySet


class Suppression(models.Model):
    """An address not to be mailed, and why. It wins over anything a sync brings (R11)."""

    address_key = models.TextField(db_collation="C")
    address = models.TextField()
    cause = models.CharField(max_length=16, choices=SuppressionCause.choices)
    note = models.CharField(max_length=500, blank=True)
    suppressed_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

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
            # Manage Subscribers: who opted out or bounced, by time.
            models.Index(
                fields=["suppressed_at", "id"],
                condition=models.Q(lifted_at__isnull=True),
                name="suppression_by_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cause} since {self.suppressed_at:%Y-%m-%d}"
