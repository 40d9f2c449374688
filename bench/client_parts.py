"""What the product does with pages that are in memory already: what is left of its time goes to calls and threads."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bench.client_pages import EXTRA
from memberSuite.concierge.table import TableReader
from memberSuite.decode import read_frame
from memberSuite.people import PEOPLE_COLUMNS, PeopleReader
from memberSuite.rest.rows import JsonReader, JsonRows, TypedRows
from memberSuite.rest.wire import items_of


def read_tables(pages: Sequence[bytes]) -> int:
    """Turn answers of ExecuteSearch into people, as one reading does, and count them."""
    table = TableReader(PeopleReader(PEOPLE_COLUMNS, EXTRA))
    count = 0
    for body in pages:
        page = table.page()
        value = read_frame(page.parse(body), "ExecuteSearch").value
        assert value is not None
        rows = page.rows(value)
        rows.keys()
        count += len(rows.read())
    return count


def read_json(pages: Sequence[bytes]) -> int:
    """Turn answers of executeSearch into people, as one reading does, and count them."""
    reader = JsonReader(PeopleReader(PEOPLE_COLUMNS, EXTRA))
    count = 0
    for body in pages:
        rows: TypedRows | JsonRows | None = reader.decode(body)
        if rows is None:
            rows = reader.rows(items_of(msgspec.json.decode(body))[0])
        rows.keys()
        count += len(rows.read())
    return count
