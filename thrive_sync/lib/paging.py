"""Keyset paging both ways: any page costs one index read, however deep it lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

Row = TypeVar("Row")
Key = tuple[Any, ...]


@dataclass(frozen=True)
class KeysetPage(Generic[Row]):
    rows: list[Row]
    has_previous: bool
    has_next: bool


def key_of(rows: QuerySet[Any], order: Sequence[str], row_id: int | None) -> Key | None:
    """Read the key of the row that an address names as a cursor; None: none is named, or it is no more."""
    if row_id is None:
        return None
    return (row_id,) if list(order) == ["id"] else rows.filter(pk=row_id).values_list(*order).first()


def keyset_page(
    queryset: QuerySet[Any],
    order: Sequence[str],
    *,
    size: int,
    after: Key | None = None,
    before: Key | None = None,
    is_descending: bool = False,
    read: Callable[[QuerySet[Any], bool], list[Row]] | None = None,
    parts: Sequence[Q] = (),
) -> KeysetPage[Row]:
    """Read the page that follows `after`, or precedes `before`, in the order of these fields.

    The last field of `order` makes it unique, and an index holds all of them in this order. Keys are values of these
    fields; the row they came from need not exist any more. `read` gets the page's queryset, to be used as a subquery,
    and whether it is read downwards; it returns the whole rows, in this order. `parts` narrow to rows that one of them
    fits, each with an index of its own in this order: the beginnings of all of them are read, and merged.
    """
    backwards = before is not None and after is None
    key = before if backwards else after
    downwards = is_descending != backwards
    if key is not None:
        compare = TupleLessThan if downwards else TupleGreaterThan
        queryset = queryset.filter(compare(Tuple(*(F(name) for name in order)), key))
    ordering = [f"-{name}" if downwards else name for name in order]
    if parts:
        first, *others = (queryset.filter(part).order_by(*ordering).values("pk")[: size + 1] for part in parts)
        queryset = queryset.model._default_manager.filter(pk__in=first.union(*others, all=True) if others else first)
    found = queryset.order_by(*ordering)[: size + 1]  # one more than shown tells of another page: no COUNT
    rows = read(found, downwards) if read else list(found)
    has_more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
        return KeysetPage(rows, has_previous=has_more, has_next=True)
    return KeysetPage(rows, has_previous=key is not None, has_next=has_more)
