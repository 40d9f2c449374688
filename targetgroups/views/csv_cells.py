"""What stands in the cells of an exported list: what the page shows, times in full and in the person's zone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from thrive_sync.lib.csv_export import in_steps

from ..choices import field_label, reason_label
from ..columns import ATTRIBUTE, Column
from ..models import Exclusion, Membership, RunOutcome
from . import reading, run_lists

ERASED = "erased: Do Not Email"


def member_lines(columns: Sequence[Column], people: QuerySet[Membership]) -> Iterator[list[object]]:
    """Give a line a member, with the columns of the Subscribers tab."""
    zone = timezone.get_current_timezone()
    return (
        [_member_cell(column.key, row, suppressed, zone) for column in columns]
        for step in in_steps(people)
        for suppressed in [reading.suppressed_addresses(row.subscriber for row in step)]
        for row in step
    )


def _member_cell(key: str, row: Membership, suppressed: Mapping[str, str], zone: tzinfo) -> object:
    person = row.subscriber
    if key == "status":
        if person.do_not_email_at:
            return "Do Not Email"
        return suppressed.get(person.address_key, "Active")
    if key.startswith(ATTRIBUTE):
        return person.attributes.get(key.removeprefix(ATTRIBUTE), "")
    value = row.subscribed_at if key == "subscribed_at" else getattr(person, key)
    return time_cell(value, zone) if isinstance(value, datetime) else value


def list_header(columns: Iterable[Column]) -> list[str]:
    """Name the columns of a list of a run; what changed takes three."""
    return [
        label
        for column in columns
        for label in (("Field", "Before", "After") if column.key == "changes" else (column.label,))
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
        return (one.label,)
    if key == "remote_id":
        return (entry.remote_id,)
    if key == "email":
        return (person.email if person else "",)
    if key == "name":
        return (ERASED if entry.is_erased else person.name if person else "",)
    if key == "reason":
        return (reason_label(row.reason) if one.has_reasons and not isinstance(row, Membership) else "",)
    if key in ("first_name", "last_name", "local_id"):
        return (getattr(person, key) if person else "",)
    if not isinstance(row, Exclusion):
        return ("",)
    return ({"rows": row.row_count, "detail": row.detail, "seen": time_cell(row.seen_at, zone)}[key],)


def time_cell(value: datetime | None, zone: tzinfo) -> str:
    return value.astimezone(zone).isoformat(sep=" ", timespec="seconds") if value else ""
