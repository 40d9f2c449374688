from datetime import tzinfo

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext

from ..choices import ScheduleKind
from ..rhythm import EVERY_DAY, Rhythm
from .bridge import Bridge
from .folder import Folder
from .target_group import TargetGroup

WEEKDAYS = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)
ALL_WEEK = "0123456"


class Schedule(models.Model):
    """What is done by the clock for a bridge: its list refreshed, or groups of it synced.

    The row is the claim: whoever locks it while `next_at` is over fires it, and moves `next_at` on in the same
    transaction. Two beats, or a message delivered twice, fire it once.
    """

    bridge = models.ForeignKey(Bridge, on_delete=models.CASCADE, related_name="schedules")
    kind = models.CharField(max_length=16, choices=ScheduleKind.choices)
    # Neither: all groups of the bridge.
    folder = models.ForeignKey(Folder, null=True, blank=True, on_delete=models.PROTECT, related_name="schedules")
    target_group = models.ForeignKey(
        TargetGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="schedules"
    )
    is_only_in_use = models.BooleanField(default=False, db_default=False)

    every_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    at_time = models.TimeField(null=True, blank=True)
    weekdays = models.CharField(max_length=7, default=ALL_WEEK)
    # The groups of one firing begin one after the other within so many minutes, not all at once.
    spread_minutes = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(12 * 60)])

    is_on = models.BooleanField(default=True)
    next_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["bridge_id", "-kind", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(every_minutes__isnull=True) ^ models.Q(at_time__isnull=True),
                name="schedule_one_rhythm",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="groups")
                | models.Q(folder__isnull=True, target_group__isnull=True, is_only_in_use=False),
                name="schedule_list_has_no_groups",
            ),
            models.CheckConstraint(
                condition=models.Q(folder__isnull=True) | models.Q(target_group__isnull=True),
                name="schedule_one_scope",
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(is_on=True), name="schedule_due"),  # the sweep
        ]

    def __str__(self) -> str:
        # Translators: for example "List refresh, daily at 02:00".
        return gettext("%(what)s, %(when)s") % {"what": self.what, "when": self._when_within}

    @property
    def rhythm(self) -> Rhythm:
        weekdays = frozenset(int(day) for day in self.weekdays) if self.at_time else EVERY_DAY
        return Rhythm(self.every_minutes, self.at_time, weekdays)

    @property
    def what(self) -> str:
        """Say what it does."""
        if self.kind == ScheduleKind.LIST:
            return gettext("List refresh")
        if self.target_group:
            return gettext("Sync of “%(group)s”") % {"group": self.target_group.name}
        if self.folder:
            in_folder = (
                gettext("Sync of groups in use in “%(folder)s”")
                if self.is_only_in_use
                else gettext("Sync of all groups in “%(folder)s”")
            )
            return in_folder % {"folder": self.folder.name}
        return gettext("Sync of groups in use") if self.is_only_in_use else gettext("Sync of all groups")

    @property
    def when(self) -> str:
        """Say when it fires, in words."""
        if self.every_minutes and self.every_minutes < 60:
            told = ngettext("Every minute", "Every %(count)s minutes", self.every_minutes)
            return told % {"count": self.every_minutes}
        if self.every_minutes:
            hours = self.every_minutes // 60
            return ngettext("Every hour", "Every %(count)s hours", hours) % {"count": hours}
        if self.weekdays == ALL_WEEK:
            return gettext("Daily at %(time)s") % {"time": self._time}
        return self._on_weekdays

    @property
    def _when_within(self) -> str:
        """Say the same within a sentence."""
        if self.every_minutes and self.every_minutes < 60:
            told = ngettext("every minute", "every %(count)s minutes", self.every_minutes)
            return told % {"count": self.every_minutes}
        if self.every_minutes:
            hours = self.every_minutes // 60
            return ngettext("every hour", "every %(count)s hours", hours) % {"count": hours}
        if self.weekdays == ALL_WEEK:
            return gettext("daily at %(time)s") % {"time": self._time}
        return self._on_weekdays

    @property
    def _on_weekdays(self) -> str:
        if self.weekdays == "01234":
            return gettext("Monday to Friday at %(time)s") % {"time": self._time}
        days = ", ".join(str(WEEKDAYS[int(day)]) for day in self.weekdays)
        # Translators: %(days)s is "Monday, Thursday".
        return gettext("%(days)s at %(time)s") % {"days": days, "time": self._time}

    @property
    def _time(self) -> str:
        return f"{self.at_time:%H:%M}"


class ScheduleFiring(models.Model):
    """One time that a schedule fired: when it was due, what it asked for, and what became of that."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="firings")
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField()
    # Who pressed Run now; nobody: the clock.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # How many times before it had passed while nothing worked here: they are caught up once.
    missed_count = models.PositiveIntegerField(default=0)
    # Why nothing was asked for; empty: it was.
    note = models.CharField(max_length=200, blank=True)
    run_count = models.PositiveIntegerField(default=0)
    # How many of its runs stand where, by the runs' status. Written by the sweep, so that no page counts.
    outcome_counts = models.JSONField(default=dict, blank=True)
    # All of its runs are over.
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "due_at"], name="schedule_fires_once"),
        ]
        indexes = [
            models.Index(fields=["schedule", "-id"], name="firing_of_schedule"),  # last run, and those before
            models.Index(fields=["id"], condition=models.Q(finished_at__isnull=True), name="firing_open"),  # the sweep
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} at {self.due_at:%Y-%m-%d %H:%M}"


def zone() -> tzinfo:
    """Return the organization's time zone, in which schedules are told."""
    return timezone.get_default_timezone()
