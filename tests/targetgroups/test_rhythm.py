"""When schedules fire, by the clock on the wall, also on the two days on which it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from targetgroups.rhythm import EVERY, Rhythm, latest, next_after

NEW_YORK, BERLIN, KATHMANDU = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")
NIGHTLY = Rhythm(at=time(2, 30))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def times(rhythm: Rhythm, moment: datetime, zone: ZoneInfo, count: int) -> list[str]:
    """Give the next times as the clock on the wall shows them, with its distance from UTC."""
    found = []
    for _ in range(count):
        moment = next_after(rhythm, moment, zone)
        found.append(f"{moment.astimezone(zone):%d %H:%M %z}")
    return found


def test_a_daily_time_is_the_same_on_the_wall_the_year_round() -> None:
    rhythm = Rhythm(at=time(6))
    assert times(rhythm, utc(2026, 3, 7), NEW_YORK, 3) == ["07 06:00 -0500", "08 06:00 -0400", "09 06:00 -0400"]


def test_a_time_that_the_clock_skips_in_spring_comes_an_hour_later() -> None:
    assert times(NIGHTLY, utc(2026, 3, 8), NEW_YORK, 2) == ["08 03:30 -0400", "09 02:30 -0400"]
    assert times(NIGHTLY, utc(2026, 3, 28, 12), BERLIN, 2) == ["29 03:30 +0200", "30 02:30 +0200"]


def test_a_time_that_the_clock_shows_twice_in_autumn_counts_once() -> None:
    rhythm = Rhythm(at=time(1, 30))
    assert times(rhythm, utc(2026, 11, 1), NEW_YORK, 2) == ["01 01:30 -0400", "02 01:30 -0500"]
    assert next_after(rhythm, utc(2026, 11, 1, 6), NEW_YORK) == utc(2026, 11, 2, 6, 30)  # within the second pass


def test_every_hour_has_neither_a_hole_nor_a_double_when_clocks_change() -> None:
    hourly = Rhythm(60)
    assert times(hourly, utc(2026, 3, 8, 5), NEW_YORK, 3) == ["08 01:00 -0500", "08 03:00 -0400", "08 04:00 -0400"]
    autumn = ["01 01:00 -0400", "01 01:00 -0500", "01 02:00 -0500"]
    assert times(hourly, utc(2026, 11, 1, 4), NEW_YORK, 3) == autumn
    assert times(Rhythm(30), utc(2026, 11, 1, 5), NEW_YORK, 3) == ["01 01:30 -0400", "01 01:00 -0500", "01 01:30 -0500"]


def test_every_few_hours_keeps_to_the_clock_on_the_wall() -> None:
    rhythm = Rhythm(120)
    assert times(rhythm, utc(2026, 3, 8, 4), NEW_YORK, 3) == ["08 00:00 -0500", "08 04:00 -0400", "08 06:00 -0400"]
    assert times(rhythm, utc(2026, 10, 24, 22), BERLIN, 3) == ["25 02:00 +0200", "25 04:00 +0100", "25 06:00 +0100"]
    assert times(Rhythm(720), utc(2026, 1, 1), KATHMANDU, 2) == ["01 12:00 +0545", "02 00:00 +0545"]


@pytest.mark.parametrize("every", EVERY)
def test_every_rhythm_within_the_day_fits_into_it(every: int) -> None:
    assert 24 * 60 % every == 0
    assert len(times(Rhythm(every), utc(2026, 1, 4, 23, 59), ZoneInfo("UTC"), 24 * 60 // every)[0]) > 0
    assert next_after(Rhythm(every), utc(2026, 1, 4, 23, 59), ZoneInfo("UTC")) == utc(2026, 1, 5)


def test_only_some_weekdays() -> None:
    rhythm = Rhythm(at=time(20), weekdays=frozenset({0, 4}))
    assert times(rhythm, utc(2026, 11, 27, 12), BERLIN, 3) == ["27 20:00 +0100", "30 20:00 +0100", "04 20:00 +0100"]


def test_what_was_missed_is_told_with_the_last_of_it() -> None:
    zone, first = ZoneInfo("UTC"), utc(2026, 11, 20, 2, 30)
    assert latest(NIGHTLY, first, utc(2026, 11, 20, 2, 31), zone) == (first, 0)
    assert latest(NIGHTLY, first, utc(2026, 11, 27, 9), zone) == (utc(2026, 11, 27, 2, 30), 7)
    last, missed = latest(Rhythm(15), utc(2020, 1, 1), utc(2026, 11, 27, 9, 7), zone)
    assert (last, missed > 30_000) == (utc(2026, 11, 27, 9), True)
