"""A real Celery worker beside a test: started, stopped, or killed as a power cut would."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent


class Worker:
    """One worker process and its pool, on the database and the broker that the test itself uses."""

    def __init__(
        self,
        *queues: str,
        concurrency: int = 1,
        environment: dict[str, str] | None = None,
        app: str = "thrive_sync",
    ) -> None:
        self.log = Path(tempfile.gettempdir()) / f"thrive-worker-{uuid.uuid4().hex[:8]}.log"
        command = [
            *(sys.executable, "-m", "celery", "-A", app, "worker", "--loglevel", "INFO"),
            *("--queues", ",".join(queues), "--concurrency", str(concurrency), "--hostname", f"{self.log.stem}@test"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | _addresses() | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self, within: float = 90) -> Self:
        deadline = time.monotonic() + within
        while not re.search(r"@test ready\.", self.said()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the worker did not start:\n{self.said()}")
            time.sleep(0.05)
        return self

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def pids(self) -> list[int]:
        """Return the worker itself first, then its pool."""
        try:
            main = psutil.Process(self.process.pid)
            return [main.pid, *(child.pid for child in main.children(recursive=True))]
        except psutil.Error:
            return []

    def rss(self) -> int:
        """Return the bytes of memory that the biggest of its processes has now."""
        sizes = [0]
        for pid in self.pids():
            with contextlib.suppress(psutil.Error):
                sizes.append(psutil.Process(pid).memory_info().rss)
        return max(sizes)

    def peak_rss(self) -> int:
        """Return the most bytes of memory that any of its living processes has had (Linux)."""
        peaks = [0]
        for pid in self.pids():
            with contextlib.suppress(OSError):
                found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
                peaks.append(int(found[1]) * 1024 if found else 0)
        return max(peaks)

    def stop(self, within: float = 15) -> None:
        """End it as an operator would: the task in hand is finished first."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(within)
        self.kill()

    def kill(self) -> None:
        """End it at once with its whole pool, as losing the machine would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.unlink(missing_ok=True)

    def kill_pool(self) -> None:
        """Kill what runs the tasks and leave the worker itself alive, as the kernel does when memory ends."""
        for pid in self.pids()[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _addresses() -> dict[str, str]:
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {
        "DATABASE_URL": database.geturl(),
        "REDIS_URL": settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "thrive_sync.settings",
    }
