from django.db import models

from ..choices import OutcomeKind
from .bridge import Bridge
from .sync_run import SyncRun


class RunOutcome(models.Model):
    """One person that a run changed, removed, or would have, or kept on doubt: by Remote ID; names are joined.

    Who was *added* is told by Membership.added_run_id, and for those who have left since by `added_run_id` here; who
    was excluded by Exclusion. Kept for SYNC_OUTCOME_DAYS.
    """

    bridge = models.ForeignKey(Bridge, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    run = models.ForeignKey(
        SyncRun, on_delete=models.CASCADE, related_name="outcomes", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=16, choices=OutcomeKind.choices)
    remote_id = models.CharField("Remote ID", max_length=100)
    remote_key = models.CharField(max_length=100, db_collation="C")
    reason = models.CharField(max_length=32, blank=True)
    # {"email": ["before", "after"], ...}; emptied when the person becomes Do Not Email (R1).
    changes = models.JSONField(null=True, blank=True)
    added_run_id = models.BigIntegerField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["run", "kind", "remote_key"], name="outcome_by_run"),  # run page
            models.Index(fields=["bridge", "remote_key"], name="outcome_by_person"),  # erasing, timeline
            models.Index(
                fields=["added_run_id"], condition=models.Q(added_run_id__isnull=False), name="outcome_added_run"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id}: {self.kind}"
