"""Readers that work side by side, and what becomes of them when one is told No."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from memberSuite import exceptions as e
from memberSuite.crew import Crew, Halt, run
from memberSuite.patience import Pace, Patience

A_DAY = 86400.0
PLENTY = 60  # seconds; only a failure takes them


class Asking:
    """A job that meets trouble whenever it asks, once `may_ask`; it tells that it asked, and that it ended."""

    def __init__(self, first_wait: float) -> None:
        self.patience = Patience(first_wait=first_wait, cap=A_DAY, pace=Pace(4, 0.0))
        self.may_ask, self.asks, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.tries = 0

    def __call__(self, halt: Halt) -> Iterator[str]:
        try:
            yield self.patience.ask(self._attempt, halt, what="x")
        finally:
            self.ended.set()

    def _attempt(self) -> str:
        self.tries += 1
        self.asks.set()
        assert self.may_ask.wait(PLENTY)
        raise e.ServerTrouble


def refused_after(other: Asking) -> Iterator[str]:
    assert other.asks.wait(PLENTY)
    raise e.AccessDenied
    yield


def test_a_reader_that_waits_to_ask_again_ends_with_the_crew() -> None:
    asking = Asking(first_wait=A_DAY)
    asking.may_ask.set()
    with pytest.raises(e.AccessDenied):
        list(Crew([asking, lambda _: refused_after(asking)], readers=2, halt=Halt(None)))
    assert asking.ended.wait(PLENTY)


def test_a_reader_that_meets_trouble_after_the_end_does_not_ask_again() -> None:
    asking = Asking(first_wait=0.0)
    with pytest.raises(e.AccessDenied):
        list(Crew([asking, lambda _: refused_after(asking)], readers=2, halt=Halt(None)))
    asking.may_ask.set()
    assert asking.ended.wait(PLENTY)
    assert asking.tries == 1


def test_readers_end_when_an_error_is_there_though_nobody_took_it_yet() -> None:
    asking = Asking(first_wait=A_DAY)
    asking.may_ask.set()

    def answered_and_refused(_: Halt) -> Iterator[str]:
        yield "an answer"
        yield from refused_after(asking)

    answers = iter(Crew([asking, answered_and_refused], readers=2, halt=Halt(None)))
    assert next(answers) == "an answer"
    assert asking.ended.wait(PLENTY)
    with pytest.raises(e.AccessDenied):
        next(answers)


def test_readers_end_with_whoever_takes_no_more_answers() -> None:
    asking = Asking(first_wait=A_DAY)
    asking.may_ask.set()
    answers = iter(Crew([asking, lambda _: ["an answer"]], readers=2, halt=Halt(None)))
    assert next(answers) == "an answer"
    assert asking.asks.wait(PLENTY)
    del answers
    assert asking.ended.wait(PLENTY)


def test_no_job_is_begun_after_the_end() -> None:
    over, begun, ended = threading.Event(), [], threading.Event()

    def held(halt: Halt) -> Iterator[str]:
        assert over.wait(PLENTY)
        ended.set()
        yield from ()

    def begins(_: Halt) -> Iterator[str]:
        begun.append(1)
        yield from ()

    def refused(_: Halt) -> Iterator[str]:
        raise e.AccessDenied
        yield

    readers = set(threading.enumerate())
    with pytest.raises(e.AccessDenied):
        list(Crew([held, refused, begins], readers=2, halt=Halt(None)))
    over.set()
    for reader in set(threading.enumerate()) - readers:
        reader.join(PLENTY)
    assert ended.is_set()
    assert begun == []


def test_the_end_of_one_piece_of_work_does_not_end_what_follows_it() -> None:
    halt = Halt(None)
    assert run(lambda _: "first", halt) == "first"
    assert list(Crew([lambda _: ["second"], lambda _: ["third"]], readers=1, halt=halt)) == ["second", "third"]
    assert not halt.is_set()


def test_a_wish_to_stop_reaches_every_job() -> None:
    stop = threading.Event()
    asking = Asking(first_wait=A_DAY)
    asking.may_ask.set()

    def stops(_: Halt) -> Iterator[str]:
        assert asking.asks.wait(PLENTY)
        stop.set()
        yield from ()

    with pytest.raises(e.ReadingStopped):
        list(Crew([asking, stops], readers=2, halt=Halt(stop)))
    assert asking.ended.wait(PLENTY)
