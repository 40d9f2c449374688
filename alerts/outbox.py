"""Events for webhooks, written with what they tell of or by the sweep; `delivery` sends them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from .models import Delivery, Webhook


@dataclass(frozen=True)
class Told:
    """One event: its word, its key (the same event has the same), what it tells, and when it was."""

    event: str
    key: str
    data: dict[str, Any]
    at: datetime


def write(event: str, key: str, data: dict[str, Any], at: datetime) -> None:
    write_all([Told(event, key, data, at)])


def write_all(events: Iterable[Told]) -> int:
    """Write events for every webhook that wants them and was there by then; those written before stay as they are."""
    hooks = list(Webhook.objects.filter(is_on=True))
    if not hooks:
        return 0
    wanted = [(hook, told) for told in events for hook in hooks if told.event in hook.events]
    wanted = [(hook, told) for hook, told in wanted if told.at >= hook.created_at]
    keys = {told.key for _, told in wanted}
    there = set(Delivery.objects.filter(key__in=keys, webhook__in=hooks).values_list("webhook_id", "key"))
    fresh = [_delivery(hook, told) for hook, told in wanted if (hook.pk, told.key) not in there]
    Delivery.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def write_for(hook: Webhook, event: str, data: dict[str, Any]) -> Delivery:
    """Write one event for one webhook, whatever it wants to hear of."""
    delivery = _delivery(hook, Told(event, f"{event}:{uuid.uuid4()}", data, timezone.now()))
    delivery.save()
    return delivery


def wanted_events() -> set[str]:
    """Return what any webhook wants to hear of."""
    return {event for hook in Webhook.objects.filter(is_on=True) for event in hook.events}


def address(link: str) -> str:
    return f"{settings.SITE_URL}{link}" if link else ""


def _delivery(hook: Webhook, told: Told) -> Delivery:
    payload = {"type": told.event, "timestamp": told.at.isoformat(), "data": told.data}
    now = timezone.now()
    name = f"msg_{uuid.uuid4().hex}"
    return Delivery(
        webhook=hook, key=told.key[:80], message_id=name, event=told.event, payload=payload, created_at=now, due_at=now
    )
