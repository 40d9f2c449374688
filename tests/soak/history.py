"""What was true of each person and each search at every moment of a soak: noted by the stand-in as it changes."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from memberSuite.standin.searches import SavedSearch
    from memberSuite.standin.server import StandIn

StateT = TypeVar("StateT")


@dataclass(frozen=True)
class Person:
    """A living person; `rows` tells how many rows they have in each watched search, by its ID."""

    email: str
    first_name: str
    last_name: str
    do_not_email: bool | None
    rows: tuple[tuple[str, int], ...]

    def rows_in(self, search: str) -> int:
        return dict(self.rows).get(search, 0)


@dataclass(frozen=True)
class Offer:
    """A search as MemberSuite offers it."""

    name: str
    is_offered: bool


class Line(Generic[StateT]):
    """States one after the other, each with the moment between which two it began; None is absent."""

    def __init__(self, state: StateT | None, at: float) -> None:
        self.began = [at]
        self.states = [state]

    def add(self, at: float, state: StateT | None) -> None:
        self.began.append(at)
        self.states.append(state)

    def between(self, start: float, end: float) -> list[StateT | None]:
        """Return every state that held at some moment from `start` to `end`."""
        first = max(bisect_right(self.began, start) - 1, 0)
        return self.states[first : max(bisect_right(self.began, end), first + 1)]

    def forget(self) -> None:
        """Keep the present state alone."""
        del self.began[:-1], self.states[:-1]


class History:
    """Watches a stand-in. A change is told before any other call sees it, so its moment is exact to the call."""

    def __init__(self, standin: StandIn, watched: Sequence[str]) -> None:
        self.standin = standin
        self.lock = threading.Lock()
        self.people: dict[str, Line[Person]] = {}
        self.searches: dict[str, Line[Offer]] = {}
        self.watched = [search.lower() for search in watched]
        world = standin.world
        self._read = _reader(standin, self.watched)
        with world.engine.lock:
            for row in world.population.living():
                self.people[world.population.id_of(row)] = Line(self._read(row), 0.0)
            for key, search in world.catalogue.searches.items():
                self.searches[key] = Line(_offer(search), 0.0)
        world.on_change[:] = [self._note]
        world.on_search_change[:] = [self._note_search]

    def _note(self, rows: Sequence[int]) -> None:
        now, population = time.time(), self.standin.world.population
        with self.lock:
            for row in rows:
                key, state = population.id_of(row), self._read(row)
                if key in self.people:
                    self.people[key].add(now, state)
                else:
                    self.people[key] = Line(None, 0.0)
                    self.people[key].add(now, state)

    def _note_search(self, search: SavedSearch) -> None:
        now, key = time.time(), search.id.lower()
        with self.lock:
            if key in self.searches:
                self.searches[key].add(now, _offer(search))
            else:
                self.searches[key] = Line(None, 0.0)
                self.searches[key].add(now, _offer(search))

    def lines(self) -> Iterator[tuple[str, Line[Person]]]:
        with self.lock:
            yield from list(self.people.items())

    def forget(self) -> None:
        """Begin anew with what is true now."""
        with self.lock:
            for line in (*self.people.values(), *self.searches.values()):
                line.forget()  # type: ignore[attr-defined]


def _offer(search: SavedSearch) -> Offer:
    return Offer(search.name, search.is_public and search.is_active is not False and not search.is_deleted)


def _reader(standin: StandIn, watched: Sequence[str]) -> Callable[[int], Person | None]:
    """Return what reads one person value by value: none of the masks that pages are cut from."""
    engine, population = standin.world.engine, standin.world.population
    columns = [population.columns[name].value for name in ("emailaddress", "firstname", "lastname", "donotemail")]
    queries = [(key, standin.world.catalogue.searches[key].query) for key in watched]

    def read(row: int) -> Person | None:
        if not population.alive[row]:
            return None
        values: list[Any] = [value(row) for value in columns]
        rows = []
        for key, query in queries:
            table = engine.table(query)
            test = engine.row_test(table, query.where)
            rows.append((key, sum(map(test, table.rows_of(row)))))
        email, first, last, flag = values
        return Person((email or "").strip(), first or "", last or "", flag, tuple(rows))

    return read
