"""Stop what a killed supervisor left running.

The supervisor starts this file as a script of its own and holds the only write end of a pipe. The end of the pipe means
that the supervisor is gone, however it went. It imports nothing of the project: it waits for as long as the demo runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import psutil

MARK = "THRIVE_STACK"  # in the environment of everything that a supervisor started, children's children included


class Entry(TypedDict):
    name: str
    pid: int
    created: float
    signals: list[tuple[int, float]]  # a signal, and how many seconds it is given
    is_leaned_on: bool  # others need it until they have ended


class Ledger(TypedDict):
    mark: str
    sockets: str
    entries: list[Entry]


def read_ledger(path: Path) -> Ledger | None:
    try:
        ledger: Ledger = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return ledger


def stop_all(ledger: Ledger, say: Callable[[str], None] = lambda line: None) -> int:
    """Stop the entries in reverse order, then whatever else carries the mark; return how many were still there."""
    stopped = 0
    ask(ledger["entries"])
    for entry in reversed(ledger["entries"]):
        process = _alive(entry)
        if process is not None:
            say(entry["name"])
            stop(process, entry)
            stopped += 1
    stopped += _kill_marked(ledger["mark"])
    if ledger["sockets"]:
        shutil.rmtree(ledger["sockets"], ignore_errors=True)
    return stopped


def ask(entries: list[Entry]) -> None:
    """Send their first signal to all that nothing leans on, so that they end side by side."""
    for entry in entries:
        process = _alive(entry)
        if process is not None and not entry["is_leaned_on"]:
            with contextlib.suppress(psutil.Error):
                process.send_signal(entry["signals"][0][0])


def stop(process: psutil.Process, entry: Entry) -> None:
    """Wait for one that was asked already; then ask less politely; at the end its whole session is killed."""
    for position, (number, patience) in enumerate(entry["signals"]):
        if position > 0 or entry["is_leaned_on"]:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)
        if _gone(process, patience):
            break
    # Even a process that ended by itself may leave children in its session.
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    _gone(process, 5)


def _gone(process: psutil.Process, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE or not process.is_running():
                return True
        except psutil.Error:
            return True
        time.sleep(0.02)
    return False


def _alive(entry: Entry) -> psutil.Process | None:
    """Return the process of an entry, unless it ended or another one has its number by now."""
    try:
        process = psutil.Process(entry["pid"])
        if abs(process.create_time() - entry["created"]) > 1 or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.Error:
        return None
    return process


def _kill_marked(mark: str) -> int:
    """Kill whatever the list does not name: a child started in the very moment its supervisor was killed."""
    killed = 0
    for process in psutil.process_iter():
        if process.pid == os.getpid() or mark not in _environment(process).get(MARK, "").split(":"):
            continue
        with contextlib.suppress(psutil.Error):
            process.kill()
            killed += 1
    return killed


def _environment(process: psutil.Process) -> dict[str, Any]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}  # another user's process


def main() -> None:
    pipe, path = int(sys.argv[1]), Path(sys.argv[2])
    while os.read(pipe, 1):
        pass
    ledger = read_ledger(path)
    if ledger is not None and stop_all(ledger):
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
