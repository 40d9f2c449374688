from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import presence

Answer = Callable[[HttpRequest], HttpResponse]


class TimezoneMiddleware:
    """Show times in the zone the signed-in person chose."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone_of(request)):
            return self.get_response(request)


class PresenceMiddleware:
    """Remember when somebody was last seen, and sign out whoever was not for too long.

    What a page asks for by itself, while nobody does anything, keeps nobody signed in.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.session_key and request.user.is_authenticated:
            self._see(request)
        return self.get_response(request)

    def _see(self, request: HttpRequest) -> None:
        longest, now = timedelta(minutes=settings.SESSION_IDLE_MINUTES), timezone.now()
        if longest and presence.last_seen(request) < now - longest:
            logout(request)
            minutes = settings.SESSION_IDLE_MINUTES
            messages.warning(request, f"You were signed out, because nothing was done here for {minutes} minutes.")
        elif "X-By-Itself" not in request.headers:
            presence.mark(request, now)


def _zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo | None:
    if not request.user.is_authenticated:
        return None
    try:
        return zoneinfo.ZoneInfo(request.user.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return (
            None  # the zone left the tz database after it was chosen: the site's own zone is better than an error page
        )
