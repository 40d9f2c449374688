"""The broker as a test sees it."""

from __future__ import annotations

import json

import redis
from django.conf import settings

from targetgroups.sync.single_flight import RUN_TASK


def client() -> redis.Redis:
    """Return a connection to the broker database of this test process."""
    url = settings.REDIS_URL.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    return redis.Redis.from_url(url, socket_timeout=10)


def waiting_count(*queues: str) -> int:
    """Return how many messages no worker has taken yet."""
    with client() as connection:
        return sum(int(connection.llen(queue)) for queue in queues or ("interactive", "scheduled"))


def waiting_runs(queue: str) -> int:
    """Return how many messages of a queue tell of a run, and of nothing else, such as figures to be counted."""
    with client() as connection:
        messages = connection.lrange(queue, 0, -1)
    return sum(json.loads(message)["headers"]["task"] == RUN_TASK for message in messages)
