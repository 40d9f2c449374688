from django.db import models

from .target_group import TargetGroup


class ReceivingCount(models.Model):
    """How many of a group's members a mailing reaches, and why not the others, at one moment (R15).

    `sync.receiving` alone writes it, beside the group's own counts: suppressions change between two syncs.
    """

    target_group = models.OneToOneField(
        TargetGroup, primary_key=True, on_delete=models.CASCADE, related_name="receiving"
    )
    # Whose members were counted: another run of the group since, and these numbers are no longer shown.
    counted_run_id = models.BigIntegerField(null=True, blank=True)
    receiving_count = models.PositiveIntegerField()
    # By NotReceiving; together with the receiving they are the members.
    not_receiving_counts = models.JSONField(default=dict, blank=True)
    counted_at = models.DateTimeField()
    # A suppression of a member's address came or went since: the next sweep counts again.
    is_outdated = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.receiving_count} of {self.target_group_id}"
