"""Columns of a table, stored so that a criterion over a million rows costs milliseconds."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

# A moment is kept as milliseconds since 1970, without a zone; a list of ids as a tuple.
Value = str | int | bool | tuple[str, ...] | None
Kind = Literal["text", "number", "flag", "moment", "ids"]
EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
BYTE = 256


@dataclass(frozen=True)
class Test:
    """One criterion's question to a value; `blankness` tells that only null or empty matters to it."""

    __test__ = False
    holds: Callable[[Value], bool]
    blankness: bool = False


def to_moment(text: str) -> int:
    """Read a date with or without time, fraction and offset; ValueError when it is none."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment_text(milliseconds: int) -> str:
    """Write a moment as .NET does: no offset, no trailing zeros in the fraction."""
    text = (EPOCH + timedelta(milliseconds=milliseconds)).isoformat()
    return text.rstrip("0") if "." in text else text


def coerce(value: object, kind: Kind) -> Value:
    """Turn a value from JSON, MSQL or XML text into the column's own type; ValueError when it can't be."""
    if value is None:
        return None
    text = str(value).strip()
    if kind == "flag":
        lowered = text.lower()
        if lowered in ("true", "1", "yes"):
            return True
        if lowered in ("false", "0", "no"):
            return False
        raise ValueError(f"not a boolean: {text[:40]}")
    if kind == "number":
        return int(text)
    if kind == "moment":
        return value if isinstance(value, int) else to_moment(text)
    if kind == "ids":
        return tuple(str(v) for v in value) if isinstance(value, (list, tuple)) else (text,)
    return str(value)


@dataclass
class Column:
    """The base: a value by row number, changes kept apart from what the seed made."""

    name: str
    kind: Kind = "text"
    own: dict[int, Value] = field(default_factory=dict)
    version: int = 0

    def base(self, row: int) -> Value:
        raise NotImplementedError

    def value(self, row: int) -> Value:
        own = self.own
        return own[row] if row in own else self.base(row)

    def set(self, row: int, value: Value) -> None:
        self.own[row] = value
        self.version += 1

    def base_mask(self, test: Test, size: int) -> bytearray:
        return bytearray(map(test.holds, map(self.base, range(size))))

    def mask(self, test: Test, size: int) -> bytearray:
        """Return one byte for each row: 1 where the test holds."""
        mask = self.base_mask(test, size)
        holds = test.holds
        for row, value in list(self.own.items()):
            mask[row] = holds(value)
        return mask


@dataclass
class Computed(Column):
    """A value made from the row number alone: nothing is stored."""

    make: Callable[[int], Value] = lambda _row: None

    def base(self, row: int) -> Value:
        return self.make(row)

    def value(self, row: int) -> Value:
        own = self.own
        return own[row] if row in own else self.make(row)

    def base_mask(self, test: Test, size: int) -> bytearray:
        return bytearray(map(test.holds, map(self.make, range(size))))


@dataclass
class Sparse(Column):
    """A value only a few rows have."""

    def base(self, row: int) -> Value:
        return None

    def value(self, row: int) -> Value:
        return self.own.get(row)

    def base_mask(self, test: Test, size: int) -> bytearray:
        return bytearray([test.holds(None)]) * size


@dataclass
class Coded(Column):
    """At most 256 different values, a byte a row: a criterion is asked once for each value, then translated."""

    codes: bytearray = field(default_factory=bytearray)
    table: list[Value] = field(default_factory=list)
    # Columns that share their codes (a membership's type and its status) can't change one without the other.
    shared: bool = False

    def base(self, row: int) -> Value:
        return self.table[self.codes[row]]

    def value(self, row: int) -> Value:
        own = self.own
        return own[row] if row in own else self.table[self.codes[row]]

    def set(self, row: int, value: Value) -> None:
        if self.shared or not self._set_code(row, value):
            self.own[row] = value
        self.version += 1

    def _set_code(self, row: int, value: Value) -> bool:
        if value not in self.table:
            if len(self.table) >= BYTE:
                return False
            self.table.append(value)
        self.codes[row] = self.table.index(value)
        self.own.pop(row, None)
        return True

    def base_mask(self, test: Test, size: int) -> bytearray:
        answers = bytes(map(test.holds, self.table))
        return self.codes.translate(answers + bytes(BYTE - len(answers)))


@dataclass
class WithBlanks(Computed):
    """A computed text of which a byte a row tells whether it is null or empty."""

    kinds: bytearray = field(default_factory=bytearray)
    blank_kinds: frozenset[int] = frozenset()

    def base_mask(self, test: Test, size: int) -> bytearray:
        if not test.blankness:
            return super().base_mask(test, size)
        answers = bytes(test.holds(None if kind in self.blank_kinds else "x") for kind in range(BYTE))
        return self.kinds.translate(answers)


def spread(weights: Sequence[float]) -> bytes:
    """Return the table that turns evenly spread bytes into codes 0.. with these weights."""
    total, table, seen = sum(weights), bytearray(), 0.0
    for code, weight in enumerate(weights):
        seen += weight
        table += bytes([code]) * (round(seen / total * BYTE) - len(table))
    return bytes(table)


def evenly(count: int) -> bytes:
    return spread([1] * count)


def positions(mask: Iterable[int]) -> list[int]:
    return [row for row, hit in enumerate(mask) if hit]
