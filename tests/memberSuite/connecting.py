"""Clients for tests: the shortest waits before asking again, time enough for an answer, and the real time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from memberSuite import ConnectionSettings, MemberSuiteClient, PeoplePage, PeopleReading, Person, connect
from memberSuite.standin.server import StandIn

# A machine that stalls must not look like a server that does: the client would ask once more than a test counts.
LIMITS = {"read_timeout": 60.0, "connect_timeout": 60.0}


def clock() -> datetime:
    return datetime.now(UTC)


def concierge_settings(address: str, **changes: Any) -> ConnectionSettings:
    credentials = {
        "association_id": StandIn.association_id,
        "access_key_id": StandIn.access_key_id,
        "secret_access_key": StandIn.secret_access_key,
        "retry_wait": 0.005,
        **LIMITS,
    }
    return ConnectionSettings("concierge", address, **(credentials | changes))


def rest_settings(address: str, **changes: Any) -> ConnectionSettings:
    credentials = {
        "tenant_id": StandIn.tenant_id,
        "api_user": StandIn.api_user,
        "api_password": StandIn.api_password,
        "retry_wait": 0.005,
        **LIMITS,
    }
    return ConnectionSettings("rest", address, **(credentials | changes))


def concierge(standin: StandIn, *, stop: threading.Event | None = None, **changes: Any) -> MemberSuiteClient:
    return connect(concierge_settings(standin.url, **changes), clock=clock, stop=stop)


def rest(standin: StandIn, *, stop: threading.Event | None = None, **changes: Any) -> MemberSuiteClient:
    return connect(rest_settings(standin.url, **changes), clock=clock, stop=stop)


def read_all(reading: PeopleReading) -> list[Person]:
    """Return what a reading gave in the end: a page that starts over throws away what came before."""
    people: list[Person] = []
    for page in reading:
        if page.starts_over:
            people.clear()
        people.extend(page.rows)
    return people


def all_pages(reading: PeopleReading) -> list[PeoplePage]:
    return list(reading)


def ids(people: list[Person]) -> list[str]:
    return sorted(person.remote_id.lower() for person in people)


def truth_ids(members: list[dict[str, object]]) -> list[str]:
    """Return a stand-in's own account of a search, one id for each of its rows."""
    return sorted(str(member["id"]).lower() for member in members for _ in range(int(str(member["rows"]))))
