"""What mail providers told of messages, applied: outcomes, suppressions, and how often what was told.

A webhook only keeps what it was told (`keep`); a worker applies it (`work`), each event in one transaction and once.
Nobody is suppressed of whom nothing is known here: a provider's account may send for others as well. Of a known
address everything is believed, since the provider has signed it, unless something newer is known (R14).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from celery import current_app
from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext
from kombu.exceptions import OperationalError as BrokerError

import audit
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Bridge, Subscriber, Suppression
from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.claims import claim
from thrive_sync.lib.steps import Step
from thrive_sync.lib.words import number

from .choices import EventEffect, EventKind, Outcome
from .models import EventCount, MailEvent, Mailing, Recipient, RefusedEvents
from .refusals import status_of
from .send import lease
from .send.render import message_id
from .webhooks import PROVIDERS, Report

log = logging.getLogger(__name__)

_TASK, _QUEUE = "mailings.tasks.apply_mail_events", "interactive"
_STEP = 100  # events
# A message is looked for among the newest mailings: what older ones bring is still true of the address.
_NEWEST = 500
# Without the name that we gave it, a message is the last one that the address was sent within this time before.
_LATEST = timedelta(days=14)
_CLOCKS_DIFFER = timedelta(minutes=10)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

_CAUSES = {
    EventKind.HARD_BOUNCE: SuppressionCause.HARD_BOUNCE,
    EventKind.COMPLAINT: SuppressionCause.COMPLAINT,
    EventKind.OPT_OUT: SuppressionCause.OPT_OUT,
}
# What it means for a message that was thought to have gone out.
_OUTCOMES = {
    EventKind.HARD_BOUNCE: Outcome.BOUNCED,
    EventKind.SOFT_BOUNCE: Outcome.BOUNCED,
    EventKind.REJECTED: Outcome.FAILED,
}
_NOTES = {
    EventKind.HARD_BOUNCE: gettext_lazy("told by %(provider)s"),
    EventKind.COMPLAINT: gettext_lazy("told by %(provider)s: the person called a message spam"),
    EventKind.OPT_OUT: gettext_lazy("told by %(provider)s: the person opted out there"),
}


# --- keep ----------------------------------------------------------------------------------------------------------


def keep(provider: str, reports: Iterable[Report]) -> int:
    """Store what a provider told, each event once, and let a worker apply it; return how many there were."""
    events = [
        MailEvent(
            provider=provider,
            key=report.key,
            kind=report.kind,
            happened_at=report.happened_at,
            told={"address": report.address, "message_id": report.message_id, "said": report.said},
        )
        for report in _that_matter(list(reports))
    ]
    if events:
        with transaction.atomic():
            MailEvent.objects.bulk_create(events, ignore_conflicts=True)
            transaction.on_commit(wake)
    return len(events)


def _that_matter(reports: list[Report]) -> list[Report]:
    """Leave out deliveries, which are nearly all that is told, but of addresses that bounced softly before."""
    delivered = {address_key(one.address) for one in reports if one.kind == EventKind.DELIVERED}
    if not delivered:
        return reports
    # Softly bounced and not a hundred times: the recipients of the newest mailings at these addresses.
    at_address = Recipient.objects.filter(mailing__in=_newest_mailings(), address_key__in=delivered)
    soft = MailEvent.objects.filter(recipient__in=at_address, kind=EventKind.SOFT_BOUNCE)
    bounced = set(soft.values_list("recipient__address_key", flat=True))
    return [one for one in reports if one.kind != EventKind.DELIVERED or address_key(one.address) in bounced]


def count_refused(provider: str) -> None:
    """Count a request that was not signed; of a provider that is set up, so there are no more rows than those."""
    now = timezone.now()
    row, _ = RefusedEvents.objects.get_or_create(provider=provider, defaults={"last_at": now})
    RefusedEvents.objects.filter(pk=row.pk).update(refused_count=F("refused_count") + 1, last_at=now)


def wake() -> None:
    """Let a worker apply what is kept. A broker that is away loses nothing: beat asks again."""
    try:
        current_app.send_task(_TASK, queue=_QUEUE, retry=False, expires=60)
    except (BrokerError, ConnectionError, OSError) as error:
        log.warning("mail events wait for the sweep: the broker did not take it (%s)", type(error).__name__)


# --- apply ---------------------------------------------------------------------------------------------------------


def work() -> Step:
    """Apply some of what is kept; say whether there may be more."""
    close_old_connections()
    ids = list(MailEvent.objects.waiting().values_list("pk", flat=True)[:_STEP])
    for pk in ids:
        # Counted first, so that one which can't be applied does not stand before the others for ever.
        if claim(MailEvent.objects.waiting().order_by().filter(pk=pk), tries=F("tries") + 1):
            apply(pk)
    return Step.AGAIN if len(ids) == _STEP else Step.DONE


@transaction.atomic
def apply(pk: int) -> None:
    """Apply one event, unless another worker does, or did."""
    waiting = MailEvent.objects.select_for_update(skip_locked=True, of=("self",))
    event = waiting.filter(pk=pk, applied_at__isnull=True).select_related("recipient").first()
    if event is None:
        return
    told = event.told or {}
    address = told.get("address", "") or (event.recipient.email if event.recipient else "")
    sent = _lock(address_key(address))
    if event.recipient is None:
        event.recipient = _recipient_of(event, sent)
    if not sent and not _is_known(address_key(address)):
        event.effect = EventEffect.UNKNOWN_ADDRESS
    else:
        event.effect = _act(event, address, told.get("said", ""))
    event.told, event.applied_at = None, timezone.now()
    event.save(update_fields=["told", "applied_at", "effect", "recipient"])
    _count(event)


def _act(event: MailEvent, address: str, said: str) -> EventEffect:
    kind, recipient = EventKind(event.kind), event.recipient
    if recipient is not None and kind in _OUTCOMES:
        reason = status_of(said) or ("soft" if kind == EventKind.SOFT_BOUNCE else "")
        lease.come_back(recipient.mailing_id, recipient.pk, _OUTCOMES[kind], reason, said)
    cause, note = _CAUSES.get(kind), str(_NOTES.get(kind, "")) % {"provider": _label(event)}
    if kind == EventKind.SOFT_BOUNCE and (count := _soft_count(event, address)) >= settings.SOFT_BOUNCE_MAILINGS:
        cause, note = SuppressionCause.SOFT_BOUNCES, _within_days(count)
    if cause is None:
        return EventEffect.NOTED
    if _ended_at(address, cause) > event.happened_at:
        return EventEffect.OUTLIVED
    mailing_id = recipient.mailing_id if recipient else None
    row = suppression.add(address, cause, note, by=_label(event), said=said, mailing_id=mailing_id)
    if row is None:
        return EventEffect.NOTED
    audit.record(_label(event), "suppressed", row, None, {"cause": cause, "event": event.pk, "mailing": mailing_id})
    return EventEffect.SUPPRESSED


def _within_days(count: int) -> str:
    words = ngettext("%(count)s mailing within %(days)s days", "%(count)s mailings within %(days)s days", count)
    return words % {"count": number(count), "days": number(settings.SOFT_BOUNCE_DAYS)}


def _soft_count(event: MailEvent, address: str) -> int:
    """Count the mailings that bounced softly at an address of late, since one was delivered and since it was lifted."""
    at_address = Recipient.objects.filter(mailing__in=_newest_mailings(), address_key=address_key(address))
    told = MailEvent.objects.filter(recipient__in=at_address)
    delivered = told.filter(kind=EventKind.DELIVERED).aggregate(at=Max("happened_at"))["at"]
    since = max(
        timezone.now() - timedelta(days=settings.SOFT_BOUNCE_DAYS),
        _ended_at(address, SuppressionCause.SOFT_BOUNCES),
        delivered or _LONG_AGO,
    )
    mailings = set(
        told.filter(kind=EventKind.SOFT_BOUNCE, applied_at__isnull=False, happened_at__gt=since).values_list(
            "recipient__mailing", flat=True
        )
    )
    if event.recipient is not None and event.happened_at > since:
        mailings.add(event.recipient.mailing_id)
    return len(mailings)


def _ended_at(address: str, cause: SuppressionCause) -> datetime:
    """Say when a suppression of the address for this cause was lifted last: what is older has been judged (R14)."""
    rows = Suppression.objects.filter(address_key=address_key(address), cause=cause, lifted_at__isnull=False)
    return rows.aggregate(at=Max("lifted_at"))["at"] or _LONG_AGO


# --- whom it is about ----------------------------------------------------------------------------------------------


def _lock(key: str) -> list[Recipient]:
    """Read whom an address was sent something as, the newest first; two events of one address wait for each other."""
    rows = Recipient.objects.filter(mailing__in=_newest_mailings(), address_key=key, in_flight_at__isnull=False)
    return list(rows.select_related("mailing").order_by("-pk").select_for_update(no_key=True, of=("self",)))


def _newest_mailings() -> list[int]:
    """Name the newest mailings that went out: within them an address is found by index, without one of its own."""
    frozen = Mailing.objects.filter(frozen_at__isnull=False)
    return list(frozen.order_by("-pk").values_list("pk", flat=True)[:_NEWEST])


def _recipient_of(event: MailEvent, sent: list[Recipient]) -> Recipient | None:
    """Find the message: by the name that we gave it, or, where the provider has its own names, by address and time."""
    named = (event.told or {}).get("message_id", "")
    for recipient in sent:
        if named.strip("<>") == message_id(recipient.mailing, recipient.pk, settings.SITE_URL).strip("<>"):
            return recipient
    if "@" in named:  # a message of somebody else's, who sends by the same provider
        return None
    latest = event.happened_at + _CLOCKS_DIFFER
    for recipient in sent:
        if recipient.in_flight_at and latest - _LATEST < recipient.in_flight_at < latest:
            return recipient
    return None


def _is_known(key: str) -> bool:
    return Subscriber.objects.filter(bridge__in=Bridge.objects.all(), address_key=key).exists()


def _label(event: MailEvent) -> str:
    return PROVIDERS[event.provider].label if event.provider in PROVIDERS else lease.MAIL_SERVER


def _count(event: MailEvent) -> None:
    slot = {"provider": event.provider, "kind": event.kind, "effect": event.effect}
    count, _ = EventCount.objects.get_or_create(**slot, defaults={"last_at": timezone.now()})
    EventCount.objects.filter(pk=count.pk).update(event_count=F("event_count") + 1, last_at=timezone.now())
