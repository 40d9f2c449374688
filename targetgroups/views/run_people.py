"""The page of one list of a run's people; the Excluded tab of Info is such a list too."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.decorators import requires
from accounts.permissions import EXPORT, VIEW_GROUPS, VIEW_SUBSCRIBERS
from accounts.views.asking import is_part, person, whole
from accounts.views.tables import ordering, page_size

from . import run_lists
from .reading import hits_among


@requires(VIEW_GROUPS, VIEW_SUBSCRIBERS)
@require_http_methods(["GET", "POST"])
def run_people(request: HttpRequest, run_id: int, kind: str) -> HttpResponse:
    """List whom a run added, changed, removed or left out. A search is posted: no address may hold what is sought."""
    run = run_lists.run_or_404(run_id)
    one, (text, reason) = run_lists.list_or_404(run, kind), wanted(request, kind)
    rows = run_lists.rows_of(run, one, text=text, reason=reason)
    reasons, number = run_lists.reasons_of(run, kind), run_lists.figure(run, kind)
    context = list_context(request, run.bridge_id, one, rows) | {
        "run": run,
        "record_address": run.bridge.record_address,
        "kind": kind,
        "people_tabs": run_lists.lists_of(run),
        "is_kept": run.keeps_people(timezone.now()),
        "kept_days": settings.SYNC_OUTCOME_DAYS,
        "reasons": reasons,
        "number": next((count for word, _, count in reasons if word == reason), None) if reason else number,
    }
    template = "targetgroups/_run_people.html" if is_part(request, "people") else "targetgroups/run_people.html"
    return render(request, template, context)


def wanted(request: HttpRequest, kind: str) -> tuple[str, str]:
    """Return what is searched for, which is posted, and the reason that the address narrows the list to."""
    return request.POST.get("q", "").strip(), run_lists.known_reason(kind, request.GET.get("reason", ""))


def list_context(
    request: HttpRequest, bridge_id: int, one: run_lists.PeopleList, rows: QuerySet[Any]
) -> dict[str, Any]:
    """Read the page of a list that is asked for, in the order that is asked for."""
    order, (text, reason) = ordering(request, one.table, one.default_sort), wanted(request, one.word)
    size = page_size(request, one.table)
    page = run_lists.page_of(
        rows,
        run_lists.order_of(one, order.sort),
        size=size,
        after=whole(request, "after"),
        before=whole(request, "before"),
        is_descending=order.is_descending,
    )
    return {
        "label": one.label,
        "table": one.table,
        "columns": one.table.shown_to(person(request)),
        "size": size,
        "order": order,
        "page": page,
        "entries": run_lists.named(bridge_id, page.rows),
        "text": text,
        "hits": hits_among(rows.values_list("pk", flat=True)) if text else None,
        "reason": reason,
        "may_export": person(request).may(EXPORT),
    }
