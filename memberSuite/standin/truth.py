"""What is true: who is in a search, worked out person by person, and the changes a test or a demo makes to it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from memberSuite.standin.columns import Value
from memberSuite.standin.engine import Engine
from memberSuite.standin.query import Query
from memberSuite.standin.searches import SavedSearch
from memberSuite.standin.world import World

MEMBER_FIELDS = {
    "id": "ID",
    "local_id": "LocalID",
    "first_name": "FirstName",
    "last_name": "LastName",
    "email": "EmailAddress",
    "do_not_email": "DoNotEmail",
}


class NotThere(LookupError):
    """No such search or person."""


def the_search(world: World, wanted: str) -> SavedSearch:
    search = world.catalogue.searches.get(wanted.strip().lower())
    if search is None:
        raise NotThere(f"no search {wanted[:60]}")
    return search


def the_row(world: World, wanted: str | int) -> int:
    """Return the row of a person by Remote ID or by LocalID."""
    text = str(wanted).strip()
    if text.isdigit():
        row = world.population.first_row_from(int(text))
        known = (
            row < world.population.size and world.population.alive[row] and row not in world.population.without_local_id
        )
        if known and world.population.columns["localid"].value(row) == int(text):
            return row
    elif (found := world.population.find(text)) is not None:
        return found
    raise NotThere(f"no person {text[:60]}")


# -- members --------------------------------------------------------------------------------------------------------


def matching_rows(engine: Engine, query: Query) -> Iterator[int]:
    """Yield the table rows of a search one by one, each asked on its own: none of the engine's masks are used."""
    table = engine.table(query)
    test = engine.row_test(table, query.where)
    alive = table.alive()
    rows = (row for row in range(table.size) if alive[row] and test(row))
    if query.top is None and not query.unique:
        yield from rows
        return
    ordered = sorted(rows)
    for name, descending in reversed(query.sort):
        value = table.column(name).value
        ordered.sort(key=lambda row: _null_first(value(row)), reverse=descending)
    yield from islice(ordered, query.top)


def _null_first(value: Value) -> tuple[bool, str | int]:
    if value is None:
        return (False, 0)
    return (
        True,
        value.casefold()
        if isinstance(value, str)
        else int(str(int(value)))
        if isinstance(value, (int, bool))
        else str(value),
    )


def members(world: World, search: SavedSearch) -> Iterator[dict[str, object]]:
    """Yield each person of a search once, with the number of rows they have in it."""
    if search.query.type != "Individual" or search.needs_parameter:
        return
    table = world.engine.table(search.query)
    readers = [(name, world.population.columns[field.lower()].value) for name, field in MEMBER_FIELDS.items()]
    seen = -1
    found: dict[str, object] = {}
    rows = matching_rows(world.engine, search.query)
    for row in rows:
        person = table.person(row)
        if person == seen:
            found["rows"] = int(str(found["rows"])) + 1
            continue
        if found:
            yield found
        seen = person
        found = {name: read(person) for name, read in readers}
        found["rows"] = 1
    if found:
        yield found


def ndjson(items: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    source = iter(items)
    while lines := [json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in islice(source, 500)]:
        yield ("\n".join(lines) + "\n").encode()


def summary(world: World, search: SavedSearch) -> dict[str, int]:
    """Return how many people and rows a search has, and how many of them may be mailed."""
    figures = dict.fromkeys(
        ("people", "rows", "mailable", "mailable_rows", "do_not_email", "blank_do_not_email", "no_address"), 0
    )
    for member in members(world, search):
        rows, flag = int(str(member["rows"])), member["do_not_email"]
        figures["people"] += 1
        figures["rows"] += rows
        figures["mailable"] += flag is False
        figures["mailable_rows"] += rows if flag is False else 0
        figures["do_not_email"] += flag is True
        figures["blank_do_not_email"] += flag is None
        figures["no_address"] += flag is False and not str(member["email"] or "").strip()
    return figures


def describe(search: SavedSearch) -> dict[str, object]:
    return {
        "id": search.id,
        "name": search.name,
        "description": search.description,
        "type": search.query.type,
        "is_public": search.is_public,
        "is_active": search.is_active is not False,
        "is_deleted": search.is_deleted,
        "is_limited": search.query.top is not None or search.query.unique or search.query.aggregates,
        "needs_parameter": search.needs_parameter,
        "columns": [column.name for column in search.query.columns],
    }
