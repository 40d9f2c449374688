"""Lists as CSV. Posted: it is recorded who took people out of here (R16), and what was searched for is private."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST

import audit
from accounts.decorators import requires
from accounts.permissions import EXPORT, VIEW_MAILINGS, VIEW_SUBSCRIBERS
from accounts.tables import Column, Table
from accounts.views.asking import person
from accounts.views.tables import ordering
from thrive_sync.lib.csv_export import csv_response

from ..columns import MAILINGS, RECIPIENTS, REMOVED, WOULD_BE_REMOVED, WOULD_RECEIVE
from ..forms import MailingFilterForm
from ..models import Mailing
from . import csv_cells, reading, would
from .overview import NEWEST_FIRST
from .parts import the_mailing


@requires(VIEW_MAILINGS, EXPORT)
@require_POST
def mailings_csv(request: HttpRequest) -> HttpResponseBase:
    """Export the list of mailings, narrowed and sorted as it is shown."""
    user, filters, text = person(request), MailingFilterForm(request.GET).chosen(), request.GET.get("q", "").strip()
    order, columns = ordering(request, MAILINGS, NEWEST_FIRST), MAILINGS.shown_to(user)
    mailings = reading.mailings_in_order(filters, text, order)
    what = {"list": "mailings", "filters": filters, "columns": _keys(columns), "is_searched": bool(text)}
    audit.record(user, "mailings.exported", user, None, what)
    return csv_response("mailings", csv_cells.header(columns), csv_cells.mailing_lines(columns, mailings))


@requires(VIEW_MAILINGS, VIEW_SUBSCRIBERS, EXPORT)
@require_POST
def recipients_csv(request: HttpRequest, mailing_id: int) -> HttpResponseBase:
    """Export the recipients, narrowed and sorted as their page is."""
    mailing, text = the_mailing(mailing_id), request.POST.get("q", "").strip()
    if would.is_before(mailing):
        return _would_csv(request, mailing, WOULD_RECEIVE, would.RECEIVING, text)
    outcome, reason = request.GET.get("outcome", ""), request.GET.get("reason", "")
    order, columns = ordering(request, RECIPIENTS, reading.FROZEN_ORDER), RECIPIENTS.shown_to(person(request))
    rows = reading.recipients(mailing, outcome=outcome, reason=reason, text=text)
    rows = reading.in_order(rows, reading.PEOPLE_ORDERS[order.sort], order)
    what = {"list": "recipients", "outcome": outcome, "reason": reason, "is_searched": bool(text)}
    _record(request, mailing, columns, what)
    name = f"mailing-{mailing.pk}-recipients-{outcome}"
    return csv_response(name, csv_cells.header(columns), csv_cells.recipient_lines(columns, rows))


@requires(VIEW_MAILINGS, VIEW_SUBSCRIBERS, EXPORT)
@require_POST
def left_out_csv(request: HttpRequest, mailing_id: int) -> HttpResponseBase:
    """Export who was left out, narrowed and sorted as the page is."""
    mailing, text = the_mailing(mailing_id), request.POST.get("q", "").strip()
    if would.is_before(mailing):
        return _would_csv(request, mailing, WOULD_BE_REMOVED, request.GET.get("reason", ""), text)
    reason, order = request.GET.get("reason", ""), ordering(request, REMOVED, "reason")
    columns = REMOVED.shown_to(person(request))
    rows = reading.left_out(mailing, reason=reason, text=text)
    rows = reading.in_order(rows, reading.PEOPLE_ORDERS[order.sort], order)
    _record(request, mailing, columns, {"list": "left_out", "reason": reason, "is_searched": bool(text)})
    name = f"mailing-{mailing.pk}-removed-{reason}"
    return csv_response(name, csv_cells.header(columns), csv_cells.left_out_lines(columns, rows))


def _would_csv(request: HttpRequest, mailing: Mailing, table: Table, why: str, text: str) -> HttpResponseBase:
    """Export who would get it now, or who would be left out: for one reason, or for each after the other."""
    columns, name = table.shown_to(person(request)), table.name.replace("_", "-")
    whys = [why] if table is WOULD_RECEIVE or why in would.REASONS else list(would.REASONS)
    _record(request, mailing, columns, {"list": table.name, "reason": why, "is_searched": bool(text)})
    rows = chain.from_iterable(would.everybody(mailing, one, text) for one in whys)
    return csv_response(
        f"mailing-{mailing.pk}-{name}", [str(column.label) for column in columns], csv_cells.would_lines(columns, rows)
    )


def _keys(columns: Iterable[Column]) -> list[str]:
    return [column.key for column in columns]


def _record(request: HttpRequest, mailing: Mailing, columns: Iterable[Column], what: dict[str, object]) -> None:
    audit.record(person(request), "mailing.exported", mailing, None, {**what, "columns": _keys(columns)})
