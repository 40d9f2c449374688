"""What the list of target groups can be searched by: conditions with a term, all of which must hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from thrive_sync.lib.words import Words, number

MOST = 10
_LONGEST_TERM = 200
_LARGEST_NUMBER = 2_147_483_647  # of PostgreSQL's integer


class _NoSuchTerm(Exception):
    """What was typed can't be compared with; the message says what can."""


@dataclass(frozen=True)
class Condition:
    """One line of the choice: `read` turns what was typed into a value, and `where` makes a filter of the value."""

    key: str
    label: Words
    where: Callable[[Any], Q]
    read: Callable[[str], Any] | None = None  # None: it takes no term

    @property
    def takes_term(self) -> bool:
        return self.read is not None


@dataclass(frozen=True)
class Criterion:
    """A condition as somebody asks for it; with a problem it filters nothing, and the page says so."""

    condition: Condition
    term: str
    filter: Q | None
    problem: str = ""

    @property
    def words(self) -> str:
        if not self.condition.takes_term:
            return str(self.condition.label)
        # Translators: a condition with what was typed, for example: Name contains “member”.
        return gettext("%(condition)s “%(term)s”") % {"condition": self.condition.label, "term": self.term}


def read(keys: Sequence[str], terms: Sequence[str]) -> list[Criterion]:
    """Read the conditions and terms of an address, pair by pair. Unknown ones and those without a term are left out."""
    padded = [*terms, *[""] * max(len(keys) - len(terms), 0)]
    pairs = list(zip(keys, padded, strict=False))[:MOST]
    found = [(_BY_KEY[key], term.strip()[:_LONGEST_TERM]) for key, term in pairs if key in _BY_KEY]
    return [_criterion(condition, term) for condition, term in found if term or not condition.takes_term]


def _criterion(condition: Condition, term: str) -> Criterion:
    if condition.read is None:
        return Criterion(condition, "", condition.where(None))
    try:
        return Criterion(condition, term, condition.where(condition.read(term)))
    except _NoSuchTerm as error:
        return Criterion(condition, term, None, str(error))


def _number(term: str) -> int:
    digits = term.replace(",", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and int(digits[:12]) <= _LARGEST_NUMBER):
        raise _NoSuchTerm(gettext("That is not a whole number, like %(example)s.") % {"example": number(1_500)})
    return int(digits)


def _day(term: str) -> datetime:
    """Return the moment that a day begins, in the person's zone."""
    try:
        return datetime.combine(date.fromisoformat(term), time.min, tzinfo=timezone.get_current_timezone())
    except ValueError:
        raise _NoSuchTerm(gettext("That is not a date written year-month-day, like 2031-04-30.")) from None


CONDITIONS = (
    Condition("name_contains", gettext_lazy("Name contains"), lambda term: Q(name__icontains=term), str),
    Condition("name_lacks", gettext_lazy("Name does not contain"), lambda term: ~Q(name__icontains=term), str),
    Condition("name_starts", gettext_lazy("Name starts with"), lambda term: Q(name__istartswith=term), str),
    Condition("name_is", gettext_lazy("Name is"), lambda term: Q(name__iexact=term), str),
    Condition("search_id_is", gettext_lazy("Search ID is"), lambda term: Q(search_key=term), str.lower),
    Condition("type_is", gettext_lazy("Type is"), lambda term: Q(search_type__iexact=term), str),
    Condition("count_min", gettext_lazy("Count is at least"), lambda term: Q(member_count__gte=term), _number),
    Condition("count_max", gettext_lazy("Count is at most"), lambda term: Q(member_count__lte=term), _number),
    Condition("synced_since", gettext_lazy("Last synced on or after"), lambda day: Q(counted_at__gte=day), _day),
    Condition("synced_before", gettext_lazy("Last synced before"), lambda day: Q(counted_at__lt=day), _day),
    Condition("not_counted", gettext_lazy("Not counted yet"), lambda _: Q(member_count__isnull=True)),
    Condition("has_error", gettext_lazy("The last sync failed"), lambda _: ~Q(error_code="")),
    Condition("is_gone", gettext_lazy("No longer in MemberSuite"), lambda _: Q(gone_at__isnull=False)),
    Condition("not_runnable", gettext_lazy("Can't be synced"), lambda _: ~Q(not_runnable_code="")),
    Condition("same_name", gettext_lazy("Shares its name with another"), lambda _: Q(has_same_name=True)),
)
_BY_KEY = {condition.key: condition for condition in CONDITIONS}
