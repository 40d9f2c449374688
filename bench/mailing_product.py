"""The product's own delivery, with all that it writes down: in flight and outcome of everybody in PostgreSQL."""

from __future__ import annotations

import time
from typing import Any, cast

from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench import mailing_message as letter
from mailings.models import Mailing, Recipient
from mailings.send import pipeline
from targetgroups.models import Bridge, Subscriber, TargetGroup
from tests.support.post import Post
from thrive_sync.lib.steps import Step

_BATCH = 5_000
_NAME = '{{ name | default: "friend" }}'


class Product:
    """A group of everybody, and mailings to it whose recipients are fixed before the clock starts."""

    def __init__(self, people: int) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.MAIL_POSTAL_ADDRESS = settings.MAIL_POSTAL_ADDRESS or "1 Quay Street, Harbour Town"
        bridge = Bridge.objects.create(name="Society", service_address="http://127.0.0.1:9/")
        # Post's letters are sent to no sink of its own here.
        self._post = Post(bridge, cast("Any", None))
        self._groups: dict[int, TargetGroup] = {}
        self._subscribers = self._people(bridge, people)

    @staticmethod
    def _people(bridge: Bridge, people: int) -> list[Subscriber]:
        now = timezone.now()
        return Subscriber.objects.bulk_create(
            (
                Subscriber(
                    bridge=bridge,
                    remote_id=f"P-{number:07}",
                    remote_key=f"p-{number:07}",
                    email=letter.address(number),
                    address_key=letter.address(number),
                    first_name="Member",
                    last_name=str(number),
                    sort_email=letter.address(number),
                    sort_name=f"{number} member",
                    seen_at=now,
                    created_at=now,
                    changed_at=now,
                )
                for number in range(people)
            ),
            batch_size=_BATCH,
        )

    def seconds(self, port: int, count: int) -> float:
        """Send a mailing to so many of them. Raises RuntimeError unless everybody was sent it."""
        settings.EMAIL_PORT = port
        mailing = self._frozen(count)
        began = time.perf_counter()
        while pipeline.advance(mailing.pk) is Step.AGAIN:
            pass
        seconds = time.perf_counter() - began
        mailing.refresh_from_db()
        sent = Recipient.objects.filter(mailing=mailing, outcome="sent").count()
        if sent != count or mailing.status != "sent":
            raise RuntimeError(f"the mailing is {mailing.status}, and {sent} of {count} were sent")
        return seconds

    def _frozen(self, count: int) -> Mailing:
        if count not in self._groups:
            group = self._post.group(name=f"The first {count}")
            self._post.join(group, self._subscribers[:count])
            self._groups[count] = group
        texts = {"html": letter.HTML.replace(letter.PLACE, _NAME), "text": letter.TEXT.replace(letter.PLACE, _NAME)}
        mailing = self._post.frozen(self._groups[count], from_email=letter.SENDER, subject=letter.SUBJECT, **texts)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as the site's own housekeeping does soon after so many rows
        return mailing
