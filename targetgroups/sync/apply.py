"""Make the group equal to what was read: set-based, inside the one transaction that the pipeline opens (R4).

Every step compares before it writes, so an unchanged row is not touched and applying twice changes nothing.
"""

from django.db import connection
from psycopg import sql

from ..choices import OutcomeKind, RemovalReason
from ..models import SyncRun, TargetGroup
from . import diff
from .stage import Stage

# First key of pg_try_advisory_xact_lock: one apply per bridge at a time.
_LOCK_SPACE = 0x7353  # "sS"
# A table's statistics are refreshed at once, not by autovacuum later, if a sync adds this share of its rows or more.
_MUCH = 0.2
# For the transaction that applies: with the usual 4 MB, sorts and hashes of a million rows go to disk.
_WORK_MEMORY = "64MB"

# The stored values are newer than the staged row: changed later, or confirmed by a group whose run began later (R14).
_STORED_IS_NEWER = """
    (t.seen_at >= s.asked_at OR EXISTS (
        SELECT 1 FROM targetgroups_membership m JOIN targetgroups_targetgroup g ON g.id = m.target_group_id
        WHERE m.subscriber_id = t.id AND g.id <> %(group)s AND g.read_at > s.asked_at AND t.do_not_email_at IS NULL
    ))
"""


def try_lock(bridge_id: int) -> bool:
    """Take the bridge's advisory lock for this transaction, if it is free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, bridge_id])
        (locked,) = cursor.fetchone()
    return bool(locked)


def make_room() -> None:
    """Let this transaction's sorts and hashes stay in memory."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', %s, true)", [_WORK_MEMORY])


def remove_newly_excluded(stage: Stage, group: TargetGroup) -> int:
    """List the members whom knowledge that came after the look-up excludes; return how many."""
    return stage.execute(
        """
        INSERT INTO {removals} (subscriber_id, remote_key, remote_id, reason, asked_at)
        SELECT t.id, t.remote_key, t.remote_id, %(reason)s, s.asked_at
        FROM {stage} s
        JOIN targetgroups_subscriber t ON t.bridge_id = %(bridge)s AND t.remote_key = s.remote_key
        JOIN targetgroups_membership m ON m.subscriber_id = t.id AND m.target_group_id = %(group)s
        WHERE s.reason = 'do_not_email' AND s.detail <> ''
        ON CONFLICT (subscriber_id) DO NOTHING
        """,
        reason=RemovalReason.NOW_DO_NOT_EMAIL,
        bridge=group.bridge_id,
        group=group.pk,
    )


def erase_do_not_email(stage: Stage, group: TargetGroup) -> int:
    """Erase name, address, attributes and every copy of them for those now known to be Do Not Email (R1).

    In this one transaction, in all groups; Remote ID, time and reason stay. Returns how many people were erased.
    """
    stage.execute("DROP TABLE IF EXISTS pg_temp.erased")
    erased = stage.execute(
        """
        CREATE TEMPORARY TABLE erased ON COMMIT DROP AS
        SELECT t.id, t.remote_key, known.asked_at
        FROM (
            SELECT remote_key, max(asked_at) AS asked_at FROM (
                SELECT remote_key, asked_at FROM {stage} WHERE reason = 'do_not_email'
                UNION ALL
                SELECT remote_key, asked_at FROM {removals} WHERE reason = 'now_do_not_email' AND asked_at IS NOT NULL
            ) both_tables GROUP BY remote_key
        ) known
        JOIN targetgroups_subscriber t ON t.bridge_id = %(bridge)s AND t.remote_key = known.remote_key
        WHERE t.do_not_email_at IS NULL AND t.seen_at < known.asked_at AND NOT EXISTS (
            SELECT 1 FROM targetgroups_membership m JOIN targetgroups_targetgroup g ON g.id = m.target_group_id
            WHERE m.subscriber_id = t.id AND g.id <> %(group)s AND g.read_at > known.asked_at
        )
        """,
        bridge=group.bridge_id,
        group=group.pk,
    )
    if erased:
        stage.execute(
            """
            UPDATE targetgroups_subscriber t
            SET email = '', first_name = '', last_name = '', address_key = '', attributes = '{{}}', sort_email = '',
                sort_name = '', local_id = NULL, do_not_email_at = e.asked_at, seen_at = e.asked_at,
                changed_at = clock_timestamp()
            FROM erased e WHERE t.id = e.id
            """
        )
        stage.execute(
            """
            UPDATE targetgroups_membership m SET sort_email = '', sort_name = ''
            FROM erased e WHERE m.subscriber_id = e.id
            """
        )
        stage.execute(
            """
            UPDATE targetgroups_runoutcome o SET changes = NULL
            FROM erased e WHERE o.bridge_id = %(bridge)s AND o.remote_key = e.remote_key AND o.changes IS NOT NULL
            """,
            bridge=group.bridge_id,
        )
    return erased


def update_subscribers(run: SyncRun, stage: Stage, group: TargetGroup, columns: list[str]) -> int:
    """Bring stored subscribers level with newer staged rows; return how many members of this group changed.

    Their sort keys follow in every group in this transaction; a stored value that is newer stays (R14).
    `columns` are the search's own.
    """
    stage.execute("DROP TABLE IF EXISTS pg_temp.changed")
    touched = stage.execute(
        """
        CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
        SELECT t.id, s.*, """  # noqa: S608 - fixed texts
        + diff.MERGED_ATTRIBUTES
        + " AS merged_attributes, "
        + diff.CHANGES
        + """ AS changes
        FROM {stage} s JOIN targetgroups_subscriber t ON t.bridge_id = %(bridge)s AND t.remote_key = s.remote_key
        WHERE s.reason = '' AND """
        + diff.DIFFERS
        + " AND NOT "
        + _STORED_IS_NEWER,
        bridge=group.bridge_id,
        group=group.pk,
        columns=columns,
    )
    if not touched:
        return 0
    stage.execute(
        """
        UPDATE targetgroups_subscriber t
        SET remote_id = c.remote_id, local_id = c.local_id, email = c.email, first_name = c.first_name,
            last_name = c.last_name, address_key = c.address_key, attributes = c.merged_attributes,
            sort_email = c.sort_email, sort_name = c.sort_name, do_not_email_at = NULL, seen_at = c.asked_at,
            changed_at = clock_timestamp()
        FROM changed c WHERE t.id = c.id
        """
    )
    stage.execute(
        """
        UPDATE targetgroups_membership m SET sort_email = c.sort_email, sort_name = c.sort_name
        FROM changed c
        WHERE m.subscriber_id = c.id AND (m.sort_email, m.sort_name) IS DISTINCT FROM (c.sort_email, c.sort_name)
        """
    )
    return stage.execute(
        """
        INSERT INTO targetgroups_runoutcome
            (bridge_id, run_id, kind, remote_id, remote_key, reason, changes, recorded_at)
        SELECT %(bridge)s, %(run)s, %(kind)s, c.remote_id, c.remote_key, '', c.changes, clock_timestamp()
        FROM changed c
        JOIN targetgroups_membership m ON m.subscriber_id = c.id AND m.target_group_id = %(group)s
        """,
        bridge=group.bridge_id,
        run=run.pk,
        kind=OutcomeKind.CHANGED,
        group=group.pk,
    )


def insert_subscribers(stage: Stage, group: TargetGroup) -> int:
    """Add the staged people whom the bridge doesn't know yet; return how many."""
    return stage.execute(
        """
        INSERT INTO targetgroups_subscriber
            (bridge_id, remote_id, remote_key, local_id, email, first_name, last_name, address_key, attributes,
             sort_email, sort_name, seen_at, created_at, changed_at)
        SELECT %(bridge)s, s.remote_id, s.remote_key, s.local_id, s.email, s.first_name, s.last_name, s.address_key,
            s.attributes, s.sort_email, s.sort_name, s.asked_at, clock_timestamp(), clock_timestamp()
        FROM {stage} s
        WHERE s.reason = '' AND NOT EXISTS (
            SELECT 1 FROM targetgroups_subscriber t WHERE t.bridge_id = %(bridge)s AND t.remote_key = s.remote_key
        )
        ORDER BY s.sort_email
        """,
        bridge=group.bridge_id,
    )


def add_members(run: SyncRun, stage: Stage, group: TargetGroup) -> int:
    """Make members of the eligible people who are none yet; return how many.

    The sort keys are the subscriber's, not the stage's: a stored address may be newer. In the order of one of them,
    four of the table's six indexes grow at their end.
    """
    return stage.execute(
        """
        INSERT INTO targetgroups_membership
            (target_group_id, subscriber_id, sort_email, sort_name, added_run_id, subscribed_at)
        SELECT %(group)s, t.id, t.sort_email, t.sort_name, %(run)s, clock_timestamp()
        FROM {stage} s JOIN targetgroups_subscriber t ON t.bridge_id = %(bridge)s AND t.remote_key = s.remote_key
        WHERE s.reason = '' AND NOT EXISTS (
            SELECT 1 FROM targetgroups_membership m WHERE m.target_group_id = %(group)s AND m.subscriber_id = t.id
        )
        ORDER BY t.sort_email
        """,
        group=group.pk,
        run=run.pk,
        bridge=group.bridge_id,
    )


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
    present = """
        SELECT remote_key, reason, min(remote_id) AS remote_id, count(*) AS row_count, min(detail) AS detail,
            min(asked_at) AS seen_at
        FROM {stage} WHERE reason <> '' GROUP BY remote_key, reason
    """
    stage.execute(
        "WITH present AS (" + present + ")"  # noqa: S608 - fixed texts
        """
        UPDATE targetgroups_exclusion e SET until_run_id = %(run)s, ended_at = clock_timestamp()
        WHERE e.target_group_id = %(group)s AND e.until_run_id IS NULL AND NOT EXISTS (
            SELECT 1 FROM present p
            WHERE p.remote_key = e.remote_key AND p.reason = e.reason AND p.row_count = e.row_count
        )
        """,
        run=run.pk,
        group=group.pk,
    )
    return stage.execute(
        "WITH present AS (" + present + ")"  # noqa: S608 - fixed texts
        """
        INSERT INTO targetgroups_exclusion
            (bridge_id, target_group_id, remote_id, remote_key, reason, row_count, detail, seen_at, from_run_id)
        SELECT %(bridge)s, %(group)s, p.remote_id, p.remote_key, p.reason, p.row_count, p.detail, p.seen_at, %(run)s
        FROM present p WHERE NOT EXISTS (
            SELECT 1 FROM targetgroups_exclusion e
            WHERE e.target_group_id = %(group)s AND e.until_run_id IS NULL
              AND e.remote_key = p.remote_key AND e.reason = p.reason
        )
        """,
        bridge=group.bridge_id,
        group=group.pk,
        run=run.pk,
    )


def check_references() -> None:
    """Let PostgreSQL check every reference now instead of at the commit.

    A first load of a million rows takes it long, and at the commit the run's progress row is locked: no heartbeat.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


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
                cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
