"""The REST client: one method per remote operation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from memberSuite import exceptions as e
from memberSuite.checking import check_steps
from memberSuite.crew import Halt, run
from memberSuite.look_up import IDS_A_CALL, look_up_pages
from memberSuite.pages import Answer, Ask, PageSize
from memberSuite.people import FLAG_COLUMNS, PEOPLE_COLUMNS, PeopleReader
from memberSuite.reading import PeopleReading
from memberSuite.records import CheckStep, ConnectionSettings, PeoplePage, Search, SearchList, WriteResult
from memberSuite.rest import msql, searches
from memberSuite.rest.rows import JsonReader
from memberSuite.rest.source import RestSource, execute
from memberSuite.rest.wire import Call, RestWire, items_of
from memberSuite.runnable import must_run
from memberSuite.words import gettext
from memberSuite.write_back import write_flags


class RestClient:
    """MemberSuite over REST; see MemberSuiteClient."""

    def __init__(
        self, settings: ConnectionSettings, clock: Callable[[], datetime], stop: threading.Event | None = None
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._wire = RestWire(settings, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._wire.transport.close()

    def check(self) -> Iterator[CheckStep]:
        halt = Halt(self._stop)
        return check_steps(
            reach=lambda: run(lambda _: self._wire.reach(), halt),
            sign_in=lambda: run(self._wire.sign_in, halt),
            list_searches=self.list_searches,
            read_one=self._read_one,
        )

    def list_searches(self) -> SearchList:
        return run(lambda halt: searches.list_searches(self._wire, halt), Halt(self._stop))

    def get_search(self, remote_id: str) -> Search:
        return run(lambda halt: searches.get_search(self._wire, remote_id, halt), Halt(self._stop))

    def read_people(self, search: Search) -> PeopleReading:
        return self._reading(self._source(search, [msql.FLAG_IS_FALSE]), asked_flag=False)

    def read_do_not_email(self, search: Search) -> PeopleReading:
        must_run(search)
        reader = JsonReader(PeopleReader(FLAG_COLUMNS))
        source = RestSource(self._wire, [msql.FLAG_IS_NOT_FALSE], FLAG_COLUMNS, reader)
        return self._reading(source, asked_flag=True, refused=_criterion_refused)

    def count_rows(self, search: Search, *, only_mailable: bool) -> int:
        source = self._source(search, [msql.FLAG_IS_FALSE] if only_mailable else [])
        total = run(source.total, Halt(self._stop))
        if total is None:
            raise e.TotalMissing
        return total

    def look_up(self, search: Search, remote_ids: Iterable[str]) -> Iterator[PeoplePage]:
        must_run(search)  # a search that runs over REST has no criteria: all individuals are in it
        return self._look_up(search, remote_ids)

    def look_up_records(self, remote_ids: Iterable[str]) -> Iterator[PeoplePage]:
        return self._look_up(None, remote_ids)

    def set_do_not_email(self, remote_ids: Iterable[str], value: bool) -> WriteResult:
        halt = Halt(self._stop)

        def write(batch: Sequence[str]) -> None:
            for remote_id in batch:
                run(partial(self._write, remote_id, value), halt)

        return write_flags(write, self.look_up_records, remote_ids, value)

    def _source(self, search: Search | None, conditions: Sequence[str]) -> RestSource:
        reader = self._reader(search)
        return RestSource(self._wire, conditions, reader.people.names, reader)

    def _reader(self, search: Search | None) -> JsonReader:
        if search is not None:
            must_run(search)
        ours = {name.casefold() for name in PEOPLE_COLUMNS}
        extra = tuple(name for name in (search.output_columns if search else ()) if name.casefold() not in ours)
        return JsonReader(PeopleReader(PEOPLE_COLUMNS, extra))

    def _reading(
        self,
        source: RestSource,
        *,
        asked_flag: bool,
        refused: Callable[[e.MemberSuiteError], e.MemberSuiteError] = lambda error: error,
    ) -> PeopleReading:
        return PeopleReading(
            source,
            Halt(self._stop),
            page_size=self._settings.page_size,
            in_flight=self._settings.in_flight,
            asked_flag=asked_flag,
            refused=refused,
        )

    def _look_up(self, search: Search | None, remote_ids: Iterable[str]) -> Iterator[PeoplePage]:
        reader = self._reader(search)

        def fetch(ids: Sequence[str], start: int, size: PageSize, halt: Halt) -> Answer:
            source = RestSource(self._wire, [msql.id_is_one_of(ids)], reader.people.names, reader)
            return source.fetch(Ask("id", start=start), size, halt)

        # Each id is one row here, so a page that holds a whole batch is the whole answer.
        page_size = max(self._settings.page_size, 2 * IDS_A_CALL)
        return look_up_pages(fetch, remote_ids, page_size, self._settings.in_flight, Halt(self._stop))

    def _write(self, remote_id: str, value: bool, halt: Halt) -> None:
        """Put the whole record back with the one field changed: the service knows no partial write."""
        path = f"/crm/v1/individuals/{quote(msql.guid(remote_id), safe='')}"

        def record(answer: Any) -> dict[str, Any]:
            if not isinstance(answer, dict) or not answer:
                raise e.UnreadableReply(gettext("The answer is not a record."))
            return answer

        whole = self._wire.call(lambda: Call("individual", "GET", path), lambda outcome: record(outcome.value), halt)
        name = next((name for name in whole if name.lower() == "donotemail"), "doNotEmail")
        kept = {key: held for key, held in whole.items() if not key.endswith("__transient")}
        self._wire.call(
            lambda: Call("putIndividual", "PUT", path, {**kept, name: value}), lambda outcome: outcome.value, halt
        )

    def _read_one(self) -> int | None:
        call = execute(msql.select(("ID",), "Individual", (), "ID", 1))
        run(lambda halt: self._wire.call(lambda: call, lambda outcome: items_of(outcome.value), halt), Halt(self._stop))
        return None


def _criterion_refused(error: e.MemberSuiteError) -> e.MemberSuiteError:
    if isinstance(error, e.SearchInvalid | e.RemoteRefused):
        return e.CriterionRefused(error.remote_said)
    return error
