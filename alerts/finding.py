"""What this room does for the ones below: what needs a person, for Home, and what waits is held after a restore."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext

from targetgroups.rooms import Alarm

from . import delivery, letters
from .models import Webhook


def switched_off(most: int) -> list[Alarm]:
    """Tell of webhooks that were switched off by themselves; one that a person switched off needs nobody."""
    hooks = Webhook.objects.filter(is_on=False, off_at__isnull=False).order_by("-off_at", "pk")[:most]
    told = gettext("The program behind it hears nothing. Once it answers again, switch the webhook on.")
    return [
        Alarm(
            tone="bad",
            icon="x-circle-fill",
            word=gettext("Switched off"),
            about=hook.name,
            text=f"{hook.off_text} {told}".strip(),
            address=reverse("alerts:webhook", args=[hook.pk]),
            action=gettext("Open the webhook"),
            at=hook.off_at,
        )
        for hook in hooks
    ]


def hold() -> list[str]:
    """Keep events and e-mails that wait from going out by themselves; say what that was."""
    events, mails = delivery.hold_waiting(), letters.hold_waiting()
    said = []
    if events:
        said.append(f"Events for webhooks: {events} given up. Each can be tried again on its webhook's page.")
    if mails:
        said.append(f"E-mails about alerts: {mails} not sent. The page Alerts has what they told of.")
    return said
