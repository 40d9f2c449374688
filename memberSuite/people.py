"""Rows of texts to people: where both transports end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from memberSuite.coerce import decode_name, to_bool, to_int, to_ints
from memberSuite.records import NO_ATTRIBUTES, Person, RejectedRow

PEOPLE_COLUMNS = ("ID", "LocalID", "FirstName", "LastName", "EmailAddress", "DoNotEmail", "LastModifiedDate")
FLAG_COLUMNS = ("ID", "LocalID", "DoNotEmail")
KEY_PLACE = 1  # of LocalID, in both

Row = Person | RejectedRow
Values = Sequence[Any]


class Columns:
    """Finds the columns asked for among those of a reply, whose names may be encoded or differ in case."""

    def __init__(self, names: tuple[str, ...], hidden: tuple[str, ...] = ()) -> None:
        self._places = {name.casefold(): place for place, name in enumerate(names)}
        for name in hidden:  # columns of the reply that have such a name but are not what it says
            self._places.pop(name.casefold(), None)
        self._known: dict[str, int] = {}
        self._count = len(names)

    def place(self, tag: str) -> int:
        """Return a column's place, or -1 for one that nobody asked for; a name is looked at once per reading."""
        if tag not in self._known:
            self._known[tag] = self._places.get(decode_name(tag.rpartition("}")[2]).casefold(), -1)
        return self._known[tag]

    def values(self, cells: Iterable[tuple[str, Any]]) -> tuple[list[Any], bool]:
        """Return a row's values in the order asked for, and whether each stood there once at most.

        A cell that is left out is None; so is one that stands there twice, because nothing says which of them is meant.
        """
        found: list[Any] = [None] * self._count
        seen: set[int] = set()
        is_plain = True
        for tag, value in cells:
            place = self.place(tag)
            if place < 0:
                continue
            found[place], is_plain = (None, False) if place in seen else (value, is_plain)
            seen.add(place)
        return found, is_plain

    def places_of(self, tags: Sequence[str]) -> list[int | None] | None:
        """Return where each column asked for stands among these names; None when two of them are the same column."""
        found: list[int | None] = [None] * self._count
        for number, tag in enumerate(tags):
            place = self.place(tag)
            if place >= 0 and found[place] is not None:
                return None
            if place >= 0:
                found[place] = number
        return found


class PeopleReader:
    """Turns rows into people; the first columns are ours, the others are the search's own.

    A row is its values in the order of `names`, and may go on behind them: of our columns the texts, or None where
    there is none (the flag may be one), and the texts of the search's own. An empty text is none.
    """

    def __init__(self, ours: tuple[str, ...], extra: tuple[str, ...] = (), hidden: tuple[str, ...] = ()) -> None:
        self.ours = ours
        self.names = ours + extra
        self.columns = Columns(self.names, hidden)
        self._extra = extra
        self.people = self._people if ours == PEOPLE_COLUMNS else self._flags

    def of_rows(self, rows: Sequence[Iterable[tuple[str, Any]]]) -> list[Row]:
        """Return the people of rows given as names and texts, in whatever order; the careful way."""
        read = [self.columns.values(row) for row in rows]
        plain = [values for values, is_plain in read if is_plain]
        people = iter(self.people(plain, to_ints([values[KEY_PLACE] for values in plain])))
        return [next(people) if is_plain else self._of_doubtful(values) for values, is_plain in read]

    def _of_doubtful(self, values: Sequence[Any]) -> Row:
        """Return the row of somebody of whom something stands there twice: R1 holds first, and the rest is no guess."""
        remote_id, local_id, flag = values[0], to_int(values[KEY_PLACE]), values[self.ours.index("DoNotEmail")]
        if not remote_id or remote_id.isspace():
            return RejectedRow(None, local_id, "no_id")
        do_not_email = to_bool(flag)
        if do_not_email is not False:
            return Person(remote_id, local_id, do_not_email=do_not_email)
        return RejectedRow(remote_id, local_id, "column_twice")

    def _flags(self, rows: Iterable[Values], local_ids: Iterable[int | None]) -> list[Row]:
        return [
            Person(values[0], local_id, do_not_email=to_bool(values[2]))
            if values[0] and not values[0].isspace()
            else RejectedRow(None, local_id, "no_id")
            for values, local_id in zip(rows, local_ids, strict=True)
        ]

    def _people(self, rows: Iterable[Values], local_ids: Iterable[int | None]) -> list[Row]:
        """Make each person while the row is at hand: another walk over a page costs more than any of these steps."""
        people: list[Row] = []
        add = people.append
        extra, count, end = self._extra, len(self.ours), len(self.names)
        attributes = NO_ATTRIBUTES
        for values, local_id in zip(rows, local_ids, strict=True):
            remote_id, _, first, last, email, flag, modified = values[:count]
            if not remote_id or remote_id.isspace():
                add(RejectedRow(None, local_id, "no_id"))
                continue
            # Most flags are one of these two; to_bool reads the other ways to say no.
            if flag is not False and flag != "false" and (do_not_email := to_bool(flag)) is not False:
                add(Person(remote_id, local_id, do_not_email=do_not_email))  # R1: nothing else of them is kept
                continue
            if extra:
                texts = values[count:end]
                pairs = zip(extra, texts)  # noqa: B905  # checking their lengths here takes a fifth of the whole loop
                attributes = dict(pairs) if all(texts) else {name: text for name, text in pairs if text}
            add(
                Person(
                    remote_id,
                    local_id,
                    first or None,
                    last or None,
                    email or None,
                    False,
                    modified or None,
                    attributes,
                )
            )
        return people
