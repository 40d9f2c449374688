"""A page that is cut without the parser's elements gives what the parser would have given, or is left to the parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberSuite.concierge.table import ColumnRows, ElementRows, TablePage, TableReader
from memberSuite.decode import read_frame
from memberSuite.exceptions import UnreadableReply
from memberSuite.people import PEOPLE_COLUMNS, PeopleReader, Row

HEAD = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ExecuteSearchResponse '
    'xmlns="http://membersuite.com/contracts"><ExecuteSearchResult '
    'xmlns:a="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Results"><a:Success>true</a:Success>'
    "<a:ResultValue>{before}<a:Table>"
    '<d:diffgram xmlns:d="urn:schemas-microsoft-com:xml-diffgram-v1" xmlns:m="urn:schemas-microsoft-com:xml-msdata">'
)
TAIL = (
    "</d:diffgram></a:Table>{after}</a:ResultValue></ExecuteSearchResult></ExecuteSearchResponse></s:Body></s:Envelope>"
)
EXTRA = ("Town", "2nd Language__c")
TAGS = ("id", "LocalID", "FirstName", "EmailAddress", "DoNotEmail", "Town", "_x0032_nd_x0020_Language__c", "Unasked")
START = '<Table d:id="Table{n}" m:rowOrder="{n}">'


def body(rows: str, *, before: str = "", after: str = "", data_set: str = '<NewDataSet xmlns="">') -> bytes:
    return f"{HEAD.format(before=before)}{data_set}{rows}</NewDataSet>{TAIL.format(after=after)}".encode()


def row(number: int, **changes: str) -> str:
    texts = {tag: f"{tag[:2]}{number}" for tag in TAGS} | {"LocalID": str(number), "DoNotEmail": "false"} | changes
    return START.format(n=number) + "".join(f"<{tag}>{text}</{tag}>" for tag, text in texts.items()) + "</Table>"


def fresh() -> TableReader:
    return TableReader(PeopleReader(PEOPLE_COLUMNS, EXTRA))


def taught() -> TableReader:
    """Return a reader that has seen a page with all columns."""
    reader = fresh()
    assert isinstance(read(reader.page(), body(row(1) + row(2))), ElementRows)
    return reader


def read(page: TablePage, answer: bytes) -> ColumnRows | ElementRows:
    value = read_frame(page.parse(answer), "ExecuteSearch").value
    assert value is not None
    rows = page.rows(value)
    assert isinstance(rows, ColumnRows | ElementRows)
    return rows


def outcome(reader: TableReader, answer: bytes) -> tuple[list[int | None], list[Row]] | str:
    try:
        rows = read(reader.page(), answer)
    except UnreadableReply:
        return "unreadable"
    assert len(rows) == len(rows.keys()) == len(rows.read())
    return rows.keys(), rows.read()


PLAIN = [
    "",
    row(3) + row(4),
    row(3, FirstName="Zoë &amp; &quot;Co&quot; &gt; &apos;x&apos;", Town="Łódź 😀"),
    row(3, FirstName=" ", Town="a\tb\nc", EmailAddress="]] >"),
    row(3).replace("<FirstName>Fi3</FirstName>", ""),
    row(3).replace("<FirstName>Fi3</FirstName>", "<FirstName/>").replace("<Town>To3</Town>", "<Town />"),
    row(3, FirstName="", id="", LocalID=""),
    row(3, DoNotEmail="true") + row(4, DoNotEmail="") + row(5, DoNotEmail="False") + row(6, id=""),
    row(3, LocalID="x") + row(4, LocalID="-5"),
]


@pytest.mark.parametrize("rows", PLAIN)
def test_plain_rows_are_cut_and_mean_the_same(rows: str) -> None:
    reader = taught()
    assert isinstance(read(reader.page(), body(rows)), ColumnRows)
    assert outcome(reader, body(rows)) == outcome(fresh(), body(rows))


ODD = {
    "a reference that looks like a tag": row(3, Town="&lt;b&gt;"),
    "a reference to a number": row(3, Town="&#65;"),
    "an unknown reference": row(3, Town="&nbsp;"),
    "a bare ampersand": row(3, Town="a & b"),
    "an unfinished reference": row(3, Town="&amp"),
    "a comment": row(3, Town="a<!-- b -->c"),
    "an instruction": row(3, Town="a<?b c?>d"),
    "a section": row(3, Town="<![CDATA[<x>]]>"),
    "the end of a section": row(3, Town="]]>"),
    "a carriage return": row(3, Town="a\r\nb"),
    "a control character": row(3, Town="a\x01b"),
    "NUL": row(3, Town="a\x00b"),
    "no character": row(3, Town="a\ufffeb"),
    "a cell within a cell": row(3, Town="<b>x</b>"),
    "a cell twice": row(3).replace("</Table>", "<Town>again</Town></Table>"),
    "another order": row(3)
    .replace("<FirstName>Fi3</FirstName>", "")
    .replace("</Table>", "<FirstName>F</FirstName></Table>"),
    "an attribute": row(3).replace("<Town>", '<Town xml:space="preserve">'),
    "a namespace": row(3).replace("<Town>", '<Town xmlns="urn:x">'),
    "a new column": row(3).replace("</Table>", "<LastName>Last</LastName></Table>"),
    "another row's name": row(3).replace("Table>", "Row>").replace("<Table", "<Row"),
    "another row's attributes": row(3) + row(4).replace(' m:rowOrder="4"', ""),
    "space between rows": row(3) + "\n" + row(4),
    "words between rows": row(3) + "words" + row(4),
    "space between cells": row(3).replace("<Town>", " <Town>"),
    "an end that is missing": row(3).removesuffix("</Table>"),
    "an end too many": row(3) + "</Table>",
    "ends crossed": row(3).replace("</Town>", "</town>"),
}


@pytest.mark.parametrize("rows", ODD.values(), ids=ODD.keys())
def test_odd_rows_are_left_to_the_parser(rows: str) -> None:
    reader = taught()
    assert outcome(reader, body(rows)) == outcome(fresh(), body(rows))
    if outcome(fresh(), body(rows)) != "unreadable":
        assert isinstance(read(taught().page(), body(rows)), ElementRows)


FRAMES = {
    "plain": body(row(3)),
    "declared": b'<?xml version="1.0" encoding="utf-8"?>' + body(row(3)),
    "marked": b"\xef\xbb\xbf" + body(row(3)),
    "another encoding": b'<?xml version="1.0" encoding="iso-8859-1"?>' + body(row(3, Town="é")),
    "bytes that are no characters": body(row(3, Town="xyz")).replace(b"xyz", b"\xff\xfe"),
    "two data sets": body(row(3) + '</NewDataSet><NewDataSet xmlns="">' + row(4)),
    "a second one of another name": body(row(3), data_set=f'<Other xmlns="">{row(9)}</Other><NewDataSet xmlns="">'),
    "rows in a comment": body("", before=f'<!--<d:diffgram><NewDataSet xmlns="">{row(7)}</NewDataSet>-->'),
    "a data set in a comment, and one written another way": body(
        row(3),
        before=f'<!--<d:diffgram><NewDataSet xmlns="">{row(7)}</NewDataSet>-->',
        data_set='<NewDataSet  xmlns="">',
    ).replace(b"</NewDataSet></d:diff", b"</NewDataSet ></d:diff"),
    "rows after the table": body(row(3), after=f'<NewDataSet xmlns="">{row(8)}</NewDataSet>'),
    "a document type": b"<!DOCTYPE a>" + body(row(3)),
    "a prefix that means nothing": body(row(3)).replace(b"xmlns:m=", b"xmlns:n="),
    "attributes that are one": body(row(3)).replace(b"m:rowOrder", b"m:id").replace(b"msdata", b"diffgram-v1"),
    "cut off": body(row(3))[:-10],
    "another end": body(row(3)).replace(b"</NewDataSet>", b"</Other>"),
}


@pytest.mark.parametrize("answer", FRAMES.values(), ids=FRAMES.keys())
def test_whatever_the_frame_says_the_rows_are_those_of_the_parser(answer: bytes) -> None:
    assert outcome(taught(), answer) == outcome(fresh(), answer)


def test_rows_that_stand_in_no_table_are_unreadable_or_none() -> None:
    """R5: rows are never taken from a place where the parser would not look for them."""
    answer = body(row(3)).replace(b"a:Table>", b"a:Chair>")
    assert outcome(fresh(), answer) == ([], [])
    assert outcome(taught(), answer) == "unreadable"


def test_a_reader_learns_columns_and_forgets_none() -> None:
    reader = fresh()
    narrow = START.format(n=1) + "<id>1</id><DoNotEmail>false</DoNotEmail></Table>"
    for answer, kind in [
        (narrow, ElementRows),
        (narrow, ColumnRows),
        (row(2), ElementRows),
        (row(3) + narrow, ColumnRows),
    ]:
        assert isinstance(read(reader.page(), body(answer)), kind)
        assert outcome(reader, body(answer)) == outcome(fresh(), body(answer))


def test_a_large_page_is_the_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = taught()
    monkeypatch.setattr("memberSuite.concierge.table.MOST_BYTES", 100)
    assert isinstance(read(reader.page(), body(row(3))), ElementRows)


PIECES = [
    "a",
    "é",
    " ",
    "\n",
    "\r",
    "&amp;",
    "&gt;",
    "&lt;",
    "&#9;",
    "&",
    ">",
    "]",
    "]]>",
    "<",
    "</Town>",
    "<Town>",
    "<b/>",
]
PIECES += ["<!--", "-->", "<?x?>", "\ufffe", "\x0b", '"', "'", "😀", "</Table>", START.format(n=9), "<Table>"]
texts = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)
some_rows = st.lists(
    st.dictionaries(st.sampled_from(TAGS), texts, max_size=3).map(lambda changes: row(5, **changes)), max_size=3
)


@given(st.tuples(some_rows, st.sampled_from(["", "", "", " ", "x", "<x/>"])))
def test_any_rows_mean_what_the_parser_says(case: tuple[list[str], str]) -> None:
    rows, between = case
    answer = body(between.join(rows))
    assert outcome(taught(), answer) == outcome(fresh(), answer)
