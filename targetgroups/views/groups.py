"""Subscribers > Target Groups."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import SYNC, VIEW_GROUPS
from accounts.views.asking import is_part, person

from .. import enqueue
from ..choices import Trigger
from ..criteria import CONDITIONS, MOST
from ..models import Bridge, TargetGroup
from . import group_list, reading
from .deleted_group import or_what_became_of_it


@requires(VIEW_GROUPS)
@require_GET
def target_groups(request: HttpRequest) -> HttpResponse:
    """List the groups; the same part serves the page and its polling. Opens on the folder looked at last."""
    if is_part(request, "groups"):
        return render(request, "targetgroups/_groups.html", group_list.list_context(request))
    user, folder = person(request), request.GET.get("folder", "")
    if not request.GET and (last := group_list.remembered_folder(user)):
        return redirect(f"{reverse('targetgroups:target_groups')}?folder={last}")
    if folder:
        group_list.remember_folder(user, folder)
    return render(request, "targetgroups/target_groups.html", group_list.list_context(request) | _search(request))


def _search(request: HttpRequest) -> dict[str, Any]:
    """Return what the search dialog shows; without JavaScript it stands open in the page when the address says so."""
    asked = group_list.wanted_by(request).criteria
    blank_count = 1 if "more" in request.GET or not asked else 0
    return {
        "conditions": CONDITIONS,
        "criteria": [*asked, *[None] * blank_count][:MOST],
        "most_criteria": MOST,
        "is_searching": "search" in request.GET or "more" in request.GET,
    }


@requires(VIEW_GROUPS, SYNC)
@require_POST
def refresh(request: HttpRequest) -> HttpResponse:
    bridge = get_object_or_404(Bridge, pk=request.POST.get("bridge"))
    enqueue.request_list_refresh(bridge, Trigger.REFRESH, person(request))
    if is_part(request, "groups"):
        return list_part(request)
    if request.POST.get("from") == "bridge":
        page = "bridge_live" if is_part(request, "check") else "one_bridge"
        return redirect(f"targetgroups:{page}", bridge_id=bridge.pk)
    return redirect("targetgroups:target_groups")


@requires(VIEW_GROUPS, SYNC)
@require_POST
@or_what_became_of_it
def resync(request: HttpRequest, group_id: int) -> HttpResponse:
    group = get_object_or_404(TargetGroup.objects.present().select_related("bridge"), pk=group_id)
    if group.is_runnable:
        enqueue.request_sync(group, Trigger.RESYNC_NOW, person(request))
    if is_part(request, "groups"):
        return list_part(request)
    if is_part(request, "info-live"):
        return render(request, "targetgroups/_live.html", live_context(request, group))
    return redirect("targetgroups:info", group_id=group.pk)


@requires(VIEW_GROUPS, SYNC)
@require_POST
@or_what_became_of_it
def preview(request: HttpRequest, group_id: int) -> HttpResponse:
    """Ask what a sync would change now; the run's page shows it as it comes."""
    group = get_object_or_404(TargetGroup.objects.present().select_related("bridge"), pk=group_id)
    if not group.is_runnable:  # Info says why
        return redirect("targetgroups:info", group_id=group.pk)
    run = enqueue.request_preview(group, person(request))
    return redirect("targetgroups:run", run_id=run.pk)


def list_part(request: HttpRequest) -> HttpResponse:
    """Answer an action with the list as it is now: its filters stand in the address that the action was posted to."""
    return render(request, "targetgroups/_groups.html", group_list.list_context(request))


def live_context(request: HttpRequest, group: TargetGroup) -> dict[str, Any]:
    """Return what the live strip of Info shows."""
    run = reading.run_to_show(group)
    now = timezone.now()
    return {
        "group": group,
        "run": run,
        "is_stalled": bool(run and run.is_stalled(now)),
        "silence_seconds": settings.SYNC_SILENCE_SECONDS,
        "is_cancelling": bool(run and run.is_active and run.cancel_wishes.exists()),
        "poll_seconds": reading.poll_seconds(run, now),
        "may_sync": person(request).may(SYNC),
    }
