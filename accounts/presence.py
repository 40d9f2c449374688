"""Where and when people are signed in: last seen, the list of sessions, and their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import login
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.browsers import described, shown
from accounts.models import Session, User
from accounts.sessions import BROWSER
from thrive_sync.lib.claims import claim

# Reading pages writes no more often than this.
STEP = timedelta(minutes=1)


@dataclass(frozen=True)
class Place:
    """One session, without the key that would open it."""

    handle: str
    browser: str
    since: datetime
    seen_at: datetime
    is_here: bool


def sign_in(request: HttpRequest, user: User, **marks: Any) -> None:
    """Begin a session of this person; what it was before, it is no more."""
    login(request, user, backend="accounts.backends.OneQueryBackend")
    request.session.update({BROWSER: described(request.headers.get("User-Agent", "")), **marks})
    User.objects.filter(pk=user.pk).update(last_seen_at=timezone.now())


def last_seen(request: HttpRequest) -> datetime:
    seen: datetime | None = getattr(request.session, "seen_at", None)
    return seen or timezone.now()


def mark(request: HttpRequest, now: datetime) -> None:
    """Write down that the person is here; of many requests at once, and within a minute, one does."""
    seen = last_seen(request)
    if now - seen < STEP:
        return
    if claim(Session.objects.filter(pk=request.session.session_key or "", seen_at=seen), seen_at=now):
        User.objects.filter(pk=request.user.pk or 0).update(last_seen_at=now)
    session: Any = request.session  # our own store, which knows the times
    session.seen_at = now


def places_of(user: User, here: str | None = None) -> list[Place]:
    """Return the sessions of a person, the one with this key first, then as they were last used."""
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-seen_at")
    places = [Place(_handle(row), shown(row.browser), row.created_at, row.seen_at, row.pk == here) for row in rows]
    return sorted(places, key=lambda place: not place.is_here)


def end(user: User, handle: str) -> int:
    """End one session of this person; return how many that were."""
    keys = [row.pk for row in Session.objects.filter(user=user) if constant_time_compare(_handle(row), handle)]
    return Session.objects.filter(pk__in=keys).delete()[0]


def end_all(user: User, but: str | None = None) -> int:
    """End all sessions of a person, but perhaps the one with this key; return how many."""
    return Session.objects.filter(user=user).exclude(pk=but or "").delete()[0]


def _handle(row: Session) -> str:
    return salted_hmac("accounts.presence", row.pk).hexdigest()[:24]
