"""A listmonk-shaped query: the SQL that a list manager of this kind asks for a page, over tables shaped like its own.

The tables and queries here are ours: a join of subscribers with their lists, OFFSET paging, and for a search ILIKE
over name and address with a COUNT(*) of all hits. Without a search nothing is counted, since such a program keeps the
size of each list. No HTTP, no JSON, no page: a lower bound. Nothing is prepared beforehand: such a program puts order
and conditions into the text of its query, and listmonk does not prepare it. LISTMONK_QUERIES=FILE names listmonk's own
`queries/subscribers.sql`; then its queries are taken instead.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import psycopg

from bench.pages_data import EMAIL, FIRST, LAST

_TABLES = f"""
CREATE SCHEMA lists_shaped;
CREATE TYPE lists_shaped.subscriber_status AS ENUM ('enabled', 'disabled', 'blocklisted');
CREATE TYPE lists_shaped.subscription_status AS ENUM ('unconfirmed', 'confirmed', 'unsubscribed');
CREATE TABLE lists_shaped.subscribers (
    id serial PRIMARY KEY, uuid uuid NOT NULL, email text NOT NULL, name text NOT NULL,
    attribs jsonb NOT NULL DEFAULT '{{}}', status lists_shaped.subscriber_status NOT NULL DEFAULT 'enabled',
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
CREATE TABLE lists_shaped.subscriber_lists (
    subscriber_id int NOT NULL, list_id int NOT NULL, meta jsonb NOT NULL DEFAULT '{{}}',
    status lists_shaped.subscription_status NOT NULL DEFAULT 'confirmed',
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
INSERT INTO lists_shaped.subscribers (uuid, email, name)
    SELECT gen_random_uuid(), {EMAIL}, {FIRST} || ' ' || {LAST} FROM generate_series(1, %(people)s::bigint) i;
INSERT INTO lists_shaped.subscriber_lists (subscriber_id, list_id) SELECT id, 1 FROM lists_shaped.subscribers;
CREATE UNIQUE INDEX ON lists_shaped.subscribers (lower(email));
CREATE INDEX ON lists_shaped.subscribers (status);
CREATE INDEX ON lists_shaped.subscribers (created_at);
ALTER TABLE lists_shaped.subscriber_lists ADD PRIMARY KEY (subscriber_id, list_id);
CREATE INDEX ON lists_shaped.subscriber_lists (list_id);
CREATE INDEX ON lists_shaped.subscriber_lists (status);
ANALYZE lists_shaped.subscribers;
ANALYZE lists_shaped.subscriber_lists
"""
_FROM = """
FROM subscribers JOIN subscriber_lists ON subscriber_lists.subscriber_id = subscribers.id AND list_id = 1
WHERE (%(like)s = '' OR name ILIKE %(like)s OR email ILIKE %(like)s)
"""
_ROWS = f"SELECT subscribers.* {_FROM} ORDER BY %%order%% OFFSET %(offset)s LIMIT 50"
_COUNT = f"SELECT count(*) {_FROM}"


class Lists:
    """One connection, with the tables in its search path."""

    def __init__(self, dsn: str, people: int) -> None:
        self.connection: psycopg.Connection[Any] = psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
        for statement in _TABLES.split(";"):
            self.connection.execute(statement % {"people": people} if "%(people)s" in statement else statement)
        self.connection.execute("SET search_path = lists_shaped")
        self.real = _real_queries()

    @property
    def name(self) -> str:
        return "listmonk's own SQL" if self.real else "a listmonk-shaped query"

    def page(self, order: str, offset: int = 0, search: str = "") -> None:
        """Ask for one page, and for the number of hits when something is looked for."""
        if self.real:
            rows, count = (_bound(text, order, offset, search) for text in self.real)
        else:
            given = {"like": f"%{search}%" if search else "", "offset": offset}
            self.connection.execute(_ROWS.replace("%%order%%", order), given).fetchall()
            if search:
                self.connection.execute(_COUNT, given).fetchall()
            return
        self.connection.execute(rows).fetchall()
        if search:
            self.connection.execute(count).fetchall()


def _real_queries() -> tuple[str, str] | None:
    path = os.environ.get("LISTMONK_QUERIES")
    if not path:
        return None
    parts = dict(
        re.findall(r"-- name: (query-subscribers(?:-count)?)\n(.*?)(?=-- name:)", Path(path).read_text(), re.S)
    )
    return parts["query-subscribers"], parts["query-subscribers-count"]


def _bound(text: str, order: str, offset: int, search: str) -> str:
    """Put values where its driver would bind them: lists, status, search, offset, limit."""
    given = {
        "%query%": "TRUE",
        "%order%": order,
        "$1::INT[]": "'{1}'::INT[]",
        "$1": "'{1}'::INT[]",
        "$2::subscription_status": "NULLIF('','')::subscription_status",
        "$2": "''",
        "$3": f"'{search}'",
        "$4": str(offset),
        "$5": "50",
    }
    for mark, value in given.items():
        text = text.replace(mark, value)
    return text
