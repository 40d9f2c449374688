"""What must be true after a round: by the stand-in's truth, the record of all writes, and plain SQL.

Nothing here, and nothing that it imports, belongs to the sync or to the client: what is wrong there is not believed.
Each complaint begins with the rule that is broken.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from tests.soak import check_people, check_runs, record, story
from tests.soak.history import History
from tests.soak.journal import Journal
from tests.support import truth


def complaints(
    connection: psycopg.Connection,
    standin_url: str,
    history: History,
    journal: Journal,
    begun: story.Snapshot,
    synced: Sequence[int],
) -> list[str]:
    """Return what is wrong after a round, in words.

    Args:
        begun: the members when the round began.
        synced: the groups that were synced undisturbed at the round's end.
    """
    told = story.tell(connection, record.read(connection), begun)
    found = [*check_runs.complaints(connection, told, journal), *check_people.complaints(told, history, journal)]
    found += check_people.listed(connection, history)
    for group in synced:
        found += check_people.exactly(connection, standin_url, group)
    found += [f"R1: {leak}" for leak in truth.leaks(connection)]
    in_force = connection.execute("SELECT address FROM targetgroups_suppression WHERE lifted_at IS NULL")
    if (suppressed := {address for (address,) in in_force}) != journal.suppressed:
        found.append(f"R11: {len(suppressed)} addresses are suppressed, {len(journal.suppressed)} were")
    return list(dict.fromkeys(found))
