"""What stands in the cells of the exported lists of mailings: what the page shows, times in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.tables import Column
from targetgroups.views.csv_cells import ERASED
from thrive_sync.lib.csv_export import in_steps, time_cell

from ..choices import GroupRole, LeftOutReason
from ..models import LeftOut, Mailing, Recipient
from ..templatetags.mailing_words import why_left_out
from . import reading

Cells = Callable[[Any, str, tzinfo], tuple[object, ...]]
# Columns that a file tells apart in more cells than the page does.
_HEADERS = {
    "outcome": (gettext_lazy("Outcome"), gettext_lazy("Reason"), gettext_lazy("Mail Server Said")),
    "recipients": (gettext_lazy("Recipients"), gettext_lazy("Sent")),
    "groups": (gettext_lazy("Groups"), gettext_lazy("Groups Left Out")),
}


def header(columns: Iterable[Column]) -> list[str]:
    return [str(label) for column in columns for label in _HEADERS.get(column.key, (column.label,))]


def recipient_lines(columns: Sequence[Column], rows: QuerySet[Recipient]) -> Iterator[list[object]]:
    return _lines(columns, rows, _recipient_cells)


def left_out_lines(columns: Sequence[Column], rows: QuerySet[LeftOut]) -> Iterator[list[object]]:
    return _lines(columns, rows, _left_out_cells)


def would_lines(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[list[object]]:
    """Give a line a person who would get it, or be left out, now."""
    return ([_would_cell(row, column.key) for column in columns] for row in rows)


def mailing_lines(columns: Sequence[Column], mailings: QuerySet[Mailing]) -> Iterator[list[object]]:
    """Give a line a mailing; before its recipients are fixed their number is an empty cell, never 0."""
    zone = timezone.get_current_timezone()  # the person's own, which is another's by the time that lines go out
    return (
        [cell for column in columns for cell in _mailing_cells(mailing, column.key, zone, counts.get(mailing.pk, {}))]
        for step in in_steps(mailings)
        for counts in [reading.recipient_counts(step)]
        for mailing in step
    )


def _lines(columns: Sequence[Column], rows: QuerySet[Any], cells: Cells) -> Iterator[list[object]]:
    zone = timezone.get_current_timezone()
    return (
        [cell for column in columns for cell in cells(row, column.key, zone)] for step in in_steps(rows) for row in step
    )


def _recipient_cells(row: Recipient, key: str, zone: tzinfo) -> tuple[object, ...]:
    if key == "outcome":
        return row.get_outcome_display(), why_left_out(row.reason), row.said
    if key == "name":
        return (f"{row.first_name} {row.last_name}".strip(),)
    return (time_cell(row.settled_at, zone) if key == "when" else getattr(row, key),)


def _left_out_cells(row: LeftOut, key: str, _zone: tzinfo) -> tuple[object, ...]:
    someone = row.subscriber
    if key == "email":
        return (ERASED if someone.do_not_email_at else someone.email,)
    if key == "reason":
        return (row.get_reason_display(),)
    if key == "target_group":
        return (row.target_group.name,)
    return (row.remote_id if key == "remote_id" else getattr(someone, key),)


def _would_cell(row: Any, key: str) -> object:
    if key == "email":
        return ERASED if row.why == LeftOutReason.DO_NOT_EMAIL else row.email
    if key == "target_group":
        return row.target_group.name
    return row.reason_label if key == "reason" else getattr(row, key)


def _mailing_cells(mailing: Mailing, key: str, zone: tzinfo, count: dict[str, int]) -> tuple[object, ...]:
    if key == "recipients":
        return count.get("total", ""), count.get("sent", "")
    if key == "groups":
        return _groups(mailing, GroupRole.TO), _groups(mailing, GroupRole.NOT_TO)
    if key == "when":
        planned = mailing.scheduled_for if mailing.status == "scheduled" else None
        return (time_cell(mailing.finished_at or planned or mailing.moment_at or mailing.changed_at, zone),)
    if key == "by":
        return (mailing.sent_by or mailing.created_by or "",)
    if key == "status":
        return (mailing.get_status_display(),)
    return (time_cell(mailing.created_at, zone) if key == "created" else getattr(mailing, key),)


def _groups(mailing: Mailing, role: GroupRole) -> str:
    return ", ".join(group.target_group.name for group in mailing.groups.all() if group.role == role)
