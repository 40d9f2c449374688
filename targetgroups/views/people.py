"""Subscribers > Manage Subscribers: everybody, whatever group they are in."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

import audit
from accounts.decorators import requires
from accounts.permissions import EXPORT, VIEW_SUBSCRIBERS
from accounts.tables import Column
from accounts.views.asking import is_part, person, whole
from accounts.views.tables import page_size
from thrive_sync.lib.csv_export import csv_response, in_steps, time_cell

from ..columns import attribute_columns
from ..models import Bridge
from . import reading
from .people_lists import SHOWS, Line, Show, in_order, page_of


@requires(VIEW_SUBSCRIBERS)
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Show a page of people. A search is posted: what is looked for may not stand in an address."""
    bridges, show = reading.bridges(), _show(request)
    bridge = reading.chosen(bridges, whole(request, "bridge"))
    context: dict[str, Any] = {"bridges": bridges, "bridge": bridge, "show": show, "shows": SHOWS.values()}
    context |= _context(request, bridge, show) if bridge else {}
    template = (
        "targetgroups/_subscribers.html" if is_part(request, "people") else "targetgroups/manage_subscribers.html"
    )
    return render(request, template, context)


@requires(VIEW_SUBSCRIBERS, EXPORT)
@require_POST
def people_csv(request: HttpRequest) -> HttpResponseBase:
    """Export what the page shows: its list, columns, order and search; everybody, not one page."""
    bridge, show = reading.chosen(reading.bridges(), whole(request, "bridge")), _show(request)
    if bridge is None:
        raise Http404
    (text, reason), order = _wanted(request, show), show.ordering(request)
    columns = show.table.shown_to(person(request), attribute_columns(reading.attribute_names(bridge)))
    rows = in_order(show, bridge, order=order, text=text, reason=reason, columns=columns)
    what = {"list": show.word, "reason": reason, "columns": [c.key for c in columns], "is_searched": bool(text)}
    audit.record(person(request), "people.exported", bridge, None, what)
    zone = timezone.get_current_timezone()  # the person's own, which is another's by the time that lines go out
    lines = (
        [_cell(line, column, zone) for column in columns]
        for step in in_steps(rows)
        for line in show.lines(bridge, step)
    )
    return csv_response(f"subscribers-{show.word}-{reason}", [column.label for column in columns], lines)


def _show(request: HttpRequest) -> Show:
    return SHOWS.get(request.GET.get("show", ""), SHOWS["all"])


def _wanted(request: HttpRequest, show: Show) -> tuple[str, str]:
    return request.POST.get("q", "").strip(), show.known_reason(request.GET.get("reason", ""))


def _context(request: HttpRequest, bridge: Bridge, show: Show) -> dict[str, Any]:
    (text, reason), order = _wanted(request, show), show.ordering(request)
    size, extra = page_size(request, show.table), attribute_columns(reading.attribute_names(bridge))
    columns = show.table.shown_to(person(request), extra)
    page = page_of(
        show,
        bridge,
        order=order,
        text=text,
        reason=reason,
        size=size,
        after=whole(request, "after"),
        before=whole(request, "before"),
        columns=columns,
    )
    is_all = not page.has_previous and not page.has_next
    counted = show.rows(bridge, text, reason).order_by().values_list("pk", flat=True)
    return {
        "bridge": bridge,
        "show": show,
        "shows": SHOWS.values(),
        "page": page,
        "lines": show.lines(bridge, page.rows),
        "hits": len(page.rows) if is_all else reading.hits_among(counted),
        "table": show.table,
        "columns": columns,
        "all_columns": [*show.table.columns, *extra],
        "order": order,
        "size": size,
        "text": text,
        "reason": reason,
        "may_export": person(request).may(EXPORT),
    }


def _cell(line: Line, column: Column, zone: tzinfo) -> object:
    who = line.person
    if column.attribute:
        return who.attributes.get(column.attribute, "") if who else ""
    if column.key in ("first_name", "last_name", "name", "local_id"):
        return getattr(who, column.key) if who else ""
    if column.key == "status":
        return line.status or gettext("Active")
    if column.key == "groups":
        return line.group_count
    if column.key == "group":
        return line.group.name if line.group else ""
    if column.key == "since":
        return time_cell(line.since, zone)
    return getattr(line, column.key)
