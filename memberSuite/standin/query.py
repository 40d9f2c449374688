"""A query and its answer: what is asked of a table, and one page of what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from memberSuite.standin.columns import Kind, Value
from memberSuite.standin.criteria import EVERYBODY, Group, leaves


@dataclass(frozen=True)
class Output:
    name: str
    aggregate: str = "None"
    display: str = ""


@dataclass(frozen=True)
class Query:
    type: str
    where: Group = EVERYBODY
    columns: tuple[Output, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    unique: bool = False

    @property
    def aggregates(self) -> bool:
        return any(column.aggregate != "None" for column in self.columns)

    def fields(self) -> list[str]:
        return [c.field for c in leaves(self.where)] + [c.name for c in self.columns] + [name for name, _ in self.sort]


@dataclass
class Answer:
    """One page: names and kinds of the columns, the rows, and the count over all pages (None: left out)."""

    type: str
    names: list[str]
    kinds: list[Kind]
    rows: list[list[Value]]
    total: int | None


def aggregate(outputs: Sequence[Output], rows: Iterable[list[Value]]) -> list[list[Value]]:
    """Group rows by their plain and GroupBy columns, and work out the others."""
    keys = [n for n, output in enumerate(outputs) if output.aggregate in ("None", "GroupBy")]
    groups: dict[tuple[Value, ...], list[list[Value]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[n] for n in keys), []).append(row)
    return [
        [_figure(output.aggregate, [row[n] for row in members]) for n, output in enumerate(outputs)]
        for members in groups.values()
    ]


def _figure(function: str, values: list[Value]) -> Value:
    if function in ("None", "GroupBy"):
        return values[0]
    filled = [value for value in values if value is not None]
    if function == "Count":
        return len(filled)
    if function in ("Min", "Max") and filled:
        return (min if function == "Min" else max)(filled, key=str)
    numbers = [value for value in filled if isinstance(value, int)]
    if not numbers:
        return None
    return sum(numbers) if function == "Sum" else sum(numbers) // len(numbers)
