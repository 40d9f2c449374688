"""The page Alerts, and what each person wants to be told of."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.models import User
from accounts.views.asking import whole

from .. import audience, letters
from ..choices import TELLS, AlertKind, Channel
from ..models import Alert, Wishes
from .looks import LOOKS

MOST_OPEN = 200
PAGE = 50


@requires()
@require_GET
def alerts(request: HttpRequest) -> HttpResponse:
    """List the open ones first, all of them; below, the past ones, newest first."""
    user = cast(User, request.user)
    mine = Alert.objects.filter(kind__in=_kinds(user)).order_by("-id")
    seen = (audience.wishes_of(user) or Wishes()).seen_id
    before = whole(request, "before")
    open_ones = [] if before else list(mine.filter(recovered_at__isnull=True)[: MOST_OPEN + 1])
    past = mine.filter(recovered_at__isnull=False)
    past_ones = list((past.filter(pk__lt=before) if before else past)[: PAGE + 1])
    context = {
        "open_lines": [_line(user, alert, seen) for alert in open_ones[:MOST_OPEN]],
        "has_more_open": len(open_ones) > MOST_OPEN,
        "past_lines": [_line(user, alert, seen) for alert in past_ones[:PAGE]],
        "older": past_ones[PAGE - 1].pk if len(past_ones) > PAGE else None,
        "is_first": not before,
        "newest": open_ones[0].pk if open_ones else 0,
        "has_unseen": any(alert.pk > seen for alert in open_ones),
    }
    return render(request, "alerts/alerts.html", context)


@requires()
@require_POST
def mark_seen(request: HttpRequest) -> HttpResponse:
    """Take down the count in the menu: up to what the page showed, not what came since."""
    user = cast(User, request.user)
    _kinds(user)
    newest = Alert.objects.order_by("-id").values_list("pk", flat=True).first() or 0
    asked = request.POST.get("up_to", "")
    audience.mark_seen(user, min(int(asked), newest) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0)
    return redirect("alerts:alerts")


@requires()
@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    kinds = _kinds(user)
    if request.method == "POST":
        email, app = (_asked(request, channel, kinds) for channel in (Channel.EMAIL, Channel.APP))
        audience.wish(user, email, app)
        messages.success(request, gettext("What you are told of was saved."))
        return redirect("alerts:preferences")
    return render(request, "alerts/preferences.html", _table(user, kinds))


def _kinds(user: User) -> list[AlertKind]:
    kinds = audience.kinds_for(user)
    if not kinds:
        raise PermissionDenied(gettext("Your role does not let you see anything that alerts tell of."))
    return kinds


def _asked(request: HttpRequest, channel: Channel, kinds: list[AlertKind]) -> list[str]:
    return [kind.value for kind in kinds if kind.value in request.POST.getlist(channel)]


def _table(user: User, kinds: list[AlertKind]) -> dict[str, Any]:
    wishes = audience.wishes_of(user)
    email, app = (audience.chosen(user, channel, wishes) for channel in (Channel.EMAIL, Channel.APP))
    lines = [
        {"kind": kind, "tells": TELLS[kind], "email": kind in email, "app": kind in app, "look": LOOKS[kind]}
        for kind in kinds
    ]
    return {"lines": lines, "is_mail_set_up": letters.is_set_up()}


def _line(user: User, alert: Alert, seen: int) -> dict[str, Any]:
    kind = AlertKind(alert.kind)
    return {
        "alert": alert,
        "look": LOOKS[kind],
        "is_new": alert.is_open and alert.pk > seen,
        "may_follow": audience.may_follow(user, kind),
        "lasted": (alert.recovered_at or timezone.now()) - alert.raised_at,
    }
