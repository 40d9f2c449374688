"""Rows of a JSON reply to people.

A page whose rows have no other names than earlier pages of the same reading is decoded into a type made for them,
which is twice as fast as into dictionaries. The type refuses what it does not know; such a page, as the first one, is
decoded without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec

from memberSuite.coerce import to_ints
from memberSuite.people import KEY_PLACE, PeopleReader, Row, Values
from memberSuite.rest.names import is_each_name_once, most_names

_TEXT = str | None
_MIXED = str | int | float | bool | None
_KINDS: dict[str, Any] = {"LocalID": int | str | None, "DoNotEmail": bool | int | str | None}
_key = attrgetter(f"c{KEY_PLACE}")


@dataclass(frozen=True)
class _Shape:
    """The names seen in rows, those of them that do not only hold texts, and those that some row left out."""

    names: tuple[str, ...] = ()
    mixed: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()

    def with_rows(self, rows: Sequence[Mapping[str, Any]]) -> _Shape:
        names, mixed, optional = dict.fromkeys(self.names), set(self.mixed), set(self.optional)
        for row in rows:
            if self.names or row is not rows[0]:
                optional.update(names.keys() ^ row.keys())
            names.update(dict.fromkeys(row))
            mixed.update(name for name, value in row.items() if type(value) is not str and value is not None)
        return _Shape(tuple(names), frozenset(mixed), frozenset(optional))


@dataclass(frozen=True)
class _Typed:
    """A way to decode pages of one shape."""

    decoder: msgspec.json.Decoder[Any]
    names: int | None  # in each row; None where rows may leave some out
    mixed: frozenset[int]  # places of columns that do not only hold texts

    def values(self, rows: Iterable[Any]) -> Iterator[Values]:
        """Yield the values of rows: of the columns asked for in their order, then of what else they have."""
        plain = map(msgspec.structs.astuple, rows)
        return map(self._as_texts, plain) if self.mixed else plain

    def _as_texts(self, values: Values) -> Values:
        return [as_text(value) if place in self.mixed else value for place, value in enumerate(values)]


class JsonReader:
    """Reads the rows of one search's answers, on several threads, and learns from each how the next may look."""

    def __init__(self, people: PeopleReader) -> None:
        self.people = people
        self._shape = _Shape()
        self._typed: _Typed | None = None

    def decode(self, body: bytes) -> TypedRows | None:
        """Return the rows of a successful answer; None where it must be decoded without a type."""
        typed = self._typed
        if typed is None:
            return None
        try:
            answer = typed.decoder.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        # As many names as all rows need leave none over to stand twice.
        is_sure = typed.names is not None and most_names(body) == len(answer.data) * typed.names + 2
        if not answer.success or not (is_sure or is_each_name_once(body)):
            return None
        return TypedRows(answer.data, to_ints([*map(_key, answer.data)]), typed, self.people)

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> JsonRows:
        shape = self._shape.with_rows(rows)
        if shape != self._shape:
            self._shape, self._typed = shape, self._type_for(shape)
        return JsonRows(rows, self.people)

    def _type_for(self, shape: _Shape) -> _Typed | None:
        """Make a type with a field for each column asked for, in that order, and for each other name seen."""
        places = self.people.columns.places_of(shape.names)
        if places is None:
            return None
        fields: list[tuple[str, Any] | tuple[str, Any, None]] = []
        called: dict[str, str] = {}
        mixed: set[int] = set()
        for place, (column, number) in enumerate(zip(self.people.names, places, strict=True)):
            name = f" {place}" if number is None else shape.names[number]  # a name that means nothing, for no value
            is_mixed_here = place >= len(self.people.ours) and name in shape.mixed
            kind = None if number is None else _MIXED if is_mixed_here else _KINDS.get(column, _TEXT)
            is_there = number is not None and name not in shape.optional
            fields.append((f"c{place}", kind) if is_there else (f"c{place}", kind, None))
            called[f"c{place}"] = name
            if is_mixed_here:
                mixed.add(place)
        for number in set(range(len(shape.names))) - set(places):
            is_there = shape.names[number] not in shape.optional
            fields.append((f"u{number}", Any) if is_there else (f"u{number}", Any, None))
            called[f"u{number}"] = shape.names[number]
        try:
            row = msgspec.defstruct("Row", fields, rename=called, forbid_unknown_fields=True, gc=False, kw_only=True)
        except ValueError:  # a name with quotes or the like
            return None
        page = msgspec.defstruct("Page", [("success", bool), ("data", list[row])], forbid_unknown_fields=True)  # type: ignore[valid-type]
        names = None if shape.optional else len(shape.names)
        return _Typed(msgspec.json.Decoder(page), names, frozenset(mixed))


@dataclass(frozen=True)
class TypedRows:
    """The rows of one page that were decoded by type; see pages.Rows."""

    structs: list[Any]
    local_ids: list[int | None]
    typed: _Typed
    reader: PeopleReader

    def __len__(self) -> int:
        return len(self.local_ids)

    def keys(self) -> list[int | None]:
        return self.local_ids

    def read(self) -> list[Row]:
        return self.reader.people(self.typed.values(self.structs), self.local_ids)


@dataclass(frozen=True)
class JsonRows:
    """The rows of one page as dictionaries; see pages.Rows."""

    rows: Sequence[Mapping[str, Any]]
    reader: PeopleReader

    def __len__(self) -> int:
        return len(self.rows)

    def keys(self) -> list[int | None]:
        values = self.reader.columns.values
        return to_ints([values(row.items())[0][KEY_PLACE] for row in self.rows])

    def read(self) -> list[Row]:
        return self.reader.of_rows([zip(row, _texts(row.values()), strict=True) for row in self.rows])


def _texts(values: Iterable[object]) -> tuple[str | None, ...]:
    return tuple([value if type(value) is str and value else as_text(value) for value in values])


def as_text(value: object) -> str | None:
    """Return a JSON value as text; null and empty are None, and what is no single value can't be a person's column."""
    if type(value) is str:
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None
