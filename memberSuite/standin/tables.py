"""What can be searched: people, people joined to their event registrations, and small tables of plain rows."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate, chain, repeat
from typing import Protocol, TypeVar

from memberSuite.standin import data
from memberSuite.standin.columns import BYTE, Coded, Column, Kind, Test, Value
from memberSuite.standin.errors import RemoteError
from memberSuite.standin.people import Population, organization_id, scramble

FoundT = TypeVar("FoundT")
JOIN_PREFIX = "eventregistrations."


class ReadableColumn(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def version(self) -> int: ...
    def value(self, row: int, /) -> Value: ...
    def mask(self, test: Test, size: int, /) -> bytearray: ...


class Table(Protocol):
    """Rows by number, in LocalID order."""

    name: str

    @property
    def size(self) -> int: ...
    @property
    def version(self) -> int: ...
    def column(self, name: str, /) -> ReadableColumn: ...
    def all_names(self) -> list[str]: ...
    def alive(self) -> bytearray: ...
    def person(self, row: int, /) -> int: ...
    def first_row(self, person: int, /) -> int: ...
    def rows_of(self, person: int, /) -> range: ...


class PeopleTable:
    name = "Individual"

    def __init__(self, population: Population) -> None:
        self.population = population

    @property
    def size(self) -> int:
        return self.population.size

    @property
    def version(self) -> int:
        return self.population.structure_version

    def column(self, name: str) -> Column:
        return found(self.population.columns, name)

    def all_names(self) -> list[str]:
        return [column.name for column in self.population.columns.values()]

    def alive(self) -> bytearray:
        return self.population.alive

    def person(self, row: int) -> int:
        return row

    def first_row(self, person: int) -> int:
        return person

    def rows_of(self, person: int) -> range:
        return range(person, person + 1)


class Spread:
    """A person's column seen from the rows of the join."""

    def __init__(self, column: ReadableColumn, persons: array[int], people: int) -> None:
        self.column, self.persons, self.people = column, persons, people
        self.name, self.kind = column.name, column.kind

    @property
    def version(self) -> int:
        return self.column.version

    def value(self, row: int) -> Value:
        return self.column.value(self.persons[row])

    def mask(self, test: Test, size: int) -> bytearray:
        inner = self.column.mask(test, self.people)
        return bytearray(map(inner.__getitem__, self.persons))


class RegistrationsTable:
    """A left join: one row a registration, and one with nulls for a person who has none."""

    name = "Individual+EventRegistrations"

    def __init__(self, population: Population) -> None:
        self.population = population
        self.people = population.size
        rows_each = population.event_counts.translate(bytes([1, *range(1, BYTE)]))
        self.persons = array("I", chain.from_iterable(map(repeat, range(self.people), rows_each)))
        self.starts = array("I", accumulate(rows_each, initial=0))
        events = population.events(len(self.persons))
        # A person without a registration has one row of nulls.
        has_any = bytes(map(population.event_counts.__getitem__, self.persons)).translate(b"\x00" + b"\xff" * 255)
        both = int.from_bytes(events, "little") & int.from_bytes(has_any, "little")
        events = bytearray(both.to_bytes(len(events), "little"))
        years: list[Value] = [None, *(2025 if name.endswith("2025") else 2026 for name in data.EVENTS)]
        self.own_columns: dict[str, Column] = {
            f"{JOIN_PREFIX}event.name": Coded(
                "EventRegistrations.Event.Name", codes=events, table=[None, *data.EVENTS]
            ),
            f"{JOIN_PREFIX}event.year": Coded("EventRegistrations.Event.Year", "number", codes=events, table=years),
        }

    @property
    def size(self) -> int:
        return len(self.persons)

    @property
    def version(self) -> int:
        return self.population.structure_version

    def column(self, name: str) -> ReadableColumn:
        if name.lower() in self.own_columns:
            return self.own_columns[name.lower()]
        return Spread(found(self.population.columns, name), self.persons, self.people)

    def all_names(self) -> list[str]:
        return [column.name for column in [*self.population.columns.values(), *self.own_columns.values()]]

    def alive(self) -> bytearray:
        return bytearray(map(self.population.alive.__getitem__, self.persons))

    def person(self, row: int) -> int:
        return self.persons[row]

    def first_row(self, person: int) -> int:
        return self.starts[min(person, self.people)]

    def rows_of(self, person: int) -> range:
        if person >= self.people:
            return range(0)
        return range(self.starts[person], self.starts[person + 1])


class ListColumn:
    version = 0

    def __init__(self, name: str, kind: Kind, rows: Sequence[Mapping[str, Value]]) -> None:
        self.name, self.kind, self.rows = name, kind, rows

    def value(self, row: int) -> Value:
        return self.rows[row].get(self.name)

    def mask(self, test: Test, size: int) -> bytearray:
        return bytearray(test.holds(row.get(self.name)) for row in self.rows)


class ListTable:
    """A small table held as plain rows."""

    def __init__(
        self, name: str, kinds: Mapping[str, Kind], rows: Sequence[Mapping[str, Value]], version: int = 0
    ) -> None:
        self.name, self.rows, self.version = name, rows, version
        self.columns = {field.lower(): ListColumn(field, kind, rows) for field, kind in kinds.items()}

    @property
    def size(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> ListColumn:
        return found(self.columns, name)

    def all_names(self) -> list[str]:
        return [column.name for column in self.columns.values()]

    def alive(self) -> bytearray:
        return bytearray(b"\x01") * len(self.rows)

    def person(self, row: int) -> int:
        return row

    def first_row(self, person: int) -> int:
        return person

    def rows_of(self, person: int) -> range:
        return range(person, person + 1)


def found(columns: Mapping[str, FoundT], name: str) -> FoundT:
    """Look a column up without regard to case; RemoteError InvalidQuery when there is none."""
    try:
        return columns[name.lower()]
    except KeyError:
        raise RemoteError("InvalidQuery", f"Unknown field: {name[:60]}.", name[:60]) from None


ORGANIZATION_KINDS: dict[str, Kind] = {
    "ID": "text",
    "LocalID": "number",
    "Name": "text",
    "EmailAddress": "text",
    "City": "text",
    "LastModifiedDate": "moment",
}


def organizations(population: Population) -> ListTable:
    rows: list[dict[str, Value]] = []
    for number in range(population.organizations):
        mixed = scramble(number)
        word = data.ORGANIZATION_WORDS[mixed % len(data.ORGANIZATION_WORDS)]
        kind = data.ORGANIZATION_KINDS[(mixed >> 8) % len(data.ORGANIZATION_KINDS)]
        rows.append(
            {
                "ID": organization_id(number),
                "LocalID": 500_000_000 + number,
                "Name": f"{word} {kind} No. {number + 1}",
                "EmailAddress": f"office{number + 1}@{word.lower()}.example",
                "City": data.PLACES[(mixed >> 16) % len(data.PLACES)][0],
                "LastModifiedDate": 1_768_000_000_000 + mixed,
            }
        )
    return ListTable("Organization", ORGANIZATION_KINDS, rows)
