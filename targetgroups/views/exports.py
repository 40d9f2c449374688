"""Lists as CSV. Posted: it is recorded who took people out of here (R16), and what was searched for is private."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

import audit
from accounts.decorators import requires
from accounts.permissions import EXPORT, VIEW_GROUPS, VIEW_SUBSCRIBERS
from accounts.tables import Column
from accounts.views.asking import person
from accounts.views.tables import ordering
from thrive_sync.lib.csv_export import csv_response

from ..columns import EXCLUDED, IN_SEARCH, PEOPLE_OF_RUN, SUBSCRIBERS, SYNC_ACTIVITY, TARGET_GROUPS, attribute_columns
from ..models import TargetGroup
from . import csv_lists, group_list, in_search, reading, run_filters, run_lists
from .csv_cells import list_header, list_lines, member_lines
from .deleted_group import or_what_became_of_it
from .run_people import wanted

ALL = "all"


@requires(VIEW_GROUPS, VIEW_SUBSCRIBERS, EXPORT)
@require_POST
def run_people_csv(request: HttpRequest, run_id: int, kind: str) -> HttpResponseBase:
    """Export one list of a run's people, narrowed as its page is, or all lists one after the other."""
    run, (text, reason) = run_lists.run_or_404(run_id), wanted(request, kind)
    lists = [run_lists.LISTS[word] for word, _, _ in run_lists.lists_of(run) if kind in (word, ALL)]
    if not lists:  # no such list, or its people have been cleared away
        raise Http404
    columns = list(PEOPLE_OF_RUN.columns) if kind == ALL else lists[0].table.shown_to(person(request))
    _record(request, run, list=kind, reason=reason, columns=columns, is_searched=bool(text))
    lines = []
    for one in lists:
        order = ordering(request, one.table, one.default_sort)
        rows = run_lists.rows_of(run, one, text=text, reason=reason)
        ordered = run_lists.in_order(rows, run_lists.order_of(one, order.sort), is_descending=order.is_descending)
        lines.append(list_lines(columns, one, run.bridge_id, ordered))
    return csv_response(f"run-{run.pk}-{kind}-{reason}", list_header(columns), chain.from_iterable(lines))


@requires(VIEW_GROUPS, VIEW_SUBSCRIBERS, EXPORT)
@require_POST
@or_what_became_of_it
def subscribers_csv(request: HttpRequest, group_id: int) -> HttpResponseBase:
    """Export what the Subscribers tab shows: its columns, order, search and filter."""
    group = get_object_or_404(TargetGroup.objects.present(), pk=group_id)
    order, text = ordering(request, SUBSCRIBERS, "email"), request.POST.get("q", "").strip()
    only = reading.only_word(request.GET.get("only", ""))
    columns = SUBSCRIBERS.shown_to(person(request), attribute_columns(group.attribute_names))
    people = reading.people_in_order(group, sort=order.sort, is_descending=order.is_descending, text=text, only=only)
    _record(request, group, list="subscribers", only=only, columns=columns, is_searched=bool(text))
    header = [column.label for column in columns]
    return csv_response(f"group-{group.pk}-subscribers-{only}", header, member_lines(columns, people))


@requires(VIEW_GROUPS, VIEW_SUBSCRIBERS, EXPORT)
@require_POST
@or_what_became_of_it
def excluded_csv(request: HttpRequest, group_id: int) -> HttpResponseBase:
    """Export what the Excluded tab shows."""
    group = get_object_or_404(TargetGroup.objects.present(), pk=group_id)
    one, (text, reason) = run_lists.LISTS["excluded"], wanted(request, "excluded")
    order = ordering(request, EXCLUDED, one.default_sort)
    rows = run_lists.present_rows(group, text=text, reason=reason)
    ordered = run_lists.in_order(rows, run_lists.order_of(one, order.sort), is_descending=order.is_descending)
    columns = EXCLUDED.shown_to(person(request))
    _record(request, group, list="excluded", reason=reason, columns=columns, is_searched=bool(text))
    lines = list_lines(columns, one, group.bridge_id, ordered)
    return csv_response(f"group-{group.pk}-excluded-{reason}", list_header(columns), lines)


@requires(VIEW_GROUPS, VIEW_SUBSCRIBERS, EXPORT)
@require_POST
@or_what_became_of_it
def in_search_csv(request: HttpRequest, group_id: int) -> HttpResponseBase:
    """Export everybody in the group's search, narrowed and sorted as the page is."""
    group, asked = get_object_or_404(TargetGroup.objects.present(), pk=group_id), in_search.asked_by(request)
    columns = IN_SEARCH.shown_to(person(request))
    _record(request, group, list="in_search", reason=asked.reason, columns=columns, is_searched=bool(asked.text))
    parts = in_search.in_order(group, asked)
    lines = chain.from_iterable(list_lines(columns, in_search.LIST, group.bridge_id, rows) for rows in parts)
    return csv_response(f"group-{group.pk}-in-search-{asked.reason}", list_header(columns), lines)


@requires(VIEW_GROUPS, EXPORT)
@require_POST
def groups_csv(request: HttpRequest) -> HttpResponseBase:
    """Export what Target Groups shows, every page of it."""
    user, wanted = person(request), group_list.wanted_by(request, reading.bridges())
    columns = TARGET_GROUPS.shown_to(user)
    groups = group_list.groups_shown(wanted, ordering(request, TARGET_GROUPS, "name"))
    what = {"list": "target_groups", "folder": wanted.folder, "columns": [column.key for column in columns]}
    audit.record(user, "groups.exported", user, None, what | {"is_narrowed": wanted.is_narrowed})
    return csv_response("target-groups", csv_lists.header(columns), csv_lists.group_lines(columns, groups))


@requires(VIEW_GROUPS, EXPORT)
@require_POST
def activity_csv(request: HttpRequest) -> HttpResponseBase:
    """Export what Sync Activity shows, every page of it."""
    user, filters = person(request), run_filters.filters_of(request)
    order, columns = ordering(request, SYNC_ACTIVITY, "-run"), SYNC_ACTIVITY.shown_to(user)
    runs = run_filters.runs_in_order(filters, is_descending=order.is_descending)
    what = {"list": "sync_activity", "filters": filters.names, "columns": [column.key for column in columns]}
    audit.record(user, "runs.exported", user, None, what)
    return csv_response("sync-activity", csv_lists.header(columns), csv_lists.run_lines(columns, runs))


def _record(request: HttpRequest, obj: Model, *, columns: Iterable[Column], **what: Any) -> None:
    """Keep who exported which list; never what was searched for, which may be a person's name."""
    keys = [column.key for column in columns]
    audit.record(person(request), "people.exported", obj, None, {**what, "columns": keys})
