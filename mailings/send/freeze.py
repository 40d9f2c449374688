"""Fix who receives a mailing, one copy an address, and who of its groups does not, and why: all in one transaction."""

from collections import Counter
from collections.abc import Callable

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext, ngettext

from thrive_sync.lib.words import number

from .. import taking
from ..choices import MailingStatus, StopCode
from ..exceptions import StopMailing, TurnLost
from ..models import Mailing
from . import tally
from .turn import Turn

# Sorts and hashes of a million rows stay in memory.
_WORK_MEMORY = "64MB"
# From so many new recipients on the planner is told at once, instead of by autovacuum in the midst of the sending.
_MANY = 10_000

_TAKE = "CREATE TEMPORARY TABLE frozen ON COMMIT DROP AS "
_COUNT_RECIPIENTS = f"SELECT count(*) FROM frozen WHERE {taking.IS_RECIPIENT}"  # noqa: S608 - fixed texts
_ADD_RECIPIENTS = f"""
    INSERT INTO mailings_recipient (mailing_id, subscriber_id, target_group_id, remote_id, email, address_key,
        first_name, last_name, outcome, reason, said, attempts, leased_by, decided_by)
    SELECT %s, subscriber_id, target_group_id, remote_id, email, address_key, first_name, last_name, 'queued', '', '',
        0, '', ''
    FROM frozen WHERE {taking.IS_RECIPIENT}
    ORDER BY address_key
"""  # noqa: S608 - fixed texts
_ADD_LEFT_OUT = f"""
    INSERT INTO mailings_leftout (mailing_id, subscriber_id, target_group_id, remote_id, reason)
    SELECT %s, subscriber_id, target_group_id, remote_id, {taking.WHY_LEFT_OUT}
    FROM frozen WHERE {taking.IS_LEFT_OUT}
    ORDER BY subscriber_id
    RETURNING reason
"""  # noqa: S608 - fixed texts
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
    try:
        with transaction.atomic():
            recipient_count, left_out = _write(mailing, approve)
            if not recipient_count:
                raise StopMailing(StopCode.NOBODY, _nobody(left_out))
            tally.begin(mailing.pk, recipient_count, left_out)
            turn.change(MailingStatus.RESYNCING, status=MailingStatus.SENDING, frozen_at=Now(), due_at=None)
    except IntegrityError:
        # A worker that stood still for longer than its turn meets the list that another has fixed meanwhile.
        if turn.is_held:
            raise
        raise TurnLost from None
    if recipient_count >= _MANY:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE mailings_recipient")
    return recipient_count


def _write(mailing: Mailing, approve: Callable[[int], None] | None) -> tuple[int, Counter[str]]:
    roles = taking.Roles.of(mailing)
    sql, values = taking.taken(mailing, roles)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', %s, true)", [_WORK_MEMORY])
        cursor.execute(_TAKE + sql, values)
        if approve is not None:
            cursor.execute(_COUNT_RECIPIENTS)
            approve(cursor.fetchone()[0])
        cursor.execute(_ADD_RECIPIENTS, [mailing.pk])
        recipient_count = cursor.rowcount
        cursor.execute(_ADD_LEFT_OUT, [mailing.pk])
        left_out = Counter(reason for (reason,) in cursor)
        cursor.execute(_COUNT_MEMBERS, [roles.not_to, mailing.pk])
        mailing.groups.filter(member_count__isnull=True).update(member_count=0)  # of a group without members
    return recipient_count, left_out


def _nobody(left_out: Counter[str]) -> str:
    if not left_out:
        return gettext("Nobody is in the target groups of this mailing. Choose other groups.")
    sentence = ngettext(
        "The one person in the target groups may not be mailed: they opted out, have no address, or are among those "
        "not to send to. Choose other groups.",
        "Nobody of the %(count)s people in the target groups may be mailed: they opted out, have no address, or are "
        "among those not to send to. Choose other groups.",
        left_out.total(),
    )
    return sentence % {"count": number(left_out.total())}
