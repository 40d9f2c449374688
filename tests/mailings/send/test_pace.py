"""A rate limit lets so many messages a second through, whoever asks how often."""

from __future__ import annotations

import pytest

from mailings.send import pace
from mailings.send.pace import Pace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


def test_no_limit_is_none() -> None:
    assert (Pace(0).take(80), Pace(0).wait()) == (80, 0.0)


@pytest.mark.parametrize(("rate", "step"), [(10, 0.01), (10, 1.0), (3, 0.25), (100, 0.05)])
def test_no_more_than_the_rate_goes_out_in_a_minute(clock: list[float], rate: int, step: float) -> None:
    limited, gone = Pace(rate), 0
    for _ in range(round(60 / step)):
        gone += limited.take(80)
        clock[0] += step
    assert gone <= rate * 60 + 2
    if step <= 0.25:
        assert gone >= rate * 60 * 0.95


def test_it_says_how_long_to_wait_for_the_next(clock: list[float]) -> None:
    limited = Pace(4)
    assert (limited.take(1), limited.take(1)) == (1, 0)
    assert limited.wait() == pytest.approx(0.25)
    clock[0] += 0.25
    assert limited.take(5) == 1
