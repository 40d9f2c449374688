"""Planted defects of the sending: each takes one protection out of the senders (see plants.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _replace_words(old: str, new: str) -> None:
    """Change the SQL of every move of recipients that holds these words."""
    from mailings.send import lease
    from tests.soak.plants import replace

    known = [value for value in lease.into_flight.__code__.co_consts if isinstance(value, str)]
    known += [value for value in lease.recover.__code__.co_consts if isinstance(value, str)]
    if not any(old in value for value in (*known, lease._WHY_NOT, lease._MAY_FLY)):
        raise AttributeError(f"no move holds {old!r} any more: the planted defect would be without effect")
    move = lease.move

    def changed(mailing_id: int, picked: str, values: str, **parameters: Any) -> Any:
        return move(mailing_id, picked.replace(old, new), values.replace(old, new), **parameters)

    replace(lease, "move", changed)


def _one_after_the_other() -> None:
    """Let the outcome and the next window be written by the two statements that can be changed."""
    from mailings.send import lease
    from tests.soak.plants import replace

    def both(mailing_id: int, token: str, verdicts: Any, ids: Any) -> Any:
        if verdicts:
            lease.settle(mailing_id, token, verdicts)
        return lease.into_flight(mailing_id, token, ids)

    replace(lease, "exchange", both)


def claim_after_send() -> None:
    """R13: who is in flight is committed only when the answers are there."""
    from mailings.choices import SENDABLE, Outcome
    from mailings.models import Mailing, Recipient
    from mailings.send import lease
    from mailings.send.tally import Moved
    from tests.soak.plants import replace

    into_flight, settle, next_due = lease.into_flight, lease.settle, lease.next_due
    handed_over: set[int] = set()  # by this process; the database does not know it

    def others(mailing_id: int, after: int, size: int) -> list[int]:
        due = next_due(mailing_id, after, size + len(handed_over))
        return [pk for pk in due if pk not in handed_over][:size]

    def look(mailing_id: int, token: str, ids: Any) -> list[Moved]:
        if not Mailing.objects.filter(pk=mailing_id, status="sending", worker=token).exists():
            return []
        rows = Recipient.objects.filter(pk__in=ids, outcome__in=SENDABLE).order_by("pk")
        handed_over.update(row.pk for row in rows)
        return [
            Moved(row.pk, Outcome.IN_FLIGHT, row.email, row.first_name, row.last_name, row.attempts + 1) for row in rows
        ]

    def claim_and_settle(mailing_id: int, token: str, verdicts: Any) -> None:
        told = list(verdicts)
        into_flight(mailing_id, token, [pk for pk, _ in told])
        settle(mailing_id, token, told)
        handed_over.difference_update(pk for pk, _ in told)

    replace(lease, "next_due", others)
    replace(lease, "into_flight", look)
    replace(lease, "settle", claim_and_settle)
    _one_after_the_other()


def outcome_before_reply() -> None:
    """R13: a message counts as sent when it is handed over, whatever the server says then."""
    from mailings.choices import Outcome
    from mailings.send import deliver, fleet, lease
    from tests.soak.plants import replace

    send = fleet.Fleet.send
    launched: dict[str, Any] = {}
    hand_over = deliver._Books._hand_over

    def note(self: Any, flying: Any) -> None:
        launched["books"] = self
        hand_over(self, flying)

    def told_before(self: Any, parcels: Any, to_come: int) -> None:
        books = launched["books"]
        sent = [(parcel.pk, lease.Verdict(Outcome.SENT)) for parcel in parcels]
        if sent:
            lease.settle(books._mailing.pk, books._turn.token, sent)
        send(self, parcels, to_come)

    replace(deliver._Books, "_hand_over", note)
    replace(fleet.Fleet, "send", told_before)


def takeover_resends() -> None:
    """R13: what a dead sender had in flight is sent again, as if it had not been begun."""
    _replace_words("CASE p.outcome WHEN 'leased' THEN 'queued' ELSE 'unknown' END", "'queued'")


def lost_is_retried() -> None:
    """R13: a message whose answer was lost is sent again."""
    from mailings.choices import Outcome
    from mailings.send import fleet
    from tests.soak.plants import replace

    answer = fleet.Fleet._answer

    def again(self: Any, pk: int, verdict: Any) -> None:
        answer(self, pk, fleet.BACK if verdict.outcome == Outcome.UNKNOWN else verdict)

    replace(fleet.Fleet, "_answer", again)


def lease_not_asked() -> None:
    """R13: a sender that was overtaken goes on with its list, whose turn it may be and whatever became of them.

    That it looks at the clock before each message would hide it.
    """
    from mailings.send.turn import Turn
    from tests.soak.plants import replace

    replace(Turn, "is_in_time", property(lambda _self: True))
    _replace_words(
        "r.outcome IN ('queued', 'deferred') AND (r.due_at IS NULL OR r.due_at <= clock_timestamp())", "true"
    )
    _replace_words("AND m.worker = %(lease)s", "")
    _one_after_the_other()


def window_without_end() -> None:
    """R13: as many messages are in flight as are looked up."""
    from mailings.send import line
    from tests.soak.plants import replace

    replace(line.Line, "window", property(lambda _self: 10_000))


def frozen_list_is_enough() -> None:
    """R14: who may be mailed is looked up at the freeze, and not again."""
    from mailings.send import lease

    _replace_words(lease._WHY_NOT, "''")


def name_of_the_try() -> None:
    """R13: each try of a message has a name of its own, by which no inbox can know it for the same."""
    import uuid

    from mailings.send import press
    from mailings.send.line import Parcel
    from mailings.send.render import message_id
    from tests.soak.plants import replace

    parcel = press.Press.parcel

    def renamed(self: Any, recipient: Any, values: Any) -> Any:
        made = parcel(self, recipient, values)
        if recipient.attempts < 2:
            return made
        old = message_id(self._mailing, recipient.pk, press.settings.SITE_URL)
        new = f"<{uuid.uuid4()}@{old.rpartition('@')[2]}"
        return Parcel(made.pk, made.envelope, lambda: made.message.replace(old.encode(), new.encode()))

    replace(press.Press, "parcel", renamed)


MAIL_PLANTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (
        claim_after_send,
        outcome_before_reply,
        takeover_resends,
        lost_is_retried,
        lease_not_asked,
        window_without_end,
        frozen_list_is_enough,
        name_of_the_try,
    )
}
