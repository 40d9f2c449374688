"""Lists as CSV, row by row: however long a list is, it is never in memory as a whole."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import chain, islice
from typing import TypeVar

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.text import slugify
from django.utils.translation import get_language, override

T = TypeVar("T")
Row = Sequence[object]

# Spreadsheets take the byte order mark as a sign of UTF-8.
_MARK = "\ufeff"
# A spreadsheet computes what begins so (a formula may fetch and send): an apostrophe makes it text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Where lists are parted by semicolons, a spreadsheet parts our cells there too, quoted or not.
_FORMULA_INSIDE = re.compile(r'([;\t][\s"]*)(?=[-=+@＝＋－＠])')
# Rows that the database server sends at a time, and rows of text that go out at a time.
STEP = 2_000
_LINES = 200


def csv_response(name: str, header: Row, rows: Iterable[Row]) -> StreamingHttpResponse:
    """Answer with a download. `name` becomes the file's name: it must hold no person's data."""
    lines = _lines(header, rows, get_language())
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slugify(name) or "list"}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def in_steps(queryset: QuerySet[T]) -> Iterator[list[T]]:  # type: ignore[type-var]  # its rows may be tuples
    """Read a query by a cursor on the server, some rows at a time, for what is looked up beside them."""
    rows = queryset.iterator(chunk_size=STEP)
    while step := list(islice(rows, STEP)):
        yield step


def safe(value: object) -> object:
    """Return a cell that a spreadsheet shows and never computes; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    text = str(value)
    if text[:1].isalnum() and text.isprintable() and ";" not in text:  # most of all cells
        return text
    text = _FORMULA_INSIDE.sub(r"\1'", text.replace("\x00", ""))
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def time_cell(value: datetime | None, zone: tzinfo) -> str:
    """Write a time in full, in a person's zone, as a spreadsheet reads it."""
    return value.astimezone(zone).isoformat(sep=" ", timespec="seconds") if value else ""


def _lines(header: Row, rows: Iterable[Row], language: str | None) -> Iterator[str]:
    rows, text = iter(rows), io.StringIO(newline="")
    writer = csv.writer(text)
    text.write(_MARK)
    steps = chain([[header]], iter(lambda: list(islice(rows, _LINES)), []))
    while True:
        with override(language):  # by the time that lines go out, the thread may speak another person's
            step = next(steps, None)
            if step is None:
                return
            writer.writerows([[safe(cell) for cell in row] for row in step])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
