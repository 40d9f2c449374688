"""The only writer of the tallies: a recipient's outcome changes by `move` alone, and is counted in that statement."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from django.db import connection
from psycopg import RawCursor

from ..choices import SETTLED, Outcome
from ..models import Tally

# Asked only of who was settled before, which is rare: a statement sees the row as it was before it.
_OLD_SETTLED_AT = f"""CASE WHEN p.outcome IN ({", ".join(f"'{outcome}'" for outcome in SETTLED)})
    THEN (SELECT o.settled_at FROM mailings_recipient o WHERE o.id = r.id) END"""  # noqa: S608 - fixed texts
# A reason is counted where it tells people apart; the reply codes of failed ones do not. The kinds are written in one
# order, and all before the minutes, so that two senders who move people to and fro never wait for each other. Where
# people become fewer there is a row already, which takes the change: none below 0 could be offered for insertion.
_COUNTED = """
    delta AS (
        SELECT kind, reason, sum(change)::int AS change
        FROM (
            SELECT old_outcome AS kind, CASE old_outcome WHEN 'skipped' THEN old_reason ELSE '' END AS reason,
                -1 AS change FROM moved
            UNION ALL
            SELECT new_outcome, CASE new_outcome WHEN 'skipped' THEN new_reason ELSE '' END, 1 FROM moved
        ) both_sides GROUP BY kind, reason HAVING sum(change) <> 0
    ),
    counted AS (
        INSERT INTO mailings_tally (mailing_id, kind, reason, people_count)
        SELECT %(mailing)s, kind, reason, greatest(change, 0) FROM delta
        ORDER BY kind, reason
        ON CONFLICT (mailing_id, kind, reason)
        DO UPDATE SET people_count = mailings_tally.people_count + (
            SELECT d.change FROM delta d WHERE (d.kind, d.reason) = (excluded.kind, excluded.reason)
        )
        RETURNING id
    ),
    per_minute AS (
        SELECT minute, outcome, sum(change)::int AS change FROM (
            SELECT date_trunc('minute', new_settled_at) AS minute, new_outcome AS outcome, 1 AS change FROM moved
            UNION ALL
            SELECT date_trunc('minute', old_settled_at), old_outcome, -1 FROM moved
        ) both_sides WHERE minute IS NOT NULL GROUP BY minute, outcome HAVING sum(change) <> 0
    ),
    minutes AS (
        INSERT INTO mailings_minutetally (mailing_id, minute, outcome, people_count)
        SELECT %(mailing)s, minute, outcome, change FROM per_minute
        WHERE (SELECT count(*) FROM counted) >= 0
        ORDER BY minute, outcome
        ON CONFLICT (mailing_id, minute, outcome)
        DO UPDATE SET people_count = mailings_minutetally.people_count + excluded.people_count
    )
"""
_PARAMETER = re.compile(r"%\((\w+)\)s")


class Moved(NamedTuple):
    """A recipient whose outcome has just changed."""

    pk: int
    outcome: str
    email: str
    first_name: str
    last_name: str
    attempts: int


def move(mailing_id: int, picked: str, values: str, *, wanted: str = "true", **parameters: Any) -> list[Moved]:
    """Change the outcome of some recipients of one mailing, and the tally with it; return them in order.

    Args:
        picked: a SELECT of id, outcome, reason and whatever else `values` needs, which locks the recipients. It
            repeats every condition: a row that somebody changed meanwhile is not picked.
        values: the SET list; `r` is the recipient, `p` the picked row.
        wanted: which of them are returned, by `new_outcome`.
    """
    statement, names = _statement(picked, values, wanted)
    given = {"mailing": mailing_id, **parameters}
    # Planning takes as long as moving 20 people does: PostgreSQL keeps the plan. Django's cursors never prepare.
    with connection.cursor(), connection.wrap_database_errors, RawCursor(connection.connection) as cursor:
        cursor.execute(statement, [given[name] for name in names], prepare=True)
        return [Moved._make(row) for row in cursor.fetchall()]


@cache
def _statement(picked: str, values: str, wanted: str) -> tuple[bytes, list[str]]:
    """Compose a statement, and name its parameters in their order.

    It is done once: psycopg would look for the parameters each time in a text as long as this.
    """
    text = f"""
        WITH picked AS ({picked}),
        moved AS (
            UPDATE mailings_recipient r SET {values} FROM picked p WHERE r.id = p.id
            RETURNING p.outcome AS old_outcome, p.reason AS old_reason, r.outcome AS new_outcome,
                r.reason AS new_reason, r.settled_at AS new_settled_at, {_OLD_SETTLED_AT} AS old_settled_at,
                r.id, r.email, r.first_name, r.last_name, r.attempts
        ),
        {_COUNTED}
        SELECT id, new_outcome, email, first_name, last_name, attempts FROM moved WHERE {wanted} ORDER BY id
    """  # noqa: S608 - fixed texts
    names = list(dict.fromkeys(_PARAMETER.findall(text)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text).encode(), names


def begin(mailing_id: int, queued: int, left_out: Mapping[str, int]) -> None:
    """Count a freshly frozen mailing: everybody is queued or left out."""
    counts = {(str(Outcome.QUEUED), ""): queued}
    counts |= {(Tally.LEFT_OUT, reason): people for reason, people in left_out.items()}
    Tally.objects.bulk_create(
        Tally(mailing_id=mailing_id, kind=kind, reason=reason, people_count=people)
        for (kind, reason), people in counts.items()
    )
