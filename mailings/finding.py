"""What this room adds to the search box and to Home."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse

from accounts.permissions import VIEW_MAILINGS
from targetgroups.sources import Alarm, AlarmSource, Hit, SearchSource, add_alarms, add_search

from .choices import MailingStatus
from .models import Mailing

# Nothing goes on with these until a person decides.
STUCK = (MailingStatus.STOPPED, MailingStatus.PAUSED)


def find_mailings(text: str, most: int) -> list[Hit]:
    """Find mailings by name or subject, every word, the newest first; or one by its number."""
    mailings = Mailing.objects.order_by("-id")
    by_number = mailings.filter(pk=int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else ()
    for word in text.split():
        mailings = mailings.filter(Q(name__icontains=word) | Q(subject__icontains=word))
    rows = {mailing.pk: mailing for mailing in (*by_number, *mailings[:most])}
    return [
        Hit(row.name, reverse(_page(row), args=[row.pk]), "envelope", row.get_status_display())
        for row in list(rows.values())[:most]
    ]


def stuck_mailings(most: int) -> list[Alarm]:
    """Tell of mailings that wait for a person."""
    rows = Mailing.objects.filter(status__in=STUCK).order_by("-id")[:most]
    return [
        Alarm(
            tone="warn",
            icon="envelope-exclamation",
            word=mailing.get_status_display(),
            about=mailing.name,
            text=mailing.stop_text or "Nothing more of it is sent until somebody decides.",
            address=reverse("mailings:send", args=[mailing.pk]),
            action="Look and decide",
        )
        for mailing in rows
    ]


def register() -> None:
    add_search(SearchSource("Mailings", VIEW_MAILINGS, find_mailings))
    add_alarms(AlarmSource(VIEW_MAILINGS, stuck_mailings))


def _page(mailing: Mailing) -> str:
    return "mailings:report" if mailing.is_frozen else "mailings:compose"
