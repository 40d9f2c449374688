"""Rows of a JSON reply to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memberSuite.coerce import to_int
from memberSuite.decode import KEY_PLACE, PeopleReader, Row


class JsonColumns:
    """Finds the place of each name of a reply among the columns asked for; names differ in their case alone."""

    def __init__(self, names: Sequence[str]) -> None:
        self._width = len(names)
        self._places = {name.casefold(): place for place, name in enumerate(names)}
        self._known: dict[str, int] = {}

    def values(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[list[str | None]]:
        """Yield each row's texts in the order asked for; null, empty and absent are all None."""
        known = self._known
        blank: list[str | None] = [None] * (self._width + 1)  # the last place takes what nobody asked for
        for row in rows:
            values = blank.copy()
            for name, value in row.items():
                if name not in known:
                    known[name] = self._places.get(name.casefold(), -1)
                values[known[name]] = (value or None) if type(value) is str else as_text(value)
            yield values


@dataclass(frozen=True)
class JsonRows:
    """The rows of one page; see pages.Rows."""

    rows: Sequence[Mapping[str, Any]]
    columns: JsonColumns
    reader: PeopleReader

    def __len__(self) -> int:
        return len(self.rows)

    def keys(self) -> list[int | None]:
        return [to_int(values[KEY_PLACE]) for values in self.columns.values(self.rows)]

    def read(self) -> list[Row]:
        return self.reader.people(self.columns.values(self.rows))


def as_text(value: object) -> str | None:
    """Return a JSON value as text; what is no single value can't be a column of a person."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value) or None
    return None
