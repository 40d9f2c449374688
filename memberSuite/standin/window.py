"""Rows in order, and the page of them that was asked for, without copying a million."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from memberSuite.standin.columns import coerce
from memberSuite.standin.criteria import Criterion, make_test
from memberSuite.standin.people import Population

T = TypeVar("T")


@dataclass(frozen=True)
class Matched:
    """Matching rows that have a LocalID, in its order, and those that have none."""

    rows: array[int]
    blank: list[int]
    # Names this very answer in the keys of what is worked out from it.
    serial: int = field(default_factory=count().__next__)


@dataclass
class Bounds:
    """What the LocalID criteria leave: people from `low` up to `high`, with or without those who have no LocalID."""

    low: int = 0
    high: int | None = None
    blanks: bool = True
    filled: bool = True


@dataclass
class Window:
    """An ordered run of rows, never copied whole."""

    blank: Sequence[int]
    rows: Sequence[int]
    low: int
    high: int
    descending: bool = False
    top: int | None = None

    def __len__(self) -> int:
        total = len(self.blank) + max(0, self.high - self.low)
        return total if self.top is None else min(total, self.top)

    def page(self, start: int, limit: int) -> list[int]:
        stop = min(start + limit, len(self))
        if not self.descending:
            return self._slice(start, stop)
        total = len(self.blank) + max(0, self.high - self.low)
        return self._slice(total - stop, total - start)[::-1] if stop > start else []

    def _slice(self, start: int, stop: int) -> list[int]:
        blanks, low = len(self.blank), self.low - len(self.blank)
        return [*self.blank[start : min(stop, blanks)], *self.rows[max(start, blanks) + low : max(stop, blanks) + low]]


class Kept(OrderedDict[Hashable, T]):
    """The last few results, the least used thrown away first."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        if key in self:
            self.move_to_end(key)
            return self[key]
        made = self[key] = make()
        if len(self) > self.most:
            self.popitem(last=False)
        return made


def narrow(bounds: Bounds, criterion: Criterion, population: Population) -> None:
    """Take one criterion on LocalID into the bounds; no LocalID never matches a comparison."""
    if criterion.operation in ("IsBlank", "IsNotBlank"):
        bounds.filled &= criterion.operation == "IsNotBlank"
        bounds.blanks &= criterion.operation == "IsBlank"
        return
    make_test(criterion, "number")
    numbers = [int(str(coerce(value, "number"))) for value in criterion.values if value is not None]
    low, high, operation = numbers[0], numbers[-1], criterion.operation
    bounds.blanks = False
    first_from = population.first_row_from
    if operation in ("IsGreaterThan", "IsGreaterThanOrEqualTo", "Equals", "IsBetween"):
        bounds.low = max(bounds.low, first_from(low + (operation == "IsGreaterThan")))
    if operation in ("IsLessThan", "IsLessThanOrEqual", "Equals", "IsBetween"):
        end = first_from(high + (operation != "IsLessThan"))
        bounds.high = end if bounds.high is None else min(bounds.high, end)
