"""Admin > Audit Log: who did what, when, to what, and how it was before. It is only ever read here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import audit
from accounts.decorators import requires
from accounts.permissions import EXPORT, VIEW_AUDIT
from accounts.views.asking import cursor, is_part, person
from accounts.views.tables import ordering, page_size
from audit.models import AuditEntry
from thrive_sync.lib.csv_export import csv_response

from ..columns import AUDIT_LOG
from . import audit_list
from .run_filters import presets_of


@sensitive_post_parameters("q")
@requires(VIEW_AUDIT)
@require_http_methods(["GET", "POST"])
def audit_log(request: HttpRequest) -> HttpResponse:
    """Show a page of the log. A search is posted: a name may not stand in the page's address."""
    part = "targetgroups/_audit.html"
    context = _context(request)
    if is_part(request, "people"):
        return render(request, part, context)
    filters = context["filters"]
    bar = {
        "selects": audit_list.selects_of(filters),
        "presets": list(presets_of(filters.when, request.GET)),
        "kept_days": settings.AUDIT_DAYS,
    }
    return render(request, "targetgroups/audit_log.html", context | bar)


@sensitive_post_parameters("q")
@requires(VIEW_AUDIT, EXPORT)
@require_POST
def audit_csv(request: HttpRequest) -> HttpResponseBase:
    """Export what the page shows, every page of it; that is recorded too."""
    user, filters, order = person(request), audit_list.filters_of(request), ordering(request, AUDIT_LOG, "-at")
    columns, text = AUDIT_LOG.shown_to(user), _text(request)
    what = {"filters": filters.names, "columns": [column.key for column in columns], "is_searched": bool(text)}
    entries = audit_list.in_order(filters, text, order)
    audit.record(user, "audit.exported", user, None, what)
    zone = timezone.get_current_timezone()  # the person's own, which is another's by the time that lines go out
    return csv_response("audit-log", [column.label for column in columns], audit_list.cells(entries, columns, zone))


@requires(VIEW_AUDIT)
@require_GET
def audit_entry(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Show one entry with all of its before and after."""
    entry = get_object_or_404(AuditEntry, pk=entry_id)
    return render(request, "targetgroups/audit_entry.html", {"line": audit_list.lines([entry], person(request))[0]})


def _context(request: HttpRequest) -> dict[str, Any]:
    filters, text, user = audit_list.filters_of(request), _text(request), person(request)
    order, size = ordering(request, AUDIT_LOG, "-at"), page_size(request, AUDIT_LOG)
    page = audit_list.page_of(filters, text, size=size, order=order, **cursor(request))
    return {
        "filters": filters,
        "text": text,
        "page": page,
        "lines": audit_list.lines(page.rows, user),
        "chips": audit_list.chips_of(filters, request.GET),
        "enough_alone": audit_list.enough_alone(filters) if len(filters.names) > 1 and not page.rows else (),
        "table": AUDIT_LOG,
        "columns": AUDIT_LOG.shown_to(user),
        "all_columns": AUDIT_LOG.columns,
        "order": order,
        "size": size,
        "may_export": user.may(EXPORT),
    }


def _text(request: HttpRequest) -> str:
    return request.POST.get("q", "").strip()[: audit_list.LONGEST_TEXT]
