"""What is true of the people and searches that the hostile server tells of; read from the stand-in itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from memberSuite import MemberSuiteClient, Person, Search, SearchList
from memberSuite.standin.server import StandIn
from tests.memberSuite.connecting import all_pages, concierge, rest
from tests.memberSuite.hostile.genuine import SEARCHES


@dataclass(frozen=True)
class TruthOfSearch:
    search: Search  # as a client reads it that nobody lies to
    people: dict[str, Person]  # mailable ones by key, likewise; names and flags are checked against the stand-in
    rows: Counter[str]  # how many rows each mailable one has
    not_mailable: frozenset[str]  # keys

    @property
    def everybody(self) -> set[str]:
        return {*self.people, *self.not_mailable}


@dataclass(frozen=True)
class Truth:
    """The truth for one transport."""

    searches: dict[str, TruthOfSearch]
    listed: SearchList
    mailable: frozenset[str]  # keys, whatever the search
    everybody: frozenset[str]

    @classmethod
    def of(cls, standin: StandIn, transport: str) -> Truth:
        names = SEARCHES if transport == "concierge" else SEARCHES[:1]
        with (concierge if transport == "concierge" else rest)(standin) as client:
            searches = {name: _of_search(standin, client, name) for name in names}
            listed = client.list_searches()
        everybody = standin.truth(standin.search_id(SEARCHES[0]))
        mailable = frozenset(_key(one) for one in everybody if one["do_not_email"] is False)
        return cls(searches, listed, mailable, frozenset(map(_key, everybody)))


def _of_search(standin: StandIn, client: MemberSuiteClient, name: str) -> TruthOfSearch:
    members = standin.truth(standin.search_id(name))
    search = client.get_search(standin.search_id(name))
    pages = all_pages(client.read_people(search))
    people = {person.remote_id.lower(): person for page in pages for person in page.rows}
    mailable = {_key(one): one for one in members if one["do_not_email"] is False}
    assert people.keys() == mailable.keys(), "a client that nobody lies to is wrong"
    for key, one in mailable.items():
        said = (one["first_name"] or None, one["last_name"] or None, one["email"] or None)
        assert (people[key].first_name, people[key].last_name, people[key].email) == said
    rows = Counter({key: int(one["rows"]) for key, one in mailable.items()})
    return TruthOfSearch(search, people, rows, frozenset(map(_key, members)) - mailable.keys())


def _key(member: dict[str, Any]) -> str:
    return str(member["id"]).lower()
