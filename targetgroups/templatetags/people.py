"""Rows of a group's people. Made here, not by a template: a page has hundreds of cells, and as a template they took
four times as long as everything else of the page together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from targetgroups.columns import Column
from targetgroups.models import Membership

from .ui import chip, icon, moment

register = template.Library()
Causes = Mapping[str, str]
Value = Callable[[Membership, Causes], object]


@register.simple_tag
def people_rows(rows: Sequence[Membership], columns: Sequence[Column], causes: Causes) -> SafeString:
    """Write a table row of each member; a column that is no field of a person is an attribute of that label."""
    cells = [_CELLS.get(column.key) or _attribute(column.label) for column in columns]
    row_format = f"<tr>{''.join(markup for markup, _ in cells)}</tr>"
    values = [value for _, value in cells]
    return format_html_join("\n", row_format, ([value(row, causes) for value in values] for row in rows))


def _email(row: Membership, _causes: Causes) -> str:
    return _erased() if row.subscriber.do_not_email_at else row.subscriber.email


def _erased() -> SafeString:
    return format_html('<span class="muted">{}</span>', "(erased)")


def _status(row: Membership, causes: Causes) -> SafeString:
    person = row.subscriber
    cause = "Do Not Email" if person.do_not_email_at else causes.get(person.address_key)
    if cause:
        return chip("warn", "envelope-slash", cause)
    return format_html('<span class="quiet-ok">{} Active</span>', icon("check-circle-fill"))


def _local_id(row: Membership, _causes: Causes) -> int | str:
    return "–" if row.subscriber.local_id is None else row.subscriber.local_id


def _attribute(label: str) -> tuple[str, Value]:
    def value(row: Membership, _causes: Causes) -> object:
        found = row.subscriber.attributes.get(label) if row.subscriber.attributes else None
        return "" if found is None else found

    return '<td class="clip">{}</td>', value


# The markup of a cell, and what stands in it.
_CELLS: dict[str, tuple[str, Value]] = {
    "email": ('<th scope="row" class="mail">{}</th>', _email),
    "first_name": ("<td>{}</td>", lambda row, _: row.subscriber.first_name),
    "last_name": ("<td>{}</td>", lambda row, _: row.subscriber.last_name),
    "name": ("<td>{}</td>", lambda row, _: row.subscriber.name),
    "status": ('<td class="nowrap">{}</td>', _status),
    "subscribed_at": ('<td class="nowrap">{}</td>', lambda row, _: moment(row.subscribed_at)),
    "changed_at": ('<td class="nowrap">{}</td>', lambda row, _: moment(row.subscriber.changed_at)),
    "remote_id": ("<td><code>{}</code></td>", lambda row, _: row.subscriber.remote_id),
    "local_id": ('<td class="num">{}</td>', _local_id),
}
