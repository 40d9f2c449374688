"""The suppression list: what keeps addresses from being mailed, or did. Bounded reads, any page by one index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_lazy

from accounts.tables import Column, Table
from accounts.views.tables import Ordering
from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.csv_export import time_cell
from thrive_sync.lib.paging import KeysetPage, key_of, keyset_page
from thrive_sync.lib.words import Words

from .. import rooms
from ..choices import SuppressionCause
from ..columns import LIFTED_SUPPRESSIONS, SUPPRESSIONS
from ..models import Bridge, Subscriber, Suppression
from ..rooms import Link

# Shorter texts have no trigram.
_ANY_PART = 3


@dataclass(frozen=True)
class Listing:
    """One of the two lists, by its word in the address. Each order ends with what makes it unique."""

    word: str
    label: Words
    table: Table
    default_order: str
    orders: dict[str, list[str]]
    is_lifted: bool = False


LISTINGS = {
    one.word: one
    for one in (
        Listing(
            "in_force",
            gettext_lazy("In force"),
            SUPPRESSIONS,
            "-since",
            {"since": ["suppressed_at", "id"], "email": ["address_key", "id"]},
        ),
        Listing(
            "lifted",
            gettext_lazy("Lifted"),
            LIFTED_SUPPRESSIONS,
            "-lifted",
            {"lifted": ["lifted_at", "id"], "email": ["address_key", "lifted_at", "id"]},
            is_lifted=True,
        ),
    )
}


@dataclass(frozen=True)
class Line:
    """A suppression with somebody at its address, and the mailing that brought it about, as far as they are known."""

    row: Suppression
    person_id: int | None
    mailing: Link | None

    @property
    def by(self) -> str:
        """Say who did it; an opt-out that nobody here made is the person's own."""
        is_own = not self.row.added_by and self.row.cause == SuppressionCause.OPT_OUT
        return gettext("The person") if is_own else self.row.added_by


def found(listing: Listing, cause: str, text: str) -> QuerySet[Suppression]:
    """Return the rows of a list: of one cause, if it is named, and whose address contains a text, or begins with it."""
    rows = Suppression.objects.filter(lifted_at__isnull=not listing.is_lifted)
    if cause:
        rows = rows.filter(cause=cause)
    if text:
        key = address_key(text) if "@" in text else text.lower()
        rows = rows.filter(**{f"address_key__{'contains' if len(key) >= _ANY_PART else 'startswith'}": key})
    return rows


def page_of(
    listing: Listing,
    rows: QuerySet[Suppression],
    *,
    order: Ordering,
    size: int,
    after: int | None,
    before: int | None,
) -> KeysetPage[Suppression]:
    fields, every = listing.orders[order.sort], Suppression.objects.all()  # also one that has left the list since
    return keyset_page(
        rows,
        fields,
        size=size,
        after=key_of(every, fields, after),
        before=key_of(every, fields, before),
        is_descending=order.is_descending,
    )


def in_order(listing: Listing, rows: QuerySet[Suppression], order: Ordering) -> QuerySet[Suppression]:
    return rows.order_by(*(f"-{name}" if order.is_descending else name for name in listing.orders[order.sort]))


def lines(rows: Sequence[Suppression]) -> list[Line]:
    """Look up whom and what a page names: two statements, however many there are."""
    at_address = Subscriber.objects.filter(
        bridge__in=Bridge.objects.all(), address_key__in={row.address_key for row in rows}
    )
    people = dict(at_address.order_by("-pk").values_list("address_key", "pk"))  # the one known first stays
    mailings = rooms.mailings({row.mailing_id for row in rows if row.mailing_id})
    return [Line(row, people.get(row.address_key), mailings.get(row.mailing_id or 0)) for row in rows]


def cell(line: Line, column: Column, zone: tzinfo) -> object:
    row = line.row
    return {
        "email": row.address,
        "cause": row.get_cause_display(),
        "since": time_cell(row.suppressed_at, zone),
        "by": line.by,
        "mailing": line.mailing.words if line.mailing else "",
        "said": row.said,
        "note": row.note,
        "lifted": time_cell(row.lifted_at, zone),
        "lifted_by": row.lifted_by,
        "because": row.lifted_because,
    }[column.key]
