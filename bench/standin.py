"""A stand-in MemberSuite in a process of its own, and the verbs of its control API that a measurement needs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thrive_sync.stack import ports, readiness

ROOT = Path(__file__).resolve().parent.parent
_FIRST_PORT = 8300


@dataclass(frozen=True)
class RemoteStandIn:
    """A running stand-in; `built_seconds` is what its people took to make."""

    url: str
    built_seconds: float

    def searches(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "searches")
        return found

    def change_last_names(self, percent: float) -> int:
        return self._changed("people/change", {"fields": {"LastName": "Renamed {n}"}, "percent": percent})

    def flag_do_not_email(self, percent: float) -> int:
        return self._changed("people/flip", {"to": True, "percent": percent})

    def delete(self, percent: float) -> int:
        return self._changed("people/delete", {"percent": percent})

    def forget_calls(self) -> None:
        self._ask("DELETE", "log")

    def calls(self) -> dict[str, int]:
        """Return how often each operation was called since `forget_calls`."""
        found: dict[str, int] = self._ask("GET", "log")["calls"]
        return found

    def _changed(self, path: str, body: dict[str, Any]) -> int:
        return int(self._ask("POST", path, body)["changed"])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/control/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=300) as reply:
            return json.load(reply)


@contextmanager
def standin(people: int, seed: int, latency_ms: float) -> Iterator[RemoteStandIn]:
    """Start a stand-in, wait until it answers, and end it afterwards."""
    port = ports.next_free(_FIRST_PORT)
    numbers = {"--port": port, "--people": people, "--seed": seed, "--latency-ms": latency_ms}
    words = [word for name, number in numbers.items() for word in (name, str(number))]
    url = f"http://{ports.ADDRESS}:{port}"
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "memberSuite.standin", *words], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        while not readiness.answers(f"{url}/mex"):
            if process.poll() is not None or time.monotonic() - began > 300:
                raise RuntimeError("The stand-in did not start.")
            time.sleep(0.1)
        yield RemoteStandIn(url, time.monotonic() - began)
    finally:
        process.terminate()
        process.wait(10)
