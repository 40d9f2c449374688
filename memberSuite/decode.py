"""Bytes of a reply to values; hostile or broken XML is an UnreadableReply and never more than that."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from memberSuite.coerce import to_bool, to_int
from memberSuite.exceptions import UnreadableReply
from memberSuite.words import gettext

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
CONTRACTS = "{http://membersuite.com/contracts}"
SCHEMAS = "{http://membersuite.com/schemas}"
RESULTS = "{http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Results}"
ERRORS = "{http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Concierge}"
TYPES = "{http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types}"
DIFFGR = "{urn:schemas-microsoft-com:xml-diffgram-v1}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
XSD = "{http://www.w3.org/2001/XMLSchema}"


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
        raise UnreadableReply(gettext("The answer holds a document type, which is refused."))
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
        raise UnreadableReply(gettext("The answer is not well-formed XML (line %(line)s).") % {"line": line}) from None
    if (
        root.getroottree().docinfo.internalDTD is not None
    ):  # another character encoding may hide it from the search above
        raise UnreadableReply(gettext("The answer holds a document type, which is refused."))
    return root


def is_nil(element: etree._Element | None) -> bool:
    return element is None or to_bool(element.get(XSI + "nil")) is True


def text_of(parent: etree._Element | None, tag: str) -> str | None:
    """Return a child's text; nil, empty and absent are all None, and so is one that holds more than text."""
    found = [] if parent is None else parent.findall(tag)
    if len(found) > 1:
        raise UnreadableReply(gettext("The answer says one thing twice."))
    return (found[0].text or None) if found and not len(found[0]) and not is_nil(found[0]) else None


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
        raise UnreadableReply(gettext("The answer holds no %(name)s.") % {"name": f"{operation}Result"})
    success = to_bool(text_of(result, RESULTS + "Success"))
    if success is None:
        raise UnreadableReply(gettext("The answer does not say whether it succeeded."))
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


def cells(row: etree._Element) -> list[tuple[str, str | None]]:
    """Return a row's names and texts; what is nil, or holds more than text, has none."""
    return [(cell.tag, None if len(cell) or is_nil(cell) else cell.text) for cell in row]


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
        if key is not None and key.casefold() in fields:
            raise UnreadableReply(gettext("The record says one thing twice."))
        if key is not None and value is not None:
            fields[key.casefold()] = Field(_field_text(value), value)
    return fields


def _field_text(value: etree._Element) -> str | None:
    if is_nil(value):
        return None
    if value.text is None:  # an empty text is a value only where the type says that it is text
        return "" if type_of(value) == XSD + "string" and not len(value) else None
    return value.text
