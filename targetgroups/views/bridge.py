"""Admin > Bridge Configuration."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import EDIT_BRIDGE, SYNC, VIEW_BRIDGE

from .. import enqueue
from ..choices import RunKind, Trigger
from ..forms import BridgeForm
from ..models import Bridge
from . import reading
from .asking import is_part, person


@requires(VIEW_BRIDGE)
@require_GET
def bridge_configuration(request: HttpRequest) -> HttpResponse:
    bridge = reading.the_bridge()
    context = _context(request, bridge) | {"form": BridgeForm(instance=bridge)}
    return render(request, "targetgroups/bridge_configuration.html", context)


@requires(VIEW_BRIDGE, EDIT_BRIDGE)
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    bridge = reading.the_bridge()
    form = BridgeForm(request.POST, instance=bridge)
    if form.is_valid():
        form.save_by(person(request))
        messages.success(request, "The bridge was saved. Test the connection to see whether MemberSuite accepts it.")
        return redirect("targetgroups:bridge_configuration")
    context = _context(request, reading.the_bridge()) | {"form": form}
    return render(request, "targetgroups/bridge_configuration.html", context, status=422)


@requires(VIEW_BRIDGE, EDIT_BRIDGE)
@require_POST
def test_connection(request: HttpRequest, bridge_id: int) -> HttpResponse:
    """Ask for a connection test: a run like any other, so that this click waits for nobody."""
    bridge = get_object_or_404(Bridge, pk=bridge_id)
    enqueue.request_check(bridge, person(request), Trigger.TEST_CONNECTION)
    if is_part(request, "check"):
        return render(request, "targetgroups/_check.html", _context(request, bridge))
    return redirect("targetgroups:bridge_configuration")


@requires(VIEW_BRIDGE)
@require_http_methods(["GET"])
def live(request: HttpRequest, bridge_id: int) -> HttpResponse:
    """Render the parts that move: status, connection test and list refresh."""
    bridge = get_object_or_404(Bridge, pk=bridge_id)
    return render(request, "targetgroups/_check.html", _context(request, bridge))


def _context(request: HttpRequest, bridge: Bridge | None) -> dict[str, Any]:
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
