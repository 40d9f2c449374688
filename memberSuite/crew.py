"""Daemon threads that do the blocking work, so that whoever waits for them can stop within a tenth of a second."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Generic, TypeVar

from memberSuite.exceptions import ReadingStopped

STEP = 0.1  # seconds; the longest anybody waits without looking at `stop`

T = TypeVar("T")


class Halt:
    """The caller's wish to stop, or the end of the work itself: both end every wait.

    Work inside other work has a halt of its own, whose `stop` is the halt of that other work.
    """

    def __init__(self, stop: threading.Event | Halt | None) -> None:
        self._stop = stop
        self._over = threading.Event()

    def is_set(self) -> bool:
        return self._over.is_set() or (self._stop is not None and self._stop.is_set())

    def set(self) -> None:
        self._over.set()

    def check(self) -> None:
        if self.is_set():
            raise ReadingStopped

    def sleep(self, seconds: float) -> None:
        """Wait, but raise ReadingStopped as soon as the work should end."""
        until = time.monotonic() + seconds
        while True:
            self.check()
            left = until - time.monotonic()
            if left <= 0:
                return
            self._over.wait(min(left, STEP))


Job = Callable[[Halt], Iterable[T]]


class Crew(Generic[T]):
    """Run jobs on daemon threads and yield what they give, in order of arrival.

    The queue is bounded, so memory holds a few answers whatever the jobs give. The first error ends the crew, as does
    whoever stops taking answers; the halt that each job gets is then set, so that none asks for more or waits on.
    A thread that hangs in a call is left behind: it ends by itself, and nothing it gives is taken any more.
    """

    def __init__(self, jobs: Iterable[Job[T]], *, readers: int, halt: Halt) -> None:
        self._jobs = deque(jobs)
        self._readers = max(1, min(readers, len(self._jobs)))
        self._stop = halt
        self._over = Halt(halt)
        self._answers: queue.Queue[tuple[str, T | None, BaseException | None]] = queue.Queue(2 * self._readers)

    def __iter__(self) -> Iterator[T]:
        for number in range(self._readers):
            # What the caller's log lines are marked with marks a reader's too.
            read = partial(contextvars.copy_context().run, self._read)
            threading.Thread(target=read, name=f"membersuite-reader-{number}", daemon=True).start()
        working = self._readers
        try:
            while working:
                self._stop.check()
                try:
                    kind, answer, error = self._answers.get(timeout=STEP)
                except queue.Empty:
                    continue
                if error is not None:
                    raise error
                if kind == "end":
                    working -= 1
                else:
                    yield answer  # type: ignore[misc]  # only "answer" items reach this line
        finally:
            self._over.set()

    def _read(self) -> None:
        try:
            while self._jobs:
                self._over.check()
                try:
                    job = self._jobs.popleft()
                except IndexError:  # another reader took the last one
                    break
                for answer in job(self._over):
                    if not self._put("answer", answer, None):
                        return
            self._put("end", None, None)
        except BaseException as error:  # handed to the thread that waits, which raises it
            self._put("error", None, error)
            self._over.set()  # now, and not when it is taken: the answers before it may take long

    def _put(self, kind: str, answer: T | None, error: BaseException | None) -> bool:
        while not self._over.is_set():
            try:
                self._answers.put((kind, answer, error), timeout=STEP)
            except queue.Full:
                continue
            return True
        return False


def run(job: Callable[[Halt], T], halt: Halt) -> T:
    """Run one blocking call on a thread of its own and wait for it in small steps."""
    for answer in Crew([lambda own: [job(own)]], readers=1, halt=halt):
        return answer
    raise AssertionError("a job gives one answer or raises")
