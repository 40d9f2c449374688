"""Subscribers > Target Groups."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import F
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import SYNC, VIEW_GROUPS

from .. import enqueue
from ..choices import RunKind, Trigger
from ..columns import TARGET_GROUPS
from ..models import Bridge, Folder, TargetGroup
from ..querysets import TargetGroupQuerySet
from . import reading
from .asking import Ordering, is_part, ordering, page_size, person, whole

SORTS: dict[str, Lower | F] = {
    "name": Lower("name"),
    "type": Lower("search_type"),
    "folder": Lower("folder__name"),
    "search_id": F("search_id"),
}
ALL_FOLDERS = "all"


@requires(VIEW_GROUPS)
@require_GET
def target_groups(request: HttpRequest) -> HttpResponse:
    """List the groups; the same part serves the page and its polling."""
    context = _list_context(request)
    template = "targetgroups/_groups.html" if is_part(request, "groups") else "targetgroups/target_groups.html"
    return render(request, template, context)


@requires(VIEW_GROUPS, SYNC)
@require_POST
def refresh(request: HttpRequest) -> HttpResponse:
    bridge = get_object_or_404(Bridge, pk=request.POST.get("bridge"))
    enqueue.request_list_refresh(bridge, Trigger.REFRESH, person(request))
    if is_part(request, "groups"):
        return _list_after_post(request)
    if request.POST.get("from") == "bridge":
        return redirect("targetgroups:bridge_configuration")
    return redirect("targetgroups:target_groups")


@requires(VIEW_GROUPS, SYNC)
@require_POST
def resync(request: HttpRequest, group_id: int) -> HttpResponse:
    group = get_object_or_404(TargetGroup.objects.present().select_related("bridge"), pk=group_id)
    if group.is_runnable:
        enqueue.request_sync(group, Trigger.RESYNC_NOW, person(request))
    if is_part(request, "groups"):
        return _list_after_post(request)
    if is_part(request, "info-live"):
        return render(request, "targetgroups/_live.html", live_context(request, group))
    return redirect("targetgroups:info", group_id=group.pk)


@requires(VIEW_GROUPS, SYNC)
@require_POST
def preview(request: HttpRequest, group_id: int) -> HttpResponse:
    """Ask what a sync would change now; the run's page shows it as it comes."""
    group = get_object_or_404(TargetGroup.objects.present().select_related("bridge"), pk=group_id)
    if not group.is_runnable:  # Info says why
        return redirect("targetgroups:info", group_id=group.pk)
    run = enqueue.request_preview(group, person(request))
    return redirect("targetgroups:run", run_id=run.pk)


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


def _list_after_post(request: HttpRequest) -> HttpResponse:
    # The part was posted from a list whose filters stand in the address that the browser shows.
    return render(request, "targetgroups/_groups.html", _list_context(request))


def _list_context(request: HttpRequest) -> dict[str, Any]:
    user, order = person(request), ordering(request, TARGET_GROUPS, "name")
    folder, text = request.GET.get("folder", ALL_FOLDERS), request.GET.get("q", "").strip()
    groups = _sorted(_filtered(TargetGroup.objects.present(), folder, text), order)
    page = Paginator(groups, page_size(request, TARGET_GROUPS)).get_page(whole(request, "page") or 1)
    beside = reading.runs_beside(page.object_list)
    bridge = reading.the_bridge()
    refresh_run = reading.newest_run(bridge, RunKind.LIST)
    running = [run for run in (refresh_run, *beside.values()) if run and run.is_active]
    now = timezone.now()
    return {
        "page": page,
        "rows": [(group, beside.get(group.pk)) for group in page.object_list],
        "table": TARGET_GROUPS,
        "columns": TARGET_GROUPS.shown_to(user),
        "order": order,
        "folder": folder,
        "folders": Folder.objects.all(),
        "text": text,
        "bridge": bridge,
        "refresh_run": refresh_run,
        "poll_seconds": min((reading.poll_seconds(run, now) or 5 for run in running), default=None),
        "may_sync": user.may(SYNC),
    }


def _filtered(groups: TargetGroupQuerySet, folder: str, text: str) -> TargetGroupQuerySet:
    if folder.isascii() and folder.isdigit():
        groups = groups.filter(folder_id=int(folder))
    if text:
        groups = groups.filter(name__icontains=text)
    return groups


def _sorted(groups: TargetGroupQuerySet, order: Ordering) -> TargetGroupQuerySet:
    groups = groups.select_related("folder").with_same_name_flags()
    if order.sort == "count":
        return groups.by_count(descending=order.is_descending)
    if order.sort == "last_synced":
        key = F("counted_at").desc(nulls_last=True) if order.is_descending else F("counted_at").asc(nulls_first=True)
        return groups.order_by(key, Lower("name"), "pk")
    by = SORTS[order.sort]
    return groups.order_by(by.desc() if order.is_descending else by.asc(), Lower("name"), "pk")
