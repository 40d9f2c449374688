"""What people do with webhooks, each change recorded (R16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, override

import audit
from accounts.models import User
from thrive_sync.lib.claims import claim
from thrive_sync.lib.messages import hand_over
from thrive_sync.lib.words import Words

from . import outbox, signing
from .choices import TEST, DeliveryState
from .models import Delivery, Webhook

TASK, QUEUE = "alerts.tasks.deliver", "mailings"
# What is recorded here, by its word in the audit log: (family, words).
ACTIONS: dict[str, tuple[str, Words]] = {
    "webhook.created": ("bridges", gettext_lazy("Webhook made")),
    "webhook.changed": ("bridges", gettext_lazy("Webhook changed")),
    "webhook.new_secret": ("bridges", gettext_lazy("New secret of a webhook made")),
    "webhook.switched_on": ("bridges", gettext_lazy("Webhook switched on")),
    "webhook.switched_off": ("bridges", gettext_lazy("Webhook switched off")),
    "webhook.removed": ("bridges", gettext_lazy("Webhook removed")),
    "webhook.tested": ("bridges", gettext_lazy("Test event of a webhook sent")),
    "webhook.held": ("bridges", gettext_lazy("Waiting events of a webhook given up after a restore")),
    "webhook.tried_again": ("bridges", gettext_lazy("Delivery of a webhook tried again")),
}
# Both secrets sign for so long after a rotation.
BOTH_VALID = timedelta(hours=24)


@transaction.atomic
def create(user: User, name: str, address: str, events: Sequence[str]) -> tuple[Webhook, str]:
    """Make a webhook and return it with the secret, which is shown this once."""
    secret, now = signing.new_secret(), timezone.now()
    hook = Webhook.objects.create(
        name=name, address=address, events=list(events), secret=secret, secret_set_at=now, created_at=now
    )
    audit.record(user, "webhook.created", hook, None, _told(hook))
    return hook, secret


@transaction.atomic
def change(user: User, hook: Webhook, name: str, address: str, events: Sequence[str]) -> None:
    before = _told(hook)
    hook.name, hook.address, hook.events = name, address, list(events)
    hook.save(update_fields=["name", "address", "events"])
    audit.record(user, "webhook.changed", hook, before, _told(hook))


@transaction.atomic
def rotate(user: User, hook: Webhook) -> str:
    """Make a new secret; the one before goes on signing beside it for a day. Returns it, this once."""
    locked = Webhook.objects.select_for_update().get(pk=hook.pk)
    now, secret = timezone.now(), signing.new_secret()
    locked.old_secret, locked.old_secret_until = locked.secret, now + BOTH_VALID
    locked.secret, locked.secret_set_at = secret, now
    locked.save(update_fields=["old_secret", "old_secret_until", "secret", "secret_set_at"])
    audit.record(user, "webhook.new_secret", hook, None, {"replaced": ["secret"]})
    return secret


@transaction.atomic
def switch(user: User, hook: Webhook, *, on: bool) -> bool:
    """Switch a webhook on or off; say whether it was the other way. What waited for one that is off is not sent."""
    others = Webhook.objects.filter(pk=hook.pk, is_on=not on)
    if not claim(others, is_on=on, off_at=None, off_text="", failing_since=None):
        return False
    if not on:
        waiting = Delivery.objects.filter(webhook=hook, state=DeliveryState.WAITING)
        with override(settings.LANGUAGE_CODE):  # it is kept, for everybody
            waiting.update(state=DeliveryState.FAILED, problem=gettext("The webhook was switched off."))
    audit.record(user, "webhook.switched_on" if on else "webhook.switched_off", hook)
    return True


@transaction.atomic
def remove(user: User, hook: Webhook) -> None:
    audit.record(user, "webhook.removed", hook, _told(hook), None)
    hook.delete()


@transaction.atomic
def request_test(user: User, hook: Webhook) -> Delivery:
    delivery = outbox.write_for(hook, TEST, {"webhook": hook.pk, "text": "A test event of thrive-sync."})
    audit.record(user, "webhook.tested", hook)
    transaction.on_commit(lambda: hand_over(TASK, hook.pk, QUEUE))
    return delivery


@transaction.atomic
def request_again(user: User, delivery: Delivery) -> bool:
    """Let what was given up, or waits for its next try, be tried now; say whether it was so."""
    now = timezone.now()
    undelivered = Delivery.objects.filter(pk=delivery.pk).exclude(state=DeliveryState.DELIVERED)
    if not claim(undelivered, state=DeliveryState.WAITING, due_at=now, tries=0):
        return False
    audit.record(user, "webhook.tried_again", delivery.webhook, None, {"delivery": delivery.pk})
    transaction.on_commit(lambda: hand_over(TASK, delivery.webhook_id, QUEUE))
    return True


def _told(hook: Webhook) -> dict[str, object]:
    return {"name": hook.name, "address": hook.address, "events": hook.events}
