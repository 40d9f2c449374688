"""Pages of a large group's subscribers: first, deep, sorted, searched, through the product's own view and site.

The product's view is measured as Django's admin is: view and template in one process, without a socket, a session or
permission queries; through the real site (gunicorn, session, sign-in, permissions) it is told beside that. The limit is
one prepared index-only read of 50 keys. Then the first page of every other list, alone (`pages_every`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import psycopg
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import connection as django_connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import resolve

from bench import pages_data, pages_every
from bench.goals import Goal, ItemResult, Scale, at_most, faster_than, figures_of, interleaved, not_measured
from bench.pages_data import FIRST_NAME, Population
from bench.pages_lists import Lists
from bench.site import ROOT, Visitor, make_person, visited_site

ROWS = 50
TRIES = 3  # of each case a round; the middle one counts
_PEOPLE_TABLES = ("targetgroups_membership", "targetgroups_subscriber", "targetgroups_suppression")
_KEYS = """SELECT {column}, subscriber_id FROM targetgroups_membership WHERE target_group_id = %s
AND ({column}, subscriber_id) > (%s, %s) ORDER BY {column}, subscriber_id LIMIT 50"""
_OWN_FIRST = "product's first page"
Times = dict[str, dict[str, list[float]]]  # case -> contestant -> milliseconds


@dataclass(frozen=True)
class Page:
    """One case, in each contestant's words.

    Attributes:
        query: of the product's address; `text` is posted, as its page does.
        admin: the query of the admin's address.
        order, offset: of the list manager's query; `text` again is what is looked for.
        limit: the column and the key from which 50 are read.
    """

    name: str
    query: str
    text: str
    admin: str
    order: str
    offset: int
    limit: tuple[str, str, int]


def measure(scale: Scale) -> ItemResult:
    with ExitStack() as stack:
        dsn = os.environ["DATABASE_URL"]
        raw = stack.enter_context(psycopg.connect(dsn, autocommit=True))
        began = time.perf_counter()
        population = pages_data.fill(raw, scale.people)
        notes = [f"{scale.people:,} subscribers made in {time.perf_counter() - began:.0f} s"]
        visitor = stack.enter_context(visited_site())
        product = Product(population, visitor, raw)
        contestants: dict[str, Callable[[Page], float]] = {
            "product": product.view,
            "product's SQL": product.sql,
            "product through HTTP": product.http,
            "limit": partial(_limit, raw, population.everybody.pk),
        }
        problems = _peers(stack, scale, raw, contestants)
        cases = _cases(raw, population, scale.people)
        # Again beside each case: what the machine does else changes from minute to minute.
        contestants[_OWN_FIRST] = lambda _: product.view(cases[0])
        times = {page.name: _measured(page, contestants, scale.rounds) for page in cases}
        every = pages_every.figures(raw, population, scale, visitor)
    figures = [
        figure
        for case, found in times.items()
        for name, values in found.items()
        if name != _OWN_FIRST
        for figure in figures_of("pages", name, case, values, "ms")
    ]
    return ItemResult([*figures, *every], _goals(times, problems), notes)


def _cases(raw: psycopg.Connection[Any], population: Population, people: int) -> list[Page]:
    deep = people * 9 // 10 // ROWS
    key, person = _one(
        raw,
        "SELECT sort_email, subscriber_id FROM targetgroups_membership WHERE target_group_id = %s "
        "ORDER BY sort_email, subscriber_id OFFSET %s LIMIT 1",
        (population.everybody.pk, deep * ROWS - 1),
    )
    (rare,) = _one(raw, "SELECT substr(email, 1, 9) FROM targetgroups_subscriber WHERE local_id = 777", ())
    by_id, email = "subscribers.id DESC", "sort_email"
    return [
        Page("first page", "", "", "o=1", by_id, 0, (email, "", 0)),
        Page("deep page (90 %)", f"after={person}", "", f"o=1&p={deep}", by_id, deep * ROWS, (email, key, person)),
        Page("sort by name", "sort=name", "", "o=3.2", "subscribers.name ASC", 0, ("sort_name", "", 0)),
        Page("search, 1 hit", "", rare, f"q={rare}", by_id, 0, (email, rare, 0)),
        Page("search, no hit", "", "zzqqxx", "q=zzqqxx", by_id, 0, (email, "zzqqxx", 0)),
        Page("search, 1 in 10", "", FIRST_NAME, f"q={FIRST_NAME}", by_id, 0, (email, "", 0)),
        Page("search, 2 characters", "", "9z", "q=9z", by_id, 0, (email, "", 0)),
    ]


def _measured(page: Page, contestants: dict[str, Callable[[Page], float]], rounds: int) -> dict[str, list[float]]:
    for contestant in contestants.values():
        contestant(page)  # plans, caches
    return interleaved({name: partial(_middle, ask, page) for name, ask in contestants.items()}, rounds)


def _middle(ask: Callable[[Page], float], page: Page) -> float:
    first = ask(page)
    if first > 300:  # a peer that takes so long tells nothing more the second time
        return first
    return sorted([first, *(ask(page) for _ in range(TRIES - 1))])[TRIES // 2]


def _limit(raw: psycopg.Connection[Any], group: int, page: Page) -> float:
    column, key, person = page.limit
    return _timed(lambda: raw.execute(_KEYS.format(column=column), (group, key, person), prepare=True).fetchall())


# --- the product ------------------------------------------------------------------------------------------------------


class Product:
    """The Subscribers tab of Info, asked for in three ways."""

    def __init__(self, population: Population, visitor: Visitor, raw: psycopg.Connection[Any]) -> None:
        self.population, self.visitor, self.raw = population, visitor, raw
        self.path = f"/target-groups/{population.everybody.pk}/subscribers/"
        self.statements: dict[str, list[tuple[str, Any]]] = {}
        self.user = make_person()
        self.user.get_all_permissions()  # the admin's user asks for none

    def view(self, page: Page) -> float:
        """Run view and template, as the whole page."""
        request, (view, args, kwargs) = self._request(page), resolve(self.path)
        began = time.perf_counter()
        response = view(request, *args, **kwargs)
        took = (time.perf_counter() - began) * 1000
        if response.status_code != 200:
            raise RuntimeError(f"the page answered {response.status_code}")
        return took

    def sql(self, page: Page) -> float:
        """Run the page's statements about people once more, alone and as they were sent."""
        if page.name not in self.statements:
            self.statements[page.name] = self._statements_of(page)
        with psycopg.ClientCursor(self.raw) as cursor:  # as Django sends them: values in the text, nothing prepared
            return sum(_timed(lambda one=one: cursor.execute(*one).fetchall()) for one in self.statements[page.name])  # type: ignore[misc]

    def _statements_of(self, page: Page) -> list[tuple[str, Any]]:
        statements: list[tuple[str, Any]] = []

        def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if any(table in sql for table in _PEOPLE_TABLES):
                statements.append((sql, params))
            return execute(sql, params, many, context)

        with django_connection.execute_wrapper(keep):
            self.view(page)
        return statements

    def http(self, page: Page) -> float:
        address = f"{self.path}?{page.query}"
        if page.text:
            return _timed(lambda: self.visitor.post(address, q=page.text))
        return _timed(lambda: self.visitor.get(address))

    def _request(self, page: Page) -> HttpRequest:
        factory = RequestFactory(SERVER_NAME="127.0.0.1")
        address = f"{self.path}?{page.query}"
        request = factory.post(address, {"q": page.text}) if page.text else factory.get(address)
        request.user, request.resolver_match = self.user, resolve(self.path)
        request.htmx = False  # type: ignore[attr-defined]
        request.session = SimpleNamespace()  # type: ignore[assignment]
        request._messages = CookieStorage(request)  # type: ignore[attr-defined]
        return request


# --- the peers --------------------------------------------------------------------------------------------------------


def _peers(
    stack: ExitStack, scale: Scale, raw: psycopg.Connection[Any], contestants: dict[str, Callable[[Page], float]]
) -> dict[str, str]:
    """Add the peers that are wanted; return why others are not measured."""
    problems = {}
    if scale.wants("admin"):
        # The admin sorts by address; a site that lists people so has this index.
        raw.execute("CREATE INDEX bench_admin ON targetgroups_subscriber (email, id DESC)")
        contestants["Django admin"] = partial(_admin, stack.enter_context(admin()))
    else:
        problems["admin"] = "not wanted"
    if scale.wants("lists"):
        lists = Lists(os.environ["DATABASE_URL"], scale.people)
        stack.callback(lists.connection.close)
        contestants[lists.name] = lambda page: _timed(lambda: lists.page(page.order, page.offset, page.text))
    else:
        problems["lists"] = "not wanted"
    return problems


@contextmanager
def admin() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.pages_admin"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _admin(process: subprocess.Popen[str], page: Page) -> float:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the admin's process has no pipes")
    print(page.admin, file=process.stdin, flush=True)
    return float(process.stdout.readline())


# --- goals ------------------------------------------------------------------------------------------------------------


def _goals(times: Times, problems: dict[str, str]) -> list[Goal]:
    return [goal for case, wanted in _WANTED.items() for goal in _goals_of(case, wanted, times, problems)]


@dataclass(frozen=True)
class _Wanted:
    number: str
    admin: float | None = None
    lists: float | None = None
    sql_of_lists: float | None = None
    first_page: float | None = None
    limit: float | None = None


_WANTED = {
    "first page": _Wanted("3a", admin=10, sql_of_lists=1, limit=20),
    "deep page (90 %)": _Wanted("3b", admin=80, lists=20, first_page=1.2),
    "sort by name": _Wanted("3c", admin=25, lists=40, first_page=1.2),
    "search, 1 hit": _Wanted("3d", admin=80, lists=80, first_page=1.5),
    "search, no hit": _Wanted("3d", admin=80, lists=80, first_page=1.5),
    "search, 1 in 10": _Wanted("3e", admin=30, lists=30, first_page=3),
    "search, 2 characters": _Wanted("3e", admin=5, lists=5),
}


def _goals_of(case: str, wanted: _Wanted, times: Times, problems: dict[str, str]) -> list[Goal]:
    found = times[case]
    first = found[_OWN_FIRST]
    lists = next((name for name in found if "listmonk" in name), "")
    goals = []
    for peer, needed, name in (("admin", wanted.admin, "Django admin"), ("lists", wanted.lists, lists)):
        if needed is None:
            continue
        what = f"{case}, against {name or 'a listmonk-shaped query'}"
        if peer in problems:
            goals.append(not_measured(wanted.number, what, needed, "at least", problems[peer]))
        else:
            goals.append(faster_than(wanted.number, what, found["product"], found[name], needed))
    if wanted.sql_of_lists is not None:
        what = f"{case}, its SQL against {lists or 'a listmonk-shaped query'}"
        if lists:
            goals.append(at_most(wanted.number, what, found["product's SQL"], found[lists], wanted.sql_of_lists))
        else:
            goals.append(not_measured(wanted.number, what, wanted.sql_of_lists, "at most", problems["lists"]))
    if wanted.limit is not None:
        what = f"{case}, against an index-only read of {ROWS}"
        goals.append(at_most(wanted.number, what, found["product"], found["limit"], wanted.limit))
    if wanted.first_page is not None:
        what = f"{case}, against its own first page"
        goals.append(at_most(wanted.number, what, found["product"], first, wanted.first_page))
    return goals


# --- small things -----------------------------------------------------------------------------------------------------


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _one(raw: psycopg.Connection[Any], sql: str, params: tuple[Any, ...]) -> tuple[Any, ...]:
    row = raw.execute(sql, params).fetchone()
    if row is None:
        raise RuntimeError("the people were not made")
    return tuple(row)
