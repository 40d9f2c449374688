"""Deliver what waits for a webhook: one worker a webhook at a time, each try a claim, longer waits after failures."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext, ngettext

import audit
from thrive_sync.lib.claims import claim
from thrive_sync.lib.messages import hand_over
from thrive_sync.lib.steps import Step

from . import calling, signing
from .choices import DeliveryState
from .models import Delivery, Try, Webhook
from .webhooks import QUEUE, TASK

log = logging.getLogger(__name__)

# After each failed try; then it is given up, 24 hours after the first.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 9, 50, 240, 1140))
MOST_TRIES = len(WAITS) + 1
_AT_ONCE = 20
_SECONDS = 30
_LEASE = timedelta(seconds=_SECONDS + calling.CONNECT_SECONDS + calling.WHOLE_ANSWER_SECONDS + 10)
_GONE = 410  # the other side asks to be told no more


def send_due() -> int:
    """Hand every webhook with something due to a worker; return how many there are."""
    waiting = Webhook.objects.filter(_is_free(), is_on=True, deliveries__state=DeliveryState.WAITING)
    hooks = list(waiting.filter(deliveries__due_at__lte=Now()).values_list("pk", flat=True).distinct())
    for pk in hooks:
        hand_over(TASK, pk, QUEUE)
    return len(hooks)


def deliver(webhook_id: int) -> Step:
    """Deliver some of what is due, the oldest first; a failure ends it, for the others would meet the same."""
    now = timezone.now()
    mine = Webhook.objects.filter(_is_free(), pk=webhook_id, is_on=True)
    if not claim(mine, busy_until=now + _LEASE):
        return Step.DONE
    began, is_good, done = time.monotonic(), True, 0
    try:
        while is_good and done < _AT_ONCE and time.monotonic() - began < _SECONDS:
            due = Delivery.objects.filter(webhook_id=webhook_id, state=DeliveryState.WAITING, due_at__lte=Now())
            delivery = due.filter(webhook__is_on=True).order_by("due_at", "id").select_related("webhook").first()
            if delivery is None:
                return Step.DONE
            is_good, done = _try(delivery), done + 1
    finally:
        Webhook.objects.filter(pk=webhook_id).update(busy_until=None)
    return Step.AGAIN if is_good else Step.DONE


@transaction.atomic
def hold_waiting() -> int:
    """Give up what waits, in a database that was restored: it may have been told since. Return how many events."""
    waiting = Delivery.objects.select_for_update().filter(state=DeliveryState.WAITING)
    counts = Counter(waiting.values_list("webhook_id", flat=True))
    said = gettext("The database was restored from a back-up.")
    waiting.update(state=DeliveryState.FAILED, problem=said, status_code=None, took_ms=None, said="")
    for hook in Webhook.objects.filter(pk__in=counts):
        audit.record("command", "webhook.held", hook, None, {"deliveries": counts[hook.pk]})
    return counts.total()


def forget_old(now: datetime) -> None:
    Delivery.objects.filter(created_at__lt=now - timedelta(days=settings.WEBHOOK_LOG_DAYS)).delete()


def _is_free() -> Q:
    return Q(busy_until__isnull=True) | Q(busy_until__lt=Now())


def _try(delivery: Delivery) -> bool:
    now, tries = timezone.now(), delivery.tries + 1
    # Put off before it is tried: a worker that dies over it is followed by a later try.
    due_at = now + WAITS[min(tries, len(WAITS)) - 1]
    mine = Delivery.objects.filter(pk=delivery.pk, tries=delivery.tries, state=DeliveryState.WAITING)
    if not claim(mine, tries=tries, tried_at=now, due_at=due_at, history=delivery.history_with(Try(now))):
        return True
    answer = _call(delivery, now)
    told: dict[str, Any] = {
        "status_code": answer.status,
        "took_ms": answer.took_ms,
        "said": answer.said,
        "problem": answer.problem,
    }
    # Also if somebody asked for another try meanwhile: what came of this one is in the log.
    history = delivery.history_with(Try(now, **told))
    Delivery.objects.filter(pk=delivery.pk).update(history=history, **told)
    mine = Delivery.objects.filter(pk=delivery.pk, tries=tries)
    if answer.is_good:
        mine.update(state=DeliveryState.DELIVERED)
        Webhook.objects.filter(pk=delivery.webhook_id, failing_since__isnull=False).update(failing_since=None)
        return True
    is_over = tries >= MOST_TRIES or answer.status == _GONE
    mine.update(state=DeliveryState.FAILED if is_over else DeliveryState.WAITING)
    Webhook.objects.filter(pk=delivery.webhook_id).update(failing_since=Coalesce("failing_since", now))
    _perhaps_switch_off(delivery.webhook_id, answer, now)
    return False


def _call(delivery: Delivery, now: datetime) -> calling.Answer:
    hook = delivery.webhook
    body = json.dumps(delivery.payload, separators=(",", ":"), ensure_ascii=False).encode()
    keys = [hook.secret or ""]
    if hook.old_secret and hook.old_secret_until and now < hook.old_secret_until:
        keys.append(hook.old_secret)
    return calling.post(hook.address, body, signing.headers(delivery.message_id, now, body, keys))


def _perhaps_switch_off(webhook_id: int, answer: calling.Answer, now: datetime) -> None:
    """Give up on an address that has failed for days, or that asks for it; the sweep raises the alert."""
    days = settings.WEBHOOK_OFF_DAYS
    hooks = Webhook.objects.filter(pk=webhook_id, is_on=True)
    if answer.status == _GONE:
        why = gettext("It answered 410 Gone: it wants to be told no more.")
    else:
        why = ngettext(
            "Every try of %(days)s day failed. The last: %(problem)s.",
            "Every try of %(days)s days failed. The last: %(problem)s.",
            days,
        ) % {"days": days, "problem": answer.problem.removesuffix(".")}
        hooks = hooks.filter(failing_since__lt=now - timedelta(days=days))
    with transaction.atomic():
        if claim(hooks, is_on=False, off_at=now, off_text=why[:300]):
            waiting = Delivery.objects.filter(webhook_id=webhook_id, state=DeliveryState.WAITING)
            waiting.update(state=DeliveryState.FAILED)
            audit.record("system", "webhook.switched_off", Webhook.objects.get(pk=webhook_id), None, {"why": why})
            log.warning("webhook %s is switched off", webhook_id)
