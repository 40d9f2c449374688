"""Too many wrong passwords: django-axes counts them by user name and address, and this says what to do."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import User


def client_address(request: HttpRequest) -> str | None:
    """Return where a request comes from.

    Of X-Forwarded-For only what our own proxies wrote counts: the last entries, one for each; anybody can send others.
    """
    if settings.PROXY_COUNT:
        entries = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if entry.strip()]
        if len(entries) >= settings.PROXY_COUNT and (address := _address(entries[-settings.PROXY_COUNT])):
            return address
    return _address(request.META.get("REMOTE_ADDR", ""))


def locked_page(
    request: HttpRequest, original: HttpResponse | None = None, credentials: Mapping[str, Any] | None = None
) -> HttpResponse:
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    context = {"minutes": minutes, "attempts": settings.AXES_FAILURE_LIMIT}
    return render(request, "accounts/locked.html", context, status=429)


def locked_names() -> set[str]:
    """Return the user names that are locked from any address now."""
    recent = AccessAttempt.objects.filter(attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME)
    totals = recent.values("username", "ip_address").annotate(failures=Sum("failures_since_start"))
    return set(totals.filter(failures__gte=settings.AXES_FAILURE_LIMIT).order_by().values_list("username", flat=True))


def unlock(user: User) -> int:
    """Forget the wrong passwords of a person; return how many rows that were."""
    return int(reset(username=user.username))


def is_locked(request: HttpRequest, user: User) -> bool:
    return not AxesProxyHandler.is_allowed(request, {"username": user.username})


def count_failure(request: HttpRequest, user: User) -> None:
    """Count a wrong code as a wrong password; after the last one allowed, the answer is the page above."""
    user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=request)


def forget_old() -> int:
    """Delete attempts whose time is over."""
    return AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - settings.AXES_COOLOFF_TIME).delete()[0]


def _address(entry: str) -> str | None:
    """Take an address without its port, 192.0.2.1:4711 or [2001:db8::1]:4711; None for what is no address."""
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return None
