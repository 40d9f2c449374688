"""Admin > Bridge Configuration > Writeback List: what MemberSuite is told of opt-outs, and what it does not know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

import audit
from accounts.decorators import requires
from accounts.permissions import EXPORT, VIEW_BRIDGE, VIEW_SUBSCRIBERS, WRITEBACK
from accounts.tables import Column, Table
from accounts.views.asking import is_part, person, whole
from accounts.views.tables import ordering, page_size
from thrive_sync.lib.csv_export import csv_response, in_steps, time_cell
from thrive_sync.lib.paging import KeysetPage, keyset_page
from thrive_sync.lib.words import number

from .. import enqueue
from ..choices import WritebackState
from ..columns import STILL_MAILABLE, WRITEBACKS
from ..exceptions import NotAllowedNow
from ..models import Bridge, Subscriber, Writeback
from . import bridge_reading, writeback_figures
from .reading import hits_among
from .run_lists import matching

STILL = "still_mailable"
POLL_SECONDS = 2
_OF_PEOPLE = frozenset({"email", "name", "local_id"})  # columns that tell more than a Remote ID


@dataclass(frozen=True)
class Line:
    """A record: its wish, where the list is of wishes, and the person as far as kept."""

    pk: int
    remote_id: str
    row: Writeback | None
    person: Subscriber | None


@requires(VIEW_BRIDGE)
@require_http_methods(["GET", "POST"])
def writeback_list(request: HttpRequest, bridge_id: int) -> HttpResponse:
    """Show what is pending, completed and failed. A search is posted: no address may hold what is sought."""
    bridge, state = get_object_or_404(Bridge, pk=bridge_id), _state(request)
    figures, text = writeback_figures.of(bridge), request.POST.get("q", "").strip()
    table = _table(state)
    order = ordering(request, table, "-queued")
    rows, is_descending = _rows(request, bridge, state, text), state != STILL and order.is_descending
    after, before = whole(request, "after"), whole(request, "before")
    page: KeysetPage[Any] = keyset_page(
        rows,
        ["id"],
        size=page_size(request, table),
        after=(after,) if after else None,
        before=(before,) if before else None,
        is_descending=is_descending,
    )
    is_moving = bool(figures.pending) and bridge.writes_back and not text
    context = {
        "bridge": bridge,
        "bridges": bridge_reading.associations(),
        "figures": figures,
        "reason": state,
        "text": text,
        "hits": hits_among(rows.values_list("pk", flat=True)) if text else None,
        "table": table,
        "columns": _columns(request, table),
        "size": page_size(request, table),
        "order": order,
        "page": page,
        "lines": _lines(bridge, page.rows),
        "poll_seconds": POLL_SECONDS if is_moving else None,
        "may_write": person(request).may(WRITEBACK),
        "sees_people": person(request).may(VIEW_SUBSCRIBERS),
        "may_export": person(request).may(EXPORT) and person(request).may(VIEW_SUBSCRIBERS),
    }
    template = "targetgroups/_writebacks.html" if is_part(request, "people") else "targetgroups/writebacks.html"
    return render(request, template, context)


@requires(VIEW_BRIDGE, VIEW_SUBSCRIBERS, EXPORT)
@require_POST
def writebacks_csv(request: HttpRequest, bridge_id: int) -> HttpResponseBase:
    """Export what the list shows, every page of it."""
    bridge, state = get_object_or_404(Bridge, pk=bridge_id), _state(request)
    table, text = _table(state), request.POST.get("q", "").strip()
    is_descending = state != STILL and ordering(request, table, "-queued").is_descending
    rows = _rows(request, bridge, state, text).order_by("-id" if is_descending else "id")
    columns = _columns(request, table)
    what = {"list": "writebacks", "state": state, "columns": [one.key for one in columns], "is_searched": bool(text)}
    audit.record(person(request), "people.exported", bridge, None, what)
    zone = timezone.get_current_timezone()
    lines = (
        [_cell(line, column.key, zone) for column in columns]
        for step in in_steps(rows)
        for line in _lines(bridge, step)
    )
    return csv_response(f"writeback-{state}", [column.label for column in columns], lines)


@requires(VIEW_BRIDGE, WRITEBACK)
@require_POST
def retry(request: HttpRequest, bridge_id: int) -> HttpResponse:
    """Queue one failed writeback again, or all of them."""
    bridge, one = get_object_or_404(Bridge, pk=bridge_id), request.POST.get("writeback", "")
    try:
        queued = enqueue.request_write_again(bridge, person(request), int(one) if one.isdecimal() else None)
        messages.success(request, gettext("Queued again: %(count)s.") % {"count": number(queued)})
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
    return redirect("targetgroups:writebacks", bridge_id=bridge.pk)


@requires(VIEW_BRIDGE, WRITEBACK)
@require_POST
def queue(request: HttpRequest, bridge_id: int) -> HttpResponse:
    """Ask for the opt-outs that MemberSuite does not know of to be written."""
    bridge = get_object_or_404(Bridge, pk=bridge_id)
    try:
        enqueue.request_still_mailable(bridge, person(request))
        messages.success(request, gettext("They are being queued. The list below shows each as it is written."))
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
    return redirect("targetgroups:writebacks", bridge_id=bridge.pk)


@requires(VIEW_BRIDGE, WRITEBACK)
@require_POST
def check(request: HttpRequest, bridge_id: int) -> HttpResponse:
    """Ask for the daily check now."""
    bridge = get_object_or_404(Bridge, pk=bridge_id)
    enqueue.request_opt_out_check(bridge, person(request))
    messages.success(request, gettext("It is being counted; reload in a moment."))
    return redirect("targetgroups:writebacks", bridge_id=bridge.pk)


def _state(request: HttpRequest) -> str:
    """Return what the list is narrowed to, or "" for what an old address may say."""
    word = request.GET.get("state", "")
    if word == STILL:  # whoever is in it is told by name and address alone
        return STILL if person(request).may(VIEW_SUBSCRIBERS) else ""
    return word if word in WritebackState.values else ""


def _table(state: str) -> Table:
    return STILL_MAILABLE if state == STILL else WRITEBACKS


def _columns(request: HttpRequest, table: Table) -> list[Column]:
    columns = table.shown_to(person(request))
    return columns if person(request).may(VIEW_SUBSCRIBERS) else [one for one in columns if one.key not in _OF_PEOPLE]


def _rows(request: HttpRequest, bridge: Bridge, state: str, text: str) -> QuerySet[Any]:
    if not person(request).may(VIEW_SUBSCRIBERS):
        text = ""  # what is found would tell whose record it is
    if state == STILL:
        people = Subscriber.objects.still_mailable(bridge)
        return people.containing_or_numbered(text) if text else people
    rows = Writeback.objects.filter(bridge=bridge)
    return matching(rows.filter(state=state) if state else rows, bridge.pk, text)


def _lines(bridge: Bridge, rows: Sequence[Any]) -> list[Line]:
    """Join the people of some rows, as far as they are kept."""
    wishes = [row for row in rows if isinstance(row, Writeback)]
    people: Iterable[Subscriber] = [row for row in rows if isinstance(row, Subscriber)]
    if wishes:
        people = Subscriber.objects.filter(bridge=bridge, remote_key__in={row.remote_key for row in wishes})
    by_key = {one.remote_key: one for one in people}
    return [
        Line(row.pk, row.remote_id, row if isinstance(row, Writeback) else None, by_key.get(row.remote_key))
        for row in rows
    ]


def _cell(line: Line, key: str, zone: tzinfo) -> object:
    row, who = line.row, line.person
    if key == "remote_id":
        return line.remote_id
    if key in _OF_PEOPLE:
        return getattr(who, key) if who else ""
    if row is None:
        return ""
    cells: dict[str, object] = {
        "wish": row.wish,
        "state": f"{row.get_state_display()}: {row.reason}" if row.reason else row.get_state_display(),
        "cause": row.get_cause_display(),
        "queued": time_cell(row.queued_at, zone),
        "finished": time_cell(row.finished_at, zone),
        "attempts": row.attempts,
        "said": row.remote_said,
    }
    return cells[key]
