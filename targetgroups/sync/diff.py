"""Compare the stage with the group: who might have to go, and why. Writes nothing but the attempt's own two tables."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count

from ..choices import DoubtReason, OutcomeKind, RemovalReason
from ..models import RunOutcome, Subscriber, SyncRun, TargetGroup
from ..remote import PeoplePage
from .compare import STAGED
from .plan import Plan
from .stage import Stage
from .staged_rows import NO_FLAG

# A staged row's reason, as the reason to leave.
_TO_LEAVE = """
    CASE {reason} WHEN 'do_not_email' THEN 'now_do_not_email' WHEN 'no_address' THEN 'now_no_address'
        WHEN 'malformed_address' THEN 'now_malformed_address' ELSE '' END
"""


# Any row of a stored subscriber `t` was rejected: by its Remote ID, or by the Local ID alone.
_IS_UNREADABLE = """
    EXISTS (
        SELECT 1 FROM {stage} r WHERE r.reason = 'unreadable_row'
        AND ((r.remote_key <> '' AND r.remote_key = t.remote_key) OR r.local_id = t.local_id)
    )
"""


FEW_STAY_IN = 200  # those who would stay are few: at most one member in so many
# Why a staged person who looks mailable is not: beside the reason do_not_email.
SEEN_ELSEWHERE = "seen in another group"
ERASED_HERE = "erased here on request"


def exclude_known_do_not_email(stage: Stage, group: TargetGroup, read_at: datetime) -> int:
    """Exclude staged people whom newer knowledge shows as Do Not Email (R14), or who were erased here on request.

    Returns how many. The knowledge is another group's: seen there after our page was asked for, or confirmed by a run
    that began later. `read_at` is before any of our pages, and leaves out what is older than all of them: first of all
    the groups whose last completed run had ended by then, so mostly all.
    """
    if not _may_know_better(group, read_at):
        return 0
    return stage.correct(
        """
        UPDATE {stage} s
        SET reason = 'do_not_email', detail = known.detail, email = '', first_name = '', last_name = '',
            address_key = '', sort_email = '', sort_name = '', attributes = '{{}}', asked_at = known.seen_at
        FROM (
            SELECT e.remote_key, max(greatest(e.seen_at, g.read_at)) AS seen_at, %(elsewhere)s AS detail
            FROM targetgroups_exclusion e JOIN targetgroups_targetgroup g ON g.id = e.target_group_id
            WHERE g.bridge_id = %(bridge)s AND g.counted_at > %(read_at)s
              AND e.reason = 'do_not_email' AND e.detail NOT IN (%(no_flag)s, %(erased)s) AND e.until_run_id IS NULL
              AND greatest(e.seen_at, g.read_at) > %(read_at)s
            GROUP BY e.remote_key
            UNION ALL
            SELECT t.remote_key, t.do_not_email_at, %(elsewhere)s FROM targetgroups_subscriber t
            WHERE t.bridge_id = %(bridge)s AND t.do_not_email_at > %(read_at)s AND t.erased_at IS NULL
            UNION ALL
            SELECT t.remote_key, clock_timestamp(), %(erased)s FROM targetgroups_subscriber t
            WHERE t.bridge_id = %(bridge)s AND t.erased_at IS NOT NULL
        ) known
        WHERE s.remote_key = known.remote_key AND s.reason IN ('', 'no_address', 'malformed_address')
          AND known.seen_at > s.asked_at
        """,
        bridge=group.bridge_id,
        read_at=read_at,
        no_flag=NO_FLAG,
        elsewhere=SEEN_ELSEWHERE,
        erased=ERASED_HERE,
    )


def _may_know_better(group: TargetGroup, read_at: datetime) -> bool:
    """Say whether anything of the bridge was written since, or anybody erased: mostly not."""
    people = Subscriber.objects.filter(bridge=group.bridge_id)
    return (
        TargetGroup.objects.filter(bridge=group.bridge_id, counted_at__gt=read_at).exists()
        or people.filter(do_not_email_at__gt=read_at).exists()
        or people.filter(erased_at__isnull=False).exists()
    )


def find_candidates(stage: Stage, group: TargetGroup) -> int:
    """List the members whom the comparison does not show as eligible; return how many.

    Whoever's row was rejected is not among them: an unreadable row says nothing (R5).
    """
    return stage.execute(
        f"""
        INSERT INTO {{removals}} (subscriber_id, remote_key, remote_id, reason, asked_at)
        SELECT t.id, t.remote_key, t.remote_id, {_TO_LEAVE.format(reason="known.reason")}, known.asked_at
        FROM targetgroups_membership m JOIN targetgroups_subscriber t ON t.id = m.subscriber_id
        LEFT JOIN (SELECT c.subscriber_id, c.reason, s.asked_at FROM {STAGED} WHERE c.reason <> '') known
            ON known.subscriber_id = t.id
        WHERE m.target_group_id = %(group)s AND NOT EXISTS (
            SELECT 1 FROM compared e WHERE e.subscriber_id = m.subscriber_id AND e.reason = ''
        )
        """  # noqa: S608 - fixed texts
        + (f"AND NOT {_IS_UNREADABLE}" if stage.has_rejects else ""),
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


def settle_candidates(stage: Stage) -> None:
    """After a look-up that brought rows: let go of the candidates who still match and give the others their reasons.

    Call it after `stage.prefer_look_up`, with duplicates marked.
    """
    stage.execute(
        """
        DELETE FROM {removals} r USING {stage} s
        WHERE s.remote_key = r.remote_key AND s.reason IN ('', 'unreadable_row')
        """
    )
    stage.execute(
        "UPDATE {removals} r SET asked_at = s.asked_at, reason = "  # noqa: S608 - fixed texts
        + _TO_LEAVE.format(reason="s.reason")
        + "FROM {stage} s WHERE s.remote_key = r.remote_key AND s.reason <> 'duplicate_row'"
    )


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
        SELECT %(bridge)s, %(run)s, %(kind)s, remote_id, remote_key, reason, clock_timestamp()
        FROM {removals}
        """,
        bridge=run.bridge_id,
        run=run.pk,
        kind=OutcomeKind.WOULD_REMOVE,
    )


def record_few_who_stay(run: SyncRun, stage: Stage, member_count: int, would_remove: int) -> int:
    """Keep who would stay where they are few: nobody finds these quickly among a million others. Return how many.

    Where more stay, the list of members meets one of them after every few others.
    """
    if (member_count - would_remove) * FEW_STAY_IN > member_count:
        return 0
    return stage.execute(
        """
        INSERT INTO targetgroups_runoutcome (bridge_id, run_id, kind, remote_id, remote_key, reason, recorded_at)
        SELECT %(bridge)s, %(run)s, %(kind)s, t.remote_id, t.remote_key, '', clock_timestamp()
        FROM targetgroups_membership m JOIN targetgroups_subscriber t ON t.id = m.subscriber_id
        WHERE m.target_group_id = %(group)s
          AND NOT EXISTS (SELECT 1 FROM {removals} r WHERE r.subscriber_id = m.subscriber_id)
        """,
        bridge=run.bridge_id,
        run=run.pk,
        group=run.target_group_id,
        kind=OutcomeKind.WOULD_STAY,
    )


def record_kept(run: SyncRun, stage: Stage, group: TargetGroup) -> int:
    """Keep who stays on doubt, and why; return how many. Call it when the others are gone and the new ones members."""
    return stage.execute(
        f"""
        INSERT INTO targetgroups_runoutcome (bridge_id, run_id, kind, remote_id, remote_key, reason, recorded_at)
        SELECT %(bridge)s, %(run)s, %(kind)s, t.remote_id, t.remote_key,
            CASE WHEN {_IS_UNREADABLE} THEN %(row)s ELSE %(answer)s END, clock_timestamp()
        FROM targetgroups_membership m JOIN targetgroups_subscriber t ON t.id = m.subscriber_id
        WHERE m.target_group_id = %(group)s AND m.added_run_id <> %(run)s AND NOT EXISTS (
            SELECT 1 FROM compared e WHERE e.subscriber_id = m.subscriber_id AND e.reason = ''
        )
        """,  # noqa: S608 - fixed texts
        bridge=run.bridge_id,
        run=run.pk,
        group=group.pk,
        kind=OutcomeKind.KEPT,
        row=DoubtReason.UNREADABLE_ROW,
        answer=DoubtReason.UNREADABLE_ANSWER,
    )


def would_remove_by_reason(run: SyncRun) -> dict[str, int]:
    """Say how many would go for each reason; "" where nobody was asked for the reason."""
    recorded = RunOutcome.objects.filter(run=run, kind=OutcomeKind.WOULD_REMOVE).order_by().values_list("reason")
    return dict(recorded.annotate(Count("pk")))


def record_would_add_and_change(run: SyncRun, stage: Stage, columns: list[str]) -> tuple[int, int]:
    """Keep whom a preview would add and change, by the comparison; return both numbers."""
    RunOutcome.objects.filter(run=run, kind__in=(OutcomeKind.WOULD_ADD, OutcomeKind.WOULD_CHANGE)).delete()
    added = stage.execute(
        f"""
        INSERT INTO targetgroups_runoutcome (bridge_id, run_id, kind, remote_id, remote_key, reason, recorded_at)
        SELECT %(bridge)s, %(run)s, 'would_add', s.remote_id, s.remote_key, '', clock_timestamp()
        FROM {STAGED} WHERE c.reason = '' AND NOT c.is_member
        """,  # noqa: S608 - fixed texts
        bridge=run.bridge_id,
        run=run.pk,
    )
    return added, record_changes(run, stage, columns, OutcomeKind.WOULD_CHANGE)


def record_changes(run: SyncRun, stage: Stage, columns: list[str], kind: OutcomeKind) -> int:
    """Keep what differs of each member who changes, before and after; return how many. Call it before they change."""
    return stage.execute(
        f"""
        INSERT INTO targetgroups_runoutcome
            (bridge_id, run_id, kind, remote_id, remote_key, reason, changes, recorded_at)
        SELECT %(bridge)s, %(run)s, %(kind)s, s.remote_id, s.remote_key, '', {_CHANGES}, clock_timestamp()
        FROM {STAGED} JOIN targetgroups_subscriber t ON t.id = c.subscriber_id
        WHERE c.is_changed AND c.is_member
        """,  # noqa: S608 - fixed texts
        bridge=run.bridge_id,
        run=run.pk,
        kind=kind,
        columns=columns,
    )


# What differs, before and after, as {"field": [before, after]}; attributes by their own names.
_CHANGES = """
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
