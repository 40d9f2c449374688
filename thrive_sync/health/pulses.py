"""A pulse goes through each queue all the time: when it last came through, and how long it waited in the queue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis

from thrive_sync.lib import valkey

QUEUES = ("interactive", "scheduled", "mailings")
PULSE_SECONDS = 10
PULSE_EXPIRES_SECONDS = 600  # while nobody takes them they must not pile up for ever
SILENT_SECONDS = 60  # after so long without a pulse nobody works on a queue
_STORE = "thrive-sync:pulses"


@dataclass(frozen=True)
class Pulse:
    """One that came through: when, and how many seconds after it was sent."""

    at: datetime
    waited: float


def take(url: str, queue: str, expires_at: datetime, now: datetime) -> None:
    """Note a pulse in the store of that address. Raises redis.RedisError."""
    with valkey.connect(url) as store:
        came_through(store, queue, expires_at, now)


def came_through(store: redis.Redis, queue: str, expires_at: datetime, now: datetime) -> None:
    """Note a pulse; it was sent PULSE_EXPIRES_SECONDS before it expires. Raises redis.RedisError."""
    waited = max(0.0, (now - (expires_at - timedelta(seconds=PULSE_EXPIRES_SECONDS))).total_seconds())
    store.hset(_STORE, queue, json.dumps([now.isoformat(), waited]))


def read(store: redis.Redis) -> dict[str, Pulse]:
    """Return the last pulse of each queue that ever had one. Raises redis.RedisError."""
    held: dict[str, str] = store.hgetall(_STORE)  # type: ignore[assignment]
    found = {}
    for queue, value in held.items():
        at, waited = json.loads(value)
        found[queue] = Pulse(datetime.fromisoformat(at), float(waited))
    return found


def depths(store: redis.Redis) -> dict[str, int]:
    """Return how many messages wait in each queue. Raises redis.RedisError."""
    return {queue: int(store.llen(queue)) for queue in QUEUES}
