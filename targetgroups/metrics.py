"""The figures of syncs for whoever watches: totals of ended runs, and what stands where now.

A run that has ended never changes again, so each process adds it to its totals once: a look costs what happened since
the last one, and only the first reads all runs. All processes come to the same totals, since runs are kept for good.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, FloatField, Max, Min, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Now

from .choices import ACTIVE, FINAL, GroupState, Phase, Queue, RunStatus, WritebackState
from .models import Bridge, SyncRun, TargetGroup, Writeback

QUEUES = list(Queue)
PHASES = [phase for phase in Phase if phase not in (Phase.WAITING, Phase.DONE)]
ROWS = ("in_search", "added", "changed", "removed")
# A held run will become another: it counts once it is decided.
_SETTLED = [status for status in FINAL if status != RunStatus.HELD]
_COMMITTED = timedelta(minutes=1)  # a row with a lower number may still be about to appear for so long


@dataclass
class Totals:
    """Of all ended runs: how many by (kind, trigger, status), seconds by (kind, phase), rows by (kind, what)."""

    runs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)

    def copy(self) -> Totals:
        return Totals(Counter(self.runs), dict(self.seconds), Counter(self.rows))

    def add(self, runs: QuerySet[SyncRun]) -> None:
        """Add ended runs; one statement."""
        sums = {
            f"seconds_{phase}": Sum(Cast(KeyTextTransform(str(phase), "phase_seconds"), FloatField()))
            for phase in PHASES
        } | {f"rows_{name}": Sum(Cast(KeyTextTransform(name, "figures"), FloatField())) for name in ROWS}
        by: QuerySet[Any, Any] = runs.order_by().values("kind", "trigger", "status")
        asked: Iterable[dict[str, Any]] = by.annotate(runs=Count("pk"), **sums)
        for row in asked:
            self.runs[row["kind"], row["trigger"], row["status"]] += row["runs"]
            for phase in PHASES:
                key = (row["kind"], str(phase))
                self.seconds[key] = self.seconds.get(key, 0.0) + (row[f"seconds_{phase}"] or 0.0)
            for name in ROWS:
                self.rows[row["kind"], name] += int(row[f"rows_{name}"] or 0)


class Ended:
    """The totals of this process, up to the last look."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals = Totals()
        self._seen_id = 0
        self._open: list[int] = []

    def look(self) -> Totals:
        """Return the totals as of now."""
        with self._lock, transaction.atomic():
            old_enough = SyncRun.objects.filter(created_at__lt=Now() - _COMMITTED)
            seen_id = max(self._seen_id, old_enough.aggregate(last=Max("pk"))["last"] or 0)
            # First what is not over, then the rest: a run that ends in between is added next time.
            unsettled = [*ACTIVE, RunStatus.HELD]
            still_open = list(
                SyncRun.objects.filter(status__in=unsettled, pk__lte=seen_id).values_list("pk", flat=True)
            )
            totals = self._totals.copy()
            totals.add(
                SyncRun.objects.filter(Q(pk__gt=self._seen_id, pk__lte=seen_id) | Q(pk__in=self._open)).exclude(
                    pk__in=still_open
                )
            )
            self._totals, self._seen_id, self._open = totals, seen_id, still_open
            recent = totals.copy()
            recent.add(SyncRun.objects.filter(pk__gt=seen_id, status__in=_SETTLED))
            return recent


ended = Ended()


@dataclass(frozen=True)
class Waiting:
    """What waits in a queue and might begin: how many, and since when the first."""

    count: int
    since: datetime


def waiting() -> dict[str, Waiting]:
    """Return the runs that are due, by queue."""
    due = SyncRun.objects.waiting_and_due().order_by().values("queue")
    asked = due.annotate(count=Count("pk"), since=Min(Coalesce("due_at", "created_at")))
    return {row["queue"]: Waiting(row["count"], row["since"]) for row in asked}


def open_runs() -> dict[str, int]:
    """Return how many runs wait, are running or are held."""
    found = SyncRun.objects.filter(status__in=[*ACTIVE, RunStatus.HELD]).order_by().values("status")
    return dict.fromkeys([*ACTIVE, RunStatus.HELD], 0) | {
        row["status"]: row["count"] for row in found.annotate(count=Count("pk"))
    }


def group_states() -> dict[str, int]:
    """Return how many target groups are in which state."""
    by: QuerySet[Any, Any] = TargetGroup.objects.present().with_states().order_by()
    counts = dict(by.values_list("state_rank").annotate(count=Count("pk")))
    return {str(state): counts.get(rank, 0) for rank, state in enumerate(GroupState)}  # both in the column's order


@dataclass(frozen=True)
class Contact:
    """A bridge's: whether the last one was good, and when the last good one was."""

    bridge_id: int
    is_good: bool
    good_at: datetime | None


def contacts() -> list[Contact]:
    return [
        Contact(one.pk, not one.last_error_code, one.last_good_contact_at)
        for one in Bridge.objects.filter(is_active=True).order_by("pk")
    ]


def writebacks() -> dict[str, int]:
    """Return how many changes are owed to MemberSuite, and how many were given up."""
    found = Writeback.objects.order_by().values("state").annotate(count=Count("pk"))
    return dict.fromkeys(WritebackState.values, 0) | {row["state"]: row["count"] for row in found}
