"""What PostgreSQL itself can do with the same rows: COPY of text rendered beforehand, and one MERGE by key."""

from __future__ import annotations

import os
import time

import psycopg

from bench import population

_KEY, *_OTHERS = population.FIELDS
_ALL = ", ".join(population.FIELDS)
_TABLES = f"""
    DROP TABLE IF EXISTS bench_limit, bench_limit_stage;
    CREATE TABLE bench_limit (
        pk bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        {", ".join(f"{name} text NOT NULL" for name in population.FIELDS)},
        updated_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE UNIQUE INDEX ON bench_limit (id);
    CREATE INDEX ON bench_limit (lower(email));
    CREATE UNLOGGED TABLE bench_limit_stage ({", ".join(f"{name} text" for name in population.FIELDS)});
"""
_MERGE = f"""
    MERGE INTO bench_limit kept USING bench_limit_stage staged ON kept.{_KEY} = staged.{_KEY}
    WHEN MATCHED AND ({", ".join(f"kept.{name}" for name in _OTHERS)})
        IS DISTINCT FROM ({", ".join(f"staged.{name}" for name in _OTHERS)})
        THEN UPDATE SET {", ".join(f"{name} = staged.{name}" for name in _OTHERS)}, updated_at = now()
    WHEN NOT MATCHED THEN INSERT ({_ALL}) VALUES ({", ".join(f"staged.{name}" for name in population.FIELDS)})
"""
_A_WRITE = 1 << 20


class LimitSync:
    """No rule, no member, nobody removed: Do Not Email rows are dropped before the clock starts."""

    def __init__(self, people: int) -> None:
        self.people = people

    def step(self, step: str) -> float:
        """Do one step and return its seconds."""
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            if step == "first":
                connection.execute(_TABLES)
                connection.commit()
            text = memoryview(self._rendered(step))
            began = time.perf_counter()
            connection.execute("TRUNCATE bench_limit_stage")
            with connection.cursor().copy(f"COPY bench_limit_stage ({_ALL}) FROM STDIN") as copy:
                for start in range(0, len(text), _A_WRITE):
                    copy.write(text[start : start + _A_WRITE])
            connection.execute("ANALYZE bench_limit_stage")
            connection.execute(_MERGE)
            connection.commit()
            return time.perf_counter() - began

    def _rendered(self, step: str) -> bytes:
        kept = (row for row in population.rows(self.people, step) if not population.is_flagged(row))
        return "".join("\t".join(row) + "\n" for row in kept).encode()
