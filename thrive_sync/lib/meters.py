"""Durations measured in many processes, added up in one place where any process can read them.

They are figures for a graph, not records: what a process had not handed over yet when it was killed, or what the store
held when it was emptied, is gone, and the curve begins anew.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import defaultdict
from dataclasses import dataclass, field

import redis

from . import valkey

log = logging.getLogger(__name__)

STORE = "thrive-sync:meters"
HAND_OVER_SECONDS = 5.0
# Upper edges in seconds; the last one takes the rest.
EDGES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, float("inf"))


@dataclass
class Histogram:
    """How many took how long: a count for each edge, not yet added up, and the sum of all seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * len(EDGES))
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.counts)


class Meter:
    """Takes durations from any thread, and hands them over now and then on a thread of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ...], int] = defaultdict(int)
        self._seconds: dict[tuple[str, ...], float] = defaultdict(float)
        self._is_waiting = False

    def took(self, seconds: float, *labels: str, url: str) -> None:
        """Note one duration under its labels; `url` is the store that it goes to within some seconds."""
        edge = next(place for place, most in enumerate(EDGES) if seconds <= most)
        with self._lock:
            self._counts[(str(edge), *labels)] += 1
            self._seconds[("s", *labels)] += seconds
            if self._is_waiting:
                return
            self._is_waiting = True
        timer = threading.Timer(HAND_OVER_SECONDS, self.hand_over, [url])
        timer.daemon = True
        timer.start()

    def hand_over(self, url: str) -> None:
        """Add what was noted to the store. One that is away costs these figures, and nobody waits for it."""
        with self._lock:
            counts, self._counts = self._counts, defaultdict(int)
            seconds, self._seconds = self._seconds, defaultdict(float)
            self._is_waiting = False
        try:
            with valkey.connect(url) as store, store.pipeline(transaction=False) as pipe:
                for key, count in counts.items():
                    pipe.hincrby(f"{STORE}:{self.name}", json.dumps(key), count)
                for key, amount in seconds.items():
                    pipe.hincrbyfloat(f"{STORE}:{self.name}", json.dumps(key), amount)
                pipe.execute()
        except redis.RedisError as error:
            log.warning("figures of %s were lost: the store did not take them (%s)", self.name, type(error).__name__)


def read(name: str, store: redis.Redis) -> dict[tuple[str, ...], Histogram]:
    """Return what all processes handed over, by labels. Raises redis.RedisError."""
    found: dict[tuple[str, ...], Histogram] = {}
    held: dict[str, str] = store.hgetall(f"{STORE}:{name}")  # type: ignore[assignment]
    for key, value in held.items():
        edge, *labels = json.loads(key)
        histogram = found.setdefault(tuple(labels), Histogram())
        if edge == "s":
            histogram.seconds = float(value)
        else:
            histogram.counts[int(edge)] = int(value)
    return found
