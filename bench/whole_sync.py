"""Syncs of one large group as a site does them: a stand-in over HTTP, a real worker, real servers.

After every step the group must be exactly what the stand-in says it must be, or the measurement fails.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.core.management import call_command

from bench.goals import Figure, Goal, ItemResult, Scale
from bench.memory import MIB, Watch
from bench.standin import RemoteStandIn, standin
from targetgroups import enqueue
from targetgroups.choices import GOOD, Trigger
from targetgroups.models import Bridge, SyncRun, TargetGroup
from tests.support import truth
from tests.support.workers import Worker

GROUP = "All individuals"
STEPS = ("first", "unchanged", "changed", "removed")
PERCENT = 5
SEED = 1
LONGEST_RUN = 1800  # seconds
MEMORY_GOAL = 250 * MIB  # the worker and its pool together

Members = dict[str, tuple[str, str, str]]


@dataclass(frozen=True)
class Result:
    """One step's figures; `complaints` is empty when the group is exactly what it must be."""

    step: str
    people: int
    members: int
    seconds: float
    cpu_seconds: float
    peak_of_all: int
    peak_of_one: int
    calls: int
    figures: dict[str, Any]
    phase_seconds: dict[str, float]
    complaints: list[str] = field(default_factory=list)

    @property
    def rows_a_second(self) -> float:
        return self.people / self.seconds

    @property
    def is_good(self) -> bool:
        return not self.complaints

    def figures_of_step(self) -> list[Figure]:
        taken = [
            (self.rows_a_second, "people/s, all of the search"),
            (self.seconds, "s"),
            *((seconds, f"s {phase}") for phase, seconds in self.phase_seconds.items()),
            (self.cpu_seconds, "s of the worker's CPU"),
            (self.peak_of_all / MIB, "MiB, worker and pool"),
            (float(self.calls), "calls"),
            (float(self.members), "members"),
        ]
        return [Figure("whole_sync", "product", self.step, value, unit) for value, unit in taken]


def measure(scale: Scale) -> ItemResult:
    """Sync everybody: a first time, unchanged, with 5 % changed and with 5 % removed."""
    worker = Worker("interactive", "scheduled")
    try:
        with standin(scale.people, SEED, scale.latency_ms) as server:
            worker.wait_until_ready()
            measurement = Measurement(server, worker, prepare(server))
            results = [measurement.step(step) for step in STEPS]
            bridge = Bridge.objects.get()
    finally:
        worker.stop()
    memory = max(result.peak_of_all for result in results) / MEMORY_GOAL
    return ItemResult(
        figures=[figure for result in results for figure in result.figures_of_step()],
        goals=[Goal("whole", f"worker and pool within {MEMORY_GOAL // MIB} MiB", memory, 1, "at most")],
        notes=[
            f"{scale.latency_ms:g} ms a call, {bridge.page_size} rows a page, {bridge.requests_in_flight} in flight"
        ],
        complaints=[f"{result.step}: {complaint}" for result in results for complaint in result.complaints],
    )


class Measurement:
    """A group that is synced again and again, each time after another change of the people."""

    def __init__(self, standin: RemoteStandIn, worker: Worker, group: TargetGroup) -> None:
        self.standin = standin
        self.worker = worker
        self.group = group
        self.before: Members = {}
        self.changes: dict[str, Callable[[], object]] = {
            "first": lambda: None,
            "unchanged": lambda: None,
            "changed": lambda: standin.change_last_names(PERCENT),
            "removed": self._remove,
        }

    def step(self, name: str) -> Result:
        """Change the people, sync, and look whether the group is exact."""
        self.changes[name]()
        self.standin.forget_calls()
        with Watch(self.worker.process.pid) as watch:
            began = time.monotonic()
            run = finished(enqueue.request_sync(self.group, Trigger.COMMAND))
            seconds = time.monotonic() - began
        calls = sum(self.standin.calls().values())
        complaints, members = self._check(run)
        figures = dict(run.figures)
        return Result(
            name,
            people=int(figures.get("in_search", 0)),
            members=members,
            seconds=seconds,
            cpu_seconds=watch.cpu_seconds,
            peak_of_all=watch.peak_of_all,
            peak_of_one=watch.peak_of_one,
            calls=calls,
            figures=figures,
            phase_seconds=run.phase_seconds,
            complaints=complaints,
        )

    def _remove(self) -> None:
        self.standin.delete(PERCENT / 2)
        self.standin.flag_do_not_email(PERCENT / 2)

    def _check(self, run: SyncRun) -> tuple[list[str], int]:
        """Compare the group with the stand-in's truth, and what the run says it did with what it did."""
        if run.status not in GOOD:
            return [f"the run is {run.status}: {run.error_text or run.sentence}"], 0
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            complaints = truth.complaints(connection, self.standin.url, self.group.pk)
            complaints += [f"{name} was left behind" for name in truth.stages(connection)]
            after = truth.stored_members(connection, self.group.pk)
        did = {
            "added": len(after.keys() - self.before.keys()),
            "removed": len(self.before.keys() - after.keys()),
            "changed": sum(after[key] != old for key, old in self.before.items() if key in after),
        }
        complaints += [
            f"the run says {run.figures[word]} {word}, but it is {count}"
            for word, count in did.items()
            if run.figures[word] != count
        ]
        self.before = after
        return complaints, len(after)


def prepare(standin: RemoteStandIn) -> TargetGroup:
    """Make the database, the bridge to the stand-in, and its target groups, as a person would; a worker must run."""
    os.environ["DEMO_PASSWORD"] = "not-used-here"
    call_command("seed_demo", standin=standin.url, verbosity=0)
    run = finished(enqueue.request_list_refresh(Bridge.objects.get(), Trigger.COMMAND))
    if run.status not in GOOD:
        raise RuntimeError(f"The list of searches could not be read: {run.error_text}")
    return TargetGroup.objects.get(name=GROUP)


def finished(run: SyncRun) -> SyncRun:
    """Wait for a run's end."""
    until = time.monotonic() + LONGEST_RUN
    while time.monotonic() < until:
        run.refresh_from_db()
        if run.is_final:
            return run
        time.sleep(0.05)
    raise RuntimeError(f"Run {run.pk} did not end within {LONGEST_RUN} seconds.")
