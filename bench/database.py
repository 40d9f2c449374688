"""An empty database, and an empty broker, for each item: one's rows and statistics are nothing to the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql


@contextmanager
def empty_database(name: str) -> Iterator[dict[str, str]]:
    """Make a database beside the throw-away one, yield the environment that names it, and drop it afterwards."""
    given = os.environ["DATABASE_URL"]
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    redis.Redis.from_url(_plain_redis(os.environ["REDIS_URL"])).flushall()
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield {"DATABASE_URL": urlsplit(given)._replace(path=f"/{name}").geturl()}
        finally:
            connection.execute(drop)


def _plain_redis(url: str) -> str:
    """Return the broker's address as the redis package spells it."""
    return url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
