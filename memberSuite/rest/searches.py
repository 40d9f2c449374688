"""Saved searches over REST: the shape of their door is not known, so several are understood (protocol section 3.5)."""

from __future__ import annotations

from typing import Any

import msgspec

from memberSuite import exceptions as e
from memberSuite.coerce import to_bool
from memberSuite.crew import Halt
from memberSuite.records import NotRunnable, Search, SearchList
from memberSuite.rest import msql
from memberSuite.rest.rows import as_text
from memberSuite.rest.source import execute
from memberSuite.rest.wire import Call, RestWire, items_of
from memberSuite.words import gettext

PAGE = 100
COLUMNS = ("ID", "Name", "Description", "ApplicableType", "IsPublic", "LastModifiedDate")
PEOPLE_TYPE = "individual"
MOST_SEARCHES = 20_000

Record = dict[str, Any]


def list_searches(wire: RestWire, halt: Halt) -> SearchList:
    """List all public searches by their door; where that fails, by MSQL, which does not tell their criteria."""
    try:
        records, total = _by_door(wire, halt)
    except (e.AddressWrong, e.AccessDenied, e.RemoteRefused, e.SearchInvalid, e.UnreadableReply):
        records, total = _by_msql(wire, halt), None
    found = [_search(record) for record in records]
    public = {search.remote_id.lower(): search for search in found if search.is_public and search.remote_id}
    expected = len(records) if total is None else total
    return SearchList(tuple(public.values()), expected - sum(not search.is_public for search in found))


def get_search(wire: RestWire, remote_id: str, halt: Halt) -> Search:
    """Find one search in the list: no door for a single one is known."""
    for search in list_searches(wire, halt).searches:
        if search.remote_id.lower() == remote_id.lower():
            return search
    raise e.SearchGone


def _by_door(wire: RestWire, halt: Halt) -> tuple[list[Record], int | None]:
    found: dict[str, Record] = {}
    total: int | None = None
    page = 1
    while True:
        call = Call(
            "savedsearches",
            "GET",
            f"/platform/v2/savedsearches/{wire.tenant}",
            query={"page": str(page), "pageSize": str(PAGE)},
        )
        items, told = wire.call(lambda made=call: made, lambda outcome: items_of(outcome.value), halt)  # type: ignore[misc]
        total = told if told is not None else total
        new = _add(found, items)
        if not new or (total is not None and len(found) >= total):  # a server may not know pages at all
            return list(found.values()), total
        _must_end(len(found))
        page += 1


def _by_msql(wire: RestWire, halt: Halt) -> list[Record]:
    found: dict[str, Record] = {}
    while True:
        conditions = ["IsPublic = 1", *([msql.id_after(list(found)[-1])] if found else [])]
        call = execute(msql.select(COLUMNS, "SavedSearch", conditions, "ID", PAGE))
        items, _ = wire.call(lambda made=call: made, lambda outcome: items_of(outcome.value), halt)  # type: ignore[misc]
        if not items:
            return list(found.values())
        if not _add(found, items):
            raise e.ListEndless
        _must_end(len(found))


def _add(found: dict[str, Record], items: list[Record]) -> bool:
    """Take in a page of the list, and say whether it brought anything."""
    known = len(found)
    for item in items:
        record = {name.lower(): value for name, value in item.items()}
        remote_id = as_text(record.get("id"))
        # Taken for private, a search would look like one that is no longer offered (R10).
        if len(record) < len(item) or not remote_id or remote_id.isspace() or to_bool(record.get("ispublic")) is None:
            raise e.UnreadableReply(
                gettext("The list of saved searches does not say which there are, or which are public.")
            )
        found.setdefault(remote_id.lower(), record)
    return len(found) > known


def _must_end(count: int) -> None:
    if count > MOST_SEARCHES:
        raise e.ListEndless


def _search(record: Record) -> Search:
    stored = record.get("search")
    criteria = stored if isinstance(stored, dict) else {}
    said = {name.lower(): value for name, value in criteria.items()}
    applicable = _text(record, "applicabletype")
    search_type = _text(said, "type") or applicable
    columns, is_grouped = _columns(said.get("outputcolumns"))
    is_public = to_bool(record.get("ispublic")) is True
    is_active = to_bool(record.get("isactive")) is not False
    is_limited = bool(said.get("topn")) or to_bool(said.get("uniqueresult")) is True or is_grouped
    return Search(
        remote_id=_text(record, "id") or "",
        name=_text(record, "name") or "",
        description=_text(record, "description"),
        applicable_type=applicable,
        is_public=is_public,
        is_active=is_active,
        modified_at=_text(record, "lastmodifieddate"),
        definition=msgspec.json.encode(criteria) if criteria else b"",
        search_type=search_type,
        is_limited=is_limited,
        output_columns=columns,
        not_runnable=_not_runnable(said, search_type, is_active, is_public, is_limited),
    )


def _text(record: Record, name: str) -> str | None:
    text = as_text(record.get(name))
    return None if text is None else e.fit(text)


def _not_runnable(
    said: Record, search_type: str | None, is_active: bool, is_public: bool, is_limited: bool
) -> NotRunnable:
    """Say why a search can't be run; one whose criteria we would have to guess is refused."""
    if not is_active:
        return "inactive"
    if not is_public:
        return "not_public"
    if (search_type or "").lower() != PEOPLE_TYPE:
        return "not_people"
    if _asks_its_user(said):
        return "needs_parameter"
    if "criteria" not in said or said["criteria"] or said.get("context") or is_limited:
        return "not_over_rest"
    return ""


def _asks_its_user(value: Any) -> bool:
    if isinstance(value, dict):
        return any(
            (name.lower() == "enableparameterization" and to_bool(inner) is True) or _asks_its_user(inner)
            for name, inner in value.items()
        )
    if isinstance(value, list):
        return any(map(_asks_its_user, value))
    return isinstance(value, str) and len(value.strip()) >= 4 and value.strip()[:2] == value.strip()[-2:] == "##"


def _columns(value: Any) -> tuple[tuple[str, ...], bool]:
    """Return the plain output columns, and whether rows are grouped; a column is a name or an object with one."""
    plain: list[str] = []
    is_grouped = False
    for column in value if isinstance(value, list) else ():
        said = {name.lower(): inner for name, inner in column.items()} if isinstance(column, dict) else {"name": column}
        name, function = as_text(said.get("name")), as_text(said.get("aggregatefunction")) or "None"
        is_grouped = is_grouped or function.lower() != "none"
        if name and function.lower() == "none" and name not in plain and msql.is_column(name):
            plain.append(name)
    return tuple(plain), is_grouped
