from django.db import models
from django.db.models.functions import Lower

from ..choices import GroupState
from ..querysets import TargetGroupQuerySet
from .bridge import Bridge
from .folder import Folder


class TargetGroup(models.Model):
    """A local group tied to one search of MemberSuite.

    Name, folder and existence are written by the list refresh and by people; every number by `sync.counts` alone (R3).
    """

    bridge = models.ForeignKey(Bridge, on_delete=models.CASCADE, related_name="target_groups")
    folder = models.ForeignKey(Folder, on_delete=models.PROTECT, related_name="target_groups")
    search_id = models.CharField("search ID", max_length=100)
    search_key = models.CharField(max_length=100, editable=False)
    name = models.CharField("target group name", max_length=500)
    description = models.TextField(blank=True)
    search_type = models.CharField("type", max_length=100, blank=True)
    # Empty, or the stable code of why the search can't be run (needs_parameter, not_people, not_over_rest).
    not_runnable_code = models.CharField(max_length=64, blank=True)
    is_limited = models.BooleanField("limited search", default=False)
    attribute_names = models.JSONField(default=list, blank=True)

    first_seen_at = models.DateTimeField(auto_now_add=True)
    gone_at = models.DateTimeField("no longer in MemberSuite since", null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    # Empty: the bridge's limits (R6).
    guard_percent = models.PositiveSmallIntegerField(null=True, blank=True)
    guard_people = models.PositiveIntegerField(null=True, blank=True)

    # Counts, with their time; null is "not counted yet", never 0.
    member_count = models.PositiveIntegerField(null=True, blank=True)
    search_count = models.PositiveIntegerField(null=True, blank=True)
    exclusion_counts = models.JSONField(default=dict, blank=True)
    is_do_not_email_calculated = models.BooleanField(default=False)
    counted_at = models.DateTimeField(null=True, blank=True)
    # When the first page of the last completed run was asked for: since then its members are confirmed (R14).
    read_at = models.DateTimeField(null=True, blank=True)
    counted_run = models.ForeignKey("SyncRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # The newest run's error, emptied by the next completed run.
    error_code = models.CharField(max_length=64, blank=True)
    error_text = models.TextField(blank=True)
    error_at = models.DateTimeField(null=True, blank=True)

    objects = TargetGroupQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint("bridge", "search_key", name="target_group_search_once"),
        ]
        indexes = [models.Index(Lower("name"), "id", name="target_group_name")]  # Target Groups sorted by name

    def __str__(self) -> str:
        return self.name

    @property
    def is_gone(self) -> bool:
        return self.gone_at is not None

    @property
    def is_runnable(self) -> bool:
        return not self.not_runnable_code and not self.is_gone

    @property
    def state(self) -> GroupState:
        """Say which word stands beside the count."""
        if self.error_code:
            return GroupState.ERROR
        if self.is_gone or self.not_runnable_code:
            return GroupState.UNAVAILABLE
        if self.member_count is None:
            return GroupState.NOT_COUNTED
        return GroupState.COUNTED
