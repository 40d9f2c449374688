"""Info of one target group: a dialog over the list and a page of its own, with the same parts."""

from __future__ import annotations

import contextlib
from typing import Any

from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import EXPORT, SYNC, VIEW_GROUPS, VIEW_SUBSCRIBERS
from accounts.views.asking import is_part, person, whole
from accounts.views.tables import ordering, page_size
from thrive_sync.lib.statements import ById
from thrive_sync.lib.words import Words

from .. import enqueue
from ..choices import RECEIVING, NotReceiving, RunKind, Trigger
from ..columns import SUBSCRIBERS, attribute_columns
from ..exceptions import NotAllowedNow
from ..models import SyncRun, TargetGroup
from . import in_search as list_in_search
from . import reading, run_lists
from .count_history import counts_over_time
from .deleted_group import or_what_became_of_it
from .groups import live_context
from .run_people import list_context, wanted
from .sums import group_sums, receiving_sums

PAGE = 50
ONLY: dict[str, Words] = {RECEIVING: gettext_lazy("Will receive a mailing"), **dict(NotReceiving.choices)}
TABS = (
    ("overview", gettext_lazy("Overview"), "targetgroups:info"),
    ("counts", gettext_lazy("Counts"), "targetgroups:counts"),
    ("subscribers", gettext_lazy("Subscribers"), "targetgroups:subscribers"),
    ("excluded", gettext_lazy("Excluded"), "targetgroups:excluded"),
    ("history", gettext_lazy("History"), "targetgroups:history"),
    (
        "mailings",
        gettext_lazy("Active Mailings"),
        "mailings:group_mailings",
    ),  # by name alone: that room leans on this one
)


@requires(VIEW_GROUPS)
@require_POST
@or_what_became_of_it
def open_info(request: HttpRequest, group_id: int) -> HttpResponse:
    """Ask for a sync, as choosing Info does, and show Info; without the permission Info says why nothing syncs."""
    group = _group(group_id, "bridge")
    if person(request).may(SYNC) and group.is_runnable:
        enqueue.request_sync(group, Trigger.INFO, person(request))
    return redirect("targetgroups:info", group_id=group.pk)


@requires(VIEW_GROUPS)
@require_GET
@or_what_became_of_it
def overview(request: HttpRequest, group_id: int) -> HttpResponse:
    group = _group(group_id, "folder", "counted_run")
    counted_run = group.counted_run
    asked_by = reading.requests_of(counted_run).first() if counted_run else None
    return _tab(request, group, "overview", counted_run=counted_run, asked_by=asked_by)


@requires(VIEW_GROUPS)
@require_GET
@or_what_became_of_it
def live(request: HttpRequest, group_id: int) -> HttpResponse:
    """Render the live strip for its polling; when the run is over, the tab below reloads itself once."""
    context = live_context(request, _group(group_id))
    response = render(request, "targetgroups/_live.html", context)
    if context["poll_seconds"] is None:
        response["HX-Trigger"] = "sync-ended"
    return response


@requires(VIEW_GROUPS)
@require_GET
@or_what_became_of_it
def counts(request: HttpRequest, group_id: int) -> HttpResponse:
    group = _group(group_id)
    elsewhere, counted = reading.now_do_not_email_count(group), reading.receiving_count(group)
    is_outdated = counted is None or counted.is_outdated or counted.not_receiving_counts["do_not_email"] != elsewhere
    context = {
        "sums": group_sums(group),
        "elsewhere": elsewhere,
        "receiving": counted,
        "receiving_sums": receiving_sums(counted) if counted else [],
        "recount_seconds": 2 if is_outdated and group.member_count is not None else None,
    }
    if is_part(request, "receiving"):
        return render(request, "targetgroups/_receiving.html", {"group": group, **context})
    return _tab(request, group, "counts", **context)


@requires(VIEW_GROUPS, VIEW_SUBSCRIBERS)
@require_http_methods(["GET", "POST"])
@or_what_became_of_it
def subscribers(request: HttpRequest, group_id: int) -> HttpResponse:
    """Show a page of the group's people. A search is posted: what is looked for may not stand in an address."""
    group, user = _group(group_id), person(request)
    order, text = ordering(request, SUBSCRIBERS, "email"), request.POST.get("q", "").strip()
    size, extra = page_size(request, SUBSCRIBERS), attribute_columns(group.attribute_names)
    only = reading.only_word(request.GET.get("only", ""))
    found = reading.found_people(group, text, only)
    page = reading.people_page(
        found,
        sort=order.sort,
        is_descending=order.is_descending,
        size=size,
        after=whole(request, "after"),
        before=whole(request, "before"),
    )
    context = {
        "page": page,
        "table": SUBSCRIBERS,
        "columns": SUBSCRIBERS.shown_to(user, extra),
        "all_columns": [*SUBSCRIBERS.columns, *extra],
        "order": order,
        "size": size,
        "text": text,
        "only": only,
        "only_label": ONLY.get(only, ""),
        "hits": reading.hits_of(page, found) if text else None,
        "may_export": user.may(EXPORT),
    }
    if is_part(request, "people"):
        return render(request, "targetgroups/_people.html", {"group": group, **context})
    return _tab(request, group, "subscribers", **context)


@requires(VIEW_GROUPS, VIEW_SUBSCRIBERS)
@require_http_methods(["GET", "POST"])
@or_what_became_of_it
def excluded(request: HttpRequest, group_id: int) -> HttpResponse:
    """List who is left out of the group now. A search is posted, as among the subscribers."""
    group, (text, reason) = _group(group_id), wanted(request, "excluded")
    rows = run_lists.present_rows(group, text=text, reason=reason)
    context = list_context(request, group.bridge_id, run_lists.LISTS["excluded"], rows) | {
        "reasons": run_lists.reasons_among(group.exclusion_counts),
        "number": group.exclusion_counts.get(reason) if reason else None,
    }
    if is_part(request, "people"):
        return render(request, "targetgroups/_excluded.html", {"group": group, **context})
    return _tab(request, group, "excluded", **context)


@requires(VIEW_GROUPS, VIEW_SUBSCRIBERS)
@require_http_methods(["GET", "POST"])
@or_what_became_of_it
def in_search(request: HttpRequest, group_id: int) -> HttpResponse:
    """List everybody in the group's search, behind the number of Counts. A search is posted, as among the others."""
    group = _group(group_id)
    context = list_in_search.list_context(request, group)
    if is_part(request, "people"):
        return render(request, "targetgroups/_in_search_people.html", {"group": group, **context})
    return _tab(request, group, "counts", tab_template="targetgroups/_in_search.html", **context)


@requires(VIEW_GROUPS)
@require_GET
@or_what_became_of_it
def history(request: HttpRequest, group_id: int) -> HttpResponse:
    group = _group(group_id)
    filters = {"group": group.pk, "kind": RunKind.GROUP}
    page = reading.activity_page(filters, size=PAGE, after=whole(request, "after"), before=whole(request, "before"))
    return _tab(request, group, "history", page=page, points=counts_over_time(group))


@requires(VIEW_GROUPS, SYNC)
@require_POST
@or_what_became_of_it
def cancel(request: HttpRequest, group_id: int, run_id: int) -> HttpResponse:
    group = _group(group_id)
    with contextlib.suppress(NotAllowedNow):  # it ended between the page and the click: the strip shows how
        enqueue.request_cancel(get_object_or_404(SyncRun, pk=run_id, target_group=group), person(request))
    if is_part(request, "info-live"):
        return render(request, "targetgroups/_live.html", live_context(request, group))
    return redirect("targetgroups:info", group_id=group.pk)


def _group(group_id: int, *beside: str) -> TargetGroup:
    """Read a group with what its head and its lists of people need, and what else this part of Info shows of it."""
    if beside:
        return get_object_or_404(_shown(group_id).select_related(*beside))
    for group in _GROUP.rows(group_id):
        return group
    raise Http404


def _shown(group_id: int) -> QuerySet[TargetGroup]:
    groups = TargetGroup.objects.present().with_same_name_flags().filter(pk=group_id).order_by()
    return groups.annotate(record_address=F("bridge__record_address"))


_GROUP = ById(_shown)


def _tab(request: HttpRequest, group: TargetGroup, name: str, **context: Any) -> HttpResponse:
    is_alone = not is_part(request, "info", "sheet-body")
    everything = live_context(request, group) | {"tab": name, "tabs": _tabs(request), **context}
    return render(request, "targetgroups/info.html" if is_alone else "targetgroups/_info.html", everything)


def _tabs(request: HttpRequest) -> list[tuple[str, Words, str]]:
    sees_people = person(request).may(VIEW_SUBSCRIBERS)
    return [tab for tab in TABS if sees_people or tab[0] not in ("subscribers", "excluded")]
