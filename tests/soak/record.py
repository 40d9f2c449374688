"""A record of every row that a soak's workers write, by triggers of its own: which transaction changed what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

WATCHED = (
    "targetgroups_membership",
    "targetgroups_subscriber",
    "targetgroups_targetgroup",
    "targetgroups_syncrun",
    "targetgroups_syncrequest",
    "targetgroups_suppression",
    "targetgroups_exclusion",
    "targetgroups_runoutcome",
)

_MAKE = """
CREATE SCHEMA soak;
CREATE TABLE soak.record (
    id bigserial PRIMARY KEY, transaction bigint NOT NULL, at timestamptz NOT NULL, watched text NOT NULL,
    before jsonb, after jsonb
);
CREATE FUNCTION soak.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO soak.record (transaction, at, watched, before, after) VALUES (
        pg_current_xact_id()::text::bigint, clock_timestamp(), TG_TABLE_NAME,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END
    );
    RETURN NULL;
END $$;
"""


@dataclass(frozen=True)
class Change:
    """One row as it was and as it became; None where there was or is no row."""

    transaction: int
    at: float  # seconds since 1970, by the database's clock
    table: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def row(self) -> dict[str, Any]:
        return self.after or self.before or {}

    def changed(self, *names: str) -> bool:
        """Say whether any of these columns is other than it was."""
        before, after = self.before or {}, self.after or {}
        return any(before.get(name) != after.get(name) for name in names)


def make(connection: psycopg.Connection[Any]) -> None:
    """Put the triggers on the tables that a sync writes."""
    connection.execute(_MAKE)
    for table in WATCHED:
        connection.execute(
            f"CREATE TRIGGER soak_note AFTER INSERT OR UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION soak.note()"
        )


def read(connection: psycopg.Connection[Any]) -> list[Change]:
    """Return all that changed since the last `forget`, in order."""
    rows = connection.execute(
        "SELECT transaction, extract(epoch FROM at)::float8, watched, before, after FROM soak.record ORDER BY id"
    )
    return [Change(number, at, table.removeprefix("targetgroups_"), *rest) for number, at, table, *rest in rows]


def forget(connection: psycopg.Connection[Any]) -> None:
    connection.execute("TRUNCATE soak.record")


def moment(text: str | None) -> float:
    """Read a moment as JSON holds it."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0
