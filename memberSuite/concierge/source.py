"""What a reading of people asks over Concierge: searches made from the stored one, pages decoded to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memberSuite.concierge import criteria, envelope
from memberSuite.concierge.definition import Definition
from memberSuite.concierge.table import TablePage, TableReader
from memberSuite.concierge.wire import ConciergeWire, Outcome
from memberSuite.crew import Halt
from memberSuite.decode import total_of
from memberSuite.exceptions import TotalMissing
from memberSuite.pages import Answer, Ask, PageSize

_SORTS: dict[str, tuple[tuple[str, bool], ...]] = {
    "key": (("LocalID", False), ("ID", False)),
    "key_down": (("LocalID", True), ("ID", True)),
    "id": (("ID", False),),
}


@dataclass(frozen=True)
class ConciergeSource:
    """One search with our own criteria; `definition` None means all individuals."""

    wire: ConciergeWire
    definition: Definition | None
    own_criteria: Sequence[str]
    table: TableReader

    def fetch(self, ask: Ask, size: PageSize, halt: Halt) -> Answer:
        """Ask for one page; after trouble that a large page may cause, for a smaller one at the same place."""

        asked = size.now
        page = self.table.page()

        def body() -> str:
            nonlocal asked
            asked = size.now
            return envelope.execute_search(self._search(ask), ask.start, asked)

        return self.wire.call(
            "ExecuteSearch",
            body,
            lambda outcome: self._answer(outcome, page, asked),
            halt,
            on_trouble=size.shrink,
            parse=page.parse,
        )

    def total(self, halt: Halt) -> int | None:
        """Ask for one row of the whole search, and return how many rows the server says it has."""
        ask = Ask("stored" if self._is_limited else "id")
        return self.fetch(ask, PageSize(1), halt).total

    @property
    def _columns(self) -> tuple[str, ...]:
        return self.table.people.names

    @property
    def _is_limited(self) -> bool:
        return self.definition is not None and self.definition.is_limited

    def _search(self, ask: Ask) -> str:
        if ask.order == "stored":
            assert self.definition is not None  # noqa: S101  # only limited searches are read as stored
            return criteria.as_stored(self.definition, () if self.definition.has_aggregate else self._columns)
        own = [*self.own_criteria, *criteria.key_between(ask.low, ask.high)]
        if ask.only_without_key:
            own.append(criteria.key_is_blank())
        return criteria.search(self.definition, own_criteria=own, columns=self._columns, sort=_SORTS[ask.order])

    def _answer(self, outcome: Outcome, page: TablePage, asked: int) -> Answer:
        result = outcome.value
        total = total_of(result)
        if total is None:
            raise TotalMissing
        return Answer(page.rows(result), total, outcome.asked_at, asked)
