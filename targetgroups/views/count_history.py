"""How large a group was after each of its syncs: the points of the History tab's chart and the rows of its table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..choices import RunKind
from ..models import SyncRun, TargetGroup

MOST_POINTS = 200


@dataclass(frozen=True)
class Point:
    run_id: int
    at: datetime
    count: int
    change: int | None  # since the point before; None: there is none


def counts_over_time(group: TargetGroup) -> list[Point]:
    """Return the group's size after each of its last completed runs, oldest first."""
    runs = SyncRun.objects.good().filter(target_group=group, kind=RunKind.GROUP, figures__has_key="members_after")
    newest = runs.order_by("-id").values_list("pk", "finished_at", "figures__members_after")[:MOST_POINTS]
    points: list[Point] = []
    for run_id, at, count in reversed(list(newest)):
        if at is not None:
            change = int(count) - points[-1].count if points else None
            points.append(Point(run_id, at, int(count), change))
    return points
