"""May a client say this after what it was told? Each complaint is a sentence; none means that it held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from memberSuite import MemberSuiteError, PeoplePage, PeopleReading, Person, Search, SearchList, WriteResult
from tests.memberSuite.hostile.script import Script
from tests.memberSuite.hostile.truth import Truth, TruthOfSearch

NOTHING_ELSE = (None, None, None, None, {})


@dataclass(frozen=True)
class Heard:
    """What is left to be judged of all that one client was told."""

    unmailable: frozenset[str]
    loose: frozenset[str]
    is_noise: bool
    is_lie: bool

    @classmethod
    def of(cls, script: Script) -> Heard:
        told = script.told
        return cls(
            frozenset().union(*(one.unmailable for one in told)) - script.well,
            frozenset().union(*(one.loose for one in told)),
            any(one.is_noise for one in told),
            any(one.is_lie for one in told),
        )


def people(pages: Iterable[PeoplePage], truth: Truth, right: dict[str, Person], heard: Heard) -> list[str]:
    """Judge rows: nobody unknown, nobody with another's name or address, nobody whose flag is in doubt."""
    found = []
    rows = [person for page in pages for person in page.rows]
    # Of several rows of one person the one that is not mailable decides, as it does in a sync.
    not_mailable = {person.remote_id.lower() for person in rows if person.do_not_email is not False}
    for person in rows:
        key = person.remote_id.lower()
        if person.do_not_email is False and key not in not_mailable:
            found += _mailable(person, key, truth, right, heard)
        elif person.do_not_email is False:
            continue
        elif (person.first_name, person.last_name, person.email, person.modified_at, person.attributes) != NOTHING_ELSE:
            found.append(f"R1: {key} is not mailable, and more than the id is kept")
    return found


def _mailable(person: Person, key: str, truth: Truth, people: dict[str, Person], heard: Heard) -> list[str]:
    if key in heard.unmailable:
        return [f"R1: {key} came out as mailable although the flag was in doubt"]
    if not key.strip():
        return ["R2: somebody without an id came out as mailable"]
    if heard.is_noise or (heard.loose and key not in people):
        return []
    if key not in truth.everybody:
        return [f"R2: {key!r} is nobody"]
    if key not in truth.mailable:
        return [f"R1: {key} is Do Not Email and came out as mailable"]
    right = people.get(key)
    if key in heard.loose or right is None:
        return []
    as_asked = msgspec.structs.replace(person, remote_id=right.remote_id)  # the case of an id's letters is no matter
    return [] if as_asked == right else [f"{key} is {person}, and not {right}"]


def reading(
    read: PeopleReading, pages: list[PeoplePage], truth: Truth, of: TruthOfSearch, heard: Heard, *, mailable: bool
) -> list[str]:
    """Judge a reading that ended: what it calls complete is complete."""
    kept: list[PeoplePage] = []
    for page in pages:
        if page.starts_over:
            kept.clear()
        kept.append(page)
    found = people(kept, truth, of.people, heard)
    rows = Counter(person.remote_id.lower() for page in kept for person in page.rows)
    rejected = sum(len(page.rejected) for page in kept)
    if read.rows_received != rows.total() + rejected:
        found.append(f"{read.rows_received} rows are said and {rows.total() + rejected} were given")
    missing = (of.people.keys() if mailable else of.not_mailable) - rows.keys()
    is_known = not heard.is_lie and not heard.loose and not heard.is_noise
    if read.is_complete and len(missing) > rejected and is_known:
        found.append(f"R5: {len(missing)} people are missing from a reading that says it is complete")
    return found


def look_up(pages: list[PeoplePage], asked: set[str], truth: Truth, of: TruthOfSearch, heard: Heard) -> list[str]:
    """Judge a look-up that ended: whoever it does not show would be removed."""
    found = people(pages, truth, of.people, heard)
    shown = {person.remote_id.lower() for page in pages for person in page.rows}
    shown |= {(row.remote_id or "").lower() for page in pages for row in page.rejected}
    missing = (asked & of.everybody) - shown
    if missing and not heard.is_lie and not heard.is_noise and not heard.loose:
        found.append(f"R5: {len(missing)} people would be removed who are there")
    return found


def searches(listed: SearchList, truth: Truth, heard: Heard) -> list[str]:
    """Judge a list of searches: whoever is not in a complete one would be marked as gone (R10)."""
    right = {search.remote_id.lower() for search in truth.listed.searches}
    there = {search.remote_id.lower() for search in listed.searches}
    if heard.is_noise:
        return []
    found = [f"{remote_id!r} is no search" for remote_id in there - right]
    if listed.is_complete and right - there and not heard.is_lie:
        found.append(f"R10: {len(right - there)} searches would be marked as gone which are there")
    return found


def search(read: Search, right: Search, heard: Heard) -> list[str]:
    if read == right or heard.is_noise:
        return []
    # Over REST a search may be found by a way that does not tell its criteria; then it is not run.
    if read.remote_id.lower() == right.remote_id.lower() and read.not_runnable:
        return []
    return [f"the search is {read}, and not {right}"]


def count(counted: int, of: TruthOfSearch, heard: Heard, *, only_mailable: bool) -> list[str]:
    right = of.rows.total()
    if not only_mailable or counted == right or heard.is_lie or heard.is_noise or heard.loose:
        return []
    return [f"{counted} rows are counted, and there are {right}"]


def writing(result: WriteResult, truth: Truth, heard: Heard) -> list[str]:
    wrong = [key for key in result.confirmed if key.lower() in truth.mailable]
    return [f"{wrong[0]} is confirmed as Do Not Email and is not"] if wrong and not heard.is_noise else []


def error(raised: MemberSuiteError) -> list[str]:
    """Judge an error: it tells a person something, and keeps little of what was said."""
    if raised.code in ("", "membersuite_error") or not raised.sentence:
        return [f"{raised!r} tells a person nothing"]
    return [] if len(raised.remote_said or "") <= 300 else ["more is kept of what was said than may be"]
