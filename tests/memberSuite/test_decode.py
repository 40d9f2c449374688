"""Bytes to records: tables, frames, and XML that means harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from memberSuite.concierge.table import TableReader
from memberSuite.decode import (
    fault_text,
    looks_like_xml,
    parse_xml,
    read_frame,
    record_fields,
    total_of,
    type_of,
)
from memberSuite.exceptions import UnreadableReply
from memberSuite.people import FLAG_COLUMNS, PEOPLE_COLUMNS, PeopleReader, Row
from memberSuite.records import Person, RejectedRow

A = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Results"
I = "http://www.w3.org/2001/XMLSchema-instance"  # noqa: E741
DIFFGR = "urn:schemas-microsoft-com:xml-diffgram-v1"


def table(rows: str, data_set: str = "NewDataSet", total: str = "1") -> etree._Element:
    return etree.fromstring(
        f'<a:ResultValue xmlns:a="{A}" xmlns:i="{I}"><a:Table><d:diffgram xmlns:d="{DIFFGR}">'
        f'<{data_set} xmlns="">{rows}</{data_set}><d:before><Table><ID>no</ID></Table></d:before>'
        f"</d:diffgram></a:Table><a:TotalRowCount>{total}</a:TotalRowCount></a:ResultValue>"
    )


def read(rows: str, *extra: str, data_set: str = "NewDataSet") -> list[Row]:
    return TableReader(PeopleReader(PEOPLE_COLUMNS, extra)).page().rows(table(rows, data_set)).read()


def frame(body: str, header: str = "") -> bytes:
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
        f'<ConciergeResponseHeader xmlns="http://membersuite.com/schemas" xmlns:i="{I}">{header}'
        f"</ConciergeResponseHeader></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def get(inner: str) -> str:
    return (
        f'<GetResponse xmlns="http://membersuite.com/contracts"><GetResult xmlns:a="{A}" xmlns:i="{I}">{inner}'
        "</GetResult></GetResponse>"
    )


# -- rows --------------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_person() -> None:
    (person,) = read(
        "<Table><ID>x</ID><LocalID>7</LocalID><FirstName>Ada</FirstName><LastName>B</LastName>"
        "<EmailAddress>a@b.example</EmailAddress><DoNotEmail>false</DoNotEmail>"
        "<LastModifiedDate>2026-01-01T00:00:00</LastModifiedDate><Town>Ely</Town><Unasked>1</Unasked></Table>",
        "Town",
    )
    assert person == Person("x", 7, "Ada", "B", "a@b.example", False, "2026-01-01T00:00:00", {"Town": "Ely"})


def test_cells_are_found_by_name_and_not_by_place() -> None:
    first, second = read(
        "<Table><ID>1</ID><FirstName>Ada</FirstName><DoNotEmail>false</DoNotEmail></Table>"
        "<Table><DoNotEmail>false</DoNotEmail><LastName>Hopper</LastName><ID>2</ID></Table>"
    )
    assert isinstance(first, Person)
    assert isinstance(second, Person)
    assert (first.first_name, first.last_name) == ("Ada", None)
    assert (second.first_name, second.last_name) == (None, "Hopper")


def test_nil_empty_and_absent_cells_are_none() -> None:
    (person,) = read(
        f'<Table xmlns:i="{I}"><ID>1</ID><FirstName i:nil="true"/><LastName></LastName>'
        "<DoNotEmail>false</DoNotEmail></Table>"
    )
    assert isinstance(person, Person)
    assert person.first_name is person.last_name is person.email is None


def test_names_are_matched_without_case_and_decoded() -> None:
    (person,) = read(
        "<Table><id>1</id><localid>5</localid><DONOTEMAIL>false</DONOTEMAIL>"
        "<_x0032_nd_x0020_Language__c>Deutsch</_x0032_nd_x0020_Language__c></Table>",
        "2nd Language__c",
    )
    assert isinstance(person, Person)
    assert (person.local_id, person.attributes) == (5, {"2nd Language__c": "Deutsch"})


def test_the_data_set_may_have_any_name_and_earlier_values_are_no_rows() -> None:
    assert len(read("<Table><ID>1</ID></Table><Row><ID>2</ID></Row>", data_set="DocumentElement")) == 2


@pytest.mark.parametrize("flag", ["true", "TRUE", "1", "Yes", "maybe", "", "null"])
def test_nothing_is_kept_of_a_person_whose_flag_is_not_exactly_false(flag: str) -> None:
    """R1: no name, no address, no attribute."""
    (person,) = read(f"<Table><ID>1</ID><FirstName>Ada</FirstName><DoNotEmail>{flag}</DoNotEmail><T>x</T></Table>", "T")
    assert isinstance(person, Person)
    assert person == Person("1", do_not_email=person.do_not_email)
    assert person.do_not_email is not False


@pytest.mark.parametrize("flag", ["false", "False", "0", "no"])
def test_a_flag_that_parses_to_false_keeps_the_person(flag: str) -> None:
    (person,) = read(f"<Table><ID>1</ID><FirstName>Ada</FirstName><DoNotEmail>{flag}</DoNotEmail></Table>")
    assert isinstance(person, Person)
    assert (person.do_not_email, person.first_name) == (False, "Ada")


@pytest.mark.parametrize(
    "cells",
    [
        "<DoNotEmail>true</DoNotEmail><DoNotEmail>false</DoNotEmail>",
        "<DoNotEmail>false</DoNotEmail><DoNotEmail>true</DoNotEmail>",
        "<DoNotEmail>false</DoNotEmail><donotemail>true</donotemail>",
        "<Do_x004E_otEmail>true</Do_x004E_otEmail><DoNotEmail>false</DoNotEmail>",
        "<DoNotEmail>false<b/></DoNotEmail>",
        '<DoNotEmail xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">false</DoNotEmail>',
    ],
)
def test_r1_a_flag_that_contradicts_itself_is_no_flag(cells: str) -> None:
    assert read(f"<Table><ID>1</ID><FirstName>Ada</FirstName>{cells}</Table>") == [Person("1", do_not_email=None)]


def test_r2_a_row_that_is_two_people_or_has_two_addresses_is_rejected() -> None:
    plain = "<DoNotEmail>false</DoNotEmail>"
    assert read(f"<T><ID>1</ID><id>2</id>{plain}</T>") == [RejectedRow(None, None, "no_id")]
    two = "<EmailAddress>a@lamps.example</EmailAddress><emailaddress>b@lamps.example</emailaddress>"
    assert read(f"<T><ID>1</ID><LocalID>7</LocalID>{two}{plain}</T>") == [RejectedRow("1", 7, "column_twice")]


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_a_row_without_id_is_rejected_with_its_local_id(blank: str) -> None:
    assert read(f"<Table><ID>{blank}</ID><LocalID>7</LocalID></Table>") == [RejectedRow(None, 7, "no_id")]
    assert read("<Table><LocalID>7</LocalID><DoNotEmail>false</DoNotEmail></Table>") == [RejectedRow(None, 7, "no_id")]


@pytest.mark.parametrize("key", ["", "x", "1.5", "99999999999999999999", "²"])
def test_an_unreadable_local_id_is_none(key: str) -> None:
    (person,) = read(f"<Table><ID>1</ID><LocalID>{key}</LocalID></Table>")
    assert person.local_id is None


@pytest.mark.parametrize(
    ("xml", "keys"),
    [
        ("<T><ID>1</ID></T><T><LocalID>5</LocalID></T><T><ID>3</ID><LocalID>4</LocalID></T>", [None, 5, 4]),
        ("<T><ID>1</ID></T>", [None]),
        ("", []),
        ("<T><LocalID>5</LocalID></T><T><LocalID>6</LocalID></T>", [5, 6]),
    ],
)
def test_keys_are_read_in_the_order_of_the_rows_with_none_where_there_is_none(xml: str, keys: list[int | None]) -> None:
    assert TableReader(PeopleReader(FLAG_COLUMNS)).page().rows(table(xml)).keys() == keys


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["5", "", "x", None])), max_size=8))
def test_keys_and_people_agree(rows: list[tuple[bool, str | None]]) -> None:
    xml = "".join(
        f"<T>{'<ID>i</ID>' if has_id else ''}{'' if key is None else f'<LocalID>{key}</LocalID>'}</T>"
        for has_id, key in rows
    )
    page = TableReader(PeopleReader(PEOPLE_COLUMNS)).page().rows(table(xml))
    assert page.keys() == [row.local_id for row in page.read()]


def test_text_that_needs_decoding_is_decoded() -> None:
    (person,) = read(
        "<T><ID>1</ID><FirstName>&lt;b&gt; &amp; &#233;</FirstName><LastName><![CDATA[<x>]]></LastName>"
        "<DoNotEmail>false</DoNotEmail></T>"
    )
    assert isinstance(person, Person)
    assert (person.first_name, person.last_name) == ("<b> & é", "<x>")


def test_a_total_that_is_no_number_is_missing() -> None:
    assert total_of(table("", total="12")) == 12
    assert total_of(table("", total="many")) is None


# -- frames ------------------------------------------------------------------------------------------------------


def test_a_frame_gives_session_success_errors_and_value() -> None:
    errors = (
        '<a:Errors xmlns:b="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Concierge"><b:ConciergeError>'
        "<b:Code>ObjectInvalid</b:Code><b:Message>No.</b:Message><b:OffendingField>F</b:OffendingField>"
        "</b:ConciergeError></a:Errors>"
    )
    body = get(f'{errors}<a:Success>false</a:Success><a:ResultValue i:nil="true"/>')
    got = read_frame(parse_xml(frame(body, "<SessionId>s-1</SessionId>")), "Get")
    assert (got.session_id, got.is_success, got.value) == ("s-1", False, None)
    assert [(error.code, error.message, error.field) for error in got.errors] == [("ObjectInvalid", "No.", "F")]


@pytest.mark.parametrize("value", ["", '<a:ResultValue i:nil="true"/>', "<a:ResultValue/>"])
def test_a_value_that_is_absent_nil_or_childless_is_none(value: str) -> None:
    assert read_frame(parse_xml(frame(get(f"<a:Success>true</a:Success>{value}"))), "Get").value is None


@pytest.mark.parametrize("header", ["", '<SessionId i:nil="true"/>', "<SessionId/>"])
def test_an_empty_session_is_none(header: str) -> None:
    assert read_frame(parse_xml(frame(get("<a:Success>true</a:Success>"), header)), "Get").session_id is None


@pytest.mark.parametrize("body", ["", get(""), get("<a:Success>perhaps</a:Success>"), "<Other/>"])
def test_a_frame_that_says_nothing_is_unreadable(body: str) -> None:
    with pytest.raises(UnreadableReply):
        read_frame(parse_xml(frame(body)), "Get")


def test_prefixes_mean_what_their_namespace_says() -> None:
    element = etree.fromstring(
        f'<v xmlns:i="{I}" xmlns:zz="urn:one" i:type="zz:Name"><w xmlns:zz="urn:two" i:type="zz:Name"/></v>'
    )
    assert (type_of(element), type_of(element[0])) == ("{urn:one}Name", "{urn:two}Name")


def test_a_fault_says_its_words() -> None:
    root = parse_xml(frame("<s:Fault><faultcode>x</faultcode><faultstring>Broken.</faultstring></s:Fault>"))
    assert fault_text(root) == "Broken."
    assert fault_text(parse_xml(frame(get("")))) is None


def test_an_empty_text_is_kept_only_where_its_type_is_text() -> None:
    pairs = "".join(
        f"<b:KeyValueOfstringanyType><b:Key>{key}</b:Key>{value}</b:KeyValueOfstringanyType>"
        for key, value in {
            "Text": '<b:Value i:type="x:string"></b:Value>',
            "Number": '<b:Value i:type="x:long"></b:Value>',
            "Untyped": "<b:Value></b:Value>",
            "Nil": '<b:Value i:type="x:string" i:nil="true"></b:Value>',
        }.items()
    )
    record = etree.fromstring(
        f'<r xmlns:b="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types" xmlns:i="{I}" '
        f'xmlns:x="http://www.w3.org/2001/XMLSchema"><b:Fields>{pairs}</b:Fields></r>'
    )
    assert {key: field.text for key, field in record_fields(record).items()} == {
        "text": "",
        "number": None,
        "untyped": None,
        "nil": None,
    }


# -- harm --------------------------------------------------------------------------------------------------------

BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"plain words",
        b"<a>",
        b"<a><b></a>",
        b"<a>\x00</a>",
        b"<a>\xff\xfe</a>",
        b"<a>&undefined;</a>",
        b"<a/><b/>",
        BOMB,
        BOMB.decode().encode("utf-16"),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<a>" * 100_000,
        b"<a " + b'x="' + b"y" * 11_000_000 + b'"/>',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_hostile_or_broken_xml_is_an_unreadable_reply(body: bytes) -> None:
    with pytest.raises(UnreadableReply):
        parse_xml(body)


def test_what_the_parser_says_never_quotes_the_body() -> None:
    with pytest.raises(UnreadableReply) as caught:
        parse_xml(b"<a><secretname></a>")
    assert "secretname" not in str(caught.value.remote_said)


def test_a_byte_order_mark_and_other_encodings_are_read() -> None:
    assert parse_xml(b"\xef\xbb\xbf<a>1</a>").text == "1"
    assert parse_xml('<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode("utf-16")).text == "é"


@pytest.mark.parametrize(
    ("kind", "body", "is_xml"),
    [
        ("text/xml; charset=utf-8", b"<a/>", True),
        ("application/soap+xml", b"\xef\xbb\xbf\n<a/>", True),
        ("", b"<?xml version='1.0'?><a/>", True),
        ("text/html", b"<a/>", False),
        ("text/xml", b"<!DOCTYPE html><html>", False),
        ("text/xml", b"<HTML>", False),
        ("text/xml", b"Service unavailable", False),
        ("application/json", b"{}", False),
        ("text/xml", b"", False),
    ],
)
def test_only_xml_reaches_the_parser(kind: str, body: bytes, is_xml: bool) -> None:
    assert looks_like_xml(kind, body) is is_xml


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_unreadable(body: bytes) -> None:
    try:
        parse_xml(body)
    except UnreadableReply:
        pass
