"""The lists of Manage Subscribers: everybody of a bridge, by state. Bounded reads, any page by one index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from accounts.tables import Column, Table
from accounts.views.tables import Ordering
from thrive_sync.lib.paging import KeysetPage, keyset_page
from thrive_sync.lib.words import Words

from ..choices import BOUNCES, WISHES, ExclusionReason, SuppressionCause, detail_label
from ..columns import LEFT_OUT, PEOPLE, SUPPRESSED
from ..models import Bridge, Exclusion, Membership, Subscriber, Suppression, TargetGroup
from .reading import suppressed_addresses

EXCLUDED = "excluded"
_NAMES = ("remote_id", "local_id", "email", "first_name", "last_name")
_OF_PEOPLE = (*_NAMES, "address_key", "do_not_email_at", "erased_at", "changed_at")


@dataclass(frozen=True)
class Line:
    """What a row of any of these lists shows; what a list does not know stays empty.

    `key` is the cursor's ID, `person` the one whose page opens, `others` how many more share the address.
    """

    key: int
    person: Subscriber | None
    remote_id: str = ""
    email: str = ""
    status: str = ""
    group_count: int | None = None
    reason: str = ""
    since: datetime | None = None
    detail: str = ""
    others: int = 0
    group: TargetGroup | None = None

    @property
    def pk(self) -> int:
        return self.key

    @property
    def is_erased(self) -> bool:
        return self.person is not None and self.person.do_not_email_at is not None


@dataclass(frozen=True)
class Show:
    """One choice of the page, by its word in the address."""

    word: str
    label: Words
    table: Table
    rows: Callable[[Bridge, str, str], QuerySet[Any]]  # of a bridge, with a text looked for and a reason
    lines: Callable[[Bridge, Sequence[Any]], list[Line]]
    orders: Mapping[str, list[str]]
    reasons: Sequence[tuple[str, Words]] = field(default=())

    @property
    def default_order(self) -> Ordering:
        """The newest first where there is a time, else by the first column."""
        sort = next(iter(self.orders))
        return Ordering(sort, is_descending=sort == "since")

    def ordering(self, request: HttpRequest) -> Ordering:
        word = request.GET.get("sort", "")
        name = word.removeprefix("-")
        return Ordering(name, word.startswith("-")) if name in self.orders else self.default_order

    def known_reason(self, word: str) -> str:
        """Return a reason that the list can be narrowed by; an old address may say another."""
        known = [reason for reason, _ in self.reasons]
        return word if word in known else known[0] if known and self.word == EXCLUDED else ""


def page_of(
    show: Show,
    bridge: Bridge,
    *,
    order: Ordering,
    text: str,
    reason: str,
    size: int,
    after: int | None,
    before: int | None,
    columns: Iterable[Column],
) -> KeysetPage[Any]:
    fields, rows = show.orders[order.sort], _read_for(columns, show.rows(bridge, text, reason))
    return keyset_page(
        rows,
        fields,
        size=size,
        after=_key(rows, fields, after),
        before=_key(rows, fields, before),
        is_descending=order.is_descending,
    )


def in_order(
    show: Show, bridge: Bridge, *, order: Ordering, text: str, reason: str, columns: Iterable[Column]
) -> QuerySet[Any]:
    """Return everybody that the pages of a list show, in the list's order."""
    fields, rows = show.orders[order.sort], _read_for(columns, show.rows(bridge, text, reason))
    return rows.order_by(*(f"-{name}" if order.is_descending else name for name in fields))


def _read_for(columns: Iterable[Column], rows: QuerySet[Any]) -> QuerySet[Any]:
    """Read of people what their lines show; attributes, the largest part of a row, only where a column shows one."""
    if rows.model is not Subscriber:
        return rows
    return rows.only(*_OF_PEOPLE, *(["attributes"] if any(column.attribute for column in columns) else []))


def _key(rows: QuerySet[Any], order: Sequence[str], row_id: int | None) -> tuple[Any, ...] | None:
    # Read from the row itself, which may have left the list since the address of this page was made.
    return rows.model._default_manager.filter(pk=row_id).values_list(*order).first() if row_id is not None else None


# --- everybody, and whom a mailing may reach ----------------------------------------------------------------------


def _everybody(bridge: Bridge, text: str, _reason: str) -> QuerySet[Subscriber]:
    return Subscriber.objects.filter(bridge=bridge).containing_or_numbered(text)


def _active(bridge: Bridge, text: str, reason: str) -> QuerySet[Subscriber]:
    suppressed = Suppression.objects.in_force().filter(address_key=OuterRef("address_key"))
    people = _everybody(bridge, text, reason).filter(~Exists(suppressed), do_not_email_at__isnull=True)
    return people.filter(address_key__gt="")


def _people_lines(_bridge: Bridge, people: Sequence[Subscriber]) -> list[Line]:
    ids = [person.pk for person in people]
    memberships = Membership.objects.filter(subscriber__in=ids, target_group__deleted_at__isnull=True)
    groups = dict(memberships.order_by().values_list("subscriber_id").annotate(Count("target_group_id")))
    suppressed = suppressed_addresses(person.address_key for person in people)
    return [
        Line(
            person.pk,
            person,
            remote_id=person.remote_id,
            email=person.email,
            status=status_of(person, suppressed),
            group_count=groups.get(person.pk, 0),
            since=person.changed_at,
        )
        for person in people
    ]


def status_of(person: Subscriber, suppressed: Mapping[str, str]) -> str:
    """Say in a few words why a person is not mailed; empty: they may be."""
    if person.erased_at:
        return str(SuppressionCause.ERASED.label)
    if person.do_not_email_at:
        return gettext("Do Not Email")
    return suppressed.get(person.address_key, "")


# --- who opted out or bounced: addresses, with the people at them --------------------------------------------------


def _suppressed_for(causes: Sequence[SuppressionCause]) -> Callable[[Bridge, str, str], QuerySet[Suppression]]:
    def rows(bridge: Bridge, text: str, reason: str) -> QuerySet[Suppression]:
        wanted = [reason] if reason else list(causes)
        found = Suppression.objects.in_force().filter(cause__in=wanted)
        if text:
            people = Subscriber.objects.filter(bridge=bridge).containing(text)
            few = people.few("address_key")
            # Many are met soon on the way through the list.
            at_address = Exists(people.filter(address_key=OuterRef("address_key")))
            by_name = at_address if few is None else Q(address_key__in=few)
            found = found.filter(Q(address_key__contains=text.strip().lower()) | by_name)
        return found

    return rows


def _suppressed_lines(bridge: Bridge, rows: Sequence[Suppression]) -> list[Line]:
    keys = {row.address_key for row in rows}
    at_address: dict[str, list[Subscriber]] = {}
    for person in Subscriber.objects.filter(bridge=bridge, address_key__in=keys).order_by("pk"):
        at_address.setdefault(person.address_key, []).append(person)
    lines = []
    for row in rows:
        people = at_address.get(row.address_key, [])
        lines.append(
            Line(
                row.pk,
                people[0] if people else None,
                remote_id=people[0].remote_id if people else "",
                email=row.address,
                reason=row.get_cause_display(),
                since=row.suppressed_at,
                detail=row.note,
                others=max(len(people) - 1, 0),
            )
        )
    return lines


# --- who is left out of groups: by Remote ID ------------------------------------------------------------------------


def _left_out(bridge: Bridge, text: str, reason: str) -> QuerySet[Exclusion]:
    rows = Exclusion.objects.filter(bridge=bridge, reason=reason, until_run_id__isnull=True)
    if not text:
        return rows
    people = Subscriber.objects.filter(bridge=bridge).containing(text)
    by_name = Q(remote_key__in=people.values("remote_key"))
    return rows.filter(Q(remote_key__startswith=text.strip().lower()) | by_name)


def _left_out_lines(bridge: Bridge, rows: Sequence[Exclusion]) -> list[Line]:
    people = Subscriber.objects.filter(bridge=bridge, remote_key__in={row.remote_key for row in rows if row.remote_key})
    by_key = {person.remote_key: person for person in people}
    groups = TargetGroup.objects.in_bulk({row.target_group_id for row in rows})
    return [
        Line(
            row.pk,
            by_key.get(row.remote_key),
            remote_id=row.remote_id,
            reason=row.get_reason_display(),
            since=row.seen_at,
            detail=detail_label(row.detail),
            group=groups.get(row.target_group_id),
        )
        for row in rows
    ]


_PEOPLE_ORDERS = {"email": ["address_key", "id"], "name": ["sort_name", "id"]}
_SUPPRESSED_ORDERS = {"since": ["suppressed_at", "id"], "email": ["address_key", "id"]}
_LEFT_OUT_ORDERS = {"remote_id": ["remote_key", "id"]}


def _choices(words: Sequence[SuppressionCause | ExclusionReason]) -> list[tuple[str, Words]]:
    return [(str(word), word.label) for word in words]


SHOWS = {
    show.word: show
    for show in (
        Show("all", pgettext_lazy("subscribers", "All"), PEOPLE, _everybody, _people_lines, _PEOPLE_ORDERS),
        Show("active", pgettext_lazy("subscribers", "Active"), PEOPLE, _active, _people_lines, _PEOPLE_ORDERS),
        Show(
            "opted_out",
            gettext_lazy("Opted out"),
            SUPPRESSED,
            _suppressed_for(WISHES),
            _suppressed_lines,
            _SUPPRESSED_ORDERS,
            _choices(WISHES),
        ),
        Show(
            "bounced",
            gettext_lazy("Bounced"),
            SUPPRESSED,
            _suppressed_for(BOUNCES),
            _suppressed_lines,
            _SUPPRESSED_ORDERS,
            _choices(BOUNCES),
        ),
        Show(
            EXCLUDED,
            gettext_lazy("Excluded"),
            LEFT_OUT,
            _left_out,
            _left_out_lines,
            _LEFT_OUT_ORDERS,
            _choices(list(ExclusionReason)),
        ),
    )
}
