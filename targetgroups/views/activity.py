"""Subscribers > Sync Activity, and the page of one run."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import APPLY_HELD_RUN, EXPORT, SYNC, VIEW_GROUPS, VIEW_SUBSCRIBERS
from accounts.views.asking import cursor, is_part, person
from accounts.views.tables import ordering, page_size

from .. import enqueue
from ..choices import Phase, RunKind, RunStatus
from ..columns import SYNC_ACTIVITY
from ..exceptions import NotAllowedNow
from ..models import SyncRun
from . import decision, reading, run_filters
from .run_lists import LISTS, lists_of, rows_of, run_after, run_or_404
from .run_people import list_context
from .sums import member_sums, reading_sums

PAGE = 50
PHASES = {
    RunKind.GROUP: list(Phase),
    RunKind.PREVIEW: [Phase.WAITING, Phase.READING, Phase.CHECKING, Phase.COMPARING, Phase.DONE],
    RunKind.PERSON: [Phase.WAITING, Phase.READING, Phase.DONE],
    RunKind.LIST: [Phase.WAITING, Phase.READING, Phase.COMPARING, Phase.WRITING, Phase.DONE],
}


@requires(VIEW_GROUPS)
@require_GET
def sync_activity(request: HttpRequest) -> HttpResponse:
    filters, size = run_filters.filters_of(request), page_size(request, SYNC_ACTIVITY)
    order = ordering(request, SYNC_ACTIVITY, "-run")
    page = run_filters.page_of_runs(filters, size=size, is_descending=order.is_descending, **cursor(request))
    context = {
        "filters": filters,
        "page": page,
        "size": size,
        "order": order,
        "table": SYNC_ACTIVITY,
        "columns": SYNC_ACTIVITY.shown_to(person(request)),
        "chips": run_filters.chips_of(filters, request.GET),
        "enough_alone": run_filters.enough_alone(filters) if len(filters.names) > 1 and not page.rows else (),
        "may_export": person(request).may(EXPORT),
        "poll_seconds": 5 if any(run.is_active for run in page.rows) else None,
    }
    if is_part(request, "activity"):
        return render(request, "targetgroups/_activity.html", context)
    return render(request, "targetgroups/sync_activity.html", context | run_filters.bar_of(filters, request.GET))


@requires(VIEW_GROUPS)
@require_GET
def group_options(request: HttpRequest) -> HttpResponse:
    """Offer the groups whose names hold what is typed, each with the address of the list narrowed to it."""
    options = run_filters.options_of(request.GET)
    context = {"options": options[: run_filters.MOST_OFFERED], "has_more": len(options) > run_filters.MOST_OFFERED}
    return render(request, "targetgroups/_group_options.html", context)


@requires(VIEW_GROUPS)
@require_GET
def run_page(request: HttpRequest, run_id: int) -> HttpResponse:
    run = run_or_404(run_id)
    template = "targetgroups/_run.html" if is_part(request, "run") else "targetgroups/run.html"
    return render(request, template, _run_context(request, run))


@requires(VIEW_GROUPS, SYNC)
@require_POST
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    run = run_or_404(run_id)
    try:
        enqueue.request_cancel(run, person(request))
    except NotAllowedNow as error:  # it ended between the page and the click: the page shows how
        messages.warning(request, error.sentence)
    if is_part(request, "run"):
        return render(request, "targetgroups/_run.html", _run_context(request, run))
    return redirect("targetgroups:run", run_id=run.pk)


@requires(VIEW_GROUPS, APPLY_HELD_RUN)
@require_POST
def apply(request: HttpRequest, run_id: int) -> HttpResponse:
    """Queue a run that may remove the people this held run shows; the confirmation names how many these are."""
    run = run_or_404(run_id)
    if request.POST.get("confirmed") != str(decision.going_count(run)):
        messages.error(request, gettext("Nothing was started: confirm the number that this page names."))
        return redirect("targetgroups:run", run_id=run_id)
    try:
        new_run = enqueue.request_apply(run, person(request))
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
        return redirect("targetgroups:run", run_id=run_id)
    return redirect("targetgroups:run", run_id=new_run.pk)


@requires(VIEW_GROUPS, APPLY_HELD_RUN)
@require_POST
def discard(request: HttpRequest, run_id: int) -> HttpResponse:
    try:
        enqueue.request_discard(run_or_404(run_id), person(request))
        messages.success(request, gettext("The held run was discarded. Nothing was changed."))
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
    return redirect("targetgroups:run", run_id=run_id)


def _run_context(request: HttpRequest, run: SyncRun) -> dict[str, Any]:
    user, now, group = person(request), timezone.now(), run.target_group
    sees_people = user.may(VIEW_SUBSCRIBERS)
    return (_going(request, run) if run.is_held and run.target_group and sees_people else {}) | {
        "run": run,
        "phases": PHASES.get(RunKind(run.kind), []),
        "requests": reading.requests_of(run)[:PAGE],
        "reading_sums": reading_sums(run),
        "member_sums": member_sums(run),
        # Its group is as this run left it: whom it read is listed there.
        "is_present": bool(group and not group.deleted_at and group.counted_run_id == run.pk),
        "people_tabs": lists_of(run, now) if sees_people else [],
        "decision": decision.decision_of(run) if decision.was_held(run) else None,
        "keeps_people": run.keeps_people(now),
        "kept_days": settings.SYNC_OUTCOME_DAYS,
        "groups_to_mark": reading.groups_to_mark(run) if run.is_held else [],
        "checked": reading.checked_person(run),
        "run_after": run_after(run) if run.status == RunStatus.FAILED else None,
        "is_stalled": run.is_stalled(now),
        "silence_seconds": settings.SYNC_SILENCE_SECONDS,
        "is_cancelling": run.is_active and run.cancel_wishes.exists(),
        "poll_seconds": reading.poll_seconds(run, now),
        "may_sync": user.may(SYNC),
        "may_apply": user.may(APPLY_HELD_RUN),
        "may_export": user.may(EXPORT),
    }


def _going(request: HttpRequest, run: SyncRun) -> dict[str, Any]:
    """Return the first page of those who would go; its search and its further pages are the list's own."""
    one = LISTS["would_remove"]
    return list_context(request, run.bridge_id, one, rows_of(run, one)) | {
        "kind": one.word,
        "record_address": run.bridge.record_address,
        "number": decision.going_count(run),
    }
