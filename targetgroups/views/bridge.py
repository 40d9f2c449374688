"""Admin > Bridge Configuration."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import EDIT_BRIDGE, SYNC, VIEW_AUDIT, VIEW_BRIDGE, VIEW_SUBSCRIBERS, WRITEBACK
from accounts.views.asking import is_part, person, whole

from .. import enqueue
from ..choices import RunKind, Trigger
from ..forms import BridgeForm
from ..models import Bridge
from . import bridge_reading, reading, writeback_figures

NEW = "new"


@requires(VIEW_BRIDGE)
@require_GET
def bridge_configuration(request: HttpRequest, bridge_id: int | None = None) -> HttpResponse:
    """Show one association's connection; without a number the first, or the empty form where there is none yet."""
    bridge = get_object_or_404(Bridge, pk=bridge_id) if bridge_id else reading.chosen(reading.bridges(), None)
    return _page(request, bridge, _form(request, instance=bridge))


@requires(VIEW_BRIDGE, EDIT_BRIDGE)
@require_GET
def new_bridge(request: HttpRequest) -> HttpResponse:
    return _page(request, None, _form(request))


@requires(VIEW_BRIDGE, EDIT_BRIDGE)
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    said = request.POST.get("bridge", NEW)
    bridge = None if said == NEW else get_object_or_404(Bridge, pk=said if said.isascii() and said.isdigit() else 0)
    form = _form(request, request.POST, instance=bridge)
    if not form.is_valid():
        stored = Bridge.objects.get(pk=bridge.pk) if bridge else None  # the form has changed the one it was given
        return _page(request, stored, form, status=422)
    saved = form.save_by(person(request))
    said = gettext(
        'The bridge was saved. Next, <a href="%(address)s">test the connection</a> '
        "to see whether MemberSuite accepts it."
    )
    messages.success(request, SafeString(said % {"address": "#check-title"}))
    return redirect("targetgroups:one_bridge", bridge_id=saved.pk)


@requires(VIEW_BRIDGE, EDIT_BRIDGE)
@require_POST
def test_connection(request: HttpRequest, bridge_id: int) -> HttpResponse:
    """Ask for a connection test: a run like any other, so that this click waits for nobody."""
    bridge = get_object_or_404(Bridge, pk=bridge_id)
    enqueue.request_check(bridge, person(request), Trigger.TEST_CONNECTION)
    if is_part(request, "check"):
        return render(request, "targetgroups/_check.html", _live(request, bridge))
    return redirect("targetgroups:one_bridge", bridge_id=bridge.pk)


@requires(VIEW_BRIDGE)
@require_http_methods(["GET"])
def live(request: HttpRequest, bridge_id: int) -> HttpResponse:
    """Render the parts that move: status, connection test and list refresh."""
    bridge = get_object_or_404(Bridge, pk=bridge_id)
    return render(request, "targetgroups/_check.html", _live(request, bridge))


@requires(VIEW_BRIDGE, VIEW_SUBSCRIBERS)
@require_GET
def field_mapping(request: HttpRequest, bridge_id: int) -> HttpResponse:
    """Show what each field of MemberSuite becomes here, with the values of one person after another."""
    bridge = get_object_or_404(Bridge, pk=bridge_id)
    context = {"bridge": bridge, "sees_people": True, **bridge_reading.mapping(bridge, whole(request, "after"))}
    if is_part(request, "mapping"):
        return render(request, "targetgroups/_mapping.html", context)
    return redirect("targetgroups:one_bridge", bridge_id=bridge.pk)


def _form(request: HttpRequest, *args: Any, **kwargs: Any) -> BridgeForm:
    return BridgeForm(*args, may_write_back=person(request).may(WRITEBACK), **kwargs)


def _page(request: HttpRequest, bridge: Bridge | None, form: BridgeForm, status: int = 200) -> HttpResponse:
    user = person(request)
    sees_people = user.may(VIEW_SUBSCRIBERS)
    context = _live(request, bridge) | {
        "form": form,
        "bridges": bridge_reading.associations(),
        "sees_people": sees_people,
        "changes": bridge_reading.changes(bridge) if bridge and user.may(VIEW_AUDIT) else None,
    }
    if bridge:
        context["writeback"] = writeback_figures.of(bridge)
        context["schedules"] = bridge_reading.schedules_of(bridge)
        context |= bridge_reading.mapping(bridge, whole(request, "after")) if sees_people else {}
    return render(request, "targetgroups/bridge_configuration.html", context, status=status)


def _live(request: HttpRequest, bridge: Bridge | None) -> dict[str, Any]:
    check, refresh_run = reading.newest_run(bridge, RunKind.CHECK), reading.newest_run(bridge, RunKind.LIST)
    now = timezone.now()
    waits = [seconds for run in (check, refresh_run) if (seconds := reading.poll_seconds(run, now))]
    return {
        "bridge": bridge,
        "check": check,
        "refresh_run": refresh_run,
        "poll_seconds": min(waits, default=None),
        "may_edit": person(request).may(EDIT_BRIDGE),
        "may_sync": person(request).may(SYNC),
    }
