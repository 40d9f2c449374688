"""When a schedule fires: arithmetic of wall clocks, without a database and without a clock of its own.

Times are those that a clock on the wall of the organization shows. A daily time that the clock skips in spring comes as
much later as it skips (2:30 becomes 3:30), and one that it shows twice in autumn counts once. Of a rhythm within the
day, what is skipped is left out; and where it is of an hour or less, both passes of the repeated hour count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = 24 * 60
EVERY = (15, 20, 30, 60, 120, 180, 240, 360, 480, 720)  # minutes: each fits into a day without a rest
EVERY_DAY = frozenset(range(7))
_LONGEST_GAP = timedelta(days=400)  # older than this, missed times are not counted one by one


@dataclass(frozen=True)
class Rhythm:
    """Every so many minutes from midnight on, or at a time of some weekdays (0 is Monday)."""

    every_minutes: int | None = None
    at: time | None = None
    weekdays: frozenset[int] = EVERY_DAY

    @property
    def shortest_minutes(self) -> int:
        """The least time between two firings that are no change of clocks."""
        return self.every_minutes or DAY


def next_after(rhythm: Rhythm, moment: datetime, zone: tzinfo) -> datetime:
    """Return the first time after a moment at which the rhythm fires."""
    return next(_times_from(rhythm, moment, zone))


def latest(rhythm: Rhythm, first: datetime, now: datetime, zone: tzinfo) -> tuple[datetime, int]:
    """Return the last of the times from `first` until now, and how many before it were missed."""
    last, missed = first, 0
    for at in _times_from(rhythm, max(first, now - _LONGEST_GAP), zone):
        if at > now:
            break
        last, missed = at, missed + 1
    return last, missed


def _times_from(rhythm: Rhythm, moment: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Give the times after a moment, for ever."""
    day = moment.astimezone(zone).date() - timedelta(days=1)
    while True:
        yield from (at for at in _times_of(rhythm, day, zone) if at > moment)
        day += timedelta(days=1)


def _times_of(rhythm: Rhythm, day: date, zone: tzinfo) -> list[datetime]:
    if day.weekday() not in rhythm.weekdays:
        return []
    if rhythm.at is not None:
        return [_first(day, rhythm.at, zone)]
    every = rhythm.every_minutes or DAY
    found: set[datetime] = set()
    for minute in range(0, DAY, every):
        wall = time(minute // 60, minute % 60)
        at = _first(day, wall, zone)
        if at.astimezone(zone).replace(tzinfo=None) != datetime.combine(day, wall):
            continue  # the clock skips it
        found.add(at)
        if every <= 60:
            found.add(datetime.combine(day, wall, zone).replace(fold=1).astimezone(UTC))
    return sorted(found)


def _first(day: date, wall: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, wall, zone).astimezone(UTC)
