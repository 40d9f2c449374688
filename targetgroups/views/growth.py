"""How the largest groups have grown in the last days, for Home."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from ..choices import GOOD, RunKind
from ..models import TargetGroup

LARGEST, DAYS = 5, 30

# The last sync of each group and day, each by one look into the group's index: a busy group has thousands in a month.
# Runs are asked for in the order of their IDs, and none ends before it was asked for: so the IDs of two days hold all
# that ended in the second one, but for those that took longer than a day.
_LAST_OF_DAYS = """
WITH days AS MATERIALIZED (
    SELECT day.begin_at, day.end_at,
        (SELECT r.id FROM targetgroups_syncrun r WHERE r.created_at >= day.begin_at - interval '1 day'
         ORDER BY r.created_at, r.id LIMIT 1) AS first_id,
        coalesce((SELECT r.id FROM targetgroups_syncrun r WHERE r.created_at >= day.end_at
         ORDER BY r.created_at, r.id LIMIT 1), 9223372036854775807) AS next_id
    FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS day (begin_at, end_at)
)
SELECT wanted.id, last.finished_at, last.members
FROM unnest(%(groups)s::bigint[]) AS wanted (id) CROSS JOIN days CROSS JOIN LATERAL (
    SELECT r.finished_at, r.figures -> 'members_after' AS members FROM targetgroups_syncrun r
    WHERE r.target_group_id = wanted.id AND r.id >= days.first_id AND r.id < days.next_id
      AND r.kind = %(kind)s AND r.status = ANY(%(good)s) AND r.figures ? 'members_after'
      AND r.finished_at >= days.begin_at AND r.finished_at < days.end_at
    ORDER BY r.id DESC LIMIT 1
) last
ORDER BY last.finished_at
"""


@dataclass(frozen=True)
class Growth:
    """A group's size at the end of each day it was synced on, oldest first."""

    group: TargetGroup
    points: list[tuple[datetime, int]]

    @property
    def change(self) -> int:
        return self.points[-1][1] - self.points[0][1]


def growth_of_largest(now: datetime) -> list[Growth]:
    """Return the largest groups with their sizes in the last days: the last sync of each day, in the reader's zone."""
    counted = TargetGroup.objects.present().filter(member_count__isnull=False)
    largest = list(counted.order_by("-member_count")[:LARGEST])
    begins, ends = zip(*_days(now), strict=True)
    given: dict[str, Any] = {
        "groups": [group.pk for group in largest],
        "begins": list(begins),
        "ends": list(ends),
        "kind": RunKind.GROUP.value,
        "good": [status.value for status in GOOD],
    }
    points: defaultdict[int, list[tuple[datetime, int]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_LAST_OF_DAYS, given)
        for group_id, at, members in cursor.fetchall():
            points[group_id].append((at, int(json.loads(members))))
    return [Growth(group, points[group.pk]) for group in largest]


def _days(now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give begin and end of each of the last days as the reader knows them, today first; the oldest only in part."""
    today, oldest = timezone.localtime(now).date(), now - timedelta(days=DAYS)
    end = now + timedelta(days=1)  # a server whose clock is behind has still written its runs
    for back in range(DAYS + 1):
        begin = timezone.make_aware(datetime.combine(today - timedelta(days=back), time.min))
        yield max(begin, oldest), end
        end = begin
        if begin <= oldest:
            return
