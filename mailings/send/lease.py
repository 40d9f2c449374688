"""Who has which recipient: in flight, settled. Each change is one committed statement (R13).

Whose turn it is with a mailing has the lease of all who wait in it: nobody writes that down for each of them, and with
the turn it returns by itself. One in flight may have got the message already, and when its worker died nobody knows: it
becomes unknown, for a person to decide.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Case, DateTimeField, Min, Q, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext

import audit
from targetgroups import suppression
from targetgroups.choices import SuppressionCause

from ..choices import SENDABLE, SETTLED, UNSETTLED, EventKind, Outcome
from ..models import MailEvent, Recipient
from ..refusals import is_nobody_there, is_soft_bounce
from .tally import Moved, move

_SETTLED = ", ".join(f"'{outcome}'" for outcome in SETTLED)
# For the mailing that many are settled in one statement.
_STEP = 5_000
# As "by" of what our own mail server said, and as the provider of what it told.
MAIL_SERVER, SMTP = "mail server", "smtp"
# A recipient whom the server put off is tried again after so many seconds, then given up.
_BACK_OFF = (60.0, 300.0, 900.0)

# Whom this turn may put into flight: they wait, their time has come, and the mailing is being sent, and by this turn.
_MAY_FLY = """
    r.outcome IN ('queued', 'deferred') AND (r.due_at IS NULL OR r.due_at <= clock_timestamp())
    AND EXISTS (
        SELECT 1 FROM mailings_mailing m WHERE m.id = %(mailing)s AND m.status = 'sending' AND m.worker = %(lease)s
    )
"""
# Why a recipient may not get the message after all, by what is known now (R14): the rule of
# `MembershipQuerySet.mailable`, by the frozen address as well as the present one, and the groups as they are now.
# The mailing's groups are looked up once for all of a window.
_WHY_NOT = """(
    SELECT CASE
        WHEN s.do_not_email_at IS NOT NULL THEN 'do_not_email'
        WHEN s.address_key = '' THEN 'no_address'
        ELSE coalesce(
            (SELECT u.cause FROM targetgroups_suppression u
             WHERE u.address_key IN (r.address_key, s.address_key) AND u.lifted_at IS NULL ORDER BY u.id LIMIT 1),
            (SELECT 'not_to_group' FROM targetgroups_membership m
             WHERE m.subscriber_id = s.id AND m.target_group_id = ANY(ARRAY(
                 SELECT target_group_id FROM mailings_mailinggroup WHERE mailing_id = %(mailing)s AND role = 'not_to'
             )) LIMIT 1),
            CASE WHEN NOT EXISTS (
                SELECT 1 FROM targetgroups_membership m
                WHERE m.subscriber_id = s.id AND m.target_group_id = ANY(ARRAY(
                    SELECT target_group_id FROM mailings_mailinggroup WHERE mailing_id = %(mailing)s AND role = 'to'
                ))
            ) THEN 'left_group' END,
            ''
        )
    END
    FROM targetgroups_subscriber s WHERE s.id = r.subscriber_id
)"""
_FLIGHT_PICKED = f"""
    SELECT r.id, r.outcome, r.reason, {_WHY_NOT} AS why_not FROM mailings_recipient r
    WHERE r.id = ANY(%(ids)s::bigint[]) AND r.mailing_id = %(mailing)s AND {_MAY_FLY}
    ORDER BY r.id FOR UPDATE OF r
"""  # noqa: S608 - fixed texts
# Both at once, each asked for its own state: `answered` were sent it, and of `ids` alone it is asked why not.
_EXCHANGE_PICKED = f"""
    SELECT r.id, r.outcome, r.reason, r.outcome IN ('in_flight', 'unknown') AS is_sent,
        CASE WHEN r.outcome IN ('in_flight', 'unknown') THEN '' ELSE {_WHY_NOT} END AS why_not
    FROM mailings_recipient r
    WHERE r.id = ANY(%(answered)s::bigint[] || %(ids)s::bigint[]) AND r.mailing_id = %(mailing)s
        AND CASE WHEN r.outcome IN ('in_flight', 'unknown')
            THEN r.leased_by = %(lease)s AND r.id = ANY(%(answered)s::bigint[])
            ELSE r.id = ANY(%(ids)s::bigint[]) AND {_MAY_FLY}
        END
    ORDER BY r.id FOR UPDATE OF r
"""  # noqa: S608 - fixed texts
_SETTLED_VALUES = f"""
    outcome = p.to_outcome, reason = p.to_reason, said = p.said, leased_by = '', leased_until = NULL,
    attempts = r.attempts - CASE p.to_outcome WHEN 'queued' THEN 1 ELSE 0 END,
    due_at = CASE WHEN p.wait > 0 THEN clock_timestamp() + make_interval(secs => p.wait) END,
    settled_at = CASE WHEN p.to_outcome IN ({_SETTLED}) THEN clock_timestamp() END
"""


class Verdict(NamedTuple):
    """What became of one message that was handed over, or was not.

    `reason` and `said` are the mail server's code and words; `wait` the seconds until a deferred one is tried again.
    """

    outcome: Outcome
    reason: str = ""
    said: str = ""
    wait: float = 0.0


TAKEN = Verdict(Outcome.SENT)
# It was not handed over at all: as if it had never been taken.
BACK = Verdict(Outcome.QUEUED)


class ServerAway(Exception):
    """The mail server can't be reached, or will not talk to us at all: no recipient's fault."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def with_patience(verdict: Verdict, attempts: int) -> Verdict:
    """Give a deferred recipient its waiting time, or give it up; one whom nobody knows there has bounced."""
    if verdict.outcome == Outcome.FAILED and is_nobody_there(verdict.reason, verdict.said):
        return Verdict(Outcome.BOUNCED, verdict.reason, verdict.said)
    if verdict.outcome != Outcome.DEFERRED:
        return verdict
    if attempts > len(_BACK_OFF):
        return Verdict(Outcome.FAILED, verdict.reason, verdict.said)
    return Verdict(Outcome.DEFERRED, verdict.reason, verdict.said, _BACK_OFF[attempts - 1])


def next_due(mailing_id: int, after: int, size: int) -> list[int]:
    """Look up the next recipients that are due, behind an ID; nobody is touched by that."""
    due = Q(due_at__isnull=True) | Q(due_at__lte=Now())
    rows = Recipient.objects.filter(due, mailing=mailing_id, outcome__in=SENDABLE, pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:size])


def into_flight(mailing_id: int, lease: str, ids: Sequence[int]) -> list[Moved]:
    """Say that a window's recipients are about to be handed over; leave out who may not get it any more (R14).

    Returns those in flight and those skipped. Nobody: the mailing is not being sent any more, or the turn was lost.
    """
    return move(
        mailing_id,
        _FLIGHT_PICKED,
        """
        outcome = CASE p.why_not WHEN '' THEN 'in_flight' ELSE 'skipped' END, reason = p.why_not, said = '',
        attempts = r.attempts + CASE p.why_not WHEN '' THEN 1 ELSE 0 END,
        in_flight_at = CASE p.why_not WHEN '' THEN clock_timestamp() END,
        settled_at = CASE p.why_not WHEN '' THEN NULL ELSE clock_timestamp() END,
        leased_by = CASE p.why_not WHEN '' THEN %(lease)s ELSE '' END,
        leased_until = CASE p.why_not WHEN '' THEN clock_timestamp() + make_interval(secs => %(silence)s) END
        """,
        ids=_array(ids),
        lease=lease,
        silence=settings.MAILING_SILENCE_SECONDS,
    )


def exchange(mailing_id: int, lease: str, verdicts: Sequence[tuple[int, Verdict]], ids: Sequence[int]) -> list[Moved]:
    """Write what became of some, and put a window into flight: of the usual case, all sent, in one statement.

    One commit says both, so a kill leaves what two would: before it all are in flight or wait still, after it the
    window's own are in flight. Returns what `into_flight` does.
    """
    if not verdicts or any(verdict.outcome != Outcome.SENT for _, verdict in verdicts):
        if verdicts:
            settle(mailing_id, lease, verdicts)
        return into_flight(mailing_id, lease, ids)
    return move(
        mailing_id,
        _EXCHANGE_PICKED,
        """
        outcome = CASE WHEN p.is_sent THEN 'sent' WHEN p.why_not = '' THEN 'in_flight' ELSE 'skipped' END,
        reason = p.why_not, said = '',
        attempts = r.attempts + CASE WHEN NOT p.is_sent AND p.why_not = '' THEN 1 ELSE 0 END,
        leased_by = CASE WHEN NOT p.is_sent AND p.why_not = '' THEN %(lease)s ELSE '' END,
        leased_until = CASE WHEN NOT p.is_sent AND p.why_not = ''
            THEN clock_timestamp() + make_interval(secs => %(silence)s) END,
        due_at = CASE WHEN NOT p.is_sent THEN r.due_at END,
        in_flight_at = CASE WHEN p.is_sent THEN r.in_flight_at WHEN p.why_not = '' THEN clock_timestamp() END,
        settled_at = CASE WHEN p.is_sent OR p.why_not <> '' THEN clock_timestamp() END
        """,
        wanted="new_outcome IN ('in_flight', 'skipped')",
        answered=_array(pk for pk, _ in verdicts),
        ids=_array(ids),
        lease=lease,
        silence=settings.MAILING_SILENCE_SECONDS,
    )


def settle(mailing_id: int, lease: str, verdicts: Iterable[tuple[int, Verdict]]) -> None:
    """Write what became of a window.

    A worker that was silent too long finds its recipients unknown already: what it knows for sure still replaces that.
    """
    verdicts = list(verdicts)
    # Where nobody was refused, one statement says it all, and commits by itself.
    is_simple = all(verdict.outcome == Outcome.SENT for _, verdict in verdicts)
    with nullcontext() if is_simple else transaction.atomic():
        _settle(mailing_id, lease, verdicts)


def _settle(mailing_id: int, lease: str, verdicts: Sequence[tuple[int, Verdict]]) -> None:
    # Most have the same verdict: each is written once, and people name theirs by its place.
    places: dict[Verdict, int] = {}
    which = [places.setdefault(verdict, len(places) + 1) for _, verdict in verdicts]
    settled = move(
        mailing_id,
        """
        SELECT r.id, r.outcome, r.reason, v.to_outcome, v.to_reason, v.said, v.wait
        FROM unnest(%(ids)s::bigint[], %(which)s::int[]) AS one(id, place)
        JOIN unnest(%(outcomes)s::text[], %(reasons)s::text[], %(said)s::text[], %(waits)s::float[])
            WITH ORDINALITY AS v(to_outcome, to_reason, said, wait, place) USING (place)
        JOIN mailings_recipient r ON r.id = one.id
        WHERE r.mailing_id = %(mailing)s AND r.leased_by = %(lease)s
            AND (r.outcome = 'in_flight' OR r.outcome = 'unknown' AND v.to_outcome IN ('sent', 'failed', 'bounced'))
        ORDER BY r.id FOR UPDATE OF r
        """,
        _SETTLED_VALUES,
        wanted="new_outcome IN ('bounced', 'failed')",
        ids=_array(pk for pk, _ in verdicts),
        which=_array(which),
        outcomes=[str(verdict.outcome) for verdict in places],
        reasons=[verdict.reason for verdict in places],
        said=[verdict.said for verdict in places],
        waits=[verdict.wait for verdict in places],
        lease=lease,
    )
    if settled:
        _note_refusals(mailing_id, settled, dict(verdicts))


def _array(numbers: Iterable[int]) -> str:
    """Write whole numbers as PostgreSQL's array: a list of them is written one by one, and slowly."""
    return f"{{{','.join(map(str, numbers))}}}"


def _note_refusals(mailing_id: int, settled: Iterable[Moved], verdicts: Mapping[int, Verdict]) -> None:
    """Suppress at once the addresses that bounced, and note whose mailbox failed for now: enough of those count."""
    soft = []
    words = gettext("refused when mailing %(mailing)s was sent") % {"mailing": mailing_id}
    note = {"note": words, "by": MAIL_SERVER}
    for recipient in settled:
        verdict = verdicts[recipient.pk]
        if recipient.outcome == Outcome.BOUNCED:
            row = suppression.add(
                recipient.email, SuppressionCause.HARD_BOUNCE, **note, said=verdict.said, mailing_id=mailing_id
            )
            if row is not None:
                audit.record(MAIL_SERVER, "suppressed", row, None, {"cause": row.cause, "mailing": mailing_id})
        elif recipient.outcome == Outcome.FAILED and is_soft_bounce(verdict.reason, verdict.said):
            soft.append(recipient.pk)
    now = timezone.now()
    events = [
        MailEvent(provider=SMTP, key=f"{pk}", kind=EventKind.SOFT_BOUNCE, happened_at=now, told=None, recipient_id=pk)
        for pk in soft
    ]
    if events:
        MailEvent.objects.bulk_create(events, ignore_conflicts=True)


def come_back(mailing_id: int, pk: int, outcome: Outcome, reason: str, said: str) -> bool:
    """Write that a message which was handed over came back, as a mail provider told later; say whether it was new.

    It may tell before the answer to the message itself has been written down.
    """
    return bool(
        move(
            mailing_id,
            """
            SELECT id, outcome, reason FROM mailings_recipient
            WHERE mailing_id = %(mailing)s AND id = %(pk)s AND outcome IN ('in_flight', 'sent', 'unknown') FOR UPDATE
            """,
            "outcome = %(outcome)s, reason = %(reason)s, said = %(said)s, leased_by = '', leased_until = NULL,"
            " settled_at = clock_timestamp()",
            pk=pk,
            outcome=str(outcome),
            reason=reason,
            said=said,
        )
    )


def keep(mailing_id: int, lease: str, until: CombinedExpression) -> None:
    """Let what a living sender has in flight be its own for longer.

    Its other thread may be moving some of them: those are passed over, as waiting for them row by row, in another order
    than the move's, is how two wait for each other. The move gives them their time itself.
    """
    held = Recipient.objects.held_by(mailing_id, lease).select_for_update(skip_locked=True)
    with transaction.atomic():
        Recipient.objects.filter(pk__in=held.values("pk")).update(leased_until=until)


def recover(mailing_id: int) -> None:
    """Let what dead workers had in flight be unknown, and what they had leased one by one return (R13).

    Only the version before leases so: it may be at work beside this one while a site is upgraded.
    """
    move(
        mailing_id,
        """
        SELECT id, outcome, reason FROM mailings_recipient
        WHERE mailing_id = %(mailing)s AND outcome IN ('leased', 'in_flight') AND leased_until < clock_timestamp()
        ORDER BY id FOR UPDATE SKIP LOCKED
        """,
        # An unknown one keeps the name of its lease: see `settle`.
        """
        outcome = CASE p.outcome WHEN 'leased' THEN 'queued' ELSE 'unknown' END,
        leased_by = CASE p.outcome WHEN 'leased' THEN '' ELSE r.leased_by END,
        leased_until = NULL,
        settled_at = CASE p.outcome WHEN 'leased' THEN NULL ELSE clock_timestamp() END
        """,
    )


def cancel_rest(mailing_id: int) -> bool:
    """Skip some of those who were not sent a cancelled mailing yet; say whether there may be more."""
    skipped = move(
        mailing_id,
        """
        SELECT id, outcome, reason FROM mailings_recipient
        WHERE mailing_id = %(mailing)s AND outcome IN ('queued', 'deferred', 'leased')
        ORDER BY id LIMIT %(step)s FOR UPDATE
        """,
        "outcome = 'skipped', reason = 'cancelled', leased_by = '', leased_until = NULL, due_at = NULL,"
        " settled_at = clock_timestamp()",
        step=_STEP,
    )
    return len(skipped) == _STEP


def decide_unknown(mailing_id: int, *, resend: bool, decided_by: str) -> int:
    """Count the unknown ones as sent, or queue them again, as a person said; return how many."""
    decided = move(
        mailing_id,
        """
        SELECT id, outcome, reason FROM mailings_recipient
        WHERE mailing_id = %(mailing)s AND outcome = 'unknown' ORDER BY id FOR UPDATE
        """,
        "outcome = %(outcome)s::text, leased_by = '', due_at = NULL, decided_by = %(decided_by)s,"
        " settled_at = CASE %(outcome)s::text WHEN 'queued' THEN NULL ELSE clock_timestamp() END",
        outcome=str(Outcome.QUEUED if resend else Outcome.SENT),
        decided_by=decided_by[:150],
    )
    return len(decided)


def due_at(mailing_id: int) -> datetime | None:
    """Say when something can be done next with the recipients that are not settled; None if all are."""
    leased_until = When(outcome__in=(Outcome.LEASED, Outcome.IN_FLIGHT), then="leased_until")
    unsettled = Recipient.objects.filter(mailing=mailing_id, outcome__in=UNSETTLED)
    when = Case(leased_until, default=Coalesce("due_at", Now()), output_field=DateTimeField())
    found: datetime | None = unsettled.aggregate(at=Min(when))["at"]
    return found
