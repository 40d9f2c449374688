"""What a reading of people asks over REST: MSQL by key, because no other paging is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memberSuite import exceptions as e
from memberSuite.crew import Halt
from memberSuite.pages import Answer, Ask, PageSize, StartOver, keyed, without_key
from memberSuite.rest import msql
from memberSuite.rest.rows import JsonReader, TypedRows
from memberSuite.rest.wire import Call, Outcome, RestWire, items_of
from memberSuite.words import gettext

_ORDERS = {"key": "LocalID, ID", "key_down": "LocalID DESC, ID DESC", "id": "ID", "stored": "ID"}
MOST_BY_OFFSET = 5000
COUNT_PAGE = 1000
COUNT_COLUMNS = ("ID", "LocalID")


@dataclass(frozen=True)
class RestSource:
    """People who fit some conditions."""

    wire: RestWire
    conditions: Sequence[str]
    columns: tuple[str, ...]
    reader: JsonReader

    def fetch(self, ask: Ask, size: PageSize, halt: Halt) -> Answer:
        asked = size.now

        def call() -> Call:
            nonlocal asked
            asked = size.now
            return execute(self._statement(ask, asked))

        return self.wire.call(
            call,
            lambda outcome: self._answer(outcome, ask, asked),
            halt,
            on_trouble=size.shrink,
            # Rows that were only asked for to get past them are cut off first.
            decode=self.reader.decode if _is_whole(ask) else None,
        )

    def total(self, halt: Halt) -> int | None:
        """Return the total of the list door where it tells one, else count by reading the keys alone."""
        told = self.wire.call(self._count_call, lambda outcome: items_of(outcome.value)[1], halt)
        return self._count(halt) if told is None else told

    def _count_call(self) -> Call:
        statement = msql.select(("ID",), "Individual", self.conditions, "ID")
        query = {"msql": statement, "page": "1", "pageSize": "1"}
        return Call("individuals", "GET", f"/crm/v1/individuals/{self.wire.tenant}", query=query)

    def _count(self, halt: Halt) -> int | None:
        size = PageSize(COUNT_PAGE)
        keys = replace(self, columns=COUNT_COLUMNS)
        try:
            with_key = sum(len(answer) for answer in keyed(lambda ask: keys.fetch(ask, size, halt), 0, None))
            return with_key + sum(len(answer) for answer in without_key(lambda ask: keys.fetch(ask, size, halt)))
        except StartOver:
            return None

    def _statement(self, ask: Ask, size: int) -> str:
        conditions = list(self.conditions)
        if ask.order == "key":
            # There is no offset within a key. Without joins a person has one row, so past it the next key follows.
            conditions += msql.key_between(ask.low, ask.high, is_open=ask.start > 0)
        else:
            conditions += msql.key_between(ask.low, ask.high)
            size += ask.start
            if size > MOST_BY_OFFSET:
                raise e.PagingIgnored(gettext("REST offers no way to read this search but by its LocalID."))
        if ask.only_without_key:
            conditions.append(msql.KEY_IS_BLANK)
        return msql.select(self.columns, "Individual", conditions, _ORDERS[ask.order], size)

    def _answer(self, outcome: Outcome, ask: Ask, asked: int) -> Answer:
        if isinstance(outcome.value, TypedRows):
            return Answer(outcome.value, None, outcome.asked_at, asked)
        rows, _ = items_of(outcome.value)
        if not _is_whole(ask):
            rows = rows[ask.start :]
        return Answer(self.reader.rows(rows), None, outcome.asked_at, asked)


def _is_whole(ask: Ask) -> bool:
    """Say whether an answer holds the rows asked for alone: there is no offset, so others may stand before them."""
    return ask.order == "key" or not ask.start


def execute(statement: str) -> Call:
    return Call("executeSearch", "POST", "/platform/v2/dataSuite/executeSearch", {"msql": statement})
