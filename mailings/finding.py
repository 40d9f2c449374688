"""What this room adds to the search box, to Home and to the audit log, and what it needs of the room below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, Sum
from django.urls import reverse

from accounts.permissions import VIEW_MAILINGS
from targetgroups.rooms import Alarm, Hit, Link

from .choices import FINAL, EventEffect, GroupRole, MailingStatus
from .models import EventCount, Mailing, MailingGroup

# Nothing goes on with these until a person decides.
STUCK = (MailingStatus.STOPPED, MailingStatus.PAUSED)

# What is recorded of mailings, in the words of the audit log.
ACTIONS = {
    f"mailing.{word}": ("mailings", words)
    for word, words in {
        "created": "Mailing created",
        "writing": "Mailing being written",
        "saved": "Mailing saved",
        "copied": "Mailing copied",
        "deleted": "Draft deleted",
        "test": "Test sent",
        "send": "Mailing sent or scheduled",
        "send_stale": "Mailing sent to the last good list",
        "accept": "The list as it is now accepted",
        "retry": "Stopped mailing tried again",
        "pause": "Mailing paused",
        "resume": "Mailing resumed",
        "cancel": "Mailing cancelled",
        "stop": "Mailing stopped after a restore",
        "stopped": "Mailing stopped",
        "frozen": "Recipients fixed",
        "finished": "Mailing finished",
        "decide_unknown": "Unknown recipients decided",
    }.items()
} | {
    "mailing.exported": ("exports", "People of a mailing exported"),
    "mailings.exported": ("exports", "List of mailings exported"),
}


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


def unfinished_mailings_of(group_ids: Collection[int]) -> dict[int, list[str]]:
    """Return the mailings that still need these groups, to send to or not to send to, the newest first."""
    uses = MailingGroup.objects.filter(target_group__in=group_ids).exclude(mailing__status__in=FINAL)
    names: defaultdict[int, list[str]] = defaultdict(list)
    rows = uses.order_by("-mailing_id").values_list("target_group_id", "mailing__name", "mailing__status")
    for group_id, name, status in rows:
        names[group_id].append(f"the mailing “{name}” ({MailingStatus(status).label})")
    return names


def mailed(group_ids: Collection[int], since: datetime) -> set[int]:
    """Return those of these groups whose members a mailing was sent to, or is being sent to, since a time."""
    uses = MailingGroup.objects.filter(target_group__in=group_ids, role=GroupRole.TO, mailing__frozen_at__gte=since)
    return set(uses.values_list("target_group_id", flat=True))


def pages_of(ids: Collection[int]) -> dict[int, Link]:
    rows = Mailing.objects.filter(pk__in=ids).only("pk", "name", "frozen_at")
    return {row.pk: Link(row.name, _page(row), row.pk, right=VIEW_MAILINGS) for row in rows}


def events_of_nobody() -> list[str]:
    """Say how much mail providers told of addresses that nobody here has: a provider's account may send for others."""
    told = EventCount.objects.filter(effect=EventEffect.UNKNOWN_ADDRESS).aggregate(sum=Sum("event_count"))["sum"]
    if not told:
        return []
    what, named = ("1 event", "an address") if told == 1 else (f"{told:,} events", "addresses")
    by_provider = "Admin > Mail Providers has them by provider."
    return [f"{what} of mail providers named {named} that nobody here has: nothing was changed. {by_provider}"]


def _page(mailing: Mailing) -> str:
    return "mailings:report" if mailing.is_frozen else "mailings:compose"
