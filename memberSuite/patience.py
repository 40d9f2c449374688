"""How long to wait and how often to ask again; one pace for all calls of a connection."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from memberSuite.crew import STEP, Halt
from memberSuite.exceptions import MemberSuiteError, Throttled, TimedOut, TransientError

log = logging.getLogger("memberSuite")

T = TypeVar("T")
TIMEOUTS_IN_A_ROW = 3
CALLS_TO_GROW = 20


class Pace:
    """How many calls may be under way; one at a time and two a second after a throttle, then back up slowly."""

    def __init__(self, in_flight: int, slow_gap: float) -> None:
        self._most = max(1, in_flight)
        self._slow_gap = slow_gap
        self._lock = threading.Lock()
        self._limit = self._most
        self._gap = 0.0
        self._under_way = 0
        self._not_before = 0.0
        self._timeouts = 0
        self._good = 0

    @property
    def limit(self) -> int:
        return self._limit

    @contextmanager
    def turn(self, halt: Halt) -> Iterator[None]:
        """Wait for a turn, and give it back when the call is over."""
        while (wait := self._take()) > 0:
            halt.sleep(wait)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def _take(self) -> float:
        with self._lock:
            now = time.monotonic()
            if now < self._not_before:
                return min(self._not_before - now, STEP)
            if self._under_way >= self._limit:
                return min(STEP, 0.005)
            self._under_way += 1
            self._not_before = now + self._gap
            return 0.0

    def succeeded(self) -> None:
        with self._lock:
            self._timeouts = 0
            if self._limit >= self._most and not self._gap:
                return
            self._good += 1
            if self._good >= CALLS_TO_GROW:
                self._good = 0
                self._gap = 0.0
                self._limit = min(self._most, self._limit + 1)

    def failed(self, error: MemberSuiteError, wait: float) -> None:
        """Slow every call of the connection down after a throttle or a run of time-outs."""
        with self._lock:
            self._timeouts = self._timeouts + 1 if isinstance(error, TimedOut) else 0
            if isinstance(error, Throttled):
                # Other readers must respect what one of them was told.
                self._not_before = max(self._not_before, time.monotonic() + wait)
            elif self._timeouts < TIMEOUTS_IN_A_ROW:
                return
            self._limit, self._gap, self._good, self._timeouts = 1, self._slow_gap, 0, 0


class Patience:
    """Asks again after transient trouble: waits double, with jitter, and Retry-After wins up to a cap.

    A Retry-After beyond `longest` is not waited for at all: the trouble goes to the caller, who has better to do.
    """

    def __init__(
        self,
        *,
        first_wait: float,
        cap: float,
        pace: Pace,
        longest: float = math.inf,
        on_call: Callable[[str, float, str], None] | None = None,
    ) -> None:
        self._first_wait = first_wait
        self._cap = cap
        self._longest = longest
        self._pace = pace
        self._on_call = on_call

    def ask(
        self,
        attempt: Callable[[], T],
        halt: Halt,
        *,
        what: str,
        on_trouble: Callable[[TransientError], None] | None = None,
    ) -> T:
        """Return the attempt's answer; each kind of trouble says itself how often it may be asked again."""
        tries = 0
        while True:
            halt.check()
            try:
                with self._pace.turn(halt), self._told(what):
                    answer = attempt()
            except TransientError as error:
                wait = self._wait_after(error, tries)
                self._pace.failed(error, wait)
                if on_trouble is not None:
                    on_trouble(error)
                if tries >= error.retries or (error.retry_after or 0.0) > self._longest:
                    raise
                tries += 1
                log.warning("%s: %s, asking again in %.1f s (%d of %d)", what, error.code, wait, tries, error.retries)
            else:
                self._pace.succeeded()
                return answer
            halt.sleep(wait)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Tell how long the call took and how it ended; its waits for a turn do not count."""
        began, code = time.monotonic(), ""
        try:
            yield
        except MemberSuiteError as error:
            code = error.code
            raise
        finally:
            if self._on_call is not None:
                self._on_call(what, time.monotonic() - began, code)

    def _wait_after(self, error: TransientError, tries: int) -> float:
        if error.retry_after is not None:
            return min(max(error.retry_after, 0.0), self._cap)
        return float(self._first_wait * 2**tries * random.uniform(0.75, 1.25))  # noqa: S311  # jitter, not a secret
