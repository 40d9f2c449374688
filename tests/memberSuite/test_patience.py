"""Asking again, and slowing down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from memberSuite import exceptions as e
from memberSuite.crew import Halt
from memberSuite.patience import CALLS_TO_GROW, Pace, Patience


def patience(first_wait: float = 0.001, cap: float = 900.0, pace: Pace | None = None) -> Patience:
    return Patience(first_wait=first_wait, cap=cap, pace=pace or Pace(4, 0.0))


def failing(*errors: e.MemberSuiteError) -> Callable[[], str]:
    waiting = list(errors)

    def attempt() -> str:
        if waiting:
            raise waiting.pop(0)
        return "done"

    return attempt


def test_five_more_tries_are_made_and_no_sixth() -> None:
    assert patience().ask(failing(*[e.ServerTrouble()] * 5), Halt(None), what="x") == "done"
    with pytest.raises(e.ServerTrouble):
        patience().ask(failing(*[e.ServerTrouble()] * 6), Halt(None), what="x")


def test_a_permanent_error_is_not_asked_again() -> None:
    attempt = failing(e.AccessDenied())
    with pytest.raises(e.AccessDenied):
        patience().ask(attempt, Halt(None), what="x")


def test_retry_after_wins_over_the_wait_and_is_capped() -> None:
    began = time.monotonic()
    assert patience(60.0, cap=0.05).ask(failing(e.Throttled(retry_after=3600)), Halt(None), what="x") == "done"
    assert 0.04 < time.monotonic() - began < 20  # neither the wait of a minute nor the hour asked for


def test_whoever_waits_by_other_means_is_told_at_once_how_long() -> None:
    impatient = Patience(first_wait=0.001, cap=900.0, pace=Pace(4, 0.0), longest=20.0)
    attempt = failing(e.Throttled(retry_after=21), e.Throttled(retry_after=0.001))
    with pytest.raises(e.Throttled) as told:
        impatient.ask(attempt, Halt(None), what="x")
    assert told.value.retry_after == 21
    assert Patience(first_wait=0.001, cap=900.0, pace=Pace(4, 0.0), longest=20.0).ask(attempt, Halt(None), what="x")


def test_waits_double_with_jitter() -> None:
    one = patience(2.0)
    waits = [one._wait_after(e.ServerTrouble(), tries) for tries in range(5)]
    for wait, middle in zip(waits, (2, 4, 8, 16, 32), strict=True):
        assert 0.75 * middle <= wait <= 1.25 * middle


def test_every_trouble_is_told_before_the_next_try() -> None:
    told: list[e.TransientError] = []
    patience().ask(failing(e.TimedOut(), e.ConnectionCut()), Halt(None), what="x", on_trouble=told.append)
    assert [error.code for error in told] == ["timed_out", "connection_cut"]


def test_a_throttle_lets_one_call_through_at_a_time_and_then_grows_back() -> None:
    pace = Pace(4, 0.0)
    pace.failed(e.Throttled(), 0.0)
    assert pace.limit == 1
    for _ in range(3 * CALLS_TO_GROW):
        pace.succeeded()
    assert pace.limit == 4


def test_three_time_outs_in_a_row_slow_down_and_two_do_not() -> None:
    pace = Pace(4, 0.0)
    for _ in range(2):
        pace.failed(e.TimedOut(), 0.0)
    pace.succeeded()
    for _ in range(2):
        pace.failed(e.TimedOut(), 0.0)
    assert pace.limit == 4
    pace.failed(e.TimedOut(), 0.0)
    assert pace.limit == 1


def test_slow_calls_keep_their_distance() -> None:
    pace = Pace(4, 0.05)
    pace.failed(e.Throttled(), 0.0)
    began = time.monotonic()
    for _ in range(3):
        with pace.turn(Halt(None)):
            pass
    assert time.monotonic() - began >= 0.09


def test_all_readers_wait_when_one_of_them_was_throttled() -> None:
    pace = Pace(4, 0.0)
    pace.failed(e.Throttled(), 0.1)
    began = time.monotonic()
    with pace.turn(Halt(None)):
        assert time.monotonic() - began >= 0.09


def test_no_more_calls_are_under_way_than_allowed() -> None:
    pace, most, now, lock = Pace(3, 0.0), 0, 0, threading.Lock()

    def call() -> None:
        nonlocal most, now
        with pace.turn(Halt(None)):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.01)
            with lock:
                now -= 1

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3


def test_stopping_ends_a_wait() -> None:
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    with pytest.raises(e.ReadingStopped):
        patience(60.0).ask(failing(e.ServerTrouble()), Halt(stop), what="x")
    assert time.monotonic() - began < 20  # of a wait of a minute
