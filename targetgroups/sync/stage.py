"""The stage: every row that one attempt read, in an UNLOGGED table of its own, each with its exclusion reason.

Made, filled, corrected, dropped and swept here. An attempt never resumes another's: a crash empties such tables.
Beside it stands the removal table: the members whom the reading does not show as eligible, until their look-up.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.db import connection, transaction
from psycopg import sql

from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.sorting import sort_key

from ..choices import ExclusionReason, RunStatus
from ..models import SyncRun
from ..remote import PeoplePage, Person, RejectedRow
from .eligibility import exclusion_reason

# Readings, as numbered in the stage.
FIRST, SECOND, LOOK_UP, DO_NOT_EMAIL = 1, 2, 3, 9
# A row of a reading without a flag that can be read: Yes for this group (R1), but nothing that is known of the person,
# so it erases nobody and says nothing to other groups. A look-up, which is a second question, does.
NO_FLAG = "no readable flag"
_ONCE_ASKED = {str(FIRST), str(SECOND)}

_PREFIX = "sync_stage_"
_REMOVAL_PREFIX = "sync_removal_"
_LONGEST_REMOTE_ID = 100
_LONGEST_SORT_KEY = 200  # an index entry must stay far below a third of a page
_BIGGEST_LOCAL_ID = 2**63 - 1
# A COPY costs two round trips whatever it carries: pages wait here until it is worth them.
_ROWS_A_COPY = 2_000

# A row as COPY's text: the values of the columns, in their order.
_Row = tuple[str, ...]
_COLUMNS = (
    *("reading", "asked_at", "reason", "remote_key", "remote_id", "local_id", "email", "first_name", "last_name"),
    *("address_key", "sort_email", "sort_name", "attributes", "detail"),
)
_REASON = _COLUMNS.index("reason")
_NULL = "\\N"
_MUST_BE_ESCAPED = re.compile(r"[\\\t\n\r]")
_ESCAPED = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


class Stage:
    """The two tables of one attempt; `has_rejects` tells whether any row could not be read."""

    def __init__(self, run: SyncRun) -> None:
        self.table = sql.Identifier(f"{_PREFIX}{run.pk}_{run.attempt}")
        self.removals = sql.Identifier(f"{_REMOVAL_PREFIX}{run.pk}_{run.attempt}")
        columns = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
        self._copy = sql.SQL("COPY {} ({}) FROM STDIN").format(self.table, columns)
        self._waiting: list[_Row] = []
        self.has_rejects = False

    def execute(self, query: str, **params: Any) -> int:
        """Run a statement with {stage} and {removals} filled in; return the number of rows it touched."""
        self._flush()
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(query).format(stage=self.table, removals=self.removals), params)
            return int(cursor.rowcount)

    def fetch(self, query: str, **params: Any) -> list[tuple[Any, ...]]:
        """Run a query with {stage} and {removals} filled in; return its rows."""
        self._flush()
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(query).format(stage=self.table, removals=self.removals), params)
            return list(cursor.fetchall())

    # --- the tables' lives ---

    def create(self) -> None:
        # For the statements that compare: with the usual 4 MB their sorts and hashes of a million rows go to disk, and
        # compiling them takes longer than they do.
        self.execute("SET work_mem = '64MB'; SET jit = off")
        with transaction.atomic():
            # What is filtered by stands first: every statement reads as far into each row.
            self.execute(
                """
                CREATE UNLOGGED TABLE {stage} (
                    reading smallint NOT NULL,
                    asked_at timestamptz NOT NULL,
                    reason text NOT NULL,
                    remote_key text COLLATE "C" NOT NULL,
                    remote_id text NOT NULL,
                    local_id bigint,
                    email text NOT NULL,
                    first_name text NOT NULL,
                    last_name text NOT NULL,
                    address_key text COLLATE "C" NOT NULL,
                    sort_email text COLLATE "C" NOT NULL,
                    sort_name text COLLATE "C" NOT NULL,
                    attributes jsonb NOT NULL,
                    detail text NOT NULL
                ) WITH (autovacuum_enabled = false)
                """
            )
            self.execute(
                """
                CREATE UNLOGGED TABLE {removals} (
                    subscriber_id bigint PRIMARY KEY,
                    remote_key text COLLATE "C" NOT NULL,
                    remote_id text NOT NULL,
                    reason text NOT NULL,
                    asked_at timestamptz
                ) WITH (autovacuum_enabled = false)
                """
            )
            self.execute("CREATE INDEX ON {removals} (remote_key)")

    def drop(self) -> None:
        self._waiting.clear()
        self.execute("DROP TABLE IF EXISTS {stage}, {removals}")
        self.execute("RESET work_mem; RESET jit")

    def settle_statistics(self) -> None:
        """Tell the planner what is in the stage: without it a merge of a million rows takes the wrong road.

        Of the columns that plans depend on alone: all of them take as long as a merge.
        """
        self.execute("ANALYZE {stage} (remote_key, reason, reading)")

    # --- filling ---

    def add_page(self, page: PeoplePage, reading: int) -> None:
        """Stage one page, each row with its exclusion reason; nothing personal of a Do Not Email row (R1)."""
        if page.starts_over:
            self.forget(reading)
        people = page.rows
        if reading == DO_NOT_EMAIL:  # a server that ignores the criterion sends the others too: they are staged already
            people = [person for person in people if person.do_not_email is not False]
        asked = (str(reading), page.asked_at.isoformat())
        rows = [_row(person, asked) for person in people]
        rows += [_rejected_row(rejected, asked) for rejected in page.rejected]
        self.has_rejects = self.has_rejects or any(row[_REASON] == ExclusionReason.UNREADABLE_ROW for row in rows)
        self._waiting += rows
        if len(self._waiting) >= _ROWS_A_COPY:
            self._flush()

    def _flush(self) -> None:
        """Copy the rows that wait; every statement does it first, so nobody sees that they waited."""
        if not self._waiting:
            return
        with connection.cursor() as cursor, cursor.copy(self._copy) as copy:
            copy.write(_rendered(self._waiting))
        self._waiting.clear()

    def forget(self, reading: int) -> None:
        """Throw one reading's rows away."""
        self.execute("DELETE FROM {stage} WHERE reading = %(reading)s", reading=reading)

    def prefer_look_up(self) -> None:
        """Drop what was read earlier of those whom a look-up answered."""
        self.execute(
            """
            DELETE FROM {stage} s USING (
                SELECT remote_key, max(asked_at) AS asked_at FROM {stage}
                WHERE reading = %(look_up)s AND remote_key <> '' AND reason <> 'unreadable_row' GROUP BY remote_key
            ) answered
            WHERE s.remote_key = answered.remote_key AND s.reading <> %(look_up)s AND s.asked_at <= answered.asked_at
            """,
            look_up=LOOK_UP,
        )

    # --- correcting ---

    def ids_in_one_reading_only(self) -> list[str]:
        """Give the Remote IDs that only one of the two readings has (protocol 4.7)."""
        rows = self.fetch(
            """
            SELECT min(remote_id) FROM {stage} WHERE reading IN (1, 2) AND remote_key <> ''
            GROUP BY remote_key HAVING min(reading) = max(reading)
            """
        )
        return [remote_id for (remote_id,) in rows]

    def has_repeats(self, reading: int) -> bool:
        """Say whether a reading gave anybody more than once."""
        return bool(
            self.fetch(
                """
                SELECT 1 FROM {stage} WHERE reading = %(reading)s AND remote_key <> ''
                GROUP BY remote_key HAVING count(*) > 1 LIMIT 1
                """,
                reading=reading,
            )
        )

    def readings_agree(self) -> bool:
        """Say whether two readings gave the same people, each as often."""
        return not self.fetch(
            """
            SELECT 1 FROM {stage} WHERE reading IN (1, 2) AND remote_key <> '' GROUP BY remote_key
            HAVING count(*) FILTER (WHERE reading = 1) <> count(*) FILTER (WHERE reading = 2) LIMIT 1
            """
        )

    def keep_second_reading(self, settled_ids: Iterable[str]) -> None:
        """Drop the first reading, and of the second whoever was asked for again."""
        keys = [remote_id.lower() for remote_id in settled_ids]
        self.execute(
            "DELETE FROM {stage} WHERE reading = 1 OR (reading = 2 AND remote_key = ANY(%(keys)s))",
            keys=keys,
        )

    def mark_duplicates(self) -> None:
        """Leave one row a person; the others become duplicate rows, emptied. Call it after counting (protocol 4.8).

        Do Not Email wins over anything (R1), then an eligible row, then the newest. What another reading said of the
        same person is no row more of the search: it goes.
        """
        self.execute(
            """
            WITH several AS (
                SELECT remote_key FROM {stage}
                WHERE remote_key <> '' AND reason NOT IN ('duplicate_row', 'unreadable_row')
                GROUP BY remote_key HAVING count(*) > 1
            ), ranked AS (
                SELECT s.ctid AS row_id, s.reading, row_number() OVER best AS place,
                    first_value(s.reading) OVER best AS kept_reading
                FROM {stage} s JOIN several USING (remote_key)
                WHERE s.reason NOT IN ('duplicate_row', 'unreadable_row')
                WINDOW best AS (
                    PARTITION BY s.remote_key
                    ORDER BY s.reason = 'do_not_email' DESC, s.reason = '' DESC, s.asked_at DESC, s.reading DESC, s.ctid
                )
            ), overtaken AS (
                DELETE FROM {stage} s USING ranked
                WHERE s.ctid = ranked.row_id AND ranked.reading <> ranked.kept_reading
            )
            UPDATE {stage} s
            SET reason = 'duplicate_row', email = '', first_name = '', last_name = '', address_key = '',
                sort_email = '', sort_name = '', attributes = '{{}}'
            FROM ranked
            WHERE s.ctid = ranked.row_id AND ranked.place > 1 AND ranked.reading = ranked.kept_reading
            """
        )

    # --- reading ---

    def counts_by_reason(self) -> dict[str, int]:
        """Count the rows by exclusion reason; the empty reason is eligible."""
        return dict(self.fetch("SELECT reason, count(*) FROM {stage} GROUP BY reason"))

    def removal_ids(self, batch: int, *, unexplained_only: bool = False) -> Iterator[list[str]]:
        """Give the Remote IDs of the candidates for removal, `batch` at a time; or of those without a reason yet."""
        unexplained = "AND reason = ''" if unexplained_only else ""
        last = ""
        while True:
            rows = self.fetch(
                "SELECT remote_key, remote_id FROM {removals} WHERE remote_key > %(last)s "  # noqa: S608 - two fixed texts
                + unexplained
                + " ORDER BY remote_key LIMIT %(batch)s",
                last=last,
                batch=batch,
            )
            if not rows:
                return
            yield [remote_id for _, remote_id in rows]
            last = rows[-1][0]


def sweep() -> int:
    """Drop the stages whose attempt is over or was taken over; return how many tables went."""
    dropped = 0
    for table, run_id, attempt in _existing():
        alive = SyncRun.objects.filter(pk=run_id, attempt=attempt, status=RunStatus.RUNNING).exists()
        if not alive:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table)))
            dropped += 1
    return dropped


def _existing() -> list[tuple[str, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = ANY(current_schemas(false)) AND tablename ~ %s",
            [f"^({_PREFIX}|{_REMOVAL_PREFIX})[0-9]+_[0-9]+$"],
        )
        names = [name for (name,) in cursor.fetchall()]
    return [(name, *map(int, name.rsplit("_", 2)[1:])) for name in names]


def _row(person: Person, asked: tuple[str, str]) -> _Row:
    """Make the staged row of a person: the one thing that is done in Python for each, so it is done sparingly.

    `asked` are the reading's number and the time its page was asked for.
    """
    remote_id = person.remote_id
    if len(remote_id) > _LONGEST_REMOTE_ID or "\0" in remote_id:
        rejected = RejectedRow(remote_id=None, local_id=person.local_id, reason="Remote ID is too long")
        return _rejected_row(rejected, asked)
    email, first_name, last_name = person.email or "", person.first_name or "", person.last_name or ""
    if "\0" in f"{email}{first_name}{last_name}":
        email, first_name, last_name = _clean(email), _clean(first_name), _clean(last_name)
    email = email.strip()
    reason = exclusion_reason(person.do_not_email, email)
    if reason is ExclusionReason.DO_NOT_EMAIL:
        is_doubtful = person.do_not_email is None and asked[0] in _ONCE_ASKED
        return _bare_row(asked, remote_id, person.local_id, reason, NO_FLAG if is_doubtful else "")
    return (
        *asked,
        reason or "",
        remote_id.lower(),
        remote_id,
        _local_id(person.local_id),
        email,
        first_name,
        last_name,
        "" if reason else address_key(email),
        sort_key(email)[:_LONGEST_SORT_KEY],
        sort_key(f"{last_name} {first_name}".strip())[:_LONGEST_SORT_KEY],
        _attributes(person.attributes) if person.attributes else "{}",
        "",
    )


def _rejected_row(rejected: RejectedRow, asked: tuple[str, str]) -> _Row:
    remote_id = _clean(rejected.remote_id)
    return _bare_row(
        asked,
        remote_id if len(remote_id) <= _LONGEST_REMOTE_ID else "",
        rejected.local_id,
        ExclusionReason.UNREADABLE_ROW,
        _clean(rejected.reason)[:200],
    )


def _bare_row(
    asked: tuple[str, str], remote_id: str, local_id: int | None, reason: ExclusionReason, detail: str
) -> _Row:
    nothing = ("",) * 6
    return (*asked, reason, remote_id.lower(), remote_id, _local_id(local_id), *nothing, "{}", detail)


def _clean(text: str | None) -> str:
    """PostgreSQL's text has no NUL."""
    return text.replace("\0", "") if text else ""


def _local_id(local_id: int | None) -> str:
    return str(local_id) if local_id is not None and 0 <= local_id <= _BIGGEST_LOCAL_ID else _NULL


def _attributes(attributes: dict[str, str]) -> str:
    encoded = msgspec.json.encode(attributes)
    if b"\\u0000" in encoded:  # also where a text merely spells it out: cleaning changes nothing then
        encoded = msgspec.json.encode({_clean(name): _clean(value) for name, value in attributes.items()})
    return encoded.decode()


def _rendered(rows: list[_Row]) -> str:
    """Render rows as COPY's text. Most need no escaping, and whether any does is seen at once for all of them."""
    text = "".join(["\t".join(row) + "\n" for row in rows])
    ends, tabs = text.count("\n"), text.count("\t")
    if ends == len(rows) and tabs == len(rows) * (len(_COLUMNS) - 1) and "\\" not in text and "\r" not in text:
        return text
    return "".join(["\t".join(map(_escaped, row, _COLUMNS)) + "\n" for row in rows])


def _escaped(value: str, column: str) -> str:
    if column == "local_id" or not _MUST_BE_ESCAPED.search(value):  # a number, or the one null
        return value
    return _MUST_BE_ESCAPED.sub(lambda found: _ESCAPED[found[0]], value)
