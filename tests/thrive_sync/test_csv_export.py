"""CSV that a spreadsheet opens as text, and that is never whole in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from django.utils.translation import get_language, override

from thrive_sync.lib import words
from thrive_sync.lib.csv_export import csv_response, safe


def text_of(header: list[object], rows: list[list[object]]) -> str:
    return b"".join(csv_response("people", header, rows).streaming_content).decode("utf-8")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "evil", ["=1+1", "+1", "-1", "@A1", "\tx", "\rx", "\n=x", "＝1", "  =1+1", "=cmd|' /C calc'!A0"]
)
def test_what_a_spreadsheet_would_compute_becomes_text(evil: str) -> None:
    assert safe(evil) == f"'{evil}"


@pytest.mark.parametrize(
    ("evil", "harmless"),
    [("a;=1+1", "a;'=1+1"), ("a;b; @c;", "a;b; '@c;"), ('a;"=1"', 'a;"\'=1"'), ("a\t-1", "a\t'-1"), ("x\x00", "x")],
)
def test_nor_does_one_that_parts_cells_by_semicolons_find_a_formula_inside(evil: str, harmless: str) -> None:
    assert safe(evil) == harmless


@pytest.mark.parametrize(
    "plain",
    [
        "Zoë",
        "a-b",
        "a;b",
        "7 =",
        "\u00a0x",
        "",
        "1=1",
        "O'Brien, Pat",
        'say "hi"',
        "two\nlines",
    ],
)
def test_everything_else_comes_back_as_it_was(plain: str) -> None:
    (row,) = csv.reader(io.StringIO(text_of([plain], []).removeprefix("\ufeff"), newline=""))
    assert row == [plain]


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    assert text_of(["a", "b", "c"], [[-5, None, 1.5]]) == "\ufeffa,b,c\r\n-5,,1.5\r\n"


def test_rows_are_made_only_as_they_are_sent() -> None:
    made: list[int] = []

    def rows() -> Iterator[list[object]]:
        for number in range(10_000):
            made.append(number)
            yield [number]

    parts = iter(csv_response("people", ["n"], rows()).streaming_content)
    next(parts)
    next(parts)
    assert len(made) <= 400


def test_the_file_name_is_plain() -> None:
    response = csv_response('run 5 "removed"\r\nX: y', ["a"], [])
    assert response["Content-Disposition"] == 'attachment; filename="run-5-removed-x-y.csv"'


def test_lines_that_go_out_later_are_in_the_language_of_whoever_asked() -> None:
    with override("de"):
        response = csv_response("people", ["Count"], ([words.number(one)] for one in (1500, 2500)))
    lines = []
    for part in response:
        lines += part.decode("utf-8-sig").splitlines()
        assert get_language() == "en"
    assert lines == ["Count", "1.500", "2.500"]
