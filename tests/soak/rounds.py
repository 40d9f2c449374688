"""Rounds in which people change, a worker dies at a random moment, and the group must be exact in the end."""

from __future__ import annotations

import os
import random
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psycopg
from django.core.management import call_command

from targetgroups import enqueue
from targetgroups.choices import GOOD, Trigger
from targetgroups.models import Bridge, SyncRun, TargetGroup
from targetgroups.sync import single_flight, stage
from tests.support import broker, truth
from tests.support.workers import Worker

if TYPE_CHECKING:
    from memberSuite.standin.server import StandIn

GROUPS = ("All individuals", "Current members")
# Percent of everybody a round, well below the removal guard's limit.
MOST_PERCENT = 4.0
MOST_KILLS = 3  # a run gives up after its fifth attempt
LONGEST_LIFE = 1.5  # seconds that a worker is given after it is ready
LONGEST_ROUND = 120.0


class Soak:
    """A bridge to a stand-in and whichever worker lives; `told` says what the last round did."""

    def __init__(self, standin: StandIn, seed: int) -> None:
        self.standin = standin
        self.chance = random.Random(seed)
        self.told = ""
        self.worker: Worker | None = None

    def __enter__(self) -> Self:
        call_command("migrate", interactive=False, verbosity=0)
        os.environ["DEMO_PASSWORD"] = "not-used-here"
        call_command("seed_demo", standin=self.standin.url, verbosity=0)
        Bridge.objects.update(page_size=50)  # many pages, so that a kill meets one
        self._live()
        self._until_over([enqueue.request_list_refresh(Bridge.objects.get(), Trigger.COMMAND)])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._die()

    def round(self) -> list[str]:
        """Change people, sync, kill, let it end; change nothing more and return what is wrong afterwards."""
        groups = list(TargetGroup.objects.filter(name__in=GROUPS))
        runs = [enqueue.request_sync(group, Trigger.RESYNC_NOW) for group in groups]
        kills = self.chance.randint(1, MOST_KILLS)
        did = []
        for _ in range(kills):
            did.append(self._stir())
            time.sleep(self.chance.uniform(0, LONGEST_LIFE))
            self._die()
            if self.chance.random() < 0.5:
                with broker.client() as connection:
                    connection.flushdb()
                did.append("broker emptied")
            self._live()
        overtaken = self._until_over(runs)
        # People changed while it was read: one more sync, undisturbed, must bring the group level.
        last = self._until_over([enqueue.request_sync(group, Trigger.RESYNC_NOW) for group in groups])
        attempts = sum(run.attempt for run in (*overtaken, *last))
        self.told = f"{', '.join(did)}; {kills} kills, {attempts} attempts"
        return self._wrong(overtaken, last)

    def _stir(self) -> str:
        percent = round(self.chance.uniform(0.2, MOST_PERCENT / MOST_KILLS), 1)
        kind = self.chance.choice(("renamed", "flagged", "unflagged", "deleted", "joined"))
        if kind == "renamed":
            self.standin.change({"LastName": "Renamed {n}"}, percent=percent)
        elif kind == "deleted":
            self.standin.delete(percent=percent)
        elif kind == "joined":
            self.standin.insert(round(percent * 10), {"Membership.ReceivesMemberBenefits": True})
        else:
            self.standin.flip_do_not_email(percent=percent, to=kind == "flagged")
        return f"{percent} % {kind}"

    def _live(self) -> None:
        self.worker = Worker("interactive", "scheduled", concurrency=2).wait_until_ready()

    def _die(self) -> None:
        if self.worker is not None:
            self.worker.kill()
            self.worker = None

    def _until_over(self, runs: list[SyncRun]) -> list[SyncRun]:
        """Sweep, as the clock would, until all runs have ended."""
        until = time.monotonic() + LONGEST_ROUND
        while time.monotonic() < until:
            found = list(SyncRun.objects.filter(pk__in=[run.pk for run in runs]).order_by("pk"))
            if all(run.is_final for run in found):
                return found
            single_flight.sweep_stalled()
            time.sleep(0.2)
        raise RuntimeError(f"These runs did not end within {LONGEST_ROUND:.0f} seconds: {[run.pk for run in runs]}")

    def _wrong(self, overtaken: list[SyncRun], last: list[SyncRun]) -> list[str]:
        found = [
            f"run {run.pk} is {run.status} ({run.error_code})" for run in (*overtaken, *last) if run.status not in GOOD
        ]
        stage.sweep()
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            for run in last:
                assert run.target_group_id is not None
                found += truth.complaints(connection, self.standin.url, run.target_group_id)
            found += [f"{name} was left behind" for name in truth.stages(connection)]
        return found
