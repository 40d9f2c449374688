"""What stands in the cells of an exported list: what the page shows, times in full and in the person's zone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.tables import Column
from thrive_sync.lib.csv_export import in_steps, time_cell

from ..choices import detail_label, field_label, reason_label
from ..models import Exclusion, Membership, RunOutcome
from . import reading, run_lists

ERASED = gettext_lazy("erased: Do Not Email")


def member_lines(columns: Sequence[Column], people: QuerySet[Membership]) -> Iterator[list[object]]:
    """Give a line a member, with the columns of the Subscribers tab. Only fields that these show are read."""
    zone = timezone.get_current_timezone()
    fields = Fields()
    cells = [_member_cell(column, fields, zone) for column in columns]
    has_status, key = any(column.key == "status" for column in columns), fields.place("subscriber__address_key")
    return (
        [cell(row, suppressed) for cell in cells]
        for step in in_steps(people.values_list(*fields.names))
        for suppressed in [reading.suppressed_addresses(row[key] for row in step) if has_status else {}]
        for row in step
    )


class Fields:
    """The fields that rows are read with, each once, in the order in which they were first asked for."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    @property
    def names(self) -> list[str]:
        return list(self._places)

    def place(self, name: str) -> int:
        return self._places.setdefault(name, len(self._places))


Cell = Callable[[tuple[Any, ...], Mapping[str, str]], object]  # of a row, and of the addresses that are not mailed


def _member_cell(column: Column, fields: Fields, zone: tzinfo) -> Cell:
    key = column.key
    if key == "status":
        left_at, address_key = fields.place("subscriber__do_not_email_at"), fields.place("subscriber__address_key")
        do_not_email, active = gettext("Do Not Email"), gettext("Active")
        return lambda row, causes: do_not_email if row[left_at] else causes.get(row[address_key], active)
    if column.attribute:
        attributes = fields.place("subscriber__attributes")
        return lambda row, _: row[attributes].get(column.attribute, "")
    if key == "name":
        first, last = fields.place("subscriber__first_name"), fields.place("subscriber__last_name")
        return lambda row, _: f"{row[first]} {row[last]}".strip()
    at = fields.place("subscribed_at" if key == "subscribed_at" else f"subscriber__{key}")
    if key in ("subscribed_at", "changed_at"):
        return lambda row, _: time_cell(row[at], zone)
    return lambda row, _: row[at]


def list_header(columns: Iterable[Column]) -> list[str]:
    """Name the columns of a list of a run; what changed takes three."""
    return [
        str(label)
        for column in columns
        for label in (
            (gettext("Field"), gettext("Before"), gettext("After")) if column.key == "changes" else (column.label,)
        )
    ]


def list_lines(
    columns: Sequence[Column], one: run_lists.PeopleList, bridge_id: int, rows: QuerySet[Any]
) -> Iterator[list[object]]:
    """Give a line for each person of a list of a run; of a changed person one for each field."""
    zone = timezone.get_current_timezone()
    return (
        [cell for column in columns for cell in _list_cells(column.key, one, entry, change, zone)]
        for step in in_steps(rows)
        for entry in run_lists.named(bridge_id, step)
        for change in _changes(entry.row)
    )


def _changes(row: run_lists.Entry) -> list[tuple[str, object, object]]:
    changes = row.changes if isinstance(row, RunOutcome) else None
    return [(field_label(name), before, after) for name, (before, after) in (changes or {}).items()] or [("", "", "")]


def _list_cells(
    key: str, one: run_lists.PeopleList, entry: run_lists.Named, change: tuple[str, object, object], zone: tzinfo
) -> tuple[object, ...]:
    row, person = entry.row, entry.person
    if key == "changes":
        return change
    if key == "outcome":
        return (str(one.label),)
    if key == "remote_id":
        return (entry.remote_id,)
    if key == "email":
        return (person.email if person else "",)
    if key == "name":
        return (str(ERASED) if entry.is_erased else person.name if person else "",)
    if key == "reason":
        return (reason_label(row.reason) if one.has_reasons and not isinstance(row, Membership) else "",)
    if key == "state":
        return (gettext("Member") if isinstance(row, Membership) else reason_label(row.reason),)
    if key in ("first_name", "last_name", "local_id"):
        return (getattr(person, key) if person else "",)
    if not isinstance(row, Exclusion):
        return ("",)
    return ({"rows": row.row_count, "detail": detail_label(row.detail), "seen": time_cell(row.seen_at, zone)}[key],)
