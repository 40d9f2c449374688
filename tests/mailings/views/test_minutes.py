"""The report's chart over time: every minute of the sending once, and its numbers are those of the report (R15)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailings.models import MinuteTally
from mailings.views.minutes import minutes
from tests.mailings.views.conftest import Desk, SignIn, text_of
from tests.targetgroups.views.conftest import Rows

TEN = datetime(2031, 5, 4, 10, 0, tzinfo=UTC)


def at(minute: int, second: int = 0) -> datetime:
    return TEN + timedelta(minutes=minute, seconds=second)


def points(*rows: Any, ended: datetime | None = None, now: datetime | None = None) -> list[tuple[int, int, int]]:
    found = minutes(rows, at(0, 5), ended, now or at(500))
    assert found is not None
    return [(round((one.at - TEN).total_seconds() / 60), one.sent, one.not_sent) for one in found.points]


def test_a_mailing_of_one_minute_is_a_peak_between_two_empty_ones() -> None:
    assert points((at(0), "sent", 40), (at(0), "bounced", 2), ended=at(0, 9)) == [(-1, 0, 0), (0, 40, 2), (1, 0, 0)]


def test_a_minute_in_which_nothing_happened_is_a_zero() -> None:
    found = points((at(1), "sent", 5), (at(4), "failed", 1), ended=at(4, 30))
    assert found == [(-1, 0, 0), (0, 0, 0), (1, 5, 0), (2, 0, 0), (3, 0, 0), (4, 0, 1), (5, 0, 0)]


def test_while_it_is_sent_the_present_minute_is_not_taken_for_an_empty_one() -> None:
    assert points((at(0), "sent", 5), now=at(0, 30)) == [(-1, 0, 0), (0, 5, 0)]
    assert points((at(0), "sent", 5), now=at(3, 30))[-3:] == [(0, 5, 0), (1, 0, 0), (2, 0, 0)]


@pytest.mark.parametrize(("length", "step"), [(120, 1), (121, 5), (700, 15), (5000, 60), (400_000, 1440)])
def test_a_long_one_is_drawn_by_longer_steps_and_nobody_is_lost(length: int, step: int) -> None:
    rows = [(at(minute), "sent", 3) for minute in range(0, length, 7)]
    found = minutes([*rows, (at(length - 1), "failed", 1)], None, at(length), at(length))
    assert found is not None
    assert found.step == timedelta(minutes=step)
    assert sum(one.sent for one in found.points) == 3 * len(rows)
    assert sum(one.not_sent for one in found.points) == 1


def test_what_a_provider_tells_days_later_does_not_flatten_the_chart() -> None:
    found = minutes([(at(0), "sent", 9), (at(9000), "bounced", 1)], at(0), at(0, 50), at(9001))
    assert found is not None
    assert (len(found.points), found.later_count) == (3, 1)


def test_before_anybody_is_settled_there_is_no_chart() -> None:
    assert minutes([], at(0), None, at(1)) is None


def test_the_report_has_the_chart_and_the_same_as_a_table(desk: Desk, rows: Rows, sign_in: SignIn) -> None:
    mailing = desk.frozen(rows.group(member_count=4), sent=3, failed=1)
    client = sign_in("Reporter")
    assert "Sent over time" not in text_of(client.get(f"/mailings/{mailing.pk}/report/"))
    minute = mailing.started_at.replace(second=0, microsecond=0)
    for outcome, count in (("sent", 3), ("failed", 1)):
        MinuteTally.objects.create(mailing=mailing, minute=minute, outcome=outcome, people_count=count)
    page = client.get(f"/mailings/{mailing.pk}/report/")
    assert "From Sent Not sent" in text_of(page)
    assert 'data-counts="[0, 3, 0]"' in page.content.decode()
    assert 'data-others="[0, 1, 0]"' in page.content.decode()
