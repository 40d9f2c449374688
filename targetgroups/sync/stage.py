"""The stage: every row that one attempt read, in an UNLOGGED table of its own, each with its exclusion reason.

Made, filled, corrected, dropped and swept here. An attempt never resumes another's: a crash empties such tables.
Beside it stands the removal table: the members whom the reading does not show as eligible, until their look-up.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from ..choices import RunStatus
from ..models import SyncRun
from ..remote import PeoplePage
from .staged_rows import COLUMNS, LOOK_UP, StagedPage

_PREFIX = "sync_stage_"
_REMOVAL_PREFIX = "sync_removal_"
# A COPY costs two round trips whatever it carries: pages wait until it is worth them, as they came.
_ROWS_A_COPY = 4_000
# So many are written at a time: PostgreSQL takes them in while the next are made, without either waiting long.
_ROWS_A_WRITE = 200


class Stage:
    """The two tables of one attempt.

    Attributes:
        changes: grows with whatever is done to the staged rows, so that one can tell whether they are the same still.
    """

    def __init__(self, run: SyncRun) -> None:
        self.table = sql.Identifier(f"{_PREFIX}{run.pk}_{run.attempt}")
        self.removals = sql.Identifier(f"{_REMOVAL_PREFIX}{run.pk}_{run.attempt}")
        columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
        self._copy = sql.SQL("COPY {} ({}) FROM STDIN").format(self.table, columns)
        self._waiting: list[StagedPage] = []
        self._rows_waiting = 0
        self._has_rejects = False
        self.changes = 0

    @property
    def has_rejects(self) -> bool:
        """Whether any row could not be read."""
        self._flush()
        return self._has_rejects

    def execute(self, query: str, **params: Any) -> int:
        """Run a statement with {stage} and {removals} filled in; return the number of rows it touched."""
        self._flush()
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(query).format(stage=self.table, removals=self.removals), params)
            return int(cursor.rowcount)

    def correct(self, query: str, **params: Any) -> int:
        """Run a statement that changes or deletes staged rows, as `execute` does."""
        corrected = self.execute(query, **params)
        self.changes += corrected
        return corrected

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
                    address_key text COLLATE "C",
                    sort_email text COLLATE "C",
                    sort_name text COLLATE "C",
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
        self._rows_waiting = 0
        self.execute("DROP TABLE IF EXISTS {stage}, {removals}")
        self.execute("RESET work_mem; RESET jit")

    def settle_statistics(self) -> None:
        """Tell the planner what is in the stage: without it a merge of a million rows takes the wrong road."""
        self.analyze("{stage} (remote_key, reason, reading)")

    def analyze(self, columns: str) -> None:
        """Tell the planner of the columns of a table that plans depend on, by a small sample: more costs a merge."""
        self.execute("SET default_statistics_target = 10")
        self.execute(f"ANALYZE {columns}")
        self.execute("RESET default_statistics_target")

    # --- filling ---

    def add_page(self, page: PeoplePage, reading: int) -> None:
        """Stage one page, each row with its exclusion reason; nothing personal of a Do Not Email row (R1)."""
        if page.starts_over:
            self.forget(reading)
        staged = StagedPage(page, reading)
        self._waiting.append(staged)
        self._rows_waiting += len(staged)
        self.changes += len(staged)
        if self._rows_waiting >= _ROWS_A_COPY:
            self._flush()

    def _flush(self) -> None:
        """Copy the rows that wait; every statement does it first, so nobody sees that they waited."""
        if not self._rows_waiting:
            return
        with connection.cursor() as cursor, cursor.copy(self._copy) as copy:
            for staged in self._waiting:
                for text in staged.texts(_ROWS_A_WRITE):
                    copy.write(text)
                self._has_rejects = self._has_rejects or staged.has_rejects
        self._waiting.clear()
        self._rows_waiting = 0

    def forget(self, reading: int) -> None:
        """Throw one reading's rows away."""
        self.correct("DELETE FROM {stage} WHERE reading = %(reading)s", reading=reading)

    def prefer_look_up(self) -> None:
        """Drop what was read earlier of those whom a look-up answered."""
        self.correct(
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
        self.correct(
            "DELETE FROM {stage} WHERE reading = 1 OR (reading = 2 AND remote_key = ANY(%(keys)s))",
            keys=keys,
        )

    def mark_duplicates(self) -> None:
        """Leave one row a person; the others become duplicate rows, emptied. Call it after counting (protocol 4.8).

        Do Not Email wins over anything (R1), then an eligible row, then the newest. What another reading said of the
        same person is no row more of the search: it goes.
        """
        self.correct(
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
