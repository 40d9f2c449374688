"""The table of a search's answer as rows of texts.

The parser's element for each cell costs several times what parsing does. So a page whose rows are written like those
of an earlier page of the same reading is cut without elements: its frame goes through the parser, its rows through a
pattern that knows nothing but plain cells. What is the least bit different, the parser reads whole, as it does the
first page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree

from memberSuite.coerce import to_ints
from memberSuite.decode import cells, parse_xml, table_rows
from memberSuite.exceptions import UnreadableReply
from memberSuite.pages import Rows
from memberSuite.people import KEY_PLACE, PeopleReader, Row
from memberSuite.words import gettext

MOST_BYTES = 8 << 20  # the parser refuses a text over 10 MB, and the pattern could not tell

_NAME = r"[A-Za-z_][\w.-]*"
_DATA_SET = re.compile(rf'<(?:{_NAME}:)?diffgram(?: [^<>]*)?><({_NAME}) xmlns="">'.encode())
_START = re.compile(rf'<({_NAME})((?: (?:{_NAME}:)?{_NAME}="[^"<&]*")*)>'.encode())
_ATTRIBUTE = re.compile(r' ([^ =]+)="')
_TEXT = r"[^<\x00-\x08\x0b-\x1f]*+"
_REFERENCE = re.compile(r"&(?:(amp|gt|quot|apos);)?")
_MEANING = {"amp": "&", "gt": ">", "quot": '"', "apos": "'"}

Column = Sequence[str | None]


@dataclass(frozen=True)
class Shape:
    """How a server writes the rows of one search."""

    tags: tuple[str, ...]  # every column it was seen to send, in its order; a row may leave any of them out
    start: tuple[str, ...]  # the name of a row and those of its attributes
    row: re.Pattern[str]
    sample: bytes  # a row without cells

    @classmethod
    def of(cls, tags: Iterable[str], start: Sequence[str]) -> Shape:
        name, *attributes = start
        given = "".join(rf' {attribute}="[^"<\x00-\x1f]*+"' for attribute in map(re.escape, attributes))
        texts = "".join(f"(?:<{tag}>({_TEXT})</{tag}>|<{tag} ?/>)?+" for tag in map(re.escape, tags))
        sample = "".join(f' {attribute}=""' for attribute in attributes)
        row = re.compile(f"<{re.escape(name)}{given}>{texts}</{re.escape(name)}>")
        return cls(tuple(tags), tuple(start), row, f"<{name}{sample}></{name}>".encode())

    def read(self, body: bytes) -> tuple[etree._Element, list[Column]] | None:
        """Return the frame with one empty row, and the columns of all rows; None where the parser must read it all."""
        start = _DATA_SET.search(body)
        end = body.rfind(b"</%b>" % start[1]) if start else -1
        if start is None or end < start.end() or len(body) > MOST_BYTES:
            return None
        columns = self._columns(body[start.end() : end])
        frame = b"".join((body[: start.end()], self.sample, body[end:]))
        # What was cut out is sure to be the content of the one data set, if its name stands in no comment or the like.
        if columns is None or b"<!" in frame or b"<?" in frame[5:]:
            return None
        try:
            root = parse_xml(frame)
        except UnreadableReply:  # it depends on the rows, or the parser says what is wrong with the whole
            return None
        info = root.getroottree().docinfo
        if (info.encoding or "utf-8").lower() != "utf-8" or info.xml_version != "1.0":
            return None
        return (root, columns) if _is_only_one(root, start[1].decode()) else None

    def _columns(self, rows: bytes) -> list[Column] | None:
        text = _plain(rows)
        if text is None:
            return None
        parts = self.row.split(text)
        stride = len(self.tags) + 1
        if any(parts[::stride]):  # something stands between the rows: they are not all rows
            return None
        return [parts[number::stride] for number in range(1, stride)]


def _is_only_one(root: etree._Element, data_set: str) -> bool:
    """Say whether there is one data set of this name, and no other beside it whose rows would have to come along."""
    found = list(root.iter(data_set))
    diffgram = found[0].getparent() if len(found) == 1 else None
    return diffgram is not None and sum(not child.tag.startswith("{") for child in diffgram) == 1


def _plain(rows: bytes) -> str | None:
    """Return rows as characters with their references undone; None for what needs a parser's eye."""
    try:
        text = rows.decode()
    except UnicodeDecodeError:
        return None
    if "]" in text and "]]>" in text:
        return None
    if "\ufffe" in text or "\uffff" in text:  # no characters of XML; the other ones are not in _TEXT
        return None
    if "&" not in text:
        return text
    try:
        return _REFERENCE.sub(lambda found: _MEANING[found[1]], text)
    except KeyError:  # a reference to a number, to what would look like a tag, or to nothing
        return None


class TableReader:
    """Reads the tables of one search's answers, on several threads, and learns from each how the next may look."""

    def __init__(self, people: PeopleReader) -> None:
        self.people = people
        self.known: tuple[Shape, list[int | None]] | None = None  # and where in it the columns asked for stand

    def page(self) -> TablePage:
        return TablePage(self)

    def learn(self, body: bytes, rows: Sequence[etree._Element]) -> None:
        """Note how the rows of a page are written, if they are plain."""
        data_set = _DATA_SET.search(body)
        start = _START.match(body, data_set.end()) if data_set else None
        if start is None:
            return
        written = (start[1].decode(), *_ATTRIBUTE.findall(start[2].decode()))
        old = self.known[0] if self.known else None
        tags = _merged(old.tags if old else (), {tuple(cell.tag for cell in row): None for row in rows})
        if old and (old.tags, old.start) == (tags, written):
            return
        if any(tag.startswith("{") for tag in tags) or any(name.startswith("xmlns") for name in written):
            return
        places = self.people.columns.places_of(tags)
        self.known = (Shape.of(tags, written), places) if places is not None else None


class TablePage:
    """One answer: how its rows were read while it was parsed is known when they are asked for."""

    def __init__(self, table: TableReader) -> None:
        self._table = table
        self._body = b""
        self._columns: list[Column] | None = None

    def parse(self, body: bytes) -> etree._Element:
        """Parse an answer; it stands for the one before, which some trouble made useless."""
        self._body, self._columns = body, None
        if self._table.known is not None:
            shape, places = self._table.known
            if (found := shape.read(body)) is not None:
                root, columns = found
                blank: Column = [None] * len(columns[0])
                self._columns = [blank if place is None else columns[place] for place in places]
                self._body = b""
                return root
        return parse_xml(body)

    def rows(self, result: etree._Element) -> Rows:
        """Return the rows of a SearchResult's table."""
        elements = table_rows(result)
        if self._columns is None:
            self._table.learn(self._body, elements)
            return ElementRows(elements, self._table.people)
        if len(elements) != 1:  # the one that stands for all
            raise UnreadableReply(gettext("The table is not where a table should be."))
        return ColumnRows(self._columns, to_ints(self._columns[KEY_PLACE]), self._table.people)


@dataclass(frozen=True)
class ColumnRows:
    """The rows of one page as columns in the order asked for; see pages.Rows."""

    columns: list[Column]
    local_ids: list[int | None]
    reader: PeopleReader

    def __len__(self) -> int:
        return len(self.local_ids)

    def keys(self) -> list[int | None]:
        return self.local_ids

    def read(self) -> list[Row]:
        return self.reader.people(zip(*self.columns, strict=True), self.local_ids)


@dataclass(frozen=True)
class ElementRows:
    """The rows of one page as elements; see pages.Rows."""

    elements: list[etree._Element]
    reader: PeopleReader

    def __len__(self) -> int:
        return len(self.elements)

    def keys(self) -> list[int | None]:
        """Return the LocalIDs alone, which a reader needs before it can ask for the next page."""
        values = self.reader.columns.values
        return to_ints([values(cells(row))[0][KEY_PLACE] for row in self.elements])

    def read(self) -> list[Row]:
        return self.reader.of_rows([cells(row) for row in self.elements])


def _merged(known: Iterable[str], seen: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Put names into one order in which all these rows have them, if there is one."""
    order = list(known)
    for names in seen:
        place = 0
        for name in names:
            if name not in order:
                order.insert(place, name)
            place = order.index(name) + 1
    return tuple(order)
