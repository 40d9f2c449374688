"""A held run (R6, R10): why it is held, what would happen, what changed since last time, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from accounts.models import User
from accounts.permissions import APPLY_HELD_RUN, full_name

from ..choices import ExclusionReason, OutcomeKind, RunKind, RunStatus
from ..models import SyncRun, TargetGroup

# As in the guard of a list refresh, which has no limits of its own to set.
LIST_LIMITS = (20, 5)
MOST_NAMED = 5


@dataclass(frozen=True)
class Change:
    """A figure of the reading, last time and now."""

    word: str
    label: str
    before: int
    now: int

    @property
    def difference(self) -> int:
        return self.now - self.before


@dataclass(frozen=True)
class Decision:
    """All that a person needs to decide, or to see what was decided.

    Attributes:
        going: how many people would be removed, or groups be marked as gone.
        present: of how many.
        limits: the percentage and the number of the guard when the run was held; older runs: of now.
        last: the last sync that was completed before.
        applied: the newest run that Apply started.
        newer: the completed run that has overtaken this one.
        deciders: who may decide, a few names.
    """

    run: SyncRun
    going: int
    present: int
    limits: tuple[int, int]
    last: SyncRun | None
    changes: list[Change]
    applied: SyncRun | None
    newer: SyncRun | None
    deciders: list[str]

    @property
    def is_open(self) -> bool:
        """Say whether somebody has to decide now."""
        return self.run.is_held and not (self.applied and self.applied.is_active)

    @property
    def staying(self) -> int:
        return max(self.present - self.going, 0)

    @property
    def percent(self) -> int:
        return round(self.going * 100 / self.present) if self.present else 100

    @property
    def is_everybody(self) -> bool:
        return self.going >= self.present

    @property
    def is_list(self) -> bool:
        return self.run.kind == RunKind.LIST

    @property
    def likely(self) -> str:
        """Say which change explains at least half of those who would go, if one does."""
        half = self.going / 2
        by_word = {change.word: change.difference for change in self.changes}
        if -by_word.get("in_search", 0) >= half:
            return gettext("The search finds fewer rows than last time: somebody may have changed it in MemberSuite.")
        more = [change for change in self.changes[1:-1] if half and change.difference >= half]
        if more:
            reason = max(more, key=lambda change: change.difference)
            return gettext("Many more rows are left out than last time: %(reason)s.") % {"reason": reason.label}
        return gettext("The search finds about as many rows as last time, but other people.") if self.changes else ""


def was_held(run: SyncRun) -> bool:
    """Say whether the run is held or was: whatever was decided, its page tells of it."""
    return run.is_held or run.status == RunStatus.SUPERSEDED or run.decided_at is not None


def decision_of(run: SyncRun) -> Decision:
    going, present = _numbers(run)
    last = _completed(run).filter(pk__lt=run.pk).order_by("-id").first()
    return Decision(
        run=run,
        going=going,
        present=present,
        limits=_limits(run),
        last=last,
        changes=_changes(last.figures if last else {}, run.figures),
        applied=run.applied_by.select_related("progress").order_by("-id").first(),
        newer=_completed(run).filter(pk__gt=run.pk).order_by("id").first(),
        deciders=_deciders() if run.is_held else [],
    )


def going_count(run: SyncRun) -> int:
    """Return how many people or groups Apply is about: what its confirmation names."""
    return _numbers(run)[0]


def _numbers(run: SyncRun) -> tuple[int, int]:
    figures: dict[str, Any] = run.figures
    if "would_remove" in figures:
        return int(figures["would_remove"]), int(figures.get("members_before", 0))
    going = run.outcomes.filter(kind=OutcomeKind.WOULD_REMOVE).count()  # of groups: few
    return going, TargetGroup.objects.present().filter(bridge=run.bridge_id, gone_at__isnull=True).count()


def _limits(run: SyncRun) -> tuple[int, int]:
    if run.kind == RunKind.LIST:
        return LIST_LIMITS
    group, bridge = run.target_group, run.bridge
    percent = bridge.guard_percent if group is None or group.guard_percent is None else group.guard_percent
    people = bridge.guard_people if group is None or group.guard_people is None else group.guard_people
    return run.figures.get("limit_percent", percent), run.figures.get("limit_people", people)


def _completed(run: SyncRun) -> Any:
    return SyncRun.objects.good().filter(bridge=run.bridge_id, kind=run.kind, target_group=run.target_group_id)


def _changes(before: dict[str, Any], now: dict[str, Any]) -> list[Change]:
    """Put the two readings beside each other: the search, what is left out of it and why, the eligible."""
    if "in_search" not in before or "in_search" not in now:
        return []
    words = [("in_search", gettext("In the search")), *ExclusionReason.choices, ("eligible", gettext("Eligible"))]
    return [Change(word, str(label), int(before.get(word, 0)), int(now.get(word, 0))) for word, label in words]


def _deciders() -> list[str]:
    people = User.objects.with_perm(full_name(APPLY_HELD_RUN), backend="accounts.backends.OneQueryBackend")
    return [person.get_full_name() or person.username for person in people.order_by("username")[: MOST_NAMED + 1]]
