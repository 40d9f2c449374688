"""Report: who got it and who was left out, as numbers that add up and open their people (R15)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import EXPORT, SEND_MAILING, VIEW_MAILINGS, VIEW_SUBSCRIBERS
from accounts.tables import Table
from accounts.views.asking import cursor, is_part, person
from accounts.views.tables import ordering, page_size
from thrive_sync.lib.words import number

from .. import enqueue
from ..columns import RECIPIENTS, REMOVED, WOULD_BE_REMOVED, WOULD_RECEIVE
from ..exceptions import MailingError
from ..models import Mailing
from ..querysets import figures_of
from . import reading, would
from .minutes import minutes_of
from .overview import estimate_of
from .parts import shared, show, the_mailing
from .sums import left_out_filters, people_sums, recipient_filters, recipient_sums


@requires(VIEW_MAILINGS)
@require_GET
def report(request: HttpRequest, mailing_id: int) -> HttpResponse:
    mailing = the_mailing(mailing_id)
    context: dict[str, Any] = {"figures": None, "poll_seconds": None}
    if mailing.is_frozen:
        figures = figures_of(mailing)
        context = {
            "figures": figures,
            "people_sums": people_sums(figures),
            "recipient_sums": recipient_sums(figures),
            "groups": reading.groups_of(mailing),
            "poll_seconds": reading.poll_seconds(mailing, timezone.now()),
            "as_of": timezone.now(),
            "minutes": minutes_of(mailing, timezone.now()),
        }
    if is_part(request, "report"):
        return render(request, "mailings/_report.html", shared(request, mailing, "report") | context)
    return show(request, mailing, "report", **context)


@requires(VIEW_MAILINGS, VIEW_SUBSCRIBERS)
@require_http_methods(["GET", "POST"])
def recipients(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """List who receives it. A search is posted: what is looked for may not stand in an address."""
    mailing = the_mailing(mailing_id)
    if would.is_before(mailing):
        return _would(request, mailing, WOULD_RECEIVE, would.RECEIVING)
    outcome, reason = request.GET.get("outcome", ""), request.GET.get("reason", "")
    text = request.POST.get("q", "").strip()
    rows = reading.recipients(mailing, outcome=outcome, reason=reason, text=text)
    context = {"outcome": outcome, "reason": reason, "text": text, "filters": recipient_filters(figures_of(mailing))}
    context |= _page(request, rows, RECIPIENTS, reading.FROZEN_ORDER)
    return _people(request, "recipients", shared(request, mailing, "report") | context)


@requires(VIEW_MAILINGS, VIEW_SUBSCRIBERS)
@require_http_methods(["GET", "POST"])
def left_out(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """List "Subscribers Removed": the groups' members who were not made recipients, by reason."""
    mailing = the_mailing(mailing_id)
    if would.is_before(mailing):
        return _would(request, mailing, WOULD_BE_REMOVED, request.GET.get("reason", ""))
    reason, text = request.GET.get("reason", ""), request.POST.get("q", "").strip()
    rows = reading.left_out(mailing, reason=reason, text=text)
    context = {"outcome": "", "reason": reason, "text": text, "filters": left_out_filters(figures_of(mailing))}
    context |= _page(request, rows, REMOVED, "reason")
    return _people(request, "left_out", shared(request, mailing, "report") | context)


@requires(SEND_MAILING)
@require_POST
def decide(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Settle the recipients of whom nobody knows whether they got it, as a person decides (R13)."""
    mailing, resend = the_mailing(mailing_id), request.POST.get("decision") == "resend"
    if request.POST.get("decision") not in ("resend", "sent"):
        return redirect("mailings:report", mailing_id)
    try:
        count = enqueue.decide_unknown(mailing, person(request), resend=resend)
    except MailingError as error:
        messages.error(request, error.sentence)
    else:
        again = ngettext("%(count)s recipient will get it again.", "%(count)s recipients will get it again.", count)
        as_sent = ngettext("%(count)s recipient now counts as sent.", "%(count)s recipients now count as sent.", count)
        messages.success(request, (again if resend else as_sent) % {"count": number(count)})
    return redirect("mailings:report", mailing_id)


def _page(request: HttpRequest, rows: QuerySet[Any], table: Table, default: str) -> dict[str, Any]:
    order, size = ordering(request, table, default), page_size(request, table)
    page = reading.people_page(rows, order, size=size, **cursor(request))
    columns = table.shown_to(person(request))
    return {"page": page, "order": order, "size": size, "table": table, "columns": columns}


def _would(request: HttpRequest, mailing: Mailing, table: Table, why: str) -> HttpResponse:
    """List who would get it, or be left out for a reason, if it were frozen now."""
    user, text, size = person(request), request.POST.get("q", "").strip(), page_size(request, table)
    is_known = table is WOULD_RECEIVE or (is_part(request, "people") and why in would.REASONS)
    reasons = [] if is_known else would.reasons(mailing)
    if table is WOULD_BE_REMOVED and why not in would.REASONS:
        why = reasons[0].word if reasons else would.REASONS[0].value
    page = would.page(mailing, why, text, size=size, **cursor(request))
    context = {"page": page, "order": ordering(request, table, "email"), "size": size, "table": table, "text": text}
    context |= {"columns": table.shown_to(user), "outcome": "", "reason": why, "reasons": reasons}
    context |= {"list": "recipients" if table is WOULD_RECEIVE else "left_out", "as_of": timezone.now()}
    context |= {"estimate": estimate_of(mailing), "may_export": user.may(EXPORT)}
    template = "mailings/_would.html" if is_part(request, "people") else "mailings/would.html"
    return render(request, template, shared(request, mailing, "send") | context)


def _people(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    template = f"mailings/_{name}.html" if is_part(request, "people") else "mailings/people.html"
    return render(
        request,
        template,
        context | {"list": name, "body": f"mailings/_{name}.html", "may_export": person(request).may(EXPORT)},
    )
