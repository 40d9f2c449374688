"""Empty the database between two tests, and leave there what the migrations made.

Django's own way truncates every table and then makes all permissions and content types anew; roles and folders, which
only a migration makes, would be gone. Here a function, planned once for all tests of a process, deletes their few rows:
that takes a tenth of the time that new files for their tables and indexes take.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.db import connection
from django.test import TransactionTestCase

MADE_BY_MIGRATIONS = (
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
    "targetgroups_folder",
)
_COPIES = "as_migrated"
# Whoever still writes is waited for, as truncating does. As a replica PostgreSQL runs no trigger, neither those that
# look for rows that point at a deleted one nor those that refuse; only a superuser may say so, others truncate.
_FUNCTION = """
CREATE FUNCTION {copies}.put_back() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    may_delete bool := current_setting('is_superuser');
    emptied text[] := '{{}}';
BEGIN
    LOCK TABLE {tables} IN EXCLUSIVE MODE;
    IF may_delete THEN
        SET LOCAL session_replication_role = replica;
    END IF;
    {empty}
    IF emptied <> '{{}}' THEN
        IF NOT may_delete THEN
            ALTER TABLE audit_auditentry DISABLE TRIGGER USER;  -- whoever owns it may; it is never emptied otherwise
        END IF;
        EXECUTE 'TRUNCATE ' || array_to_string(emptied, ', ') || ' CASCADE';
        IF NOT may_delete THEN
            ALTER TABLE audit_auditentry ENABLE TRIGGER USER;
        END IF;
    END IF;
    {restore}
    PERFORM pg_stat_force_next_flush();  -- or these rows would be counted in the middle of the next test
END $$
"""
# Many rows would leave much room behind, and take as long.
_EMPTY = """
    IF EXISTS (SELECT FROM {table}) THEN
        IF may_delete AND NOT EXISTS (SELECT FROM {table} OFFSET 2000) THEN
            DELETE FROM {table};
        ELSE
            emptied := emptied || '{table}'::text;
        END IF;
    END IF;
"""
_RESTORE = """
    IF EXISTS (TABLE {table} EXCEPT TABLE {copies}.{table}) OR EXISTS (TABLE {copies}.{table} EXCEPT TABLE {table}) THEN
        DELETE FROM {table};
        INSERT INTO {table} TABLE {copies}.{table};
    END IF;
"""


@contextmanager
def what_the_migrations_made_is_kept() -> Iterator[None]:
    """Copy it, and let every test on a real database end with the database as it is now."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    filled = [name for name in tables if name not in MADE_BY_MIGRATIONS]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {_COPIES} CASCADE")
        cursor.execute(f"CREATE SCHEMA {_COPIES}")
        for table in MADE_BY_MIGRATIONS:
            cursor.execute(f"CREATE TABLE {_COPIES}.{table} AS TABLE {table}")
        cursor.execute(
            _FUNCTION.format(
                copies=_COPIES,
                tables=", ".join(tables),
                empty="".join(_EMPTY.format(table=table) for table in filled),
                restore="".join(_RESTORE.format(table=table, copies=_COPIES) for table in MADE_BY_MIGRATIONS),
            )
        )
    # A connection of its own: those of tests are closed after many of them, and plans end with a connection.
    with closing(connection.copy()) as own:

        def put_back(self: TransactionTestCase) -> None:
            with own.cursor() as cursor:
                cursor.execute(f"SELECT {_COPIES}.put_back()")

        setattr(TransactionTestCase, "_fixture_teardown", put_back)  # noqa: B010 - the stubs do not know it
        yield
