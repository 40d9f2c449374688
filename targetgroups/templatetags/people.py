"""Rows of a group's people. Made here, not by a template: a page has hundreds of cells, and as a template they took
four times as long as everything else of the page together."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.tables import ATTRIBUTE, Column
from targetgroups.choices import SuppressionCause
from targetgroups.listed import ListedPerson
from targetgroups.models import Subscriber, Suppression
from targetgroups.models.bridge import address_of_record

from .ui import chip, icon, moments

register = template.Library()
# cause -> (tone, icon)
CAUSE_LOOK = {
    SuppressionCause.OPT_OUT: ("warn", "envelope-slash"),
    SuppressionCause.HARD_BOUNCE: ("bad", "x-circle-fill"),
    SuppressionCause.SOFT_BOUNCES: ("warn", "envelope-exclamation"),
    SuppressionCause.COMPLAINT: ("bad", "exclamation-triangle-fill"),
    SuppressionCause.MANUAL: ("quiet", "person-x"),
    SuppressionCause.ERASED: ("quiet", "person-dash"),
}
Cell = Callable[[ListedPerson, Mapping[str, Any]], str]


@register.simple_tag
def people_rows(rows: Sequence[ListedPerson], columns: Sequence[Column], record_address: str = "") -> SafeString:
    """Write a table row of each member; a column that is no field of a person is an attribute.

    Every cell escapes what is not its own markup: nothing does it afterwards. With the bridge's `record_address` each
    Remote ID leads to its record.
    """
    known = _cells(record_address)
    cells = [known.get(column.key) or _attribute(column.attribute) for column in columns]
    has_attributes = any(column.key.startswith(ATTRIBUTE) for column in columns)
    lines = []
    for row in rows:
        attributes = json.loads(row.attributes) if has_attributes else {}
        lines.append(f"<tr>{''.join([cell(row, attributes) for cell in cells])}</tr>")
    return SafeString("\n".join(lines))


@register.simple_tag
def remote_id(value: str, record_address: str | None = "", person: Subscriber | None = None) -> SafeString:
    """Write a Remote ID, which leads to the person's page where they are given, and beside it a link to the record."""
    shown = f"<code>{escape(value or gettext('(none)'))}</code>"
    if person:
        shown = f'<a href="{reverse("targetgroups:subscriber", args=[person.pk])}">{shown}</a>'
    return SafeString(_with_record(shown, value, record_address or ""))


def _with_record(shown: str, value: str, record_address: str) -> str:
    """Put a link to the record in MemberSuite beside what is shown, where its address is known."""
    address = address_of_record(record_address, value)
    if not address:
        return shown
    name = escape(gettext("Open %(remote_id)s in MemberSuite, in a new tab") % {"remote_id": value})
    return (
        f'<span class="with-record">{shown}<a class="record" href="{escape(address)}" target="_blank" '
        f'rel="noopener noreferrer" aria-label="{name}" title="{name}">{icon("box-arrow-up-right")}</a></span>'
    )


@register.simple_tag
def cause_chip(suppression: Suppression) -> SafeString:
    tone, icon_name = CAUSE_LOOK[SuppressionCause(suppression.cause)]
    return chip(tone, icon_name, suppression.get_cause_display())


@register.filter
def attribute(person: Subscriber | None, name: str) -> str:
    """Return an extra field of a person as text; empty where nobody is known, or it is not."""
    found = person.attributes.get(name) if person else None
    return "" if found is None else str(found)


def _plain(field: str) -> Cell:
    """Return the cell of a text."""
    return lambda row, _: f"<td>{escape(getattr(row, field))}</td>"


def _email() -> Cell:
    # Asked for once, not for each row.
    before, _, after = reverse("targetgroups:subscriber", args=[0]).rpartition("0")
    erased = escape(gettext("(erased)"))

    def cell(row: ListedPerson, _attributes: object) -> str:
        shown = erased if row.is_do_not_email else escape(row.email)
        return f'<th scope="row" class="mail"><a href="{before}{row.subscriber_id}{after}">{shown}</a></th>'

    return cell


def _status() -> Cell:
    active = f'<span class="quiet-ok">{icon("check-circle-fill")} {escape(gettext("Active"))}</span>'

    def cell(row: ListedPerson, _attributes: object) -> str:
        why = row.why_not_mailed
        return f'<td class="nowrap">{chip("warn", "envelope-slash", why) if why else active}</td>'

    return cell


def _local_id(row: ListedPerson, _attributes: object) -> str:
    return f'<td class="num">{"–" if row.local_id is None else row.local_id}</td>'


def _remote_id(record_address: str) -> Cell:
    return lambda row, _: (
        f"<td>{_with_record(f'<code>{escape(row.remote_id)}</code>', row.remote_id, record_address)}</td>"
    )


def _attribute(name: str) -> Cell:
    def cell(_row: ListedPerson, attributes: Mapping[str, Any]) -> str:
        found = attributes.get(name)
        return f'<td class="clip">{"" if found is None else escape(str(found))}</td>'

    return cell


def _cells(record_address: str) -> dict[str, Cell]:
    moment = moments()
    return {
        "email": _email(),
        "first_name": _plain("first_name"),
        "last_name": _plain("last_name"),
        "name": _plain("name"),
        "status": _status(),
        "subscribed_at": lambda row, _: f'<td class="nowrap">{moment(row.subscribed_at)}</td>',
        "changed_at": lambda row, _: f'<td class="nowrap">{moment(row.changed_at)}</td>',
        "remote_id": _remote_id(record_address),
        "local_id": _local_id,
    }
