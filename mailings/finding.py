"""What this room adds to the search box, to Home and to the audit log, and what it needs of the room below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Q, Sum
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext

from accounts.permissions import VIEW_MAILINGS
from targetgroups.rooms import Alarm, Hit, Link
from thrive_sync.lib.words import Words, number

from .choices import FINAL, EventEffect, GroupRole, MailingStatus
from .models import EventCount, Mailing, MailingGroup

# Nothing goes on with these until a person decides.
STUCK = (MailingStatus.STOPPED, MailingStatus.PAUSED)

# What is recorded of mailings, in the words of the audit log.
ACTIONS: Mapping[str, tuple[str, Words]] = {
    f"mailing.{word}": ("mailings", words)
    for word, words in {
        "created": gettext_lazy("Mailing created"),
        "writing": gettext_lazy("Mailing being written"),
        "saved": gettext_lazy("Mailing saved"),
        "copied": gettext_lazy("Mailing copied"),
        "deleted": gettext_lazy("Draft deleted"),
        "test": gettext_lazy("Test sent"),
        "send": gettext_lazy("Mailing sent or scheduled"),
        "send_stale": gettext_lazy("Mailing sent to the last good list"),
        "accept": gettext_lazy("The list as it is now accepted"),
        "retry": gettext_lazy("Stopped mailing tried again"),
        "pause": gettext_lazy("Mailing paused"),
        "resume": gettext_lazy("Mailing resumed"),
        "cancel": gettext_lazy("Mailing cancelled"),
        "stop": gettext_lazy("Mailing stopped after a restore"),
        "stopped": gettext_lazy("Mailing stopped"),
        "frozen": gettext_lazy("Recipients fixed"),
        "finished": gettext_lazy("Mailing finished"),
        "decide_unknown": gettext_lazy("Unknown recipients decided"),
    }.items()
} | {
    "mailing.exported": ("exports", gettext_lazy("People of a mailing exported")),
    "mailings.exported": ("exports", gettext_lazy("List of mailings exported")),
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
            text=mailing.stop_text or gettext("Nothing more of it is sent until somebody decides."),
            address=reverse("mailings:send", args=[mailing.pk]),
            action=gettext("Look and decide"),
        )
        for mailing in rows
    ]


def unfinished_mailings_of(group_ids: Collection[int]) -> dict[int, list[str]]:
    """Return the mailings that still need these groups, to send to or not to send to, the newest first."""
    uses = MailingGroup.objects.filter(target_group__in=group_ids).exclude(mailing__status__in=FINAL)
    names: defaultdict[int, list[str]] = defaultdict(list)
    rows = uses.order_by("-mailing_id").values_list("target_group_id", "mailing__name", "mailing__status")
    for group_id, name, status in rows:
        # Translators: within a list of what uses a target group.
        words = gettext("the mailing “%(name)s” (%(status)s)")
        names[group_id].append(words % {"name": name, "status": MailingStatus(status).label})
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
    what = ngettext(
        "%(count)s event of mail providers named an address that nobody here has: nothing was changed. "
        "Admin > Mail Providers has them by provider.",
        "%(count)s events of mail providers named addresses that nobody here has: nothing was changed. "
        "Admin > Mail Providers has them by provider.",
        told,
    )
    return [what % {"count": number(told)}]


def _page(mailing: Mailing) -> str:
    return "mailings:report" if mailing.is_frozen else "mailings:compose"
