"""Subscribers > Suppressions: every address that is not mailed, and why; added and lifted by hand with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

import audit
from accounts.decorators import requires
from accounts.permissions import EDIT_SUBSCRIBERS, EXPORT, VIEW_SUBSCRIBERS
from accounts.views.asking import cursor, is_part, person
from accounts.views.tables import ordering, page_size
from thrive_sync.lib.csv_export import csv_response, in_steps
from thrive_sync.lib.words import number

from .. import by_hand, rooms
from ..choices import SuppressionCause
from ..exceptions import NotAllowedNow
from ..forms import SuppressionForm
from . import reading, suppression_list
from .suppression_list import LISTINGS, Listing


@requires(VIEW_SUBSCRIBERS)
@require_http_methods(["GET", "POST"])
def suppressions(request: HttpRequest) -> HttpResponse:
    """Show a page of the list. A search is posted: an address may not stand in the page's own."""
    part = "targetgroups/_suppressions.html"
    template = part if is_part(request, "people") else "targetgroups/suppressions.html"
    return render(request, template, _context(request))


@requires(VIEW_SUBSCRIBERS, EXPORT)
@require_POST
def suppressions_csv(request: HttpRequest) -> HttpResponseBase:
    """Export what the page shows, all of it: its list, cause, columns, order and search."""
    listing, cause, text = _wanted(request)
    columns = listing.table.shown_to(person(request))
    rows = suppression_list.found(listing, cause, text)
    rows = suppression_list.in_order(listing, rows, ordering(request, listing.table, listing.default_order))
    what = {"list": listing.word, "cause": cause, "columns": [c.key for c in columns], "is_searched": bool(text)}
    audit.record(person(request), "suppressions.exported", person(request), None, what)
    zone = timezone.get_current_timezone()  # the person's own, which is another's by the time that lines go out
    lines = (
        [suppression_list.cell(line, column, zone) for column in columns]
        for step in in_steps(rows)
        for line in suppression_list.lines(step)
    )
    name = f"suppressions-{listing.word}-{cause}"
    return csv_response(name, [column.label for column in columns], lines)


@requires(VIEW_SUBSCRIBERS, EDIT_SUBSCRIBERS)
@require_http_methods(["GET", "POST"])
def suppress(request: HttpRequest) -> HttpResponse:
    """Suppress pasted addresses; lines that are none stay in the form, to be corrected."""
    form = SuppressionForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return _form(request, form)
    given = form.cleaned_data
    added = by_hand.suppress(form.good, SuppressionCause(given["cause"]), given["note"], person(request))
    if form.good:
        known = len(form.good) - len(added)
        level = messages.SUCCESS if added else messages.INFO
        said = ngettext("%(count)s address suppressed.", "%(count)s addresses suppressed.", len(added))
        messages.add_message(request, level, said % {"count": number(len(added))} + _known(known))
    return _form(request, form.with_the_wrong()) if form.wrong else redirect("targetgroups:suppressions")


@requires(VIEW_SUBSCRIBERS, EDIT_SUBSCRIBERS)
@require_POST
def lift(request: HttpRequest) -> HttpResponse:
    """Say what would be lifted and ask why; then, with a reason, lift."""
    ids = _ticked(request)
    rows = by_hand.liftable(ids)
    if not rows:
        gone = gettext(
            "None of these can be lifted: somebody has lifted them, or it is an erasure, which can't be taken back."
        )
        messages.warning(request, gone if ids else gettext("Tick at least one suppression first."))
        return redirect(_back(request))
    if "reason" not in request.POST:
        return _ask(request, rows)
    try:
        lifted = by_hand.lift(
            ids, request.POST["reason"], person(request), is_asked_for=request.POST.get("is_asked_for") == "yes"
        )
    except NotAllowedNow as error:
        return _ask(request, rows, problem=error.sentence)
    still = by_hand.still_kept(lifted)
    said = ngettext("%(count)s suppression lifted.", "%(count)s suppressions lifted.", len(lifted))
    messages.success(request, said % {"count": number(len(lifted))} + _still(still))
    return redirect(_back(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    listing, cause, text = _wanted(request)
    order, size = ordering(request, listing.table, listing.default_order), page_size(request, listing.table)
    rows, user = suppression_list.found(listing, cause, text), person(request)
    page = suppression_list.page_of(listing, rows, order=order, size=size, **cursor(request))
    is_all = not page.has_previous and not page.has_next
    return {
        "listing": listing,
        "listings": LISTINGS.values(),
        "causes": SuppressionCause.choices,
        "reason": cause,
        "text": text,
        "page": page,
        "lines": suppression_list.lines(page.rows),
        "hits": len(page.rows) if is_all else reading.hits_among(rows.order_by().values_list("pk", flat=True)),
        "table": listing.table,
        "columns": listing.table.shown_to(user),
        "all_columns": listing.table.columns,
        "order": order,
        "size": size,
        "unplaced": rooms.unplaced(),
        "may_edit": user.may(EDIT_SUBSCRIBERS),
        "may_export": user.may(EXPORT),
    }


def _wanted(request: HttpRequest) -> tuple[Listing, str, str]:
    cause = request.GET.get("cause", "")
    listing = LISTINGS.get(request.GET.get("show", ""), LISTINGS["in_force"])
    return listing, cause if cause in SuppressionCause.values else "", request.POST.get("q", "").strip()


def _ticked(request: HttpRequest) -> list[int]:
    words = request.POST.getlist("suppression")[: by_hand.MOST_LIFTED]
    return [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19]


def _back(request: HttpRequest) -> str:
    filters: QueryDict = request.GET.copy()
    for name in ("after", "before"):
        filters.pop(name, None)
    return reverse("targetgroups:suppressions") + (f"?{filters.urlencode()}" if filters else "")


def _form(request: HttpRequest, form: SuppressionForm) -> HttpResponse:
    return render(request, "targetgroups/suppress.html", {"form": form}, status=422 if form.errors else 200)


def _ask(request: HttpRequest, rows: list[Any], problem: str = "") -> HttpResponse:
    context = {
        "rows": rows,
        "is_their_word": by_hand.is_their_word(rows),
        "back": _back(request),
        "problem": problem,
        "typed": request.POST,
        "longest_reason": by_hand.LONGEST_REASON,
    }
    return render(request, "targetgroups/lift.html", context, status=422 if problem else 200)


def _known(count: int) -> str:
    # Translators: after how many addresses were suppressed.
    told = ngettext("%(count)s already was, for this cause.", "%(count)s already were, for this cause.", count)
    return f" {told % {'count': number(count)}}" if count else ""


def _still(count: int) -> str:
    told = ngettext(
        "Another cause still keeps %(count)s address of them from being mailed.",
        "Another cause still keeps %(count)s addresses of them from being mailed.",
        count,
    )
    return f" {told % {'count': number(count)}}" if count else ""
