"""The mail server of a soak as its driver has it: started, killed, frozen, and its log read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.mail_sink import IN_DOUBT, Manners


@dataclass
class Files:
    """What one process of the mail server has written."""

    stem: Path
    read_to: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def read_on(self) -> int:
        """Read what came since, whole lines alone; return how many messages were taken meanwhile."""
        path = self.stem.with_suffix(".log")
        if not path.exists():
            return 0
        with path.open("rb") as file:
            file.seek(self.read_to)
            new, _, _ = file.read().rpartition(b"\n")
        if not new:
            return 0
        self.read_to += len(new) + 1
        events = [json.loads(line) for line in new.splitlines()]
        self.events += events
        return sum(event["what"] == "taken" for event in events)

    @property
    def open_count(self) -> int:
        counts = Counter(event["what"] for event in self.events)
        return counts["open"] - counts["closed"]


@dataclass(frozen=True)
class Taken:
    """One copy that the mail server accepted, whether or not the answer arrived."""

    at: float
    to: str
    message_id: str
    text: bytes


class MailServer:
    """One port, and one process after another that listens there."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.manners = Manners()
        self.files: list[Files] = []
        self.taken_count = 0
        self._process: subprocess.Popen[str] | None = None
        self._number = 0
        self.is_frozen = False

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def begin(self, manners: Manners) -> None:
        """Start a round: with empty files and these manners."""
        self.kill()
        for files in self.files:
            for suffix in (".log", ".texts"):
                files.stem.with_suffix(suffix).unlink(missing_ok=True)
        self.files, self.taken_count, self.manners = [], 0, manners
        self.start()

    def start(self) -> None:
        if self.is_running:
            return
        self._number += 1
        files = Files(self.folder / f"sink{self._number}")
        command = [*(sys.executable, "-m", "tests.soak.mail_sink"), str(self.port), str(files.stem)]
        self._process = subprocess.Popen(
            [*command, self.manners.as_json()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "ready":
            raise RuntimeError("the mail server did not start")
        self.files.append(files)

    def kill(self) -> None:
        if self._process is None:
            return
        self.is_frozen = False
        self._process.kill()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        self.look()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)
        self.is_frozen = True

    def wake(self) -> None:
        self._signal(signal.SIGCONT)
        self.is_frozen = False

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            os.kill(self._process.pid, number)

    # --- its log

    def look(self) -> int:
        """Return how many messages have been taken by now."""
        if self.files:
            self.taken_count += self.files[-1].read_on()
        return self.taken_count

    def wait_until_nobody_is_connected(self, within: float = 15) -> bool:
        until = time.monotonic() + within
        while time.monotonic() < until:
            self.look()
            if not self.is_running or not self.files[-1].open_count:
                return True
            time.sleep(0.02)
        return False

    def events(self, what: str) -> list[dict[str, Any]]:
        return [event for files in self.files for event in files.events if event["what"] == what]

    def doubts(self) -> int:
        """Count the messages whose connection was cut when nobody but the server knew whether it was taken."""
        return sum(event["place"] in IN_DOUBT for event in self.events("cut"))

    def taken(self) -> list[Taken]:
        found = []
        for files in self.files:
            texts = files.stem.with_suffix(".texts").read_bytes()
            for event in files.events:
                if event["what"] == "taken":
                    text = texts[event["offset"] : event["offset"] + event["size"]]
                    found.append(Taken(event["at"], event["to"], event["id"], text))
        return found
