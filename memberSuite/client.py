"""The one interface over both transports."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from memberSuite.concierge.client import ConciergeClient
from memberSuite.reading import PeopleReading
from memberSuite.records import CheckStep, ConnectionSettings, PeoplePage, Search, SearchList, WriteResult
from memberSuite.rest.client import RestClient


class MemberSuiteClient(Protocol):
    """What the product asks of MemberSuite; every call ends within 0.2 s once `stop` is set."""

    def check(self) -> Iterator[CheckStep]:
        """Yield the steps of a connection check, each when it is done."""
        ...

    def list_searches(self) -> SearchList:
        """List all public searches."""
        ...

    def get_search(self, remote_id: str) -> Search:
        """Read one search with its definition, or raise SearchGone."""
        ...

    def read_people(self, search: Search) -> PeopleReading:
        """Read everybody in a search whose Do Not Email is No; a limited search is read as it is stored."""
        ...

    def read_do_not_email(self, search: Search) -> PeopleReading:
        """Read ids and flags of those in a search whose Do Not Email is Yes or blank, or raise CriterionRefused."""
        ...

    def count_rows(self, search: Search, *, only_mailable: bool) -> int:
        """Return the server's own total of a search."""
        ...

    def look_up(self, search: Search, remote_ids: Iterable[str]) -> Iterator[PeoplePage]:
        """Ask which of these records are in a search, whatever their Do Not Email, or raise LookUpUnsupported."""
        ...

    def look_up_records(self, remote_ids: Iterable[str]) -> Iterator[PeoplePage]:
        """Ask for these individuals, in whatever search they are."""
        ...

    def set_do_not_email(self, remote_ids: Iterable[str], value: bool) -> WriteResult:
        """Write the flag of individuals and read it back."""
        ...

    def close(self) -> None:
        """Give up the connections."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def connect(
    settings: ConnectionSettings, *, clock: Callable[[], datetime], stop: threading.Event | None = None
) -> MemberSuiteClient:
    """Return a client; nothing is sent until it is used.

    `clock` is called on reader threads, just before each request is sent.
    """
    if settings.transport == "rest":
        return RestClient(settings, clock, stop)
    return ConciergeClient(settings, clock, stop)
