"""Admin > Mail Providers: each by itself, with what it told and what was refused."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from mailings.models import EventCount, RefusedEvents
from tests.mailings.views.conftest import SignIn, text_of

PAGE = "/mail-providers/"


def test_without_any_webhook_it_says_what_is_not_known(sign_in: SignIn, settings: Any) -> None:
    settings.ANYMAIL = {}
    assert "No webhook is set up" in text_of(sign_in().get(PAGE))


def test_each_provider_shows_its_counts_its_last_event_and_what_was_refused(sign_in: SignIn, settings: Any) -> None:
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "a key"}
    settings.SITE_URL = "https://thrive.example.org"
    now = timezone.now()
    for provider, kind, effect, count in [
        ("mailgun", "hard_bounce", "suppressed", 1200),
        ("mailgun", "hard_bounce", "unknown_address", 34),
        ("mailgun", "complaint", "suppressed", 5),
        ("postmark", "soft_bounce", "noted", 7),
    ]:
        EventCount.objects.create(provider=provider, kind=kind, effect=effect, event_count=count, last_at=now)
    RefusedEvents.objects.create(provider="mailgun", refused_count=3, last_at=now)
    page = sign_in().get(PAGE)
    mailgun, postmark = page.context["lines"]
    assert [(one.label, one.count, one.of_nobody) for one in mailgun.told] == [
        ("Hard bounce", 1234, 34),
        ("Complaint", 5, 0),
    ]
    assert (mailgun.last_at, mailgun.refused.refused_count, postmark.refused) == (now, 3, None)
    words = text_of(page)
    assert "https://thrive.example.org/mail-events/mailgun/" in words
    assert "3 requests refused" in words
    assert "mail-events/postmark/" not in words, "its secret was taken away, what it told stays"
    assert "Not set up: Amazon SES, Brevo," in words


def test_nothing_told_yet_is_none_yet_and_not_0(sign_in: SignIn, settings: Any) -> None:
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "a key"}
    assert "Last event None yet" in text_of(sign_in().get(PAGE))
