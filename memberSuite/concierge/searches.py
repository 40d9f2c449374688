"""Saved searches over Concierge: listing them, and reading one with what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lxml import etree

from memberSuite import exceptions as e
from memberSuite.coerce import to_bool
from memberSuite.concierge import criteria, definition, envelope
from memberSuite.concierge.wire import ConciergeWire, Outcome
from memberSuite.crew import Halt
from memberSuite.decode import RESULTS, Field, cells, is_nil, record_fields, table_rows, total_of
from memberSuite.people import Columns
from memberSuite.records import NotRunnable, Search, SearchList
from memberSuite.words import gettext

COLUMNS = ("ID", "Name", "Description", "ApplicableType", "IsPublic", "LastModifiedDate")
STATEMENT = "SELECT {} FROM SavedSearch WHERE IsPublic = 1 ORDER BY Name"
PEOPLE_TYPE = "individual"
MOST_SEARCHES = 20_000


@dataclass(frozen=True)
class _Page:
    searches: list[Search]
    rows: int
    total: int


def list_searches(wire: ConciergeWire, page_size: int, halt: Halt) -> SearchList:
    """List all public searches by MSQL; where that is refused, by a search of searches (protocol section 11).

    A record need not have a field IsActive: it is asked for, and left out where the server does not know it.
    """
    ways = (
        lambda start: _by_msql(wire, (*COLUMNS, "IsActive"), start, page_size, halt),
        lambda start: _by_msql(wire, COLUMNS, start, page_size, halt),
    )
    for way in ways:
        try:
            return _all_pages(way)
        except (e.SearchInvalid, e.RemoteRefused):
            continue
        except e.AccessDenied:
            break
    return _all_pages(lambda start: _by_search(wire, start, page_size, halt))


def get_search(wire: ConciergeWire, remote_id: str, halt: Halt) -> Search:
    """Read one search with its definition, or raise SearchGone."""
    try:
        return wire.call("Get", lambda: envelope.get(remote_id), lambda outcome: _search(outcome.value), halt)
    except e.RemoteRefused as error:
        if error.remote_code == "RecordNotFound":
            raise e.SearchGone(error.remote_said) from None
        raise


def _all_pages(page: Callable[[int], _Page]) -> SearchList:
    found: dict[str, Search] = {}
    start, total, private = 0, 0, 0
    while True:
        answer = page(start)
        for search in answer.searches:
            if search.is_public:
                found[search.remote_id.lower()] = search
            else:  # a server that ignores the condition on IsPublic counts these too
                private += 1
        start += answer.rows
        total = max(total, answer.total)
        if not answer.rows or start >= answer.total:
            return SearchList(tuple(found.values()), total - private)
        if start > MOST_SEARCHES:
            raise e.ListEndless


def _by_msql(wire: ConciergeWire, columns: tuple[str, ...], start: int, most: int, halt: Halt) -> _Page:
    statement = STATEMENT.format(", ".join(columns))

    def read(outcome: Outcome) -> _Page:
        result = outcome.value.find(RESULTS + "SearchResult")
        # No rows is said by leaving every kind of result nil.
        return _Page([], 0, 0) if result is None or is_nil(result) else _table(result, columns)

    return wire.call("ExecuteMSQL", lambda: envelope.execute_msql(statement, start, most), read, halt)


def _by_search(wire: ConciergeWire, start: int, most: int, halt: Halt) -> _Page:
    def body() -> str:
        search = criteria.search(
            None, own_criteria=[criteria.is_public()], columns=COLUMNS, sort=[("ID", False)], search_type="SavedSearch"
        )
        return envelope.execute_search(search, start, most)

    return wire.call("ExecuteSearch", body, lambda outcome: _table(outcome.value, COLUMNS), halt)


def _table(result: etree._Element, columns: tuple[str, ...]) -> _Page:
    total = total_of(result)
    if total is None:
        raise e.TotalMissing
    read = Columns(columns).values
    rows = [read(cells(row)) for row in table_rows(result)]
    if not all(is_plain for _, is_plain in rows):
        raise e.UnreadableReply(gettext("The list of saved searches says one thing twice."))
    return _Page([search for row, _ in rows if (search := _listed(row)) is not None], len(rows), total)


def _listed(row: list[str | None]) -> Search | None:
    """Return a listed search; one without an ID leaves the list short of its total, which its reader must see."""
    remote_id, name, description, applicable_type, is_public, modified_at, is_active, *_ = *row, None
    if not remote_id or remote_id.isspace():
        return None
    if to_bool(is_public) is None:  # taken for private, it would look like one that is no longer offered (R10)
        raise e.UnreadableReply(gettext("The list of saved searches does not say which are public."))
    active = to_bool(is_active) is not False
    is_people = (applicable_type or "").lower() == PEOPLE_TYPE
    return Search(
        remote_id=remote_id,
        name=name or "",
        description=description,
        applicable_type=applicable_type,
        is_public=to_bool(is_public) is True,
        is_active=active,
        modified_at=modified_at,
        not_runnable="inactive" if not active else "" if is_people else "not_people",
    )


def _search(record: etree._Element) -> Search:
    fields = record_fields(record)
    remote_id = _text(fields, "ID")
    if not remote_id:
        raise e.UnreadableReply(gettext("The search has no ID."))
    search = Search(
        remote_id=remote_id,
        name=_text(fields, "Name") or "",
        description=_text(fields, "Description"),
        applicable_type=_text(fields, "ApplicableType"),
        is_public=to_bool(_text(fields, "IsPublic")) is True,
        is_active=to_bool(_text(fields, "IsActive")) is not False,
        modified_at=_text(fields, "LastModifiedDate"),
    )
    stored = fields.get("search")
    if stored is None or is_nil(stored.element) or not len(stored.element):
        raise e.SearchInvalid(gettext("The search has no definition."))
    kept = definition.kept(stored.element)
    said = definition.read(kept)
    search = replace(
        search,
        definition=kept,
        search_type=said.search_type or search.applicable_type,
        is_limited=said.is_limited,
        output_columns=said.columns,
    )
    return replace(search, not_runnable=_not_runnable(search, said.needs_parameter))


def _not_runnable(search: Search, needs_parameter: bool) -> NotRunnable:
    if not search.is_active:
        return "inactive"
    if not search.is_public:
        return "not_public"
    if (search.search_type or "").lower() != PEOPLE_TYPE:
        return "not_people"
    return "needs_parameter" if needs_parameter else ""


def _text(fields: dict[str, Field], name: str) -> str | None:
    field = fields.get(name.casefold())
    return field.text if field else None
