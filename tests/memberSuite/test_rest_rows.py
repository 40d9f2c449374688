"""A page that is decoded by type gives what it would give without one, or is left to the other way."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberSuite.people import PEOPLE_COLUMNS, PeopleReader, Row
from memberSuite.records import Person, RejectedRow
from memberSuite.rest.names import is_each_name_once
from memberSuite.rest.rows import JsonReader
from memberSuite.rest.wire import items_of

EXTRA = ("Town", "Membership.Type.name")
PLAIN = {
    "id": "a-1",
    "localID": 7,
    "firstName": "Ada",
    "lastName": "Hall",
    "emailAddress": "ada@lamps.example",
    "doNotEmail": False,
    "lastModifiedDate": "2026-02-03T10:11:12",
    "town": "Leeds",
    "membership.Type.name": "Full",
    "unasked": [1, {"x": None}],
}


def body(*rows: Any) -> bytes:
    return json.dumps({"success": True, "data": list(rows)}).encode()


def fresh() -> JsonReader:
    return JsonReader(PeopleReader(PEOPLE_COLUMNS, EXTRA))


def taught(*more: dict[str, Any]) -> JsonReader:
    """Return a reader that has seen a page with all columns."""
    reader = fresh()
    reader.rows([PLAIN, *more])
    return reader


def untyped(answer: bytes) -> tuple[list[int | None], list[Row]]:
    rows = fresh().rows(items_of(msgspec.json.decode(answer))[0])
    return rows.keys(), rows.read()


def typed(reader: JsonReader, answer: bytes) -> tuple[list[int | None], list[Row]] | None:
    rows = reader.decode(answer)
    if rows is None:
        return None
    assert len(rows) == len(rows.keys())
    return rows.keys(), rows.read()


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"localID": "7"},
        {"localID": None},
        {"localID": ""},
        {"localID": 2**70},
        {"id": ""},
        {"id": None},
        {"firstName": "", "town": ""},
        {"town": None},
        {"doNotEmail": "false"},
        {"doNotEmail": "No"},
        {"doNotEmail": 0},
        {"doNotEmail": True},
        {"doNotEmail": None},
        {"doNotEmail": "maybe"},
        {"lastName": "O'Shea \"&<> \u0000 é 😀"},
        {"unasked": "anything"},
    ],
)
def test_plain_rows_are_typed_and_mean_the_same(change: dict[str, Any]) -> None:
    answer = body(PLAIN | change, PLAIN)
    assert typed(taught(), answer) == untyped(answer)


def test_a_name_that_was_left_out_before_may_be_left_out_again_and_is_none() -> None:
    bare = {"id": "a-1", "doNotEmail": False}
    assert typed(taught(), body(bare)) is None
    assert typed(taught(bare), body(bare)) == ([None], [Person("a-1", do_not_email=False)])


@pytest.mark.parametrize("more", [(), ({"id": "a-1"},)], ids=["all names", "some left out"])
@pytest.mark.parametrize("colon", [":", " :", "\n: "])
@pytest.mark.parametrize("name", ["doNotEmail", "id", "emailAddress", "doN\\u006ftEmail"])
def test_r1_a_page_in_which_a_row_names_a_column_twice_is_never_typed(name: str, colon: str, more: Any) -> None:
    plain = body(PLAIN)
    assert typed(taught(*more), plain) is not None
    twice = plain.replace(b'{"id"', f'{{"{name}"{colon}false,"id"'.encode())
    assert typed(taught(*more), twice) is None
    assert not is_each_name_once(twice)


def test_r1_a_flag_under_two_names_is_in_doubt_and_an_address_under_two_names_is_rejected() -> None:
    flags = fresh().rows([PLAIN | {"doNotEmail": False, "DONOTEMAIL": True}])
    assert flags.read() == [Person("a-1", 7, do_not_email=None)]
    addresses = fresh().rows([PLAIN | {"doNotEmail": False, "EMAILADDRESS": "other@lamps.example"}])
    assert addresses.read() == [RejectedRow("a-1", 7, "column_twice")]


def test_columns_that_hold_other_things_than_texts_become_texts() -> None:
    odd = {"town": 5, "membership.Type.name": True}
    answer = body(PLAIN | odd, PLAIN | {"town": 2.5})
    assert typed(taught(PLAIN | odd), answer) == untyped(answer)
    assert typed(taught(), answer) is None  # not before one was seen


@pytest.mark.parametrize(
    "change",
    [{"new": 1}, {"ID": "b"}, {"firstName": 5}, {"firstName": ["x"]}, {"localID": 5.0}, {"doNotEmail": 0.0}],
    ids=str,
)
def test_what_the_type_does_not_know_is_left_to_the_other_way(change: dict[str, Any]) -> None:
    """R1: a flag under another name must be seen, not skipped."""
    assert typed(taught(), body(PLAIN, PLAIN | change)) is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"{}",
        json.dumps([PLAIN]).encode(),
        json.dumps({"success": False, "data": [PLAIN]}).encode(),
        json.dumps({"data": [PLAIN]}).encode(),
        json.dumps({"success": True, "data": [PLAIN], "totalCount": 1}).encode(),
        body(PLAIN)[:-1],
        body(PLAIN).replace(b"Ada", b"\xff"),
        b"[" * 100_000,
    ],
    ids=lambda answer: repr(answer[:24]),
)
def test_any_other_answer_is_left_to_the_other_way(answer: bytes) -> None:
    assert typed(taught(), answer) is None


def test_two_names_for_one_column_are_never_typed() -> None:
    assert typed(taught({"ID": "other"}), body(PLAIN)) is None


def test_names_that_no_type_can_have_are_never_typed() -> None:
    assert typed(taught({'a"b': 1}), body(PLAIN)) is None


values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
values |= st.sampled_from(["", "false", "true", "5", "x", "é"])
some_rows = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(sorted(PLAIN)), values), st.sets(st.sampled_from(sorted(PLAIN)))),
    max_size=3,
)


@given(some_rows)
def test_any_rows_are_typed_as_they_are_without_or_not_at_all(rows: list[tuple[dict[str, Any], set[str]]]) -> None:
    answer = body(
        *({name: value for name, value in (PLAIN | change).items() if name not in gone} for change, gone in rows)
    )
    assert typed(taught(PLAIN | {"town": 5}), answer) in (None, untyped(answer))
