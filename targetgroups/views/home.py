"""Home: what needs attention, what happened last, and at the very beginning the way to the first synced group."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import EDIT_BRIDGE, SYNC, VIEW_BRIDGE, VIEW_GROUPS, VIEW_MAILINGS, VIEW_SUBSCRIBERS
from accounts.views.asking import is_part, person

from .. import enqueue
from ..choices import Trigger
from ..models import Bridge, TargetGroup
from . import attention, growth, overview

# Where those start who may not see groups. Mailings by name alone: that room leans on this one.
ELSEWHERE = ((VIEW_MAILINGS, "mailings:mailings"), (VIEW_BRIDGE, "targetgroups:bridge_configuration"))
AT_WORK, AT_REST = 2, 60  # seconds between two looks


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show what matters now, or lead those who may not see groups to the first page that they may."""
    if not person(request).may(VIEW_GROUPS):
        return _elsewhere(request)
    steps = overview.first_steps()
    context = _rights(request) | (_first(steps) if steps else _everything(request))
    return render(request, f"targetgroups/{'_home' if is_part(request, 'home') else 'home'}.html", context)


@requires(VIEW_GROUPS, SYNC)
@require_POST
def refresh_from_home(request: HttpRequest) -> HttpResponse:
    """Ask for the list of searches: the second of the first steps."""
    bridge = get_object_or_404(Bridge, pk=request.POST.get("bridge") or None)
    enqueue.request_list_refresh(bridge, Trigger.REFRESH, person(request))
    return redirect("targetgroups:home")


@requires(VIEW_GROUPS, SYNC)
@require_POST
def sync_from_home(request: HttpRequest) -> HttpResponse:
    """Ask for a group to be synced: the third of the first steps."""
    groups = TargetGroup.objects.present().select_related("bridge")
    group = get_object_or_404(groups, pk=request.POST.get("group") or None)
    if group.is_runnable:
        enqueue.request_sync(group, Trigger.RESYNC_NOW, person(request))
    return redirect("targetgroups:home")


def _elsewhere(request: HttpRequest) -> HttpResponse:
    for codename, page in ELSEWHERE:
        if person(request).may(codename):
            return redirect(page)
    raise PermissionDenied(gettext("You have no role yet. Ask an administrator to give you one."))


def _rights(request: HttpRequest) -> dict[str, bool]:
    user = person(request)
    rights = {"sync": SYNC, "see_bridge": VIEW_BRIDGE, "edit_bridge": EDIT_BRIDGE, "see_people": VIEW_SUBSCRIBERS}
    return {f"may_{name}": user.may(codename) for name, codename in rights.items()}


def _first(steps: overview.FirstSteps) -> dict[str, Any]:
    return {"steps": steps, "poll_seconds": AT_WORK if steps.is_busy else AT_REST}


def _everything(request: HttpRequest) -> dict[str, Any]:
    syncs = overview.last_syncs()
    return {
        "alarms": attention.alarms(person(request)),
        "first_group": overview.only_counted_group(),
        "last_syncs": syncs,
        "today": overview.numbers_of_today(),
        "growth": growth.growth_of_largest(timezone.now()),
        "poll_seconds": AT_WORK if any(run.is_active for run in syncs) else AT_REST,
    }
