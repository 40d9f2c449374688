"""The page of one subscriber: can this person be mailed, which groups and why, what happened, what can be done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import EDIT_SUBSCRIBERS, SYNC, VIEW_SUBSCRIBERS
from accounts.views.asking import is_part, person

from .. import enqueue, wishes
from ..exceptions import NotAllowedNow
from ..models import Subscriber
from . import person_state, reading
from .timeline import checks_of, timeline_of


@requires(VIEW_SUBSCRIBERS)
@require_GET
def subscriber(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    who = _who(subscriber_id)
    template = "targetgroups/_subscriber.html" if is_part(request, "subscriber") else "targetgroups/subscriber.html"
    return render(request, template, _context(request, who))


@requires(VIEW_SUBSCRIBERS)
@require_GET
def live(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """Render the check under way for its polling; when it is over, the whole page below is read again once."""
    who = _who(subscriber_id)
    context = _check_context(request, who)
    response = render(request, "targetgroups/_subscriber_check.html", context)
    if context["poll_seconds"] is None:
        response["HX-Trigger"] = "check-ended"
    return response


@requires(VIEW_SUBSCRIBERS, SYNC)
@require_POST
def check_again(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """Ask what MemberSuite says of this person now: a run like any other, so that this click waits for nobody."""
    who = _who(subscriber_id)
    enqueue.request_person_check(who, person(request))
    if is_part(request, "person-check"):
        return render(request, "targetgroups/_subscriber_check.html", _check_context(request, who))
    return redirect("targetgroups:subscriber", subscriber_id=who.pk)


@requires(VIEW_SUBSCRIBERS, EDIT_SUBSCRIBERS)
@require_POST
def opt_out(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    try:
        wishes.opt_out(_who(subscriber_id), person(request), request.POST.get("reason", ""))
        messages.success(
            request, gettext("Opted out. No mailing goes to this address any more, also those being sent now.")
        )
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
    return redirect("targetgroups:subscriber", subscriber_id=subscriber_id)


@requires(VIEW_SUBSCRIBERS, EDIT_SUBSCRIBERS)
@require_POST
def opt_in(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    try:
        wishes.opt_in(_who(subscriber_id), person(request), request.POST.get("reason", ""))
        messages.success(request, gettext("Opted in. Mailings go to this address again."))
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
    return redirect("targetgroups:subscriber", subscriber_id=subscriber_id)


@requires(VIEW_SUBSCRIBERS, EDIT_SUBSCRIBERS)
@require_POST
def erase(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """Erase for good; the page's own tick says that it is meant."""
    who = _who(subscriber_id)
    if request.POST.get("is_meant") != "yes":
        messages.error(request, gettext("Tick that you mean it: this can't be undone. Nothing was erased."))
        return redirect("targetgroups:subscriber", subscriber_id=who.pk)
    try:
        wishes.erase(who, person(request))
        messages.success(
            request, gettext("Erased. The address stays suppressed, and no sync stores this person again.")
        )
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
    return redirect("targetgroups:subscriber", subscriber_id=who.pk)


def _who(subscriber_id: int) -> Subscriber:
    return get_object_or_404(Subscriber.objects.select_related("bridge"), pk=subscriber_id)


def _context(request: HttpRequest, who: Subscriber) -> dict[str, Any]:
    groups, suppressions = person_state.group_lines(who), person_state.in_force(who)
    in_count = sum(line.is_in for line in groups)
    return _check_context(request, who) | {
        "against": person_state.reasons_against(who, suppressions, in_count),
        "suppressions": suppressions,
        "is_liftable": person_state.is_liftable(suppressions),
        "others": person_state.others_at_address(who),
        "groups": groups,
        "in_count": in_count,
        "read_at": person_state.read_at(groups),
        "attributes": sorted(who.attributes.items()),
        "events": timeline_of(who, person(request)),
        "longest_reason": wishes.LONGEST_REASON,
        "may_edit": person(request).may(EDIT_SUBSCRIBERS),
    }


def _check_context(request: HttpRequest, who: Subscriber) -> dict[str, Any]:
    run = checks_of(who).first()
    now = timezone.now()
    return {
        "who": who,
        "run": run,
        "is_stalled": bool(run and run.is_stalled(now)),
        "poll_seconds": reading.poll_seconds(run, now),
        "may_sync": person(request).may(SYNC),
    }
