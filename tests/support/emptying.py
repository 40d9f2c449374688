"""Empty the database between two tests, and leave there what the migrations made.

Django's own way truncates every table and then makes all permissions and content types anew, which took a sixth of the
time of such a test; and roles and folders, which only a migration makes, would be gone.
"""

from __future__ import annotations

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

# In an order in which their rows can be put back.
MADE_BY_MIGRATIONS = (
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
    "targetgroups_folder",
)
_COPIES = "as_migrated"


def keep_what_the_migrations_made() -> None:
    """Copy it, and let every later test on a real database end with the database as it is now."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {_COPIES} CASCADE")
        cursor.execute(f"CREATE SCHEMA {_COPIES}")
        for table in MADE_BY_MIGRATIONS:
            cursor.execute(f"CREATE TABLE {_COPIES}.{table} AS TABLE {table}")
    setattr(TransactionTestCase, "_fixture_teardown", _fixture_teardown)  # noqa: B010 - the stubs do not know it


def _fixture_teardown(self: TransactionTestCase) -> None:
    with connection.cursor() as cursor:
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        filled = _found(cursor, "EXISTS (TABLE {0})", [name for name in tables if name not in MADE_BY_MIGRATIONS])
        changed = _found(
            cursor,
            f"EXISTS (TABLE {{0}} EXCEPT TABLE {_COPIES}.{{0}}) OR EXISTS (TABLE {_COPIES}.{{0}} EXCEPT TABLE {{0}})",
            MADE_BY_MIGRATIONS,
        )
        lost = MADE_BY_MIGRATIONS if changed else ()
        if filled or lost:
            cursor.execute(f"TRUNCATE {', '.join([*filled, *lost])} CASCADE")
        for table in lost:
            cursor.execute(f"INSERT INTO {table} TABLE {_COPIES}.{table}")


def _found(cursor: CursorWrapper, condition: str, tables: list[str] | tuple[str, ...]) -> list[str]:
    """Return the tables for which a condition holds, in one question."""
    cursor.execute(" UNION ALL ".join(f"SELECT '{table}' WHERE {condition.format(table)}" for table in tables))
    return [name for (name,) in cursor.fetchall()]
