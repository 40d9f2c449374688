"""Counts > In the search: everybody whom a group's search gave at the last completed sync, and what became of them.

Two tables hold them, members and exclusions. No order is common to both (of whom a rule left out only the Remote ID is
kept), so one stands behind the other, and of the second one reason behind the other: a page reads one index, or several
at a seam.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from accounts.permissions import EXPORT
from accounts.views.asking import person
from accounts.views.tables import Ordering, ordering, page_size
from thrive_sync.lib.paging import KeysetPage, keyset_page

from ..choices import ExclusionReason, OutcomeKind, reason_label
from ..columns import IN_SEARCH
from ..models import Exclusion, Membership, RunOutcome, Subscriber, TargetGroup
from . import run_lists
from .reading import hits_among
from .run_lists import Named, PeopleList
from .sums import kept_count

LIST = PeopleList("in_search", gettext_lazy("In the search"), IN_SEARCH)
# The word in an address for those whom the sync found eligible.
MEMBER = "member"
_MEMBERS, _EXCLUDED = "m", "x"


@dataclass(frozen=True)
class Listed(Named):
    """One line of the list; its cursor tells which part of the list the ID is of."""

    @property
    def cursor(self) -> str:
        return f"{_MEMBERS if isinstance(self.row, Membership) else _EXCLUDED}{self.pk}"

    @property
    def state(self) -> str:
        return state_of(self.row)


@dataclass(frozen=True)
class Part:
    """The members, or who is left out for one reason: rows, the order of their index, and how a page of it is read."""

    word: str  # MEMBER or a word of ExclusionReason
    rows: QuerySet[Any]
    order: list[str]
    lines: Callable[[QuerySet[Any]], list[Listed]]


@dataclass(frozen=True)
class Cursor:
    """The line that a page follows or, read backwards, precedes."""

    word: str  # of its part
    key: tuple[Any, ...]
    is_backwards: bool


@dataclass(frozen=True)
class Asked:
    """What the address and the form ask for."""

    text: str
    reason: str  # MEMBER, a word of ExclusionReason, or "": all
    order: Ordering


def state_of(row: run_lists.Entry) -> str:
    return gettext("Member") if isinstance(row, Membership) else reason_label(row.reason)


def asked_by(request: HttpRequest) -> Asked:
    reason = request.GET.get("reason", "")
    known = (MEMBER, *ExclusionReason.values)
    text = request.POST.get("q", "").strip()
    return Asked(text, reason if reason in known else "", ordering(request, IN_SEARCH, "email"))


def parts_of(group: TargetGroup, asked: Asked) -> list[Part]:
    """Return the parts of the list in the order in which they are shown, each still in its index's own direction."""
    parts = []
    if asked.reason in ("", MEMBER):
        members = _members(group, asked.text)
        parts.append(Part(MEMBER, members, run_lists.MEMBER_ORDERS[asked.order.sort], _member_lines(group)))
    for reason in ExclusionReason.values:
        if asked.reason in ("", reason):
            excluded = run_lists.present_rows(group, text=asked.text, reason=reason)
            parts.append(Part(reason, excluded, ["remote_key"], _lines(group)))  # is there once for each reason
    return parts[::-1] if asked.order.is_descending else parts


def in_order(group: TargetGroup, asked: Asked) -> Iterator[QuerySet[Any]]:
    """Give everybody that the pages of the list show, in its order, a part at a time."""
    for part in parts_of(group, asked):
        rows = part.rows.select_related("subscriber") if part.word == MEMBER else part.rows
        yield run_lists.in_order(rows, part.order, is_descending=asked.order.is_descending)


def list_context(request: HttpRequest, group: TargetGroup) -> dict[str, Any]:
    """Read the page that is asked for, and all that stands around it."""
    asked, size = asked_by(request), page_size(request, IN_SEARCH)
    parts = parts_of(group, asked)
    page = page_of(parts, _cursor(request, group, asked.order), size=size, is_descending=asked.order.is_descending)
    numbers = _numbers(group)
    number = next((count for word, _, count in numbers if word == asked.reason), 0 if asked.reason else None)
    return {
        "label": LIST.label,
        "table": IN_SEARCH,
        "columns": IN_SEARCH.shown_to(person(request)),
        "size": size,
        "order": asked.order,
        "page": page,
        "entries": page.rows,
        "text": asked.text,
        "hits": _hits(page, parts) if asked.text else None,
        "reason": asked.reason,
        "reasons": numbers,
        "all_name": gettext("Everybody"),
        "parts_name": gettext("What became of them"),
        "number": group.search_count if number is None else number,
        "may_export": person(request).may(EXPORT),
    }


def page_of(parts: Sequence[Part], cursor: Cursor | None, *, size: int, is_descending: bool) -> KeysetPage[Listed]:
    """Read a page from part to part; one line more than it shows tells of another page."""
    is_backwards = cursor is not None and cursor.is_backwards
    ahead = list(parts[::-1] if is_backwards else parts)
    words = [part.word for part in ahead]
    if cursor is None or cursor.word not in words:
        cursor = None
    else:
        ahead = ahead[words.index(cursor.word) :]
    rows: list[Listed] = []
    has_more = False
    for part in ahead:
        found = keyset_page(
            part.rows,
            part.order,
            size=size - len(rows),
            after=cursor.key if cursor and cursor.word == part.word else None,
            is_descending=is_descending != is_backwards,
            read=_reader(part),
        )
        rows += found.rows
        if has_more := found.has_next:
            break
    if is_backwards and cursor:
        return KeysetPage(rows[::-1], has_previous=has_more, has_next=True)
    return KeysetPage(rows, has_previous=cursor is not None, has_next=has_more)


def _reader(part: Part) -> Callable[[QuerySet[Any], bool], list[Listed]]:
    return lambda found, _downwards: part.lines(found)


def _cursor(request: HttpRequest, group: TargetGroup, order: Ordering) -> Cursor | None:
    for name, is_backwards in (("after", False), ("before", True)):
        kind, number = request.GET.get(name, "")[:1], request.GET.get(name, "")[1:]
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            continue
        if kind == _MEMBERS:
            key = run_lists.key_of(Membership.objects.all(), run_lists.MEMBER_ORDERS[order.sort], int(number))
            return Cursor(MEMBER, key, is_backwards) if key else None
        if kind == _EXCLUDED:
            rows = Exclusion.objects.filter(target_group=group, pk=int(number))
            found = rows.values_list("reason", "remote_key").first()
            return Cursor(found[0], found[1:], is_backwards) if found else None
    return None


# --- the rows ------------------------------------------------------------------------------------------------------


def _members(group: TargetGroup, text: str) -> QuerySet[Membership]:
    """Return the members whom the search gave: all but those kept on doubt, who stand in rejected rows if at all."""
    members = Membership.objects.filter(target_group=group)
    if kept_count(group) > 0:
        kept = RunOutcome.objects.filter(
            run=group.counted_run_id, kind=OutcomeKind.KEPT, remote_key=OuterRef("subscriber__remote_key")
        )
        members = members.filter(~Exists(kept))
    if not text:
        return members
    people = Subscriber.objects.filter(bridge=group.bridge_id).containing_or_numbered(text)
    few = people.few("pk")
    if few is not None:
        return members.filter(subscriber__in=few or [0])  # nobody has it: an empty list could not be paged
    # Many are met soon on the way through the list.
    return members.filter(Exists(people.filter(pk=OuterRef("subscriber_id"))))


def _member_lines(group: TargetGroup) -> Callable[[QuerySet[Any]], list[Listed]]:
    def lines(found: QuerySet[Any]) -> list[Listed]:
        # The page is cut by the index of its order alone; then its people are read.
        ids = list(found.values_list("subscriber_id", flat=True))
        people = Subscriber.objects.in_bulk(ids)
        shown = [people[one] for one in ids if one in people]
        return [Listed(Membership(target_group=group, subscriber=who), who) for who in shown]

    return lines


def _lines(group: TargetGroup) -> Callable[[QuerySet[Any]], list[Listed]]:
    def lines(found: QuerySet[Any]) -> list[Listed]:
        rows: list[Exclusion] = list(found)
        return [Listed(entry.row, entry.person) for entry in run_lists.named(group.bridge_id, rows)]

    return lines


def _numbers(group: TargetGroup) -> list[tuple[str, str, int]]:
    """Return word, label and number of each part of the search, as Counts has them: they add up to it."""
    if group.search_count is None:
        return []
    excluded = run_lists.reasons_among(group.exclusion_counts)
    return [(MEMBER, gettext("Member"), group.search_count - sum(count for _, _, count in excluded)), *excluded]


def _hits(page: KeysetPage[Listed], parts: Sequence[Part]) -> int:
    if not page.has_previous and not page.has_next:
        return len(page.rows)
    return sum(hits_among(part.rows.values_list(part.order[-1], flat=True)) for part in parts)
