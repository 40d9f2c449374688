"""A database with the product's empty tables, and an empty broker, for each item: none finds another's rows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

_PATTERN = "bench_pattern"  # migrated once, and copied for each item: migrations take seconds, a copy a tenth of one


@contextmanager
def empty_database(name: str) -> Iterator[dict[str, str]]:
    """Make a database beside the throw-away one, yield the environment that names it, and drop it afterwards."""
    given = os.environ["DATABASE_URL"]
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    redis.Redis.from_url(_plain_redis(os.environ["REDIS_URL"])).flushall()
    with psycopg.connect(given, autocommit=True) as connection:
        _make_pattern(connection)
        connection.execute(drop)
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(_PATTERN)))
        try:
            yield _environment(name)
        finally:
            connection.execute(drop)


def _make_pattern(connection: psycopg.Connection[Any]) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_PATTERN,)).fetchone():
        return
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_PATTERN)))
    manage = Path(__file__).resolve().parent.parent / "manage.py"
    command = [sys.executable, str(manage), "migrate", "--verbosity", "0"]
    subprocess.run(command, env=os.environ | _environment(_PATTERN), check=True)


def _environment(name: str) -> dict[str, str]:
    return {"DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()}


def _plain_redis(url: str) -> str:
    """Return the broker's address as the redis package spells it."""
    return url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
