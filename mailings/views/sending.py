"""Send: what still lacks, when it goes, and the steps as they happen: Resync, Compare, Freeze, Send, Done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import SEND_MAILING, SEND_STALE_MAILING, VIEW_MAILINGS
from accounts.views.asking import is_part, person

from .. import enqueue
from ..choices import ACTIVE, EDITABLE, MailingStatus, StopCode
from ..exceptions import MailingError
from ..forms import SendForm
from ..models import Mailing, MailingGroup
from ..querysets import figures_of
from ..reviewed import Numbers
from . import reading
from .estimate import estimate
from .moved import moved
from .parts import shared, show, the_mailing
from .steps import seconds_left, steps_of


@requires(VIEW_MAILINGS)
@require_GET
def send(request: HttpRequest, mailing_id: int) -> HttpResponse:
    mailing = the_mailing(mailing_id)
    context = _context(mailing)
    if is_part(request, "steps"):
        response = render(request, "mailings/_steps.html", shared(request, mailing, "send") | context)
        if mailing.status == MailingStatus.STOPPED and request.headers.get("X-Was") in ACTIVE:
            response["HX-Refresh"] = "true"  # what can be done with it now stands outside of this part
        return response
    return show(request, mailing, "send", form=SendForm(), **context)


@requires(SEND_MAILING)
@require_POST
def request_send(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Ask first: a form without `confirmed` is answered by the dialog that names the number and the groups."""
    mailing, form = the_mailing(mailing_id), SendForm(request.POST)
    is_valid = form.is_valid()
    if not is_valid or "confirmed" not in request.POST:
        asks = is_valid and mailing.status in EDITABLE and not enqueue.problems(mailing)
        status = 200 if asks else 422
        return show(request, mailing, "send", status=status, form=form, asks=asks, **_context(mailing))
    version, seen = _whole(request.POST.get("version", "")), request.POST.get("seen", "")
    zone = timezone.get_current_timezone_name()
    try:
        enqueue.request_send(mailing, person(request), at=form.moment, time_zone=zone, version=version, seen=seen)
    except MailingError as error:
        messages.error(request, error.sentence)
    return redirect("mailings:send", mailing_id)


@requires(SEND_MAILING)
@require_POST
def retry(request: HttpRequest, mailing_id: int) -> HttpResponse:
    return _wish(request, mailing_id, enqueue.request_retry)


@requires(SEND_MAILING)
@require_POST
def accept(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Take the numbers that the page showed for reviewed, and send to the list as it is now."""
    return _wish(request, mailing_id, partial(enqueue.request_accept, count=_whole(request.POST.get("count", ""))))


@requires(SEND_MAILING, SEND_STALE_MAILING)
@require_POST
def send_stale(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Send to the last good lists of groups that can't be made current, if the person said to know how old they are."""
    if "sure" not in request.POST:
        messages.error(request, gettext("Nothing was sent. Tick that you know how old the list is, then send."))
        return redirect("mailings:send", mailing_id)
    return _wish(request, mailing_id, partial(enqueue.request_send_stale, seen=request.POST.get("seen", "")))


@requires(SEND_MAILING)
@require_POST
def pause(request: HttpRequest, mailing_id: int) -> HttpResponse:
    return _wish(request, mailing_id, enqueue.request_pause)


@requires(SEND_MAILING)
@require_POST
def resume(request: HttpRequest, mailing_id: int) -> HttpResponse:
    return _wish(request, mailing_id, enqueue.request_resume)


@requires(SEND_MAILING)
@require_POST
def cancel(request: HttpRequest, mailing_id: int) -> HttpResponse:
    return _wish(request, mailing_id, enqueue.request_cancel)


def _wish(request: HttpRequest, mailing_id: int, ask: Callable[[Mailing, User], None]) -> HttpResponse:
    mailing = the_mailing(mailing_id)
    try:
        ask(mailing, person(request))
    except MailingError as error:  # it moved on between the page and the click: the page shows how it stands
        messages.error(request, error.sentence)
    return redirect("mailings:send", mailing_id)


def _whole(word: str) -> int:
    """Read a number that the page wrote; -1 is none that there can be."""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 19 else -1


def _context(mailing: Mailing) -> dict[str, Any]:
    groups = reading.groups_of(mailing)
    to = [group.target_group for group in groups if group.role == "to"]
    not_to = [group.target_group for group in groups if group.role == "not_to"]
    figures = figures_of(mailing) if mailing.is_frozen else None
    stale = enqueue.blocked_groups(mailing)
    now = timezone.now()
    return {
        "groups": groups,
        "to": to,
        "not_to": not_to,
        "estimate": estimate(to, not_to, len(mailing.not_to_addresses)),
        "problems": enqueue.problems(mailing) if mailing.status in EDITABLE else {},
        "would_stop": _why_it_would_stop(mailing, groups),
        "figures": figures,
        "seen": _numbers(mailing, groups).fingerprint,
        "stale": stale,
        "seen_stale": enqueue.ages_seen(stale),
        "has_every_list": all(one.target_group.read_at for one in stale),
        "moved": moved(mailing, groups) if _is_moved(mailing) else None,
        "steps": steps_of(mailing, groups, figures),
        "seconds_left": seconds_left(mailing, figures, now),
        "poll_seconds": reading.poll_seconds(mailing, now),
    }


def _why_it_would_stop(mailing: Mailing, groups: list[MailingGroup]) -> str:
    """Say why a mailing that waits for its time would stop then, as far as that can be known; "" if nothing is."""
    if mailing.status != MailingStatus.SCHEDULED:
        return ""
    stale = [group.target_group_id for group in groups if group.stale_read_at is not None]
    return enqueue.problems(mailing, stale).get("groups", "")


def _numbers(mailing: Mailing, groups: list[MailingGroup]) -> Numbers:
    return Numbers.of(groups, named=len(mailing.not_to_addresses))


def _is_moved(mailing: Mailing) -> bool:
    return mailing.status == MailingStatus.STOPPED and mailing.stop_code == StopCode.LIST_MOVED
