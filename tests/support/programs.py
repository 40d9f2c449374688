"""Programs that a test starts as a person would, and what is still there after them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent


class Program:
    """A Python program in a session of its own, whose lines a test waits for."""

    def __init__(self, arguments: Sequence[str | Path], *, output: Path, environment: dict[str, str]) -> None:
        self.output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_until_it_says(self, words: str, *, within: float = 60) -> str:
        wait_until(lambda: words in self.said() or self.process.poll() is not None, within=within, what=self.said)
        assert words in self.said(), self.said()
        return self.said()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def send_to_group(self, number: signal.Signals) -> None:
        """As the terminal does on Ctrl-C."""
        os.killpg(self.process.pid, number)

    def exit_code(self, *, within: float = 30) -> int:
        return self.process.wait(within)


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """Yield an empty folder that PostgreSQL's own user can pass through, which pytest's are not where root runs it."""
    folder = Path(tempfile.mkdtemp(prefix="thrive-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def marked_with(word: str) -> dict[psutil.Process, str]:
    """Return living processes and their commands, if those or their environment hold a word: a test's own folder."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                continue
            command = " ".join(process.cmdline())
            if word in command or word in " ".join(process.environ().values()):
                found[process] = command
    return found


def wait_until(is_true: Callable[[], object], *, within: float, what: Callable[[], object] = str) -> None:
    deadline = time.monotonic() + within
    while not is_true():
        assert time.monotonic() < deadline, f"not within {within} seconds: {what()}"
        time.sleep(0.05)
