from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from accounts import languages, presence, two_step
from accounts.permissions import MANAGE_USERS
from thrive_sync.lib.words import number

Answer = Callable[[HttpRequest], HttpResponse]


class TimezoneMiddleware:
    """Show times in the zone the signed-in person chose."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone_of(request)):
            return self.get_response(request)


class LanguageMiddleware:
    """Speak the language that the signed-in person chose; without a choice it stays the browser's."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and (chosen := languages.chosen_by(request.user)):
            translation.activate(chosen)  # Django's own middleware sets it anew for every request
            request.LANGUAGE_CODE = chosen
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
            said = ngettext(
                "You were signed out, because nothing was done here for %(minutes)s minute.",
                "You were signed out, because nothing was done here for %(minutes)s minutes.",
                minutes,
            )
            messages.warning(request, said % {"minutes": number(minutes)})
        elif "X-By-Itself" not in request.headers:
            presence.mark(request, now)


class TwoStepMiddleware:
    """Where Administrators must sign in in two steps, lead whoever did not to where that is set up."""

    # What they can open before. The codes that a person sees once are no page to be led away from.
    OPEN = ("two_step", "begin_two_step", "confirm_two_step", "sign_out", "sign_in")

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not settings.TWO_STEP_FOR_ADMINISTRATORS or not request.session.session_key:
            return None
        if not request.user.is_authenticated or request.session.get(two_step.PASSED):
            return None
        match = request.resolver_match
        is_open = match is not None and match.app_name == "accounts" and match.url_name in self.OPEN
        if is_open or not request.user.may(MANAGE_USERS):
            return None
        if "HX-Request" in request.headers:
            return HttpResponse(status=401, headers={"HX-Redirect": reverse("accounts:two_step")})
        return redirect("accounts:two_step")


def _zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo | None:
    if not request.user.is_authenticated:
        return None
    try:
        return zoneinfo.ZoneInfo(request.user.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return (
            None  # the zone left the tz database after it was chosen: the site's own zone is better than an error page
        )
