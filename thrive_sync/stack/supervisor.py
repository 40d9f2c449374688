"""Start programs, and let none of them outlive the supervisor."""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

import psutil

from thrive_sync.stack import binaries, watcher
from thrive_sync.stack.environment import create_time
from thrive_sync.stack.watcher import MARK, Entry, Ledger

# What each kind of program is sent to end, and how many seconds it is given.
PLAIN = ((signal.SIGTERM, 8.0),)
WORKER = ((signal.SIGTERM, 6.0), (signal.SIGQUIT, 3.0))  # finish the task in hand; then give it back
POSTGRES = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))  # "fast", then "immediate"
FOREGROUND = ((signal.SIGINT, 10.0), (signal.SIGTERM, 5.0))
Signals = Sequence[tuple[signal.Signals, float]]
TAIL_LINES = 15


class AlreadyRunning(Exception):
    """Another supervisor holds the lock of this folder."""


class ChildFailed(Exception):
    """A program that was to run on has ended, or one that was to succeed has not."""


class Stopped(BaseException):
    """Someone asked the supervisor to end. Not an Exception: nothing on the way up may swallow it."""


@dataclass(frozen=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    signals: Signals
    log: Path | None
    created: float
    is_brief: bool = False  # has a task to do and ends
    is_leaned_on: bool = False  # others need it until they have ended

    @property
    def entry(self) -> Entry:
        return {
            "name": self.name,
            "pid": self.process.pid,
            "created": self.created,
            "signals": [(int(number), patience) for number, patience in self.signals],
            "is_leaned_on": self.is_leaned_on,
        }


class Supervisor:
    """Owner of a folder and of the programs started for it; use it as a context manager.

    1. Only one supervisor at a time has the folder: a lock that the kernel gives back, whatever happens to us.
    2. Left-overs of one that was killed are stopped first.
    3. A watcher stops everything when this process ends without having done so.
    4. Every program has a session of its own, so that Ctrl-C reaches the supervisor alone.
    """

    def __init__(self, folder: Path, *, say: Callable[[str], None] = lambda line: None) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.ledger_file = folder / "pids.json"
        self.say = say
        self.children: list[Child] = []
        self._mark = uuid.uuid4().hex
        self._cleanup = contextlib.ExitStack()
        self._critical = 0
        self._is_asked_to_stop = False

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(os.close, self._take_lock())
            self._stop_left_overs()
            self._listen_to_signals(cleanup)
            cleanup.callback(self.ledger_file.unlink, missing_ok=True)
            self.sockets = binaries.socket_folder()
            cleanup.callback(shutil.rmtree, self.sockets, ignore_errors=True)
            self._write_ledger()
            self._start_watcher(cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._critical += 1  # a second Ctrl-C must not break the stop
        try:
            watcher.ask([child.entry for child in self.children])
            for child in list(reversed(self.children)):
                self._stop(child)
        finally:
            self._cleanup.close()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        signals: Signals = PLAIN,
        environment: Mapping[str, str] | None = None,
        in_terminal: bool = False,
        is_brief: bool = False,
        is_leaned_on: bool = False,
        **how: Any,
    ) -> Child:
        """Start a program whose output goes to its log, or to the terminal."""
        log = None if in_terminal else self._fresh_log(name)
        with self._undisturbed(), contextlib.ExitStack() as files:
            if log is not None:
                output = files.enter_context(log.open("wb"))
                how |= {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
            process = subprocess.Popen(
                [str(part) for part in command],
                env=self.environment | dict(environment or {}),
                start_new_session=True,
                **how,
            )
            child = Child(name, process, signals, log, create_time(process.pid), is_brief, is_leaned_on)
            self.children.append(child)
            self._write_ledger()
        return child

    def finish(self, child: Child, *, within: float) -> None:
        """Wait until a program has done its work; raise ChildFailed when it did not."""
        code = self.wait(child, within=within)
        if code is None:
            raise ChildFailed(f"{child.name} did not finish within {within:.0f} seconds.{tail(child)}")
        if code:
            raise ChildFailed(f"{child.name} failed ({_in_words(code)}).{tail(child)}")

    def wait(self, child: Child, *, within: float = math.inf) -> int | None:
        """Return the exit code of a program that is expected to end, or None when the time is over."""
        deadline = time.monotonic() + within
        while (code := child.process.poll()) is None:
            self.check(other_than=child)
            if time.monotonic() > deadline:
                return None
            time.sleep(0.02)
        self._stop(child)
        return code

    def wait_until(self, what: str, is_true: Callable[[], bool], *, within: float) -> None:
        """Wait for readiness; a program that ends meanwhile ends the wait."""
        deadline = time.monotonic() + within
        while not is_true():
            self.check()
            if time.monotonic() > deadline:
                raise ChildFailed(f"{what} was not ready within {within:.0f} seconds. Logs: {self.logs}")
            time.sleep(0.02)

    def check(self, *, other_than: Child | None = None) -> None:
        """Raise ChildFailed when a program that should be running is not."""
        for child in self.children:
            code = child.process.poll()
            if code is not None and child is not other_than and not (child.is_brief and code == 0):
                raise ChildFailed(f"{child.name} has ended ({_in_words(code)}).{tail(child)}")

    @property
    def environment(self) -> dict[str, str]:
        """What programs inherit: ours, marked, without what would lead a PostgreSQL client elsewhere."""
        outer = os.environ.get(MARK)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return kept | {MARK: f"{outer}:{self._mark}" if outer else self._mark, "PYTHONUNBUFFERED": "1"}

    def _stop(self, child: Child) -> None:
        if child.process.poll() is None:
            with contextlib.suppress(psutil.Error):
                watcher.stop(psutil.Process(child.process.pid), child.entry)
        with contextlib.suppress(OSError):  # what it may have left in its session
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        self.children.remove(child)
        self._write_ledger()

    def _take_lock(self) -> int:
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)  # not inherited by programs
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise AlreadyRunning from None
        return lock

    def _stop_left_overs(self) -> None:
        ledger = watcher.read_ledger(self.ledger_file)
        if ledger is not None:
            watcher.stop_all(ledger, lambda name: self.say(f"Stopping {name}, left over from a killed run ..."))

    def _listen_to_signals(self, cleanup: contextlib.ExitStack) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # under nohup
            cleanup.callback(signal.signal, number, signal.signal(number, self._asked_to_stop))

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_asked_to_stop = True
        if not self._critical:
            raise Stopped

    @contextlib.contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Put a signal off until a program that was just started is written down."""
        self._critical += 1
        try:
            yield
        finally:
            self._critical -= 1
        if self._is_asked_to_stop and not self._critical:
            raise Stopped

    def _start_watcher(self, cleanup: contextlib.ExitStack) -> None:
        reading, writing = os.pipe()
        with self._undisturbed():
            process = subprocess.Popen(
                [sys.executable, "-I", watcher.__file__, str(reading), str(self.ledger_file)],
                stdin=subprocess.DEVNULL,
                pass_fds=(reading,),
                start_new_session=True,
            )
            os.close(reading)
            cleanup.callback(process.wait)
            cleanup.callback(os.close, writing)  # runs first: its end is what the watcher waits for

    def _write_ledger(self) -> None:
        ledger: Ledger = {
            "mark": self._mark,
            "sockets": str(self.sockets),
            "entries": [child.entry for child in self.children],
        }
        fresh = self.ledger_file.with_suffix(".new")
        fresh.write_text(json.dumps(ledger))
        fresh.replace(self.ledger_file)

    def _fresh_log(self, name: str) -> Path:
        log = self.logs / f"{name.replace(' ', '-').lower()}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        return log


def tail(child: Child) -> str:
    """Return the end of a program's log, to be read under the sentence that says what happened."""
    if child.log is None or not child.log.exists():
        return ""
    lines = child.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f" The end of {child.log}:", *(f"    {line}" for line in lines)])


def _in_words(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
