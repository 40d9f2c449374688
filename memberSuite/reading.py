"""One reading of a search: totals before and after, several ranges in flight, and the fall-back to one reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from memberSuite.crew import Crew, Halt, Job, run
from memberSuite.exceptions import MemberSuiteError, PagingIgnored, SearchInvalid, TotalMissing
from memberSuite.pages import (
    Answer,
    Ask,
    Fetch,
    Order,
    PageSize,
    StartOver,
    by_offset,
    keyed,
    split_range,
    without_key,
)
from memberSuite.records import PeoplePage, Person, RejectedRow

PAGES_TOO_MANY = 8  # a search may grow while it is read


class Source(Protocol):
    """Where a reading gets its answers; each call blocks, and asks again by itself after transient trouble."""

    def fetch(self, ask: Ask, size: PageSize, halt: Halt) -> Answer: ...

    def total(self, halt: Halt) -> int | None: ...


class PeopleReading:
    """Iterate once for pages of people; the totals tell afterwards whether all rows were received."""

    def __init__(
        self,
        source: Source,
        halt: Halt,
        *,
        page_size: int,
        in_flight: int,
        is_limited: bool = False,
        limit: int | None = None,
        asked_flag: bool | None = False,
        refused: Callable[[MemberSuiteError], MemberSuiteError] = lambda error: error,
    ) -> None:
        self.is_limited = is_limited
        self.rows_received = 0
        self.filter_ignored = False
        self.total_after: int | None = None
        self._total_before: int | None = None
        self._source = source
        self._halt = halt
        self._size = PageSize(page_size)
        self._in_flight = in_flight
        self._limit = limit
        self._asked_flag = asked_flag
        self._refused = refused
        self._number = 0
        self._is_used = False

    @property
    def total_before(self) -> int:
        """Return the server's total before the first page; known after `start`."""
        if self._total_before is None:
            raise RuntimeError("The reading has not started.")
        return self._total_before

    @property
    def is_complete(self) -> bool:
        """Say whether the rows received, duplicates included, lie within both totals."""
        if self._total_before is None or self.total_after is None:
            return False
        totals = (self._total_before, self.total_after)
        if self._limit is not None:  # a server may count the rows that the search would have without its limit
            totals = (min(totals[0], self._limit), min(totals[1], self._limit))
        return min(totals) <= self.rows_received <= max(totals)

    def start(self) -> None:
        """Ask for the total, unless that was done."""
        if self._total_before is None:
            try:
                self._total_before = self._ask_total()
            except MemberSuiteError as error:
                raise self._refused(error) from None

    def __iter__(self) -> Iterator[PeoplePage]:
        if self._is_used:
            raise RuntimeError("A reading can be read once.")
        self._is_used = True
        try:
            self.start()
            if self.is_limited:
                yield from self._offset("stored", starts_over=False)
            else:
                try:
                    yield from self._keyed()
                except (StartOver, SearchInvalid):
                    # The whole search ran when its total was asked for: it is our key criterion that failed.
                    yield from self._start_over()
            self.total_after = self._ask_total()
        finally:
            self._halt.set()

    def _keyed(self) -> Iterator[PeoplePage]:
        jobs: list[Job[Answer]] = [self._range(low, high) for low, high in self._ranges()]
        jobs.append(lambda halt: without_key(self._fetch(halt)))
        for answer in Crew(jobs, readers=self._in_flight, halt=self._halt):
            yield self._page(answer, starts_over=False)

    def _range(self, low: int, high: int | None) -> Job[Answer]:
        return lambda halt: keyed(self._fetch(halt), low, high)

    def _ranges(self) -> list[tuple[int, int | None]]:
        """Return one range for a few pages, else several between the first and the last key (rule 5)."""
        pages = -(-self.total_before // self._size.most)
        if self._in_flight < 2 or pages < 4:
            return [(0, None)]
        ends: list[Job[list[int | None]]] = [
            lambda halt: [self._end("key", halt)],
            lambda halt: [self._end("key_down", halt)],
        ]
        found = [key for keys in Crew(ends, readers=2, halt=self._halt) for key in keys]
        if not found:  # nobody has a key
            return [(0, None)]
        keys = [key for key in found if key is not None and key >= 0]
        if len(keys) < len(found):
            raise StartOver
        return split_range(min(keys), max(keys), pages=pages, readers=self._in_flight)

    def _end(self, order: Order, halt: Halt) -> list[int | None]:
        """Return the first or the last key, as a list that is empty when nobody has one."""
        return self._source.fetch(Ask(order, low=0), PageSize(1), halt).rows.keys()[:1]

    def _start_over(self) -> Iterator[PeoplePage]:
        self.rows_received = 0
        self.filter_ignored = False
        self._total_before = self._ask_total()
        yield from self._offset("id", starts_over=True)

    def _offset(self, order: Order, *, starts_over: bool) -> Iterator[PeoplePage]:
        jobs: list[Job[Answer]] = [lambda halt: by_offset(self._fetch(halt), order, self._limit)]
        first = True
        for answer in Crew(jobs, readers=1, halt=self._halt):
            yield self._page(answer, starts_over=starts_over and first)
            first = False

    def _fetch(self, halt: Halt) -> Fetch:
        def fetch(ask: Ask) -> Answer:
            answer = self._source.fetch(ask, self._size, halt)
            self._size.succeeded()
            return answer

        return fetch

    def _ask_total(self) -> int:
        total = run(self._source.total, self._halt)
        if total is None:
            raise TotalMissing
        return total

    def _page(self, answer: Answer, *, starts_over: bool) -> PeoplePage:
        rows = answer.read()
        people = [row for row in rows if type(row) is Person]
        rejected = [row for row in rows if type(row) is RejectedRow] if len(people) < len(rows) else []
        self.rows_received += len(rows)
        if self.rows_received > 2 * self.total_before + PAGES_TOO_MANY * self._size.most:
            raise PagingIgnored  # twice as many rows as there are, and no end
        if self._asked_flag is not None and not self.filter_ignored:
            wrong = not self._asked_flag
            self.filter_ignored = wrong in {person.do_not_email for person in people}
        self._number += 1
        return PeoplePage(people, rejected, answer.asked_at, starts_over, self._number)
