"""Why no mailing reaches somebody, for a page of people at once: codes of NotReceiving, where the pages show words."""

from __future__ import annotations

from collections.abc import Iterable

from targetgroups.choices import NotReceiving, SuppressionCause
from targetgroups.models import Subscriber, Suppression


def reasons_for(people: Iterable[Subscriber]) -> dict[int, str]:
    """Return the strongest reason of each person who is not mailed, by ID; a shared address is none of these."""
    people = list(people)
    keys = {person.address_key for person in people} - {""}
    rows = Suppression.objects.in_force().filter(address_key__in=keys).values_list("address_key", "cause")
    causes: dict[str, str] = {}
    for key, cause in sorted(rows, key=lambda row: _rank(row[1])):
        causes.setdefault(key, cause)
    found = {person.pk: _reason(person, causes) for person in people}
    return {pk: reason for pk, reason in found.items() if reason}


def _reason(person: Subscriber, causes: dict[str, str]) -> str:
    if person.erased_at:
        return NotReceiving.ERASED.value
    if person.do_not_email_at:
        return NotReceiving.DO_NOT_EMAIL.value
    return causes.get(person.address_key, "") if person.address_key else NotReceiving.NO_ADDRESS.value


def _rank(cause: str) -> int:
    return SuppressionCause.values.index(cause)
