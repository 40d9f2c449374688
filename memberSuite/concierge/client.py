"""The Concierge client: one method per remote operation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from memberSuite import exceptions as e
from memberSuite.checking import check_steps
from memberSuite.concierge import criteria, definition, envelope, searches
from memberSuite.concierge.source import ConciergeSource
from memberSuite.concierge.table import TableReader
from memberSuite.concierge.wire import ConciergeWire
from memberSuite.crew import Halt, run
from memberSuite.look_up import look_up_pages
from memberSuite.pages import Answer, Ask, PageSize
from memberSuite.people import FLAG_COLUMNS, PEOPLE_COLUMNS, PeopleReader
from memberSuite.reading import PeopleReading
from memberSuite.records import CheckStep, ConnectionSettings, PeoplePage, Search, SearchList, WriteResult
from memberSuite.runnable import must_run
from memberSuite.write_back import write_flags


class ConciergeClient:
    """MemberSuite over SOAP; see MemberSuiteClient."""

    def __init__(
        self, settings: ConnectionSettings, clock: Callable[[], datetime], stop: threading.Event | None = None
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._wire = ConciergeWire(settings, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._wire.transport.close()

    def check(self) -> Iterator[CheckStep]:
        return check_steps(
            reach=lambda: run(lambda _: self._wire.reach(), self._halt()),
            sign_in=self._sign_in,
            list_searches=self.list_searches,
            read_one=self._count_individuals,
        )

    def list_searches(self) -> SearchList:
        return run(
            lambda halt: searches.list_searches(self._wire, self._settings.page_size, halt),
            self._halt(),
        )

    def get_search(self, remote_id: str) -> Search:
        return run(lambda halt: searches.get_search(self._wire, remote_id, halt), self._halt())

    def read_people(self, search: Search) -> PeopleReading:
        said = self._definition(search)
        if said.is_limited:
            # A criterion inside a limit selects other people: run it as stored and filter here (protocol 4.9).
            return self._reading(self._source(said, ()), is_limited=True, limit=said.top_n, asked_flag=None)
        return self._reading(self._source(said, [criteria.flag_is(False)]))

    def read_do_not_email(self, search: Search) -> PeopleReading:
        said = self._definition(search)
        if said.is_limited:
            raise e.LookUpUnsupported
        table = TableReader(PeopleReader(FLAG_COLUMNS))
        source = ConciergeSource(self._wire, said, [criteria.flag_is_not_false()], table)
        return self._reading(source, asked_flag=True, refused=_criterion_refused)

    def count_rows(self, search: Search, *, only_mailable: bool) -> int:
        said = self._definition(search)
        own = [criteria.flag_is(False)] if only_mailable and not said.is_limited else []
        total = run(self._source(said, own).total, self._halt())
        if total is None:
            raise e.TotalMissing
        return total

    def look_up(self, search: Search, remote_ids: Iterable[str]) -> Iterator[PeoplePage]:
        said = self._definition(search)
        if said.is_limited:
            raise e.LookUpUnsupported
        return self._look_up(said, remote_ids)

    def look_up_records(self, remote_ids: Iterable[str]) -> Iterator[PeoplePage]:
        return self._look_up(None, remote_ids)

    def set_do_not_email(self, remote_ids: Iterable[str], value: bool) -> WriteResult:
        halt = self._halt()

        def write(batch: Sequence[str]) -> None:
            def body() -> str:
                return envelope.mass_update(batch, "DoNotEmail", value)

            run(lambda own: self._wire.call("MassUpdate", body, lambda outcome: None, own), halt)

        return write_flags(write, self.look_up_records, remote_ids, value)

    def _halt(self) -> Halt:
        return Halt(self._stop)

    def _definition(self, search: Search) -> definition.Definition:
        """Return what the search says; one that was only listed is read first."""
        if not search.definition:
            search = self.get_search(search.remote_id)
        must_run(search)
        return definition.read(search.definition)

    def _source(self, said: definition.Definition, own: Sequence[str]) -> ConciergeSource:
        return ConciergeSource(self._wire, said, own, self._table(said))

    def _table(self, said: definition.Definition | None) -> TableReader:
        ours = {name.casefold() for name in PEOPLE_COLUMNS}
        extra = tuple(name for name in (said.columns if said else ()) if name.casefold() not in ours)
        return TableReader(PeopleReader(PEOPLE_COLUMNS, extra, said.computed if said else ()))

    def _reading(
        self,
        source: ConciergeSource,
        *,
        is_limited: bool = False,
        limit: int | None = None,
        asked_flag: bool | None = False,
        refused: Callable[[e.MemberSuiteError], e.MemberSuiteError] = lambda error: error,
    ) -> PeopleReading:
        return PeopleReading(
            source,
            self._halt(),
            page_size=self._settings.page_size,
            in_flight=self._settings.in_flight,
            is_limited=is_limited,
            limit=limit,
            asked_flag=asked_flag,
            refused=refused,
        )

    def _look_up(self, said: definition.Definition | None, remote_ids: Iterable[str]) -> Iterator[PeoplePage]:
        table = self._table(said)

        def fetch(ids: Sequence[str], start: int, size: PageSize, halt: Halt) -> Answer:
            source = ConciergeSource(self._wire, said, [criteria.id_is_one_of(ids)], table)
            return source.fetch(Ask("id", start=start), size, halt)

        return look_up_pages(fetch, remote_ids, self._settings.page_size, self._settings.in_flight, self._halt())

    def _sign_in(self) -> str | None:
        return run(self._wire.sign_in, self._halt())

    def _count_individuals(self) -> int:
        """Read one individual's id, and return how many individuals there are."""
        source = ConciergeSource(self._wire, None, (), TableReader(PeopleReader(FLAG_COLUMNS)))
        return run(source.total, self._halt()) or 0


def _criterion_refused(error: e.MemberSuiteError) -> e.MemberSuiteError:
    if isinstance(error, e.SearchInvalid | e.RemoteRefused):
        return e.CriterionRefused(error.remote_said)
    return error
