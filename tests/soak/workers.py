"""The workers and the beat of a soak, as they come and go."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

WORKER = (
    *("worker", "--loglevel", "WARNING", "--queues", "interactive,scheduled,mailings", "--concurrency", "2"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)
BEAT = ("beat", "--loglevel", "WARNING", "--pidfile=")


@dataclass(frozen=True)
class Process:
    """A worker with its pool, or a beat: one session of its own."""

    pid: int
    log: Path

    @property
    def is_alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def pool(self) -> list[int]:
        """Return what runs the tasks."""
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(self.pid).children()]
        return []

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """End it at once with its whole pool, as losing the machine would."""
        self.signal(signal.SIGKILL)

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Nursery:
    """The parent of all workers; see nursery.py."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.processes: list[Process] = []
        self.parent: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment | {"C_FORCE_ROOT": "1"},
            start_new_session=True,
        )
        self._number = 0

    def wait_until_ready(self) -> None:
        self._answer()

    def worker(self) -> Process:
        return self._make(WORKER, f"worker{self._number}")

    def beat(self) -> Process:
        return self._make(BEAT, f"beat{self._number}")

    def workers(self) -> list[Process]:
        """Return the workers that live."""
        return [process for process in self.processes if "worker" in process.log.name and process.is_alive]

    def said_since(self, moment: float) -> list[str]:
        """Return what workers wrote into their logs, those that have written since."""
        logs = sorted(self.folder.glob("worker*.log"), key=lambda log: log.stat().st_mtime)
        return [
            line
            for log in logs
            if log.stat().st_mtime >= moment
            for line in log.read_text("utf-8", "replace").splitlines()
        ]

    def close(self) -> None:
        for process in self.processes:
            process.signal(signal.SIGCONT)
            process.kill()
        if self.parent.stdin is not None:
            with contextlib.suppress(OSError):
                self.parent.stdin.close()
        self.parent.wait(10)
        if self.parent.stdout is not None:
            self.parent.stdout.close()

    def wait_until_dead(self, process: Process, within: float = 5) -> None:
        until = time.monotonic() + within
        while process.is_alive and time.monotonic() < until:
            time.sleep(0.01)

    def _make(self, arguments: tuple[str, ...], name: str) -> Process:
        self._number += 1
        log = self.folder / f"{name}.log"
        wish = {
            "arguments": [*arguments, *(["--hostname", f"{name}@soak"] if "worker" in name else [])],
            "log": str(log),
        }
        assert self.parent.stdin is not None
        self.parent.stdin.write(json.dumps(wish) + "\n")
        self.parent.stdin.flush()
        made = Process(self._answer()["pid"], log)
        self.processes = [process for process in self.processes if process.is_alive] + [made]
        return made

    def _answer(self) -> dict[str, Any]:
        assert self.parent.stdout is not None
        line = self.parent.stdout.readline()
        if not line:
            raise RuntimeError("the parent of the workers has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
