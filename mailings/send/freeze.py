"""Fix who receives a mailing, one copy an address, and who of its groups does not, and why: all in one transaction."""

from collections import Counter
from collections.abc import Callable

from django.db import connection, transaction
from django.db.models.functions import Now

from targetgroups.models import Membership

from ..choices import GroupRole, MailingStatus, StopCode
from ..exceptions import StopMailing
from ..models import Mailing
from . import tally
from .turn import Turn

# Sorts and hashes of a million rows stay in memory.
_WORK_MEMORY = "64MB"
# From so many new recipients on the planner is told at once, instead of by autovacuum in the midst of the sending.
_MANY = 10_000

# One statement reads everything, so that all numbers belong to one moment. {members} is the one rule of who may be
# mailed, with the reason of those who may not. Of several who share an address the one who was known first gets the
# copy: the rule of `MembershipQuerySet.one_per_address`, over all groups of the mailing and without those barred.
_TAKE = """
    CREATE TEMPORARY TABLE frozen ON COMMIT DROP AS
    WITH members AS ({members}),
    barred AS (
        SELECT DISTINCT s.address_key
        FROM targetgroups_membership m JOIN targetgroups_subscriber s ON s.id = m.subscriber_id
        WHERE m.target_group_id = ANY(%s) AND s.address_key <> ''
    ),
    named AS (SELECT DISTINCT unnest(%s::text[]) AS address_key),
    judged AS (
        SELECT m.target_group_id, s.id AS subscriber_id, s.remote_id, s.email, s.address_key, s.first_name,
            s.last_name,
            row_number() OVER (PARTITION BY s.id ORDER BY m.target_group_id) = 1 AS is_first,
            CASE
                WHEN m.not_receiving <> '' THEN m.not_receiving
                WHEN n.address_key IS NOT NULL THEN 'not_to_address'
                WHEN b.address_key IS NOT NULL THEN 'not_to_group'
                ELSE ''
            END AS reason
        FROM members m JOIN targetgroups_subscriber s ON s.id = m.subscriber_id
        LEFT JOIN barred b ON b.address_key = s.address_key
        LEFT JOIN named n ON n.address_key = s.address_key
    )
    SELECT j.*, row_number() OVER (
        PARTITION BY is_first AND reason = '', address_key ORDER BY subscriber_id
    ) = 1 AS is_first_at_address
    FROM judged j
"""
_COUNT_RECIPIENTS = "SELECT count(*) FROM frozen WHERE is_first AND reason = '' AND is_first_at_address"
_ADD_RECIPIENTS = """
    INSERT INTO mailings_recipient (mailing_id, subscriber_id, target_group_id, remote_id, email, address_key,
        first_name, last_name, outcome, reason, said, attempts, leased_by, decided_by)
    SELECT %s, subscriber_id, target_group_id, remote_id, email, address_key, first_name, last_name, 'queued', '', '',
        0, '', ''
    FROM frozen WHERE is_first AND reason = '' AND is_first_at_address
    ORDER BY address_key
"""
_ADD_LEFT_OUT = """
    INSERT INTO mailings_leftout (mailing_id, subscriber_id, target_group_id, remote_id, reason)
    SELECT %s, subscriber_id, target_group_id, remote_id, CASE reason WHEN '' THEN 'shared_address' ELSE reason END
    FROM frozen WHERE is_first AND (reason <> '' OR NOT is_first_at_address)
    ORDER BY subscriber_id
    RETURNING reason
"""
_COUNT_MEMBERS = """
    UPDATE mailings_mailinggroup g SET member_count = c.people
    FROM (
        SELECT target_group_id, count(*) AS people FROM frozen GROUP BY target_group_id
        UNION ALL
        SELECT target_group_id, count(*) FROM targetgroups_membership WHERE target_group_id = ANY(%s)
        GROUP BY target_group_id
    ) c
    WHERE g.mailing_id = %s AND g.target_group_id = c.target_group_id
"""


def freeze(mailing: Mailing, turn: Turn, approve: Callable[[int], None] | None = None) -> int:
    """Fix the recipients and let the sending begin; return how many there are.

    Args:
        approve: told how many there would be, in the same transaction and before they are written; it may raise.

    Raises StopMailing if nobody is left, and TurnLost, with nothing written, if the mailing was cancelled meanwhile or
    is another worker's by now.
    """
    with transaction.atomic():
        recipient_count, left_out = _write(mailing, approve)
        if not recipient_count:
            raise StopMailing(StopCode.NOBODY, _nobody(left_out))
        tally.begin(mailing.pk, recipient_count, left_out)
        turn.change(MailingStatus.RESYNCING, status=MailingStatus.SENDING, frozen_at=Now(), due_at=None)
    if recipient_count >= _MANY:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE mailings_recipient")
    return recipient_count


def _write(mailing: Mailing, approve: Callable[[int], None] | None) -> tuple[int, Counter[str]]:
    roles: dict[str, list[int]] = {GroupRole.TO: [], GroupRole.NOT_TO: []}
    for group_id, role in mailing.groups.values_list("target_group_id", "role"):
        roles[role].append(group_id)
    members = Membership.objects.filter(target_group__in=roles[GroupRole.TO]).with_reasons().order_by()
    rows = members.values("target_group_id", "subscriber_id", "not_receiving")  # type: ignore[misc] # annotated there
    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', %s, true)", [_WORK_MEMORY])
        cursor.execute(_TAKE.format(members=sql), [*parameters, roles[GroupRole.NOT_TO], mailing.not_to_addresses])
        if approve is not None:
            cursor.execute(_COUNT_RECIPIENTS)
            approve(cursor.fetchone()[0])
        cursor.execute(_ADD_RECIPIENTS, [mailing.pk])
        recipient_count = cursor.rowcount
        cursor.execute(_ADD_LEFT_OUT, [mailing.pk])
        left_out = Counter(reason for (reason,) in cursor)
        cursor.execute(_COUNT_MEMBERS, [roles[GroupRole.NOT_TO], mailing.pk])
        mailing.groups.filter(member_count__isnull=True).update(member_count=0)  # of a group without members
    return recipient_count, left_out


def _nobody(left_out: Counter[str]) -> str:
    if not left_out:
        return "Nobody is in the target groups of this mailing. Choose other groups."
    return (
        f"Nobody of the {left_out.total():,} people in the target groups may be mailed: they opted out, have no "
        "address, or are among those not to send to. Choose other groups."
    )
