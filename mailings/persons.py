"""What mailings tell of one person, and what they erase of one."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F, Func, Value
from django.utils.translation import gettext, gettext_lazy

from accounts.permissions import VIEW_MAILINGS
from targetgroups.models import Subscriber
from targetgroups.rooms import Event, Link

from .choices import SETTLED, LeftOutReason, Outcome
from .models import LeftOut, Mailing, MailingTestCopy, Recipient

_ICONS = {
    Outcome.SENT: "envelope",
    Outcome.SKIPPED: "envelope-slash",
    Outcome.UNKNOWN: "question-circle",
}
_WORDS = {
    Outcome.SENT: gettext_lazy("Mailed"),
    Outcome.SKIPPED: gettext_lazy("Not mailed"),
    Outcome.UNKNOWN: gettext_lazy("Perhaps mailed"),
}
_NOT_MAILED = dict(LeftOutReason.choices)


def events_of(person: Subscriber, most: int) -> Iterator[Event]:
    """Tell of the mailings that went to the person, failed or bounced, and of those that left the person out."""
    yield from _received(person, most)
    yield from _left_out(person, most)


def erase(person: Subscriber) -> int:
    """Empty the names among the recipients; the address stays, as proof of what was sent to it (R1's exemption).

    Where the address was named as one not to send to, it goes: the suppression that stays does the same.
    So do the copies of tests that somebody sent there.
    """
    named = Recipient.objects.filter(subscriber=person).exclude(first_name="", last_name="")
    key = person.address_key
    naming = Mailing.objects.filter(not_to_addresses__contains=[key]) if key else Mailing.objects.none()
    if key:
        MailingTestCopy.objects.filter(address_key=key).delete()
    without = Func(F("not_to_addresses"), Value(key), function="array_remove")
    return named.update(first_name="", last_name="") + naming.update(not_to_addresses=without)


def _received(person: Subscriber, most: int) -> Iterator[Event]:
    settled = Recipient.objects.filter(subscriber=person, outcome__in=SETTLED, settled_at__isnull=False)
    for one in settled.select_related("mailing").order_by("-id")[:most]:
        outcome = Outcome(one.outcome)
        detail = str(_NOT_MAILED.get(one.reason, one.reason)) if outcome == Outcome.SKIPPED else one.said
        what = str(_WORDS.get(outcome, outcome.label))
        if one.settled_at:
            yield Event(one.settled_at, _ICONS.get(outcome, "x-circle"), what, detail, link=_link(one.mailing))


def _left_out(person: Subscriber, most: int) -> Iterator[Event]:
    # Asked for by mailing: there is no index on the person alone, since nothing else asks so.
    newest = Mailing.objects.filter(frozen_at__isnull=False).order_by("-id").values_list("pk", flat=True)[:most]
    for one in LeftOut.objects.filter(mailing__in=list(newest), subscriber=person).select_related("mailing"):
        if one.mailing.frozen_at:
            detail = one.get_reason_display()
            yield Event(one.mailing.frozen_at, "envelope-slash", gettext("Not mailed"), detail, link=_link(one.mailing))


def _link(mailing: Mailing) -> Link:
    return Link(mailing.name, "mailings:report", mailing.pk, right=VIEW_MAILINGS)
