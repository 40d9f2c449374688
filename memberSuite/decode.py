"""Bytes of a reply to values; hostile or broken XML is an UnreadableReply and never more than that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from memberSuite.coerce import decode_name, to_bool, to_int, to_ints
from memberSuite.exceptions import UnreadableReply
from memberSuite.records import NO_ATTRIBUTES, Person, RejectedRow

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
CONTRACTS = "{http://membersuite.com/contracts}"
SCHEMAS = "{http://membersuite.com/schemas}"
RESULTS = "{http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Results}"
ERRORS = "{http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Concierge}"
TYPES = "{http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types}"
DIFFGR = "{urn:schemas-microsoft-com:xml-diffgram-v1}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
XSD = "{http://www.w3.org/2001/XMLSchema}"

PEOPLE_COLUMNS = ("ID", "LocalID", "FirstName", "LastName", "EmailAddress", "DoNotEmail", "LastModifiedDate")
KEY_PLACE = 1  # of LocalID, in both
FLAG_COLUMNS = ("ID", "LocalID", "DoNotEmail")

Row = Person | RejectedRow


@dataclass(frozen=True)
class ErrorItem:
    code: str
    message: str | None
    field: str | None


@dataclass(frozen=True)
class Frame:
    """The frame of every reply; `value` is its result, None when absent, nil or childless."""

    session_id: str | None
    is_success: bool
    errors: tuple[ErrorItem, ...]
    value: etree._Element | None


def looks_like_xml(content_type: str, body: bytes) -> bool:
    """Say whether a body may go to the XML parser: proxies answer HTML, and that must not."""
    kind = content_type.split(";")[0].strip()
    if kind and "xml" not in kind:
        return False
    start = body[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")) and not start.lower().startswith((b"<!doctype", b"<html"))


def parse_xml(body: bytes) -> etree._Element:
    """Parse without entities, DTDs or the network."""
    if b"<!DOCTYPE" in body:
        raise UnreadableReply("The answer holds a document type, which is refused.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        # The parser's own words may quote the body: keep where it failed, not what stood there.
        line = getattr(error, "lineno", None)
        raise UnreadableReply(f"The answer is not well-formed XML (line {line}).") from None
    if (
        root.getroottree().docinfo.internalDTD is not None
    ):  # another character encoding may hide it from the search above
        raise UnreadableReply("The answer holds a document type, which is refused.")
    return root


def is_nil(element: etree._Element | None) -> bool:
    return element is None or to_bool(element.get(XSI + "nil")) is True


def text_of(parent: etree._Element | None, tag: str) -> str | None:
    """Return a child's text; nil, empty and absent are all None."""
    child = None if parent is None else parent.find(tag)
    return None if child is None or is_nil(child) else (child.text or None)


def type_of(element: etree._Element) -> str:
    """Return an element's xsi:type as {namespace}name: a prefix means what it means where it stands."""
    name = (element.get(XSI + "type") or "").strip()
    prefix, colon, local = name.rpartition(":")
    namespace = element.nsmap.get(prefix if colon else None)
    return f"{{{namespace}}}{local}" if namespace else local


def fault_text(root: etree._Element) -> str | None:
    """Return what a SOAP Fault says, or None when there is none."""
    body = root.find(SOAP + "Body")
    fault = None if body is None else body.find(SOAP + "Fault")
    if fault is None:
        return None
    return text_of(fault, "faultstring") or "SOAP Fault"


def read_frame(root: etree._Element, operation: str) -> Frame:
    """Read header, success, errors and result of a reply."""
    body = root.find(SOAP + "Body")
    response = None if body is None else body.find(f"{CONTRACTS}{operation}Response")
    result = None if response is None else response.find(f"{CONTRACTS}{operation}Result")
    if result is None or is_nil(result):
        raise UnreadableReply(f"The answer holds no {operation}Result.")
    success = to_bool(text_of(result, RESULTS + "Success"))
    if success is None:
        raise UnreadableReply("The answer does not say whether it succeeded.")
    errors = tuple(
        ErrorItem(
            text_of(item, ERRORS + "Code") or "",
            text_of(item, ERRORS + "Message"),
            text_of(item, ERRORS + "OffendingField"),
        )
        for item in result.iterfind(f"{RESULTS}Errors/{ERRORS}ConciergeError")
    )
    value = result.find(RESULTS + "ResultValue")
    header = root.find(f"{SOAP}Header/{SCHEMAS}ConciergeResponseHeader")
    session_id = text_of(header, SCHEMAS + "SessionId")
    return Frame(session_id, success, errors, None if value is None or is_nil(value) or not len(value) else value)


def total_of(result: etree._Element | None) -> int | None:
    return None if result is None else to_int(text_of(result, RESULTS + "TotalRowCount"))


def table_rows(result: etree._Element) -> list[etree._Element]:
    """Return the rows of a SearchResult's table, whatever its data set is called."""
    diffgram = result.find(f"{RESULTS}Table/{DIFFGR}diffgram")
    if diffgram is None:
        return []
    return [row for data_set in diffgram if not data_set.tag.startswith("{") for row in data_set]


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

    def tags(self, rows: Sequence[Mapping[str, str | None]]) -> list[str]:
        """Return what each column asked for is called in these rows, "" for one that none of them has."""
        for tag in set().union(*rows) - self._known.keys():
            self.place(tag)
        return self._tags

    def values(self, rows: Sequence[Mapping[str, str | None]]) -> Iterator[list[str | None]]:
        """Yield each row's texts in the order asked for; a cell that is left out is None."""
        tags = self.tags(rows)
        for row in rows:
            yield [row.get(tag) for tag in tags]


def cells(rows: Iterable[etree._Element]) -> list[dict[str, str | None]]:
    return [{cell.tag: cell.text for cell in row} for row in rows]


class PeopleReader:
    """Turns rows into people; the first columns are ours, the others are the search's own."""

    def __init__(self, ours: tuple[str, ...], extra: tuple[str, ...] = (), hidden: tuple[str, ...] = ()) -> None:
        self.columns = Columns(ours + extra, hidden)
        self._extra = extra
        self.people = self._people if ours == PEOPLE_COLUMNS else self._flags

    def rows(self, result: etree._Element) -> TableRows:
        return TableRows(table_rows(result), self)

    def keys(self, rows: list[etree._Element]) -> list[int | None]:
        """Return the LocalIDs alone, which a reader needs before it can ask for the next page."""
        parent = rows[0].getparent() if rows else None
        if parent is None:
            return []
        tag = next((cell.tag for row in rows for cell in row if self.columns.place(cell.tag) == KEY_PLACE), None)
        if tag is None:
            return [None] * len(rows)
        found = [cell.text for cell in parent.iter(tag)]
        if len(found) != len(rows):  # some are left out, so each row must be looked at
            found = [row.get(tag) for row in cells(rows)]
        return to_ints(found)

    def _flags(self, rows: Sequence[Mapping[str, str | None]]) -> list[Row]:
        return [
            Person(remote_id, to_int(local), do_not_email=to_bool(flag))
            if remote_id
            else RejectedRow(None, to_int(local), "no_id")
            for remote_id, local, flag in self.columns.values(rows)
        ]

    def _people(self, rows: Sequence[Mapping[str, str | None]]) -> list[Row]:
        people: list[Row] = []
        add = people.append
        id_tag, key_tag, first, last, email, flag_tag, modified, *others = self.columns.tags(rows)
        extra = list(zip(self._extra, others, strict=True))
        attributes = NO_ATTRIBUTES
        for row, local_id in zip(rows, to_ints([row.get(key_tag) for row in rows]), strict=True):
            get = row.get
            remote_id, flag = get(id_tag), get(flag_tag)
            if not remote_id:
                add(RejectedRow(None, local_id, "no_id"))
                continue
            if flag != "false" and (do_not_email := to_bool(flag)) is not False:
                add(Person(remote_id, local_id, do_not_email=do_not_email))  # R1: nothing else of them is kept
                continue
            if extra:
                attributes = {name: text for name, tag in extra if (text := get(tag)) is not None}
            add(Person(remote_id, local_id, get(first), get(last), get(email), False, get(modified), attributes))
        return people


@dataclass(frozen=True)
class TableRows:
    """The rows of one page as elements: their keys are read at once, people are made when they are wanted."""

    elements: list[etree._Element]
    reader: PeopleReader

    def __len__(self) -> int:
        return len(self.elements)

    def keys(self) -> list[int | None]:
        return self.reader.keys(self.elements)

    def read(self) -> list[Row]:
        return self.reader.people(cells(self.elements))


@dataclass(frozen=True)
class Field:
    """One field of a record: its text, and its element for what a text can't hold."""

    text: str | None
    element: etree._Element


def record_fields(record: etree._Element) -> dict[str, Field]:
    """Return a record's fields by their names in lower case."""
    fields: dict[str, Field] = {}
    for pair in record.iterfind(f"{TYPES}Fields/{TYPES}KeyValueOfstringanyType"):
        key, value = text_of(pair, TYPES + "Key"), pair.find(TYPES + "Value")
        if key is not None and value is not None:
            fields[key.casefold()] = Field(_field_text(value), value)
    return fields


def _field_text(value: etree._Element) -> str | None:
    if is_nil(value):
        return None
    if value.text is None:  # an empty text is a value only where the type says that it is text
        return "" if type_of(value) == XSD + "string" and not len(value) else None
    return value.text
