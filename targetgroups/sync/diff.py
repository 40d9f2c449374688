"""Compare the stage with the group: who might have to go, and why. Writes nothing but the attempt's own two tables."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count

from ..choices import OutcomeKind, RemovalReason
from ..models import RunOutcome, SyncRun, TargetGroup
from ..remote import PeoplePage
from .plan import Plan
from .stage import NO_FLAG, Stage

# Reasons of a staged row, as reasons to leave.
_REASON_TO_LEAVE = {
    "do_not_email": RemovalReason.NOW_DO_NOT_EMAIL,
    "no_address": RemovalReason.NOW_NO_ADDRESS,
    "malformed_address": RemovalReason.NOW_MALFORMED_ADDRESS,
}


def exclude_known_do_not_email(stage: Stage, group: TargetGroup, read_at: datetime) -> int:
    """Exclude staged people whom newer knowledge shows as Do Not Email (R14); return how many.

    The knowledge is another group's: seen there after our page was asked for, or confirmed by a run that began later.
    `read_at` is before any of our pages, and leaves out what is older than all of them: first of all the groups whose
    last completed run had ended by then, so mostly all.
    """
    return stage.execute(
        """
        UPDATE {stage} s
        SET reason = 'do_not_email', detail = 'seen in another group', email = '', first_name = '', last_name = '',
            address_key = '', sort_email = '', sort_name = '', attributes = '{{}}', asked_at = known.seen_at
        FROM (
            SELECT e.remote_key, max(greatest(e.seen_at, g.read_at)) AS seen_at
            FROM targetgroups_exclusion e JOIN targetgroups_targetgroup g ON g.id = e.target_group_id
            WHERE g.bridge_id = %(bridge)s AND g.counted_at > %(read_at)s
              AND e.reason = 'do_not_email' AND e.detail <> %(no_flag)s AND e.until_run_id IS NULL
              AND greatest(e.seen_at, g.read_at) > %(read_at)s
            GROUP BY e.remote_key
            UNION ALL
            SELECT t.remote_key, t.do_not_email_at FROM targetgroups_subscriber t
            WHERE t.bridge_id = %(bridge)s AND t.do_not_email_at > %(read_at)s
        ) known
        WHERE s.remote_key = known.remote_key AND s.reason IN ('', 'no_address', 'malformed_address')
          AND known.seen_at > s.asked_at
        """,
        bridge=group.bridge_id,
        read_at=read_at,
        no_flag=NO_FLAG,
    )


def find_candidates(stage: Stage, group: TargetGroup) -> int:
    """List the members whom the reading does not show as eligible; return how many.

    Whoever's row was rejected is not among them: an unreadable row says nothing (R5).
    """
    unreadable = """
        AND NOT EXISTS (
            SELECT 1 FROM {stage} r WHERE r.reason = 'unreadable_row'
            AND ((r.remote_key <> '' AND r.remote_key = t.remote_key) OR r.local_id = t.local_id)
        )
    """
    stage.execute("TRUNCATE {removals}")
    return stage.execute(
        """
        INSERT INTO {removals} (subscriber_id, remote_key, remote_id, reason, asked_at)
        SELECT t.id, t.remote_key, t.remote_id, coalesce(s.reason, ''), s.asked_at
        FROM targetgroups_membership m
        JOIN targetgroups_subscriber t ON t.id = m.subscriber_id
        LEFT JOIN {stage} s ON s.remote_key = t.remote_key AND s.reason NOT IN ('duplicate_row', 'unreadable_row')
        WHERE m.target_group_id = %(group)s AND s.reason IS DISTINCT FROM ''
        """  # noqa: S608 - two fixed texts
        + (unreadable if stage.has_rejects else ""),
        group=group.pk,
    )


def plan(run: SyncRun, stage: Stage, candidate_count: int, member_count: int) -> Plan:
    """Give the guard what it decides by; the people approved are those whom the held run showed (R6)."""
    approved_count = 0
    if run.applies_id and candidate_count:
        ((approved_count,),) = stage.fetch(
            """
            SELECT count(*) FROM {removals} r WHERE EXISTS (
                SELECT 1 FROM targetgroups_runoutcome o
                WHERE o.run_id = %(held)s AND o.kind = %(kind)s AND o.remote_key = r.remote_key
            )
            """,
            held=run.applies_id,
            kind=OutcomeKind.WOULD_REMOVE,
        )
    return Plan(member_count, candidate_count, approved_count)


def settle_candidates(stage: Stage) -> int:
    """After the look-up: let go of the candidates who still match and give the others a reason; return how many.

    Call it after `stage.prefer_look_up`, with duplicates marked.
    """
    stage.execute(
        """
        DELETE FROM {removals} r USING {stage} s
        WHERE s.remote_key = r.remote_key AND s.reason IN ('', 'unreadable_row')
        """
    )
    for staged, reason in _REASON_TO_LEAVE.items():
        stage.execute(
            """
            UPDATE {removals} r SET reason = %(reason)s, asked_at = s.asked_at
            FROM {stage} s WHERE s.remote_key = r.remote_key AND s.reason = %(staged)s
            """,
            reason=reason,
            staged=staged,
        )
    return removal_count(stage)


def settle_unmatched(stage: Stage, asked_ids: Iterable[str], pages: Iterable[PeoplePage]) -> None:
    """Tell of the candidates outside the search who is deleted, who is Do Not Email now, and who just left."""
    for page in pages:
        for found, reason in (
            ([p.remote_id.lower() for p in page.rows if p.do_not_email is False], RemovalReason.NO_LONGER_IN_SEARCH),
            ([p.remote_id.lower() for p in page.rows if p.do_not_email is not False], RemovalReason.NOW_DO_NOT_EMAIL),
        ):
            if found:
                _give_reason(stage, found, reason, page)
        unreadable = [row.remote_id.lower() for row in page.rejected if row.remote_id]
        if unreadable:
            stage.execute("DELETE FROM {removals} WHERE remote_key = ANY(%(keys)s)", keys=unreadable)
    stage.execute(
        "UPDATE {removals} SET reason = %(reason)s WHERE reason = '' AND remote_key = ANY(%(keys)s)",
        reason=RemovalReason.RECORD_DELETED,
        keys=[remote_id.lower() for remote_id in asked_ids],
    )


def _give_reason(stage: Stage, keys: list[str], reason: RemovalReason, page: PeoplePage) -> None:
    stage.execute(
        "UPDATE {removals} SET reason = %(reason)s, asked_at = %(asked_at)s WHERE remote_key = ANY(%(keys)s)",
        reason=reason,
        asked_at=page.asked_at,
        keys=keys,
    )


def removal_count(stage: Stage) -> int:
    ((count,),) = stage.fetch("SELECT count(*) FROM {removals}")
    return int(count)


def record_would_remove(run: SyncRun, stage: Stage) -> int:
    """Keep who would go, for the person who decides: Remote IDs and reasons only."""
    return stage.execute(
        """
        INSERT INTO targetgroups_runoutcome (bridge_id, run_id, kind, remote_id, remote_key, reason, recorded_at)
        SELECT %(bridge)s, %(run)s, %(kind)s, remote_id, remote_key,
            CASE reason WHEN 'do_not_email' THEN 'now_do_not_email' WHEN 'no_address' THEN 'now_no_address'
                WHEN 'malformed_address' THEN 'now_malformed_address' ELSE reason END,
            clock_timestamp()
        FROM {removals}
        """,
        bridge=run.bridge_id,
        run=run.pk,
        kind=OutcomeKind.WOULD_REMOVE,
    )


def would_remove_by_reason(run: SyncRun) -> dict[str, int]:
    """Say how many would go for each reason; "" where nobody was asked for the reason."""
    recorded = RunOutcome.objects.filter(run=run, kind=OutcomeKind.WOULD_REMOVE).order_by().values_list("reason")
    return dict(recorded.annotate(Count("pk")))


def record_would_add_and_change(run: SyncRun, stage: Stage, group: TargetGroup, columns: list[str]) -> tuple[int, int]:
    """Keep whom a preview would add and change; return both numbers."""
    RunOutcome.objects.filter(run=run, kind__in=(OutcomeKind.WOULD_ADD, OutcomeKind.WOULD_CHANGE)).delete()
    params = {"bridge": group.bridge_id, "run": run.pk, "group": group.pk}
    added = stage.execute(
        """
        INSERT INTO targetgroups_runoutcome (bridge_id, run_id, kind, remote_id, remote_key, reason, recorded_at)
        SELECT %(bridge)s, %(run)s, 'would_add', s.remote_id, s.remote_key, '', clock_timestamp()
        FROM {stage} s WHERE s.reason = '' AND NOT EXISTS (
            SELECT 1 FROM targetgroups_subscriber t JOIN targetgroups_membership m ON m.subscriber_id = t.id
            WHERE t.bridge_id = %(bridge)s AND t.remote_key = s.remote_key AND m.target_group_id = %(group)s
        )
        """,
        **params,
    )
    changed = stage.execute(
        """
        INSERT INTO targetgroups_runoutcome
            (bridge_id, run_id, kind, remote_id, remote_key, reason, changes, recorded_at)
        SELECT %(bridge)s, %(run)s, 'would_change', s.remote_id, s.remote_key, '',
            """  # noqa: S608 - fixed texts
        + CHANGES
        + """, clock_timestamp()
        FROM {stage} s JOIN targetgroups_subscriber t ON t.bridge_id = %(bridge)s AND t.remote_key = s.remote_key
        JOIN targetgroups_membership m ON m.subscriber_id = t.id AND m.target_group_id = %(group)s
        WHERE s.reason = '' AND """
        + DIFFERS,
        columns=columns,
        **params,
    )
    return added, changed


def label(stage: Stage, group: TargetGroup, columns: list[str]) -> None:
    """List the eligible people who are not yet stored as they were read, in one pass: labels for `apply`.

    The table `labelled` lives as long as the transaction. subscriber_id is null for whoever the bridge doesn't know,
    is_member tells of this group, is_changed that the staged values are to be stored. `columns` are the search's own.
    """
    stage.execute("DROP TABLE IF EXISTS pg_temp.labelled")
    stage.execute(
        """
        CREATE TEMPORARY TABLE labelled ON COMMIT DROP AS
        SELECT s.*, t.id AS subscriber_id, m.subscriber_id IS NOT NULL AS is_member,
            t.id IS NOT NULL AND """  # noqa: S608 - fixed texts
        + DIFFERS
        + " AND NOT "
        + _STORED_IS_NEWER
        + """ AS is_changed
        FROM {stage} s
        LEFT JOIN targetgroups_subscriber t ON t.bridge_id = %(bridge)s AND t.remote_key = s.remote_key
        LEFT JOIN targetgroups_membership m ON m.subscriber_id = t.id AND m.target_group_id = %(group)s
        WHERE s.reason = '' AND (t.id IS NULL OR m.subscriber_id IS NULL OR """
        + DIFFERS
        + ")",
        bridge=group.bridge_id,
        group=group.pk,
        columns=columns,
    )


# The stored values are newer than the staged row: changed later, or confirmed by a group whose run began later (R14).
_STORED_IS_NEWER = """
    (t.seen_at >= s.asked_at OR EXISTS (
        SELECT 1 FROM targetgroups_membership o JOIN targetgroups_targetgroup g ON g.id = o.target_group_id
        WHERE o.subscriber_id = t.id AND g.id <> %(group)s AND g.read_at > s.asked_at AND t.do_not_email_at IS NULL
    ))
"""

# A search speaks for its own columns alone: what other searches brought of a person stays.
MERGED_ATTRIBUTES = "((t.attributes - %(columns)s::text[]) || s.attributes)"

# A stored subscriber `t` says something else than the staged row `s`.
# Attributes that are equal are so after merging as well, which spares most rows the merge.
DIFFERS = f"""
    ((t.email, t.first_name, t.last_name, t.local_id, t.remote_id, t.do_not_email_at IS NULL)
    IS DISTINCT FROM (s.email, s.first_name, s.last_name, s.local_id, s.remote_id, true)
    OR (t.attributes <> s.attributes AND t.attributes <> {MERGED_ATTRIBUTES}))
"""

# What differs, before and after, as {"field": [before, after]}; attributes by their own names.
CHANGES = """
    jsonb_strip_nulls(jsonb_build_object(
        'email', CASE WHEN t.email <> s.email THEN jsonb_build_array(t.email, s.email) END,
        'first_name', CASE WHEN t.first_name <> s.first_name THEN jsonb_build_array(t.first_name, s.first_name) END,
        'last_name', CASE WHEN t.last_name <> s.last_name THEN jsonb_build_array(t.last_name, s.last_name) END,
        'local_id', CASE WHEN t.local_id IS DISTINCT FROM s.local_id
            THEN jsonb_build_array(coalesce(t.local_id::text, ''), coalesce(s.local_id::text, '')) END,
        'remote_id', CASE WHEN t.remote_id <> s.remote_id THEN jsonb_build_array(t.remote_id, s.remote_id) END,
        'do_not_email', CASE WHEN t.do_not_email_at IS NOT NULL THEN jsonb_build_array('Yes', 'No') END
    )) || coalesce((
        SELECT jsonb_object_agg(
            name, jsonb_build_array(coalesce(t.attributes ->> name, ''), coalesce(s.attributes ->> name, ''))
        )
        FROM unnest(%(columns)s::text[]) AS name
        WHERE t.attributes -> name IS DISTINCT FROM s.attributes -> name
    ), '{{}}')
"""
