"""A plain connection to Redis or Valkey, for what is no message: figures and pulses."""

from __future__ import annotations

import redis

_SECONDS = 2  # nobody waits long for a figure


def connect(url: str) -> redis.Redis:
    """Open a client for REDIS_URL, as `env.broker` spells it; a context manager. Nothing is sent yet."""
    if url.startswith("redis+socket://"):
        url = url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    return redis.Redis.from_url(
        url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, decode_responses=True, retry=None
    )
