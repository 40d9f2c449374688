"""Rows of texts to people: where both transports end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from memberSuite.coerce import decode_name, to_bool, to_ints
from memberSuite.records import NO_ATTRIBUTES, Person, RejectedRow

PEOPLE_COLUMNS = ("ID", "LocalID", "FirstName", "LastName", "EmailAddress", "DoNotEmail", "LastModifiedDate")
FLAG_COLUMNS = ("ID", "LocalID", "DoNotEmail")
KEY_PLACE = 1  # of LocalID, in both

Row = Person | RejectedRow


class Columns:
    """Finds the columns asked for among those of a reply, whose names may be encoded or differ in case."""

    def __init__(self, names: tuple[str, ...], hidden: tuple[str, ...] = ()) -> None:
        self._places = {name.casefold(): place for place, name in enumerate(names)}
        for name in hidden:  # columns of the reply that have such a name but are not what it says
            self._places.pop(name.casefold(), None)
        self._known: dict[str, int] = {}
        self._tags = [""] * len(names)

    def place(self, tag: str) -> int:
        """Return a column's place, or -1 for one that nobody asked for; a name is looked at once per reading."""
        if tag not in self._known:
            place = self._places.get(decode_name(tag.rpartition("}")[2]).casefold(), -1)
            if place >= 0:
                self._tags[place] = tag
            self._known[tag] = place
        return self._known[tag]

    def tags(self, rows: Sequence[Mapping[str, object]]) -> list[str]:
        """Return what each column asked for is called in these rows, "" for one that none of them has."""
        for tag in set().union(*rows) - self._known.keys():
            self.place(tag)
        return self._tags

    def values(self, rows: Sequence[Mapping[str, str | None]]) -> list[list[str | None]]:
        """Return each row's texts in the order asked for; a cell that is left out is None."""
        tags = self.tags(rows)
        return [[row.get(tag) for tag in tags] for row in rows]

    def places_of(self, tags: Sequence[str]) -> list[int | None] | None:
        """Return where each column asked for stands among these names; None when two of them are the same column."""
        found: list[int | None] = [None] * len(self._tags)
        for number, tag in enumerate(tags):
            place = self.place(tag)
            if place >= 0 and found[place] is not None:
                return None
            if place >= 0:
                found[place] = number
        return found


class PeopleReader:
    """Turns rows into people; the first columns are ours, the others are the search's own.

    Rows come in two parts, each an iterable of as many: the values of our columns (texts, or None where there is none;
    the flag may be one), and the texts of the search's own. An empty text is none.
    """

    def __init__(self, ours: tuple[str, ...], extra: tuple[str, ...] = (), hidden: tuple[str, ...] = ()) -> None:
        self.ours = ours
        self.names = ours + extra
        self.columns = Columns(self.names, hidden)
        self._extra = extra
        self.people = self._people if ours == PEOPLE_COLUMNS else self._flags

    def of_rows(self, rows: Sequence[Sequence[Any]]) -> list[Row]:
        """Return the people of rows in the order of `names`."""
        count = len(self.ours)
        ids = to_ints([row[KEY_PLACE] for row in rows])
        return self.people([row[:count] for row in rows], ids, [row[count:] for row in rows])

    def _flags(
        self, ours: Iterable[Sequence[Any]], local_ids: Iterable[int | None], own: Iterable[Sequence[Any]]
    ) -> list[Row]:
        return [
            Person(remote_id, local_id, do_not_email=to_bool(flag))
            if remote_id
            else RejectedRow(None, local_id, "no_id")
            for (remote_id, _, flag), local_id, _ in zip(ours, local_ids, own, strict=True)
        ]

    def _people(
        self, ours: Iterable[Sequence[Any]], local_ids: Iterable[int | None], own: Iterable[Sequence[Any]]
    ) -> list[Row]:
        people: list[Row] = []
        add = people.append
        extra = self._extra
        attributes = NO_ATTRIBUTES
        for values, local_id, texts in zip(ours, local_ids, own, strict=True):
            remote_id, _, first, last, email, flag, modified = values
            if not remote_id:
                add(RejectedRow(None, local_id, "no_id"))
                continue
            # Most flags are one of these two; to_bool reads the other ways to say no.
            if flag is not False and flag != "false" and (do_not_email := to_bool(flag)) is not False:
                add(Person(remote_id, local_id, do_not_email=do_not_email))  # R1: nothing else of them is kept
                continue
            if extra:
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
