"""Subscribers > Sync Activity, and the page of one run."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import APPLY_HELD_RUN, SYNC, VIEW_GROUPS, VIEW_SUBSCRIBERS

from .. import enqueue
from ..choices import OutcomeKind, Phase, RunKind
from ..columns import SYNC_ACTIVITY
from ..exceptions import NotAllowedNow
from ..forms import RunFilterForm
from ..models import SyncRun, TargetGroup
from . import reading
from .asking import is_part, page_size, person, whole
from .sums import member_sums, reading_sums

PAGE = 50
PHASES = {
    RunKind.GROUP: list(Phase),
    RunKind.PREVIEW: [Phase.WAITING, Phase.READING, Phase.CHECKING, Phase.COMPARING, Phase.DONE],
    RunKind.LIST: [Phase.WAITING, Phase.READING, Phase.COMPARING, Phase.WRITING, Phase.DONE],
}
# The word in the address -> the outcomes it lists; "added" and "excluded" are told by other tables.
PEOPLE = {
    "added": ("Added", None),
    "added_left": ("Added, left since", OutcomeKind.REMOVED),
    "changed": ("Changed", OutcomeKind.CHANGED),
    "removed": ("Removed", OutcomeKind.REMOVED),
    "would_add": ("Would be added", OutcomeKind.WOULD_ADD),
    "would_change": ("Would be changed", OutcomeKind.WOULD_CHANGE),
    "would_remove": ("Would be removed", OutcomeKind.WOULD_REMOVE),
    "excluded": ("Excluded", None),
}


@requires(VIEW_GROUPS)
@require_GET
def sync_activity(request: HttpRequest) -> HttpResponse:
    form = RunFilterForm(request.GET)
    filters, size = form.chosen(), page_size(request, SYNC_ACTIVITY)
    page = reading.activity_page(filters, size=size, after=whole(request, "after"), before=whole(request, "before"))
    context = {
        "form": form,
        "filters": filters,
        "group": TargetGroup.objects.filter(pk=filters["group"]).first() if "group" in filters else None,
        "page": page,
        "size": size,
        "table": SYNC_ACTIVITY,
        "columns": SYNC_ACTIVITY.shown_to(person(request)),
        "poll_seconds": 5 if any(run.is_active for run in page.rows) else None,
    }
    template = "targetgroups/_activity.html" if is_part(request, "activity") else "targetgroups/sync_activity.html"
    return render(request, template, context)


@requires(VIEW_GROUPS)
@require_GET
def run_page(request: HttpRequest, run_id: int) -> HttpResponse:
    run = _run(run_id)
    template = "targetgroups/_run.html" if is_part(request, "run") else "targetgroups/run.html"
    return render(request, template, _run_context(request, run))


@requires(VIEW_GROUPS, VIEW_SUBSCRIBERS)
@require_GET
def run_people(request: HttpRequest, run_id: int, kind: str) -> HttpResponse:
    """List whom a run added, changed, removed or left out."""
    run = _run(run_id)
    if kind not in PEOPLE or run.target_group is None:
        raise Http404
    label, outcome = PEOPLE[kind]
    cursor: dict[str, Any] = {"size": PAGE, "after": whole(request, "after"), "before": whole(request, "before")}
    context = {"run": run, "kind": kind, "label": label, "people_tabs": _people_tabs(request, run)}
    if kind == "added":
        context["page"] = reading.added_page(run, **cursor)
    elif outcome is None:
        context["page"] = reading.excluded_page(reading.exclusions_of(run), **cursor)
    else:
        left_since = kind == "added_left"
        outcomes = reading.left_since(run) if left_since else run.outcomes.filter(kind=outcome)
        page = reading.outcome_page(outcomes, **cursor)
        context |= {"page": page, "named": reading.people_named(run.bridge_id, (row.remote_key for row in page.rows))}
    return render(request, "targetgroups/run_people.html", context)


@requires(VIEW_GROUPS, SYNC)
@require_POST
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    run = _run(run_id)
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
    """Queue a run that may remove the people this held run shows."""
    try:
        new_run = enqueue.request_apply(_run(run_id), person(request))
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
        return redirect("targetgroups:run", run_id=run_id)
    return redirect("targetgroups:run", run_id=new_run.pk)


@requires(VIEW_GROUPS, APPLY_HELD_RUN)
@require_POST
def discard(request: HttpRequest, run_id: int) -> HttpResponse:
    try:
        enqueue.request_discard(_run(run_id), person(request))
        messages.success(request, "The held run was discarded. Nothing was changed.")
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
    return redirect("targetgroups:run", run_id=run_id)


def _run(run_id: int) -> SyncRun:
    runs = SyncRun.objects.select_related("bridge", "target_group", "progress", "applies", "decided_by")
    return get_object_or_404(runs, pk=run_id)


def _run_context(request: HttpRequest, run: SyncRun) -> dict[str, Any]:
    user, now = person(request), timezone.now()
    return {
        "run": run,
        "phases": PHASES.get(RunKind(run.kind), []),
        "requests": reading.requests_of(run)[:PAGE],
        "reading_sums": reading_sums(run),
        "member_sums": member_sums(run),
        "people_tabs": _people_tabs(request, run),
        "groups_to_mark": reading.groups_to_mark(run) if run.is_held else [],
        "is_stalled": run.is_stalled(now),
        "is_cancelling": run.is_active and run.cancel_wishes.exists(),
        "poll_seconds": reading.poll_seconds(run, now),
        "may_sync": user.may(SYNC),
        "may_apply": user.may(APPLY_HELD_RUN),
    }


def _people_tabs(request: HttpRequest, run: SyncRun) -> list[tuple[str, str, int | None]]:
    """Return the lists of people that this run has: word, label and number."""
    if run.target_group is None or not person(request).may(VIEW_SUBSCRIBERS):
        return []
    if not run.is_final:
        return []
    if not (run.is_good and run.kind == RunKind.GROUP):
        words = ("would_add", "would_change", "would_remove")
        return [(word, PEOPLE[word][0], _figure(run, word)) for word in words if _figure(run, word)]
    tabs = [(word, PEOPLE[word][0], _figure(run, word)) for word in ("added", "changed", "removed", "excluded")]
    # Whom it added is told by the members; those who have left since are told by their leaving.
    if run.figures.get("added") and reading.left_since(run).exists():
        tabs.insert(1, ("added_left", PEOPLE["added_left"][0], None))
    return tabs


def _figure(run: SyncRun, word: str) -> int | None:
    names = {"would_add": "added", "would_change": "changed", "would_remove": "removed"}
    if word == "excluded":
        in_search, eligible = run.figures.get("in_search"), run.figures.get("eligible")
        return None if in_search is None or eligible is None else in_search - eligible
    found = run.figures.get(word, run.figures.get(names.get(word, word)))
    return found if isinstance(found, int) else None
