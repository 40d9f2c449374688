"""How much memory and processor time a worker takes while it works."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import Self

import psutil

_EVERY = 0.05  # seconds
MIB = 1 << 20


class Watch:
    """Samples a process and its children; shared pages count once for each, so the truth is below the sum.

    Attributes:
        peak_of_all: the largest sum of resident bytes seen.
        peak_of_one: the most that any one of them had.
        cpu_seconds: what they computed; other load on the machine changes it far less than the time that passes.
    """

    def __init__(self, pid: int) -> None:
        self.peak_of_all = 0
        self.peak_of_one = 0
        self.cpu_seconds = 0.0
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_over, name="memory-watch", daemon=True)

    def __enter__(self) -> Self:
        self._cpu_before = self._cpu()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self.cpu_seconds = self._cpu() - self._cpu_before

    def _sample_until_over(self) -> None:
        while not self._over.wait(_EVERY):
            with contextlib.suppress(psutil.Error):
                self._sample()

    def _all(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    def _cpu(self) -> float:
        times = [process.cpu_times() for process in self._all()]
        return float(sum(time.user + time.system for time in times))

    def _sample(self) -> None:
        sizes = []
        for process in self._all():
            with contextlib.suppress(psutil.Error):
                sizes.append(process.memory_info().rss)
        self.peak_of_all = max(self.peak_of_all, sum(sizes))
        self.peak_of_one = max(self.peak_of_one, *sizes, 0)
