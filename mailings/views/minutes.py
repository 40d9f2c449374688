"""What became of a mailing's recipients minute by minute: the points of the report's chart, the rows of its table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..choices import Outcome
from ..models import Mailing

# A chart of more points is drawn by longer steps of these minutes, so that it stays readable.
MOST_POINTS = 120
_STEPS = (1, 5, 15, 60, 360, 1440)
Row = tuple[datetime, str, int]


@dataclass(frozen=True)
class Point:
    """What happened in a step that begins at a time; `not_sent` is every other outcome together."""

    at: datetime
    sent: int
    not_sent: int


@dataclass(frozen=True)
class Minutes:
    points: list[Point]
    step: timedelta
    later_count: int  # settled after the sending was over: what providers told of, and what persons decided

    @property
    def rows(self) -> list[Point]:
        """The newest first, without steps in which nothing happened."""
        return [point for point in reversed(self.points) if point.sent or point.not_sent]


def minutes_of(mailing: Mailing, now: datetime) -> Minutes | None:
    """Return the chart of a mailing; None while nobody is settled."""
    rows = list(mailing.minutes.filter(people_count__gt=0).values_list("minute", "outcome", "people_count"))
    return minutes(rows, mailing.started_at, mailing.finished_at, now)


def minutes(rows: Iterable[Row], began: datetime | None, ended: datetime | None, now: datetime) -> Minutes | None:
    """Sum up what was settled from the first minute to the last of the sending, with the minutes of which nothing is.

    One empty minute stands before it, and one behind it once that is over: so that one minute alone is a peak.
    """
    sent: Counter[datetime] = Counter()
    not_sent: Counter[datetime] = Counter()
    later = 0
    for minute, outcome, count in rows:
        if ended is not None and minute > ended:
            later += count
        elif outcome == Outcome.SENT:
            sent[minute] += count
        else:
            not_sent[minute] += count
    if not (sent or not_sent):
        return None
    known = sorted(sent | not_sent)
    first = min(known[0], _minute(began)) if began else known[0]
    last = known[-1] if ended else max(known[-1], _minute(now) - timedelta(minutes=1))
    span = (last - first) / timedelta(minutes=1) + 1
    step = timedelta(minutes=next((one for one in _STEPS if span / one <= MOST_POINTS), _STEPS[-1]))
    points = [Point(first - step, 0, 0)]
    while (at := points[-1].at + step) <= last:
        within = [minute for minute in known if at <= minute < at + step]
        points.append(Point(at, sum(sent[one] for one in within), sum(not_sent[one] for one in within)))
    if ended or now >= points[-1].at + 2 * step:
        points.append(Point(points[-1].at + step, 0, 0))
    return Minutes(points, step, later)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
