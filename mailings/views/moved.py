"""What a mailing was compared with: before and after, who came and who left, group by group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from targetgroups.choices import GOOD, RunKind
from targetgroups.models import SyncRun, TargetGroup

from ..models import Mailing, MailingGroup
from ..reviewed import Numbers

# A group that was synced more often since has the rest in its History.
MOST_RUNS = 5


@dataclass(frozen=True)
class Line:
    """A group, how many were in it when it was reviewed and are now, and the syncs that changed it meanwhile."""

    group: TargetGroup
    role: str
    before: int | None
    after: int | None
    runs: list[SyncRun] = field(default_factory=list)
    has_more_runs: bool = False


@dataclass(frozen=True)
class Moved:
    reviewed: Numbers
    found: Numbers
    reviewed_at: datetime | None
    reviewed_by: str
    lines: list[Line]

    @property
    def count(self) -> int:
        return self.found.most


def moved(mailing: Mailing, groups: Sequence[MailingGroup]) -> Moved | None:
    """Read what stopped a mailing whose list moved, with the syncs since it was reviewed."""
    if not mailing.reviewed or not mailing.found:
        return None
    reviewed, found = Numbers.of_json(mailing.reviewed), Numbers.of_json(mailing.found)
    at = parse_datetime(mailing.reviewed["at"])
    before = {(one.group_id, one.role): one.members for one in reviewed.groups}
    after = {(one.group_id, one.role): one.members for one in found.groups}
    runs = _runs_since(at, groups)
    lines = [
        Line(
            group=one.target_group,
            role=one.role,
            before=before.get((one.target_group_id, one.role)),
            after=after.get((one.target_group_id, one.role)),
            runs=runs[one.target_group_id][:MOST_RUNS],
            has_more_runs=len(runs[one.target_group_id]) > MOST_RUNS,
        )
        for one in groups
    ]
    return Moved(reviewed, found, at, mailing.reviewed["by"], lines)


def _runs_since(at: datetime | None, groups: Sequence[MailingGroup]) -> dict[int, list[SyncRun]]:
    found: defaultdict[int, list[SyncRun]] = defaultdict(list)
    for one in groups:
        runs = SyncRun.objects.filter(target_group=one.target_group_id, kind=RunKind.GROUP, status__in=GOOD)
        newest = runs.filter(finished_at__gt=at).order_by("-id")[: MOST_RUNS * 4]
        found[one.target_group_id] = [run for run in newest if _changes(run.figures)][: MOST_RUNS + 1]
    return found


def _changes(figures: dict[str, Any]) -> bool:
    return bool(figures.get("added") or figures.get("removed"))
