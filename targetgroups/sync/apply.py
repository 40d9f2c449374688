"""Make the group equal to what was read: set-based, inside the one transaction that the pipeline opens (R4).

Every step compares before it writes, so an unchanged row is not touched and applying twice changes nothing.
"""

from datetime import datetime
from typing import Any

from django.db import connection

from .. import owed
from ..choices import OutcomeKind, RemovalReason
from ..models import Membership, RunOutcome, Subscriber, SyncRun, TargetGroup
from . import diff
from .clock import ClockTimestamp
from .compare import MERGED_ATTRIBUTES, STAGED, Comparison
from .stage import Stage
from .staged_rows import KEYS, NO_FLAG

# First key of pg_try_advisory_xact_lock: one apply per bridge at a time.
_LOCK_SPACE = 0x7353  # "sS"
# A table's statistics are refreshed at once, not by autovacuum later, if a sync adds this share of its rows or more.
_MUCH = 0.2
# Of a subscriber's many texts no plan depends on the others; autovacuum looks at all of them soon after.
_PLANNED_BY = {"targetgroups_subscriber": "(id, bridge_id, remote_key, address_key, do_not_email_at)"}
# Fields of a person whose change is told.
_TOLD = ("email", "first_name", "last_name", "local_id", "remote_id")


def try_lock(bridge_id: int) -> bool:
    """Take the bridge's advisory lock for this transaction, if it is free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, bridge_id])
        (locked,) = cursor.fetchone()
    return bool(locked)


def note_overtaken(stage: Stage, group: TargetGroup) -> int:
    """Note of which records MemberSuite says No though it had confirmed our Yes: it no longer stands, nor is it ours.

    Returns how many.
    """
    if not owed.is_any_held(group.bridge_id):
        return 0
    return stage.execute(
        """
        UPDATE targetgroups_writeback w SET overtaken_at = s.asked_at
        FROM {stage} s
        WHERE w.bridge_id = %(bridge)s AND w.state = 'completed' AND w.do_not_email AND w.overtaken_at IS NULL
          AND s.remote_key = w.remote_key AND s.reason = '' AND s.asked_at > w.finished_at
        """,
        bridge=group.bridge_id,
    )


def remove_newly_excluded(stage: Stage, group: TargetGroup) -> int:
    """List the members whom knowledge that came after the look-up excludes; return how many."""
    return stage.execute(
        """
        INSERT INTO {removals} (subscriber_id, remote_key, remote_id, reason, asked_at)
        SELECT t.id, t.remote_key, t.remote_id, CASE s.detail WHEN %(erased)s THEN %(on_request)s ELSE %(reason)s END,
            s.asked_at
        FROM {stage} s
        JOIN targetgroups_subscriber t ON t.bridge_id = %(bridge)s AND t.remote_key = s.remote_key
        JOIN targetgroups_membership m ON m.subscriber_id = t.id AND m.target_group_id = %(group)s
        WHERE s.reason = 'do_not_email' AND s.detail IN (%(elsewhere)s, %(erased)s)
        ON CONFLICT (subscriber_id) DO NOTHING
        """,
        reason=RemovalReason.NOW_DO_NOT_EMAIL,
        on_request=RemovalReason.ERASED,
        elsewhere=diff.SEEN_ELSEWHERE,
        erased=diff.ERASED_HERE,
        bridge=group.bridge_id,
        group=group.pk,
    )


def erase_do_not_email(stage: Stage, group: TargetGroup) -> int:
    """Erase name, address, attributes and every copy of them for those now known to be Do Not Email (R1).

    In this one transaction, in all groups; Remote ID, time and reason stay. Returns how many people were erased.
    """
    stage.execute("DROP TABLE IF EXISTS pg_temp.erased")
    erased = stage.execute(
        f"""
        CREATE TEMPORARY TABLE erased ON COMMIT DROP AS
        SELECT t.id, t.remote_key, known.asked_at
        FROM (
            SELECT subscriber_id, max(asked_at) AS asked_at FROM (
                SELECT c.subscriber_id, s.asked_at FROM {STAGED}
                WHERE c.reason = 'do_not_email' AND c.subscriber_id IS NOT NULL AND s.detail <> %(no_flag)s
                UNION ALL
                SELECT subscriber_id, asked_at FROM {{removals}}
                WHERE reason = 'now_do_not_email' AND asked_at IS NOT NULL
            ) both_tables GROUP BY subscriber_id
        ) known
        JOIN targetgroups_subscriber t ON t.id = known.subscriber_id
        WHERE t.do_not_email_at IS NULL AND t.seen_at < known.asked_at AND NOT EXISTS (
            SELECT 1 FROM targetgroups_membership m JOIN targetgroups_targetgroup g ON g.id = m.target_group_id
            WHERE m.subscriber_id = t.id AND g.id <> %(group)s AND g.read_at > known.asked_at
        )
        """,  # noqa: S608 - fixed texts
        group=group.pk,
        no_flag=NO_FLAG,
    )
    if erased:
        _erase_listed(group.bridge_id)
    return erased


def erase_person(person: Subscriber, asked_at: datetime) -> bool:
    """Erase one person who was found to be Do Not Email, as above; say whether nothing newer stood against it (R14)."""
    if person.do_not_email_at or not is_newer(person, asked_at):
        return False
    _list_one(person, asked_at)
    _erase_listed(person.bridge_id)
    return True


def erase_on_request(person: Subscriber, at: datetime) -> None:
    """Erase one person for good: no sync stores them again, whatever MemberSuite says of them."""
    _list_one(person, at)
    _erase_listed(person.bridge_id)
    Subscriber.objects.filter(pk=person.pk).update(erased_at=at)


def update_person(run: SyncRun, person: Subscriber, values: dict[str, Any], asked_at: datetime) -> dict[str, list[str]]:
    """Bring one stored person level with what was just read, in all groups; return what changed, before and after.

    `values` are fields of the subscriber. Where newer knowledge is stored nothing is written (R14).
    """
    if person.erased_at or not is_newer(person, asked_at):
        return {}
    before = {name: getattr(person, name) for name in _TOLD if getattr(person, name) != values[name]}
    changes = {name: [_text(old), _text(values[name])] for name, old in before.items()}
    if person.do_not_email_at:
        changes["do_not_email"] = ["Yes", "No"]
    changed = {"do_not_email_at": None, "changed_at": ClockTimestamp(), **values} if changes else {}
    # What was only confirmed is newer knowledge too: a reading that began earlier shall not overwrite it.
    Subscriber.objects.filter(pk=person.pk).update(seen_at=asked_at, **changed)
    if changes:
        keys = {name: values[name] for name in ("sort_email", "sort_name")}
        Membership.objects.filter(subscriber=person).update(**keys)
        RunOutcome.objects.create(
            bridge_id=person.bridge_id,
            run=run,
            kind=OutcomeKind.CHANGED,
            remote_id=person.remote_id,
            remote_key=person.remote_key,
            changes=changes,
            recorded_at=ClockTimestamp(),
        )
    return changes


def is_newer(person: Subscriber, asked_at: datetime) -> bool:
    """Say whether an answer is newer than all that is stored: the person's own values, and what groups confirmed."""
    if person.seen_at >= asked_at:
        return False
    confirmed = Membership.objects.filter(subscriber=person, target_group__read_at__gt=asked_at)
    return bool(person.do_not_email_at) or not confirmed.exists()


def _list_one(person: Subscriber, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.erased")
        cursor.execute(
            "CREATE TEMPORARY TABLE erased ON COMMIT DROP AS"
            " SELECT %s::bigint AS id, %s::text AS remote_key, %s::timestamptz AS asked_at",
            [person.pk, person.remote_key, at],
        )


def _erase_listed(bridge_id: int) -> None:
    """Erase the people of the table `erased`, and every copy of their data, in all groups."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE targetgroups_subscriber t
            SET email = '', first_name = '', last_name = '', address_key = '', attributes = '{}', sort_email = '',
                sort_name = '', local_id = NULL, do_not_email_at = e.asked_at, seen_at = e.asked_at,
                changed_at = clock_timestamp()
            FROM erased e WHERE t.id = e.id
            """
        )
        cursor.execute(
            """
            UPDATE targetgroups_membership m SET sort_email = '', sort_name = ''
            FROM erased e WHERE m.subscriber_id = e.id
            """
        )
        cursor.execute(
            """
            UPDATE targetgroups_runoutcome o SET changes = NULL
            FROM erased e WHERE o.bridge_id = %s AND o.remote_key = e.remote_key AND o.changes IS NOT NULL
            """,
            [bridge_id],
        )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def update_subscribers(run: SyncRun, stage: Stage, columns: list[str]) -> int:
    """Bring stored subscribers level with their staged rows; return how many members of this group changed.

    Their sort keys follow in every group in this transaction. `columns` are the search's own.
    """
    changed = diff.record_changes(run, stage, columns, OutcomeKind.CHANGED)
    stage.execute(
        f"""
        UPDATE targetgroups_subscriber t
        SET remote_id = s.remote_id, local_id = s.local_id, email = s.email, first_name = s.first_name,
            last_name = s.last_name, address_key = {KEYS["address_key"]}, sort_email = {KEYS["sort_email"]},
            sort_name = {KEYS["sort_name"]}, do_not_email_at = NULL, seen_at = s.asked_at,
            changed_at = clock_timestamp(), attributes = {MERGED_ATTRIBUTES}
        FROM {STAGED} WHERE t.id = c.subscriber_id AND c.is_changed
        """,  # noqa: S608 - fixed texts
        columns=columns,
    )
    stage.execute(
        """
        UPDATE targetgroups_membership m SET sort_email = t.sort_email, sort_name = t.sort_name
        FROM compared c JOIN targetgroups_subscriber t ON t.id = c.subscriber_id
        WHERE c.is_changed AND m.subscriber_id = t.id
          AND (m.sort_email, m.sort_name) IS DISTINCT FROM (t.sort_email, t.sort_name)
        """
    )
    return changed


def add_members(run: SyncRun, stage: Stage, group: TargetGroup, comparison: Comparison) -> int:
    """Make members of the eligible people who are none yet; return how many.

    First those whom the bridge doesn't know: they become subscribers in the same statement. In the order of one sort
    key most indexes grow at their end, and the second sort only lets one table be written after the other: by turns
    they take a fifth longer. The keys of the others are the subscriber's, not the stage's: a stored address may be
    newer.
    """
    added = 0
    if comparison.new:
        added += stage.execute(
            f"""
            WITH new AS (
                INSERT INTO targetgroups_subscriber
                    (bridge_id, remote_id, remote_key, local_id, email, first_name, last_name, address_key,
                     attributes, sort_email, sort_name, seen_at, created_at, changed_at)
                SELECT %(bridge)s, s.remote_id, s.remote_key, s.local_id, s.email, s.first_name, s.last_name,
                    {KEYS["address_key"]}, s.attributes, {KEYS["sort_email"]}, {KEYS["sort_name"]}, s.asked_at,
                    clock_timestamp(), clock_timestamp()
                FROM {STAGED} WHERE c.reason = '' AND c.subscriber_id IS NULL
                ORDER BY {KEYS["sort_email"]}
                RETURNING id, sort_email, sort_name
            )
            INSERT INTO targetgroups_membership
                (target_group_id, subscriber_id, sort_email, sort_name, added_run_id, subscribed_at)
            SELECT %(group)s, id, sort_email, sort_name, %(run)s, clock_timestamp()
            FROM (SELECT id, sort_email, sort_name FROM new ORDER BY sort_email) all_new
            """,  # noqa: S608 - fixed texts
            group=group.pk,
            run=run.pk,
            bridge=group.bridge_id,
        )
    if comparison.joining:
        added += stage.execute(
            """
            INSERT INTO targetgroups_membership
                (target_group_id, subscriber_id, sort_email, sort_name, added_run_id, subscribed_at)
            SELECT %(group)s, t.id, t.sort_email, t.sort_name, %(run)s, clock_timestamp()
            FROM compared c JOIN targetgroups_subscriber t ON t.id = c.subscriber_id
            WHERE c.reason = '' AND NOT c.is_member
            ORDER BY t.sort_email
            """,
            group=group.pk,
            run=run.pk,
        )
    return added


def remove_members(run: SyncRun, stage: Stage, group: TargetGroup) -> dict[str, int]:
    """Let the settled candidates go, each with its reason; return how many by reason."""
    stage.execute(
        """
        WITH gone AS (
            DELETE FROM targetgroups_membership m USING {removals} r
            WHERE m.target_group_id = %(group)s AND m.subscriber_id = r.subscriber_id
            RETURNING m.subscriber_id, m.added_run_id
        )
        INSERT INTO targetgroups_runoutcome
            (bridge_id, run_id, kind, remote_id, remote_key, reason, added_run_id, recorded_at)
        SELECT %(bridge)s, %(run)s, %(kind)s, r.remote_id, r.remote_key, r.reason, gone.added_run_id, clock_timestamp()
        FROM gone JOIN {removals} r ON r.subscriber_id = gone.subscriber_id
        """,
        group=group.pk,
        bridge=group.bridge_id,
        run=run.pk,
        kind=OutcomeKind.REMOVED,
    )
    return dict(
        stage.fetch(
            """
            SELECT reason, count(*) FROM targetgroups_runoutcome WHERE run_id = %(run)s AND kind = %(kind)s
            GROUP BY reason
            """,
            run=run.pk,
            kind=OutcomeKind.REMOVED,
        )
    )


def update_exclusions(run: SyncRun, stage: Stage, group: TargetGroup) -> int:
    """End the exclusions that no longer hold and begin the new ones; return how many began.

    What is unchanged stays as it is.
    """
    stage.execute("DROP TABLE IF EXISTS pg_temp.excluded")
    stage.execute(
        """
        CREATE TEMPORARY TABLE excluded ON COMMIT DROP AS
        SELECT remote_key, reason, min(remote_id) AS remote_id, count(*) AS row_count, min(detail) AS detail,
            min(asked_at) AS seen_at
        FROM {stage} WHERE reason <> '' GROUP BY remote_key, reason
        """
    )
    stage.execute(
        """
        UPDATE targetgroups_exclusion e SET until_run_id = %(run)s, ended_at = clock_timestamp()
        WHERE e.target_group_id = %(group)s AND e.until_run_id IS NULL AND NOT EXISTS (
            SELECT 1 FROM excluded p
            WHERE p.remote_key = e.remote_key AND p.reason = e.reason AND p.row_count = e.row_count
              AND (p.detail = %(no_flag)s) = (e.detail = %(no_flag)s)
        )
        """,
        run=run.pk,
        group=group.pk,
        no_flag=NO_FLAG,
    )
    return stage.execute(
        """
        INSERT INTO targetgroups_exclusion
            (bridge_id, target_group_id, remote_id, remote_key, reason, row_count, detail, seen_at, from_run_id)
        SELECT %(bridge)s, %(group)s, p.remote_id, p.remote_key, p.reason, p.row_count, p.detail, p.seen_at, %(run)s
        FROM excluded p WHERE NOT EXISTS (
            SELECT 1 FROM targetgroups_exclusion e
            WHERE e.target_group_id = %(group)s AND e.until_run_id IS NULL
              AND e.remote_key = p.remote_key AND e.reason = p.reason
        )
        """,
        bridge=group.bridge_id,
        group=group.pk,
        run=run.pk,
    )


def refresh_statistics(added: int, excluded: int) -> None:
    """After a load that is big for its tables, tell the planner at once: the next sync's plans depend on it."""
    grown = {
        "targetgroups_subscriber": added,
        "targetgroups_membership": added,
        "targetgroups_exclusion": excluded,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples FROM pg_class WHERE oid = ANY(%s::text[]::regclass[])", [list(grown)])
        for table, known in cursor.fetchall():
            if grown[table] and grown[table] >= _MUCH * known:  # known is -1 where nobody counted yet
                cursor.execute(f"ANALYZE {table} {_PLANNED_BY.get(table, '')}")
