from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext

from ..choices import ACTIVE, FINAL, GOOD, Phase, Queue, RunKind, RunStatus, Trigger
from ..querysets import SyncRunQuerySet
from .bridge import Bridge
from .target_group import TargetGroup


class SyncRun(models.Model):
    """One attempt to bring a group level with its search (or a list refresh, a preview, a check).

    The row is the claim (R9): while it is running, only the worker that holds `attempt` writes it. What others want of
    a run (requests, cancel wishes) and what its worker tells meanwhile (progress) are rows of their own.
    """

    bridge = models.ForeignKey(Bridge, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=16, choices=RunKind.choices)
    target_group = models.ForeignKey(TargetGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="runs")
    remote_id = models.CharField("Remote ID", max_length=100, blank=True)
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    queue = models.CharField(max_length=16, choices=Queue.choices, default=Queue.INTERACTIVE)
    status = models.CharField(max_length=32, choices=RunStatus.choices, default=RunStatus.WAITING)
    attempt = models.PositiveIntegerField(default=0)
    # The held run whose people this run may remove (R6).
    applies = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="applied_by")

    created_at = models.DateTimeField(auto_now_add=True)
    # Not to be taken before (a retry's waiting time); null is at once.
    due_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=200, blank=True)
    # Seconds spent in each phase, by the phase's word.
    phase_seconds = models.JSONField(default=dict, blank=True)
    # The sums of product section 2, by their words; also the steps of a check and the sentence of a list refresh.
    figures = models.JSONField(default=dict, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    sentence = models.TextField(blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_text = models.TextField(blank=True)
    remote_said = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            # R7: one waiting and one running run of a slot, whatever number of clicks, workers and schedules.
            models.UniqueConstraint(
                fields=["bridge", "kind", "target_group", "remote_id"],
                condition=models.Q(status="waiting"),
                nulls_distinct=False,
                name="run_one_waiting",
            ),
            models.UniqueConstraint(
                fields=["bridge", "kind", "target_group", "remote_id"],
                condition=models.Q(status="running"),
                nulls_distinct=False,
                name="run_one_running",
            ),
        ]
        indexes = [
            models.Index(fields=["target_group", "-id"], name="run_by_group"),  # History
            models.Index(fields=["bridge", "kind", "-id"], name="run_by_kind"),  # last list refresh, last check
            models.Index(fields=["status", "-id"], name="run_by_status"),  # Sync Activity; the sweep
            # A person's page: their checks, newest first.
            models.Index(
                fields=["bridge", "remote_id", "-id"], condition=models.Q(kind="person"), name="run_by_person"
            ),
            models.Index(fields=["kind", "-id"], name="run_by_any_kind"),  # Sync Activity, of all bridges
            models.Index(fields=["trigger", "-id"], name="run_by_trigger"),  # Sync Activity
            models.Index(fields=["created_at", "id"], name="run_by_time"),  # Sync Activity between two times; today
        ]

    def __str__(self) -> str:
        # Translators: for example "Group sync 12".
        return gettext("%(kind)s %(number)s") % {"kind": self.get_kind_display(), "number": self.pk}

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def is_good(self) -> bool:
        return self.status in GOOD

    @property
    def is_held(self) -> bool:
        return self.status == RunStatus.HELD

    def is_stalled(self, now: datetime) -> bool:
        """Say whether a running run has been silent for longer than SYNC_SILENCE_SECONDS."""
        if self.status != RunStatus.RUNNING:
            return False
        progress = getattr(self, "progress", None)
        heard_at = (progress.beat_at if progress else None) or self.started_at or self.created_at
        return now - heard_at > timedelta(seconds=settings.SYNC_SILENCE_SECONDS)

    def keeps_people(self, now: datetime) -> bool:
        """Say whether the lists of its people are still whole: figures stay for good, people for SYNC_OUTCOME_DAYS."""
        if self.is_held or self.finished_at is None:
            return True
        return now - self.finished_at < timedelta(days=settings.SYNC_OUTCOME_DAYS)

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at and self.started_at else None


class RunProgress(models.Model):
    """What a running run tells while it works: written over a connection of its own, so that it shows at once."""

    run = models.OneToOneField(SyncRun, primary_key=True, on_delete=models.CASCADE, related_name="progress")
    attempt = models.PositiveIntegerField(default=0)
    beat_at = models.DateTimeField()
    phase = models.CharField(max_length=16, choices=Phase.choices, default=Phase.WAITING)
    phase_started_at = models.DateTimeField()
    rows_read = models.PositiveBigIntegerField(default=0)
    rows_total = models.PositiveBigIntegerField(null=True, blank=True)
    rows_per_second = models.FloatField(null=True, blank=True)
    # Finished steps of a connection test, so that they show one by one.
    steps = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"{self.run_id}: {self.phase}"

    @property
    def seconds_left(self) -> float | None:
        if not self.rows_per_second or self.rows_total is None:
            return None
        return max(self.rows_total - self.rows_read, 0) / self.rows_per_second


class SyncRequest(models.Model):
    """Who asked for a run, why and when: one row a request, however many join one run (R7)."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="requests")
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    # Which time of which schedule asked.
    firing = models.ForeignKey(
        "ScheduleFiring", null=True, blank=True, on_delete=models.SET_NULL, related_name="requests", db_index=False
    )

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["user", "-run"], name="request_by_user"),  # Sync Activity of one person
            # Sync Activity of one firing; what became of its runs.
            models.Index(fields=["firing", "-run"], condition=models.Q(firing__isnull=False), name="request_by_firing"),
        ]

    def __str__(self) -> str:
        return f"{self.trigger} for run {self.run_id}"


class CancelWish(models.Model):
    """That a run shall stop: its worker looks for the wish, nobody writes the run's row for it (R9)."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="cancel_wishes")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    wished_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"cancel run {self.run_id}"
