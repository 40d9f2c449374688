from django.db import models

from ..choices import ExclusionReason
from ..querysets import MembershipQuerySet
from .bridge import Bridge
from .subscriber import Subscriber
from .target_group import TargetGroup


class Membership(models.Model):
    """A subscriber in a target group, with the sort keys of the group's lists on the row itself.

    The keys are copies of the subscriber's, written in the same transaction (R4), so that any page of a group is one
    index read. `sync.apply` alone writes these rows, each from a subscriber that its statement reads, while its run is
    locked and with that the group and the bridge: a database constraint would ask for each of them again, one by one.
    """

    pk = models.CompositePrimaryKey("target_group_id", "subscriber_id")
    target_group = models.ForeignKey(
        TargetGroup, on_delete=models.CASCADE, related_name="memberships", db_index=False, db_constraint=False
    )
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="memberships", db_constraint=False
    )
    sort_email = models.TextField(blank=True, db_collation="C")
    sort_name = models.TextField(blank=True, db_collation="C")
    added_run_id = models.BigIntegerField()
    subscribed_at = models.DateTimeField()

    objects = MembershipQuerySet.as_manager()

    class Meta:
        indexes = [
            # Subscribers tab by e-mail and by name: one index-only read gives any page.
            models.Index(fields=["target_group", "sort_email", "subscriber"], name="membership_by_email"),
            models.Index(fields=["target_group", "sort_name", "subscriber"], name="membership_by_name"),
            # Run page: who was added by a run.
            models.Index(fields=["target_group", "added_run_id", "subscriber"], name="membership_by_run"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber_id} in {self.target_group_id}"


class Exclusion(models.Model):
    """A record of the search that is not a member, or one row too many, and why: by Remote ID only, never a name.

    The row holds from one run to another (`until_run_id`, exclusive), so an unchanged exclusion is written once and
    each run's list can still be told: from_run_id <= run < until_run_id.
    """

    bridge = models.ForeignKey(Bridge, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    target_group = models.ForeignKey(
        TargetGroup, on_delete=models.CASCADE, related_name="exclusions", db_index=False, db_constraint=False
    )
    remote_id = models.CharField("Remote ID", max_length=100)
    remote_key = models.CharField(max_length=100, db_collation="C")
    reason = models.CharField(max_length=20, choices=ExclusionReason.choices)
    row_count = models.PositiveIntegerField(default=1)
    detail = models.CharField(max_length=200, blank=True)
    seen_at = models.DateTimeField()
    from_run_id = models.BigIntegerField()
    until_run_id = models.BigIntegerField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["target_group", "reason", "remote_key"],
                condition=models.Q(until_run_id__isnull=True),
                name="exclusion_present_once",
            ),
        ]
        indexes = [
            # Run page and Excluded tab: one reason's people in the order of their Remote IDs.
            models.Index(fields=["target_group", "reason", "remote_key", "from_run_id"], name="exclusion_by_reason"),
            # Manage Subscribers: one reason's people of all groups; R14 and a person's page: is this record among them?
            models.Index(
                fields=["bridge", "reason", "remote_key"],
                condition=models.Q(until_run_id__isnull=True),
                name="exclusion_present",
            ),
            # Clean-up: ended long ago.
            models.Index(fields=["ended_at"], condition=models.Q(ended_at__isnull=False), name="exclusion_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id}: {self.reason}"
