"""From a click to "running": Resync Now over HTTP, the run's row, a worker, and the row that another session sees.

Like is compared with like: a queue's figure runs from its send of a committed row to the row seen as running, and so
does the product's (its own send, its own worker). What a person's click costs on top (HTTP, session, permission,
writing the request, answering) is told beside it, from the click and from the commit of the waiting run.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median
from typing import Any

import psycopg

from bench import peers
from bench.goals import Figure, Goal, ItemResult, Scale, at_most, interleaved, not_measured
from bench.site import Visitor, visited_site
from bench.standin import standin
from bench.whole_sync import prepare
from targetgroups.choices import ACTIVE, RunKind, Trigger
from targetgroups.models import TargetGroup
from targetgroups.sync import single_flight
from tests.support.workers import Worker

PEOPLE = 30  # of the group that is synced: small, so that the worker is idle again soon
PROCESSES = 2  # of the worker, as the demo has
CLICKS = 7  # of each contestant a round
QUEUES = ("loop", "celery", "rq", "huey", "dramatiq", "procrastinate")
NAMES = {
    "loop": "limit: bare BLPOP loop",
    "celery": "bare Celery, prefork",
    "rq": "RQ",
    "huey": "Huey",
    "dramatiq": "Dramatiq",
    "procrastinate": "Procrastinate",
}
NEEDED = {"rq": 1.0, "dramatiq": 1.0, "procrastinate": 1.0, "celery": 1.2, "huey": 2.0, "loop": 3.0}
NO_FILES = "the product needs Redis or Valkey: it has no filesystem broker"
Clicks = dict[str, list[float]]


def measure(scale: Scale) -> ItemResult:
    clicks = CLICKS if scale.is_small else 4 * CLICKS
    with ExitStack() as stack:
        product = stack.enter_context(running_product())
        queues, problems = _queues(stack, scale)
        cases: dict[str, Callable[[], float]] = {
            "product": partial(product.sends, clicks),
            "site": partial(product.clicks, clicks),
        }
        for name in queues.names:
            cases[name] = partial(queues.clicks, name, clicks)
        found: Clicks = {}
        product.clicks(3)  # the pool's processes open their connections
        for name, medians in interleaved(cases, scale.rounds).items():
            found[name] = [value for value in medians if value == value]
    return _result(found, product, problems | queues.problems)


def _result(found: Clicks, product: Product, problems: dict[str, str]) -> ItemResult:
    figures = [Figure("clicks", "product", "send to running", median(found["product"]), "ms")]
    figures += [
        Figure("clicks", NAMES[name], "send to running", median(found[name]), "ms")
        for name in QUEUES
        if found.get(name)
    ]
    figures.append(Figure("clicks", "product's site", "click to commit", median(product.to_commit), "ms"))
    figures.append(Figure("clicks", "product's site", "commit to running", median(found["site"]), "ms"))
    figures.append(Figure("clicks", "product's site", "click to running", median(product.to_running), "ms"))
    figures.append(Figure("clicks", "product's site", "click to answer", median(product.to_answer), "ms"))
    goals = [_goal(name, needed, found, problems) for name, needed in NEEDED.items()]
    goals.append(not_measured("5b", "without Redis", 0.1, "at most", NO_FILES))
    shares = {NAMES[name]: median(product.to_running) / median(found[name]) for name in NEEDED if found.get(name)}
    from_click = ", ".join(f"{ratio:.1f} x {name}" for name, ratio in shares.items())
    return ItemResult(figures, goals, [f"from the click itself, HTTP and all, to running: {from_click}"])


def _goal(name: str, needed: float, found: Clicks, problems: dict[str, str]) -> Goal:
    what = f"send to running, against {NAMES[name].removeprefix('limit: ')}"
    if not found.get(name):
        return not_measured("5a", what, needed, "at most", problems.get(name, "not wanted"))
    return at_most("5a", what, found["product"], found[name], needed)


# --- the product --------------------------------------------------------------------------------------------------


@contextmanager
def running_product() -> Iterator[Product]:
    """Start a stand-in, a worker and the site."""
    with ExitStack() as stack:
        server = stack.enter_context(standin(PEOPLE, seed=1, latency_ms=0))
        worker = Worker("interactive", concurrency=PROCESSES)
        stack.callback(worker.stop)
        worker.wait_until_ready()
        group = prepare(server)
        visitor = stack.enter_context(visited_site())
        database = stack.enter_context(psycopg.connect(os.environ["DATABASE_URL"], autocommit=True))
        yield Product(visitor, group, database)


class Product:
    """Clicks on Resync Now; the lists hold the milliseconds of each part of each click."""

    def __init__(self, visitor: Visitor, group: TargetGroup, database: psycopg.Connection[Any]) -> None:
        self.visitor, self.group, self.database = visitor, group, database
        self.to_commit: list[float] = []
        self.to_answer: list[float] = []
        self.to_running: list[float] = []

    def clicks(self, count: int) -> float:
        """Click so often, and return the median milliseconds from a waiting row seen to a running one seen."""
        return median(self._click() for _ in range(count))

    def sends(self, count: int) -> float:
        """Send so many committed runs from here, and return the median milliseconds until one is seen running."""
        return median(self._send() for _ in range(count))

    def _send(self) -> float:
        slot = {"bridge": self.group.bridge, "kind": RunKind.GROUP, "target_group": self.group, "remote_id": ""}
        last = self._newest()[0]
        run, _ = single_flight.start_or_attach(slot, joinable=ACTIVE, trigger=Trigger.COMMAND)
        time.sleep(0.02)  # as the queues' rows wait
        began = time.perf_counter()
        single_flight.send(run.pk, run.queue)
        running = self._when(last, {"running", "completed"}, began)
        self._when(last, {"completed"}, began)
        time.sleep(0.05)
        return (running - began) * 1000

    def _click(self) -> float:
        last = self._newest()[0]
        path = f"/target-groups/{self.group.pk}/resync/"
        began = time.perf_counter()
        connection = self.visitor.ask("POST", path)
        committed = self._when(last, {"waiting", "running", "completed"}, began)
        running = self._when(last, {"running", "completed"}, began)
        self.visitor.answer(connection)
        answered = time.perf_counter()
        self._when(last, {"completed"}, began)
        time.sleep(0.05)  # the worker is idle again
        self.to_commit.append((committed - began) * 1000)
        self.to_answer.append((answered - began) * 1000)
        self.to_running.append((running - began) * 1000)
        return (running - committed) * 1000

    def _when(self, last: int, wanted: set[str], began: float) -> float:
        while True:
            run, status = self._newest()
            now = time.perf_counter()
            if run > last and status in wanted:
                return now
            if now - began > 30 or (run > last and status == "failed"):
                raise RuntimeError(f"the run is {status}")
            time.sleep(0.0005)

    def _newest(self) -> tuple[int, str]:
        found = self.database.execute(
            "SELECT id, status FROM targetgroups_syncrun WHERE target_group_id = %s ORDER BY id DESC LIMIT 1",
            (self.group.pk,),
        ).fetchone()
        return found or (0, "")


# --- the queues ---------------------------------------------------------------------------------------------------


class Queues:
    """The driver of the peers, in their own environment."""

    def __init__(self, names: tuple[str, ...], driver: subprocess.Popen[str] | None) -> None:
        self.names = names
        self.driver = driver
        self.problems: dict[str, str] = {}

    def clicks(self, name: str, count: int) -> float:
        """Return the median milliseconds; NaN, and the reason in `problems`, if it did not work."""
        if self.driver is None or self.driver.stdin is None or self.driver.stdout is None or name in self.problems:
            return float("nan")
        print(name, count, file=self.driver.stdin, flush=True)
        line = self.driver.stdout.readline()
        answer = json.loads(line) if line else {"why": "the driver ended"}
        if isinstance(answer, dict):
            self.problems[name] = answer["why"]
            return float("nan")
        return median(answer)


def _queues(stack: ExitStack, scale: Scale) -> tuple[Queues, dict[str, str]]:
    names = tuple(name for name in QUEUES if name == "loop" or scale.wants(name))
    try:
        python = peers.python_of("queues")
    except peers.PeerMissing as error:
        return Queues((), None), dict.fromkeys(QUEUES, str(error))
    driver = subprocess.Popen(
        [str(python), str(peers.ROOT / "bench" / "clicks_queues.py"), "drive", ",".join(names)],
        env={
            "DATABASE_URL": os.environ["DATABASE_URL"],
            "QUEUES_REDIS": _redis_of_queues(),
            "PATH": os.environ["PATH"],
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    stack.callback(_end, driver)
    return Queues(names, driver), {}


def _end(driver: subprocess.Popen[str]) -> None:
    if driver.stdin is not None:
        driver.stdin.close()
    try:
        driver.wait(20)
    except subprocess.TimeoutExpired:
        driver.kill()


def _redis_of_queues() -> str:
    """Return the same broker's second database, as the redis package spells it."""
    return os.environ["REDIS_URL"].replace("db=0", "db=1")
