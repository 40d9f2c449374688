"""The comparison: one pass over the stage, beside what is stored, from which everything else is told.

The table `compared` has a slim row for each staged one: where it stands in the stage (row_id), its reason, the
subscriber that the bridge knows by this Remote ID or null, is_member of this group, and is_changed: the staged values
are to be stored. It belongs to this connection and goes with the stage.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Max

from ..choices import RunKind
from ..models import Subscriber, SyncRun, TargetGroup
from .stage import Stage

# A person `s` of the stage with the comparison's row `c`.
STAGED = "compared c JOIN {stage} s ON s.ctid = c.row_id"

# The stored values are newer than the staged row: changed later, or confirmed by a group whose run began later (R14).
_STORED_IS_NEWER = """
    (t.seen_at >= s.asked_at OR EXISTS (
        SELECT 1 FROM targetgroups_membership o JOIN targetgroups_targetgroup g ON g.id = o.target_group_id
        WHERE o.subscriber_id = t.id AND g.id <> %(group)s AND g.read_at > s.asked_at AND t.do_not_email_at IS NULL
    ))
"""

# A search speaks for its own columns alone: what other searches brought of a person stays.
MERGED_ATTRIBUTES = "((t.attributes - %(columns)s::text[]) || s.attributes)"

# A stored subscriber `t` says something else than the staged row `s`. Nearly all are the same to the byte, and that is
# seen at once; of the others, attributes are the same too if merging would change nothing.
DIFFERS = f"""
    (record_image_ne(
        ROW(t.email, t.first_name, t.last_name, t.local_id, t.remote_id::text, t.attributes, t.do_not_email_at IS NULL),
        ROW(s.email, s.first_name, s.last_name, s.local_id, s.remote_id, s.attributes, true)
    ) AND ((t.email, t.first_name, t.last_name, t.local_id, t.remote_id, t.do_not_email_at IS NULL)
        IS DISTINCT FROM (s.email, s.first_name, s.last_name, s.local_id, s.remote_id, true)
        OR (t.attributes <> s.attributes AND t.attributes <> {MERGED_ATTRIBUTES})))
"""


# When groups were written, persons asked for, and anybody became Do Not Email: the last of each, in a bridge.
LastWritten = tuple[datetime | None, ...]


@dataclass(frozen=True)
class Comparison:
    """What one comparison found, in numbers of rows.

    Attributes:
        by_reason: all that is staged, by exclusion reason; the empty reason is eligible.
        matched: eligible, and members already.
        new: eligible, and unknown to the bridge.
        joining: eligible and known, but no members.
        changed: eligible and known, with other values than are stored.
        known_do_not_email: Do Not Email, and known to the bridge.
    """

    by_reason: dict[str, int]
    matched: int
    new: int
    joining: int
    changed: int
    known_do_not_email: int
    staged: int  # Stage.changes as it was
    written: LastWritten


def compare(stage: Stage, group: TargetGroup, columns: list[str]) -> Comparison:
    """Compare the stage with what is stored. Duplicates must be marked. `columns` are the search's own."""
    staged, written = stage.changes, _last_written(group.bridge_id)
    forget()
    stage.execute(
        f"""
        CREATE TEMPORARY TABLE compared AS
        SELECT s.ctid AS row_id, s.reason, t.id AS subscriber_id, m.subscriber_id IS NOT NULL AS is_member,
            s.reason = '' AND t.id IS NOT NULL AND {DIFFERS} AND NOT {_STORED_IS_NEWER} AS is_changed
        FROM {{stage}} s
        LEFT JOIN targetgroups_subscriber t ON t.bridge_id = %(bridge)s AND t.remote_key = s.remote_key
            AND s.reason NOT IN ('duplicate_row', 'unreadable_row')
        LEFT JOIN targetgroups_membership m ON m.subscriber_id = t.id AND m.target_group_id = %(group)s
        """,  # noqa: S608 - fixed texts
        bridge=group.bridge_id,
        group=group.pk,
        columns=columns,
    )
    stage.analyze("compared (reason, subscriber_id, is_member, is_changed)")
    counted = stage.fetch(
        """
        SELECT reason, count(*), count(subscriber_id), count(*) FILTER (WHERE is_member),
            count(*) FILTER (WHERE is_changed)
        FROM compared GROUP BY reason
        """
    )
    by_reason = {reason: count for reason, count, *_ in counted}
    known = {reason: count for reason, _, count, *_ in counted}
    matched, changed = next((row[3:] for row in counted if row[0] == ""), (0, 0))
    return Comparison(
        by_reason=by_reason,
        matched=matched,
        new=by_reason.get("", 0) - known.get("", 0),
        joining=known.get("", 0) - matched,
        changed=changed,
        known_do_not_email=known.get("do_not_email", 0),
        staged=staged,
        written=written,
    )


def is_current(comparison: Comparison, stage: Stage, group: TargetGroup) -> bool:
    """Say whether a comparison made earlier still holds. Ask under the bridge's lock."""
    return comparison.staged == stage.changes and comparison.written == _last_written(group.bridge_id)


def forget() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.compared")


def _last_written(bridge_id: int) -> LastWritten:
    """Tell subscribers as they are now from those of any other moment.

    Whoever writes subscribers or members does it under the bridge's lock, one after the other, and leaves one of these
    times by the database's clock. So none can come between two equal answers, even if it commits late.
    """
    groups = TargetGroup.objects.filter(bridge=bridge_id).aggregate(at=Max("counted_at"))
    persons = SyncRun.objects.filter(bridge=bridge_id, kind=RunKind.PERSON).aggregate(at=Max("finished_at"))
    erased = Subscriber.objects.filter(bridge=bridge_id, do_not_email_at__isnull=False)
    return groups["at"], persons["at"], erased.aggregate(at=Max("do_not_email_at"))["at"]
