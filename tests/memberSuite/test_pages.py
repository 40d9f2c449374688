"""Paging rules of protocol section 4, on a server that is a sorted list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberSuite import pages
from memberSuite.exceptions import ConnectionCut, PagingIgnored, ServerTrouble, TimedOut
from memberSuite.pages import Answer, Ask, PageSize, Row, StartOver, by_offset, keyed, split_range, without_key
from memberSuite.records import Person

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class ListRows:
    people: list[Row]

    def __len__(self) -> int:
        return len(self.people)

    def keys(self) -> list[int | None]:
        return [person.local_id for person in self.people]

    def read(self) -> list[Row]:
        return list(self.people)


@dataclass
class ListServer:
    """Answers from a list, as a server does; `before` may change the list before each call."""

    people: list[Person]
    size: int = 25
    cap: int = 1000
    ignores_key: bool = False
    ignores_sort: bool = False
    ignores_start: bool = False
    before: Callable[[ListServer, int], None] = lambda server, call: None
    asked: list[Ask] = field(default_factory=list)

    def __call__(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        self.before(self, len(self.asked))
        found = [person for person in self.people if self.ignores_key or self.matches(person, ask)]
        if not self.ignores_sort:
            found.sort(key=lambda person: (person.local_id or 0, person.remote_id))
        start = 0 if self.ignores_start else ask.start
        page: list[Row] = [*found[start : start + min(self.size, self.cap)]]
        return Answer(ListRows(page), len(found), NOW, self.size)

    @staticmethod
    def matches(person: Person, ask: Ask) -> bool:
        if ask.only_without_key:
            return person.local_id is None
        if ask.low is not None and (person.local_id is None or person.local_id < ask.low):
            return False
        return ask.high is None or (person.local_id is not None and person.local_id < ask.high)


def people(*keys: int | None) -> list[Person]:
    return [Person(f"id-{place:05}", key) for place, key in enumerate(keys)]


def received(server: ListServer, low: int = 0, high: int | None = None) -> list[str]:
    return [row.remote_id or "" for answer in keyed(server, low, high) for row in answer.read()]


def test_every_row_comes_once_in_the_order_of_its_key() -> None:
    everybody = people(*range(1, 101))
    assert received(ListServer(everybody)) == [person.remote_id for person in everybody]


def test_a_range_is_half_open() -> None:
    server = ListServer(people(*range(1, 101)))
    assert len(received(server, 10, 20)) == 10
    assert len(received(server, 20, None)) == 81


def test_an_empty_range_takes_one_call() -> None:
    server = ListServer(people(1, 2, 3))
    assert received(server, 50) == []
    assert len(server.asked) == 1


def test_a_short_page_is_not_the_end() -> None:
    assert len(received(ListServer(people(*range(1, 101)), cap=7))) == 100


def test_a_page_capped_to_one_row_still_reads_everybody() -> None:
    assert len(received(ListServer(people(1, 2, 2, 2, 3), cap=1))) == 5


def test_a_person_with_several_rows_survives_a_page_edge() -> None:
    everybody = people(*([1] * 24), *([2] * 3), *range(3, 30))
    assert sorted(received(ListServer(everybody))) == [person.remote_id for person in everybody]


def test_a_page_that_is_all_one_key_goes_on_by_offset() -> None:
    everybody = people(1, *([2] * 80), 3, 4)
    server = ListServer(everybody)
    assert sorted(received(server)) == [person.remote_id for person in everybody]
    assert {ask.start for ask in server.asked if ask.low == 2} >= {0, 25, 50}


def test_a_last_person_with_exactly_one_page_of_rows_is_read_whole() -> None:
    assert len(received(ListServer(people(1, *([2] * 25))))) == 26
    assert len(received(ListServer(people(*([2] * 50))))) == 50


@given(st.lists(st.integers(1, 12), max_size=150), st.integers(1, 30))
def test_all_rows_come_once_whatever_the_keys_and_the_cap(keys: list[int], cap: int) -> None:
    everybody = people(*keys)
    assert sorted(received(ListServer(everybody, cap=cap))) == [person.remote_id for person in everybody]


def test_rows_removed_between_pages_lose_nobody_else() -> None:
    def remove_first(server: ListServer, call: int) -> None:
        if call == 2:
            del server.people[:5]

    everybody = people(*range(1, 101))
    assert received(ListServer(list(everybody), before=remove_first)) == [person.remote_id for person in everybody]


def test_rows_added_behind_the_reading_repeat_nobody() -> None:
    def add_first(server: ListServer, call: int) -> None:
        server.people.insert(0, Person(f"new-{call}", 1))

    got = received(ListServer(people(*range(2, 102)), before=add_first))
    assert len(got) == len(set(got)) == 101  # the one added before the first call is seen


def test_the_removal_of_the_row_at_the_page_edge_loses_nobody() -> None:
    def remove_edge(server: ListServer, call: int) -> None:
        if call == 2:
            server.people = [person for person in server.people if person.local_id != 25]

    assert len(received(ListServer(people(*range(1, 101)), before=remove_edge))) == 100


def test_an_ignored_key_criterion_starts_over() -> None:
    with pytest.raises(StartOver):
        received(ListServer(people(*range(1, 101)), ignores_key=True))


def test_an_ignored_sort_starts_over() -> None:
    with pytest.raises(StartOver):
        received(ListServer(people(3, 2, 1), ignores_sort=True))


def test_an_ignored_upper_bound_starts_over() -> None:
    with pytest.raises(StartOver):
        received(ListServer(people(*range(1, 20)), ignores_key=True), 0, 10)


def test_a_row_without_key_in_a_keyed_page_starts_over() -> None:
    with pytest.raises(StartOver):
        received(ListServer(people(1, None), ignores_key=True))


def test_rows_without_key_are_read_by_offset() -> None:
    server = ListServer(people(*([None] * 60), 1, 2))
    assert sum(len(answer) for answer in without_key(server)) == 60


def test_an_ignored_blank_criterion_starts_over() -> None:
    with pytest.raises(StartOver):
        list(without_key(ListServer(people(1, 2), ignores_key=True)))


def test_a_person_with_more_rows_than_anybody_has_ends_the_reading() -> None:
    server = ListServer(people(*[7] * 30_000), size=1000)
    with pytest.raises(PagingIgnored):
        received(server)
    assert len(server.asked) == 22


def test_reading_by_offset_ends_at_the_empty_page() -> None:
    server = ListServer(people(*range(1, 61)), cap=20)
    assert sum(len(answer) for answer in by_offset(server, "id")) == 60
    assert [ask.start for ask in server.asked] == [0, 20, 40, 60]


def test_reading_by_offset_gives_its_first_page_even_when_empty() -> None:
    assert [len(answer) for answer in by_offset(ListServer([]), "id")] == [0]


def test_reading_by_offset_ends_at_its_limit() -> None:
    server = ListServer(people(*range(1, 61)))
    assert sum(len(answer) for answer in by_offset(server, "stored", 50)) == 50
    assert len(server.asked) == 2


def test_a_server_that_ignores_the_start_is_not_read_for_ever() -> None:
    with pytest.raises(PagingIgnored):
        list(by_offset(ListServer(people(*range(1, 61)), ignores_start=True), "id"))


def test_a_server_whose_people_and_total_grow_with_every_page_is_not_read_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def grow(server: ListServer, call: int) -> None:
        server.people += people(*range(call * 1000, call * 1000 + 100))

    monkeypatch.setattr(pages, "MOST_CALLS", 40)
    server = ListServer([], before=grow)
    with pytest.raises(PagingIgnored):
        list(by_offset(server, "id"))
    assert len(server.asked) == 40
    monkeypatch.setattr(pages, "MOST_ROWS", 100)
    with pytest.raises(PagingIgnored):
        list(by_offset(ListServer([], before=grow), "id"))


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(1, 5000), st.integers(1, 16))
def test_ranges_touch_each_other_and_leave_nothing_out(first: int, span: int, pages: int, readers: int) -> None:
    ranges = split_range(first, first + span, pages=pages, readers=readers)
    assert ranges[0][0] == 0
    assert ranges[-1][1] is None
    assert all(high == low for (_, high), (low, _) in pairwise(ranges))
    assert all(high is None or low < high for low, high in ranges)
    assert len(ranges) <= 8 * readers


def test_a_page_halves_after_trouble_down_to_25_and_grows_back() -> None:
    size = PageSize(200)
    for _ in range(5):
        size.shrink(TimedOut())
    assert size.now == 25
    for _ in range(30):
        size.succeeded()
    assert size.now == 200


def test_a_page_keeps_its_size_when_the_trouble_is_not_its_size() -> None:
    size = PageSize(200)
    size.shrink(ConnectionCut())
    assert size.now == 200
    size.shrink(ServerTrouble())
    assert size.now == 100
