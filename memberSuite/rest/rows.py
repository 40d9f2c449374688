"""Rows of a JSON reply to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memberSuite.coerce import to_int
from memberSuite.decode import KEY_PLACE, PeopleReader, Row


@dataclass(frozen=True)
class JsonRows:
    """The rows of one page; see pages.Rows."""

    rows: Sequence[Mapping[str, Any]]
    reader: PeopleReader

    def __len__(self) -> int:
        return len(self.rows)

    def keys(self) -> list[int | None]:
        tag = self.reader.columns.tags(self.rows)[KEY_PLACE]
        return [to_int(row.get(tag)) for row in self.rows]

    def read(self) -> list[Row]:
        # Nearly all values are texts, which need no call.
        texts = [
            {name: value if type(value) is str and value else as_text(value) for name, value in row.items()}
            for row in self.rows
        ]
        return self.reader.people(texts)


def as_text(value: object) -> str | None:
    """Return a JSON value as text; null and empty are None, and what is no single value can't be a person's column."""
    if type(value) is str:
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None
