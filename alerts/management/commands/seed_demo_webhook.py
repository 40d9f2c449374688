from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

import audit
from alerts import signing
from alerts.choices import Event
from alerts.models import Webhook

NAME = "Demo receiver"


class Command(BaseCommand):
    requires_system_checks = []  # the processes that serve run them
    help = "Let the demo tell itself of every event: a webhook to its own page of received webhooks."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SITE_URL or not settings.MAIL_SINK_DIR:
            raise CommandError("This is for the demo: SITE_URL and MAIL_SINK_DIR are not set.")
        ensure_webhook(settings.SITE_URL + reverse("alerts:receive"))


def ensure_webhook(address: str) -> None:
    """Make it once; where the demo listens elsewhere this time, it leads there. One that was removed comes back."""
    hook = Webhook.objects.filter(name=NAME).first()
    if hook is None:
        now = timezone.now()
        given = {"events": Event.values, "secret": signing.new_secret(), "secret_set_at": now, "created_at": now}
        hook = Webhook.objects.create(name=NAME, address=address, **given)
        audit.record("command", "webhook.created", hook, None, {"address": address})
    elif hook.address != address:
        audit.record("command", "webhook.changed", hook, {"address": hook.address}, {"address": address})
        Webhook.objects.filter(pk=hook.pk).update(address=address)
