"""One migrated database for all processes of a run, of which each makes its own as a copy.

It is named for the run, so that none is ever older than the migrations. Django migrates the copy all the same, and
finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection

_LOCK = 20_180_501


@contextmanager
def one_migration_for_all(run: str) -> Iterator[None]:
    """Have Django copy the run's migrated database; whoever comes first makes it."""
    name = f"test_migrated_{run}"
    ours = connection.settings_dict
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])  # until this connection is closed
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            cursor.execute(f'CREATE DATABASE "{name}_half"')
            connection.close()
            usual, ours["NAME"] = ours["NAME"], f"{name}_half"
            try:
                call_command("migrate", interactive=False, verbosity=0)
            finally:
                connection.close()
                ours["NAME"] = usual
            cursor.execute(f'ALTER DATABASE "{name}_half" RENAME TO "{name}"')
    ours["TEST"]["TEMPLATE"] = name
    try:
        yield
    finally:
        with connection._nodb_cursor() as cursor:  # one that comes still later makes it again
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
