"""Answer a query: which rows match, in what order, and the page of them that was asked for."""

from __future__ import annotations

import random
import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress

from memberSuite.standin.columns import Kind
from memberSuite.standin.criteria import Criterion, Group, Node, flat_and, leaves, make_test
from memberSuite.standin.errors import RemoteError
from memberSuite.standin.names import words
from memberSuite.standin.people import Population
from memberSuite.standin.query import Answer, Output, Query, aggregate
from memberSuite.standin.tables import JOIN_PREFIX, ListTable, PeopleTable, RegistrationsTable, Table, organizations
from memberSuite.standin.window import Bounds, Kept, Matched, Window, narrow

RANGE_OPERATIONS = frozenset(
    words("Equals IsGreaterThan IsGreaterThanOrEqualTo IsLessThan IsLessThanOrEqual IsBetween IsBlank IsNotBlank")
)
ID_OPERATIONS = frozenset({"Equals", "IsOneOfTheFollowing"})


@dataclass
class Engine:
    population: Population
    # The small table of saved searches, made anew by its owner whenever one changes.
    searches: Callable[[], ListTable]
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.people = PeopleTable(self.population)
        self.organizations = organizations(self.population)
        self._joined: RegistrationsTable | None = None
        self._masks: Kept[bytes | bytearray] = Kept(24)
        self._matched: Kept[Matched] = Kept(48)
        self._sorted: Kept[list[int]] = Kept(24)

    # -- tables -------------------------------------------------------------------------------------------------

    def table(self, query: Query) -> Table:
        kind = query.type.lower()
        if kind == "individual":
            joins = any(name.lower().startswith(JOIN_PREFIX) for name in query.fields())
            return self._registrations() if joins else self.people
        if kind == "organization":
            return self.organizations
        if kind == "savedsearch":
            return self.searches()
        raise RemoteError("InvalidQuery", f"Unknown type: {query.type[:60]}.")

    def _registrations(self) -> RegistrationsTable:
        with self.lock:
            if self._joined is None or self._joined.people != self.population.size:
                self._joined = RegistrationsTable(self.population)
            return self._joined

    # -- matching -----------------------------------------------------------------------------------------------

    def _mask(self, table: Table, node: Node) -> bytes | bytearray:
        if isinstance(node, Criterion):
            column = table.column(node.field)
            key = (table.name, table.version, table.size, node, column.version)
            return self._masks.keep(key, lambda: column.mask(make_test(node, column.kind), table.size))
        masks = [int.from_bytes(self._mask(table, inner), "little") for inner in node.criteria]
        if not masks:
            return b"\x01" * table.size
        result = masks[0]
        for mask in masks[1:]:
            result = result & mask if node.kind == "And" else result | mask
        return result.to_bytes(table.size, "little")

    def matched(self, table: Table, nodes: tuple[Node, ...]) -> Matched:
        """Return the living rows for which all nodes hold; answers are kept while nothing they use changes."""
        used = tuple(table.column(leaf.field).version for node in nodes for leaf in leaves(node))
        return self._matched.keep(
            (table.name, table.version, table.size, nodes, used), lambda: self._match(table, nodes)
        )

    def _match(self, table: Table, nodes: tuple[Node, ...]) -> Matched:
        mask = int.from_bytes(table.alive(), "little")
        for node in nodes:
            mask &= int.from_bytes(self._mask(table, node), "little")
        hits = mask.to_bytes(table.size, "little")
        rows = array("I", compress(range(table.size), hits))
        if isinstance(table, ListTable):
            return Matched(rows, [])
        blank = [
            row for person in sorted(self.population.without_local_id) for row in table.rows_of(person) if hits[row]
        ]
        if blank:
            without = set(blank)
            rows = array("I", [row for row in rows if row not in without])
        return Matched(rows, blank)

    def row_test(self, table: Table, node: Node) -> Callable[[int], bool]:
        """Return the same criteria as a question to a single row, worked out value by value."""
        if isinstance(node, Criterion):
            column = table.column(node.field)
            holds, value = make_test(node, column.kind).holds, column.value
            return lambda row: holds(value(row))
        tests = [self.row_test(table, inner) for inner in node.criteria]
        if node.kind == "And" or not tests:
            return lambda row: all(test(row) for test in tests)
        return lambda row: any(test(row) for test in tests)

    # -- order --------------------------------------------------------------------------------------------------

    def window(self, table: Table, query: Query) -> Window:
        """Return the query's rows in order."""
        bounds, ids, rest = Bounds(), None, []
        for node in flat_and(query.where):
            if isinstance(node, Criterion) and not isinstance(table, ListTable):
                name = node.field.lower()
                if name == "localid" and node.operation in RANGE_OPERATIONS and not node.needs_parameter:
                    narrow(bounds, node, self.population)
                    continue
                if name == "id" and node.operation in ID_OPERATIONS and not node.needs_parameter:
                    wanted = {v.strip().lower() for v in node.values if v}
                    ids = wanted if ids is None else ids & wanted
                    continue
            rest.append(node)
        key = tuple(rest)
        matched = self.matched(table, key) if ids is None else self._among(table, key, ids)
        return self._ordered(table, query, key if ids is None else (*key, tuple(sorted(ids))), matched, bounds)

    def _among(self, table: Table, nodes: tuple[Node, ...], ids: Iterable[str]) -> Matched:
        persons = sorted({person for person in map(self.population.find, ids) if person is not None})
        test = self.row_test(table, Group("And", nodes))
        rows = [row for person in persons for row in table.rows_of(person) if test(row)]
        without = self.population.without_local_id
        blank = [row for row in rows if table.person(row) in without]
        return Matched(array("I", [row for row in rows if table.person(row) not in without]), blank)

    def _ordered(self, table: Table, query: Query, key: Hashable, matched: Matched, bounds: Bounds) -> Window:
        low = bisect_left(matched.rows, table.first_row(bounds.low)) if bounds.low else 0
        high = len(matched.rows) if bounds.high is None else bisect_left(matched.rows, table.first_row(bounds.high))
        if not bounds.filled:
            high = low
        window = Window(matched.blank if bounds.blanks else [], matched.rows, low, high)
        if not query.sort or query.sort[0][0].lower() == "localid":
            window.descending, window.top = bool(query.sort and query.sort[0][1]), query.top
            window.blank = self._sort(
                table, window.blank, query.sort[1:] or (("ID", window.descending),), window.descending
            )
            return window
        versions = tuple(table.column(name).version for name, _ in query.sort)
        found = (table.name, table.version, key, low, high, bounds.blanks, query.sort, versions, matched.serial)
        rows = self._sorted.keep(
            found, lambda: self._sort(table, window.page(0, len(matched.rows) + len(matched.blank)), query.sort)
        )
        return Window([], rows, 0, len(rows), top=query.top)

    def _sort(
        self, table: Table, rows: Sequence[int], sort: Sequence[tuple[str, bool]], turned: bool = False
    ) -> list[int]:
        ordered = list(rows)
        for name, descending in reversed(sort):
            ordered.sort(key=self._sort_key(table, name), reverse=descending is not turned)
        return ordered

    def _sort_key(self, table: Table, name: str) -> Callable[[int], tuple[bool, object]] | Callable[[int], int]:
        if name.lower() == "id" and not isinstance(table, ListTable):
            number, person = self.population.id_number, table.person
            return lambda row: number(person(row))
        value = table.column(name).value

        def key(row: int) -> tuple[bool, object]:
            # A null sorts before everything, as it does in SQL Server.
            found = value(row)
            return (
                found is not None,
                (found.casefold() if isinstance(found, str) else found) or 0 if found is not None else 0,
            )

        return key

    # -- running ------------------------------------------------------------------------------------------------

    def run(self, query: Query, start: int, limit: int, mixer: random.Random | None = None) -> Answer:
        """Return one page; RemoteError when the query can't be run. A mixer shuffles the whole order first."""
        table = self.table(query)
        outputs = query.columns or (Output("ID"), Output("Name"))
        columns = [table.column(output.name) for output in outputs]
        with self.lock:
            window = self.window(table, query)
        if mixer is not None:
            mixed = window.page(0, len(window))
            mixer.shuffle(mixed)
            window = Window([], mixed, 0, len(mixed))
        whole = query.unique or query.aggregates
        page = window.page(0, len(window)) if whole else window.page(start, limit)
        readers = [column.value for column in columns]
        rows = [[read(row) for read in readers] for row in page]
        total = len(window)
        if query.aggregates:
            rows = aggregate(outputs, rows)
        elif query.unique:
            rows = list({tuple(row): row for row in rows}.values())
        if whole:
            total, rows = len(rows), rows[start : start + limit]
        names = [output.display or column.name for output, column in zip(outputs, columns, strict=True)]
        kinds: list[Kind] = [
            "number" if output.aggregate in ("Count", "Sum", "Average") else column.kind
            for output, column in zip(outputs, columns, strict=True)
        ]
        return Answer(query.type, names, kinds, rows, total)
