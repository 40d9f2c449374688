"""Invented people as MemberSuite writes them: rows made once, pages cut from them at any place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

OURS = ("ID", "LocalID", "FirstName", "LastName", "EmailAddress", "DoNotEmail", "LastModifiedDate")
EXTRA = ("Company", "Title", "City", "State", "MembershipType")
COLUMNS = OURS + EXTRA
FIRST_KEY = 100_000  # the LocalID of the first person; the others follow without a gap

_FIRST = ("Ines", "Pavel", "Zoë", "Amara", "Colm", "Lúcia", "Tariq", "Mei", "Oskar", "Ruth", "Sana")
_LAST = ("Hall", "O'Shea", "Peña", "Köhler", "Tran", "Black & Ives", "Rao", "Sato", "Wood")
_TITLE = ("Treasurer", "Chemist", "Fellow", "Secretary, Publications", "Student member")
_TOWN = (("Malmö", "M"), ("Leeds", "LS"), ("Galway", "G"), ("Trieste", "TS"))
_KIND = ("Full", "Associate", "Retired")

_RESULTS = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Results"
_TYPES = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSD = "http://www.w3.org/2001/XMLSchema"
_TABLE_SCHEMA = (
    '<xs:schema id="NewDataSet" xmlns="" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
    'xmlns:msdata="urn:schemas-microsoft-com:xml-msdata"><xs:element name="NewDataSet" msdata:IsDataSet="true">'
    '<xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded"><xs:element name="Table"><xs:complexType>'
    "<xs:sequence>{}</xs:sequence></xs:complexType></xs:element></xs:choice></xs:complexType></xs:element></xs:schema>"
).format("".join(f'<xs:element name="{name}" type="xs:string" minOccurs="0"/>' for name in COLUMNS))


def person(number: int) -> tuple[str, ...]:
    """Return the texts of one person, in the order of COLUMNS; the same number is always the same person."""
    mixed = number * 2_654_435_761 % 2**32
    first, last = _FIRST[mixed % 11], _LAST[mixed // 11 % 9]
    town, state = _TOWN[mixed // 99 % 4]
    letters = "".join(letter for letter in last.lower() if "a" <= letter <= "z")
    return (
        f"{mixed:08x}-0006-4b1d-{number % 65_536:04x}-{number:012x}",
        str(FIRST_KEY + number),
        first,
        last,
        f"{letters}.{number}@society{number % 997}.example",
        "false",
        f"2025-0{number % 9 + 1}-1{number % 9}T09:{number % 60:02d}:00",
        f"Guild of {last} & Daughters {number % 5_000}",
        _TITLE[mixed // 400 % 5],
        town,
        state,
        _KIND[mixed // 2_000 % 3],
    )


def table_row(number: int) -> bytes:
    """One row of a DataTable."""
    cells = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in zip(COLUMNS, person(number), strict=True))
    return f'<Table diffgr:id="Table{number + 1}" msdata:rowOrder="{number}">{cells}</Table>'.encode()


def object_row(number: int) -> bytes:
    """The same person as a record of keys and values."""
    pairs = "".join(
        f'<b:KeyValueOfstringanyType><b:Key>{name}</b:Key><b:Value i:type="x:string" xmlns:x="{_XSD}">{escape(text)}'
        "</b:Value></b:KeyValueOfstringanyType>"
        for name, text in zip(COLUMNS, person(number), strict=True)
    )
    return (
        f"<b:MemberSuiteObject><b:ClassType>Individual</b:ClassType><b:Fields>{pairs}</b:Fields></b:MemberSuiteObject>"
    ).encode()


def json_row(number: int) -> bytes:
    """The same person over REST, where names begin with small letters, and numbers and flags are no texts."""
    values: dict[str, object] = {rest_name(name): text for name, text in zip(COLUMNS, person(number), strict=True)}
    return json.dumps(values | {"localID": FIRST_KEY + number, "doNotEmail": False}, ensure_ascii=False).encode()


def rest_name(name: str) -> str:
    return "id" if name == "ID" else name[0].lower() + name[1:]


def table_page(rows: bytes, total: int) -> bytes:
    """Frame rows as the answer of an ExecuteSearch."""
    return soap(
        "ExecuteSearch",
        f'<a:ColumnMetadata/><a:Table>{_TABLE_SCHEMA}<diffgr:diffgram xmlns:diffgr="urn:schemas-microsoft-com:'
        'xml-diffgram-v1" xmlns:msdata="urn:schemas-microsoft-com:xml-msdata"><NewDataSet xmlns="">'.encode(),
        rows,
        f"</NewDataSet></diffgr:diffgram></a:Table><a:TotalRowCount>{total}</a:TotalRowCount>".encode(),
    )


def object_page(rows: bytes, total: int) -> bytes:
    """Frame records as the answer of an ExecuteMSQL that asks for objects."""
    return soap(
        "ExecuteMSQL",
        f'<a:ObjectSearchResult><a:Objects xmlns:b="{_TYPES}">'.encode(),
        rows,
        f'</a:Objects><a:TotalRowCount>{total}</a:TotalRowCount></a:ObjectSearchResult><a:SearchResult i:nil="true"/>'
        '<a:SingleObject i:nil="true"/>'.encode(),
    )


def json_page(rows: bytes, _total: int) -> bytes:
    """Frame rows as the answer of executeSearch, which tells no total."""
    return b'{"success": true, "data": [' + rows + b"]}"


def soap(operation: str, *value: bytes) -> bytes:
    """Frame a result value as a whole answer."""
    head = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><ConciergeResponseHeader '
        f'xmlns="http://membersuite.com/schemas" xmlns:i="{_XSI}"><SessionId>s-1</SessionId></ConciergeResponseHeader>'
        f'</s:Header><s:Body><{operation}Response xmlns="http://membersuite.com/contracts"><{operation}Result '
        f'xmlns:a="{_RESULTS}" xmlns:i="{_XSI}"><a:Cacheable>false</a:Cacheable><a:Errors/><a:NotModified>false'
        "</a:NotModified><a:Success>true</a:Success><a:ResultValue>"
    )
    tail = f"</a:ResultValue></{operation}Result></{operation}Response></s:Body></s:Envelope>"
    return b"".join((head.encode(), *value, tail.encode()))


@dataclass(frozen=True)
class Form:
    """One way to write people: how a row and a page look, and what stands between rows."""

    row: Callable[[int], bytes]
    page: Callable[[bytes, int], bytes]
    between: bytes = b""


TABLE = Form(table_row, table_page)
OBJECTS = Form(object_row, object_page)
JSON = Form(json_row, json_page, b",")


class Pages:
    """All people in one form; a page is cut from them by LocalID, or by place."""

    def __init__(self, form: Form, people: int) -> None:
        self._form = form
        self.total = people
        self._rows = [form.row(number) for number in range(people)]

    def page(self, start: int, most: int, people: int, end: int | None = None) -> bytes:
        """Return rows from a place on, at most so many and none from `end` on, as if there were so many people."""
        start = max(0, start)
        stop = min(start + most, people if end is None else end)
        return self._form.page(self._form.between.join(self._rows[start:stop]), people)

    def all(self, size: int, people: int) -> list[bytes]:
        """Return the pages of a whole reading."""
        return [self.page(start, size, people) for start in range(0, people, size)]
