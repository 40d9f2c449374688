"""Real workers, killed at the worst moments, with the broker emptied in between: R7, R8, R9."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.test import Client

from targetgroups import enqueue
from targetgroups.choices import Trigger
from targetgroups.models import RunProgress, SyncRequest, SyncRun
from targetgroups.sync import single_flight, stage
from tests.support import truth
from tests.support.engine import raw_connection
from tests.support.programs import wait_until
from tests.support.workers import Worker

if TYPE_CHECKING:
    import redis
    from pytest_django.fixtures import SettingsWrapper

    from tests.support.engine import Engine

NAME = "Current members"
QUICK = {
    "SYNC_SILENCE_SECONDS": "1.5",
    "SYNC_HEARTBEAT_SECONDS": "0.3",
    "SYNC_SWEEP_SECONDS": "0.2",
    "MEMBERSUITE_RETRY_WAIT_SECONDS": "0.05",
}

Start = Callable[..., Worker]


@pytest.fixture
def quick(settings: SettingsWrapper) -> None:
    """Let silence be noticed within two seconds."""
    settings.SYNC_SILENCE_SECONDS, settings.SYNC_HEARTBEAT_SECONDS, settings.SYNC_SWEEP_SECONDS = 1.5, 0.3, 0.2


def test_r7_fifty_clicks_while_page_1_is_held_are_fifty_requests_and_one_run(
    engine: Engine, start_worker: Start, sync_user: Client
) -> None:
    group = engine.group(NAME)
    start_worker("interactive", environment=QUICK)
    with engine.standin.holds("ExecuteSearch", only="page") as held:
        for _ in range(50):
            answer = sync_user.post(f"/target-groups/{group.pk}/resync/")
            assert answer.status_code in {200, 204, 302}
        assert held.wait_until_held()
        run = SyncRun.objects.get(kind="group")
        assert run.status == "running"
    _wait_for_end(run)
    assert SyncRequest.objects.filter(run=run).count() == 50
    assert SyncRun.objects.filter(kind="group").count() == 1
    assert engine.complaints(NAME) == []


@pytest.mark.parametrize("phase", ["reading", "checking", "writing"])
def test_r9_a_worker_killed_in_any_phase_leaves_the_right_members_and_one_completed_run(
    engine: Engine, start_worker: Start, broker: redis.Redis, quick: None, phase: str
) -> None:
    engine.sync(NAME)
    engine.standin.delete(ids=sorted(engine.members(NAME))[:2])
    engine.standin.insert(5, {"Membership.ReceivesMemberBenefits": True})
    before = engine.members(NAME)
    first = start_worker("interactive", environment=QUICK)

    with _StoppedIn(phase, engine) as stopped:
        run = enqueue.request_sync(engine.group(NAME), Trigger.RESYNC_NOW)
        stopped.wait(run)
        first.kill()
        broker.flushdb()
    assert engine.members(NAME) == before  # R4: nothing of it shows

    start_worker("interactive", environment=QUICK)
    _sweep_until_it_ends(run)
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("completed", 2)
    assert SyncRun.objects.filter(kind="group", status="completed").count() == 2
    assert engine.complaints(NAME) == []
    stage.sweep()
    assert truth.stages(raw_connection()) == []


def test_r9_a_waiting_run_survives_the_loss_of_its_message(
    engine: Engine, start_worker: Start, broker: redis.Redis, quick: None
) -> None:
    run = enqueue.request_sync(engine.group(NAME), Trigger.RESYNC_NOW)
    broker.flushdb()
    start_worker("interactive", environment=QUICK)
    _sweep_until_it_ends(run)
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("completed", 1)


def test_r9_a_killed_pool_process_is_replaced_and_the_run_ends_well(
    engine: Engine, start_worker: Start, quick: None
) -> None:
    group = engine.group(NAME)  # the list is read here, before there is a worker to read it
    worker = start_worker("interactive", environment=QUICK)
    with engine.standin.holds("ExecuteSearch", only="page") as held:
        run = enqueue.request_sync(group, Trigger.RESYNC_NOW)
        assert held.wait_until_held()
        worker.kill_pool()
    _sweep_until_it_ends(run)
    run.refresh_from_db()
    assert run.status == "completed"
    assert engine.complaints(NAME) == []


def test_r8_a_request_is_answered_while_membersuite_hangs(
    engine: Engine, start_worker: Start, sync_user: Client
) -> None:
    group = engine.group(NAME)
    start_worker("interactive", environment=QUICK)
    with engine.standin.holds("*") as held:
        assert sync_user.post(f"/target-groups/{group.pk}/resync/").status_code in {200, 204, 302}
        assert held.wait_until_held()
        assert sync_user.get(f"/target-groups/{group.pk}/").status_code == 200
        run = SyncRun.objects.get(kind="group")
        assert run.status == "running"
        enqueue.request_cancel(run)
        wait_until(lambda: SyncRun.objects.get(pk=run.pk).is_final, within=3)


class _StoppedIn:
    """Keep a run in one phase: at the remote while it reads or checks, at its last table while it writes."""

    def __init__(self, phase: str, engine: Engine) -> None:
        self.phase, self.engine = phase, engine
        self.held = None if phase == "writing" else engine.standin.holds("ExecuteSearch", only=_TAG[phase])

    def __enter__(self) -> _StoppedIn:
        if self.held is None:
            self.other = psycopg.connect(raw_connection().info.dsn)
            self.other.execute("LOCK TABLE targetgroups_exclusion IN EXCLUSIVE MODE")  # the last table it writes
        return self

    def __exit__(self, *error: object) -> None:
        if self.held is not None:
            self.held.release()
        else:
            self.other.close()

    def wait(self, run: SyncRun) -> None:
        if self.held is not None:
            assert self.held.wait_until_held(20)
            return
        wait_until(lambda: _phase_of(run) == "writing", within=20)


_TAG = {"reading": "page", "checking": "look_up"}


def _phase_of(run: SyncRun) -> str:
    return str(RunProgress.objects.filter(run=run).values_list("phase", flat=True).first())


def _wait_for_end(run: SyncRun) -> None:
    wait_until(lambda: SyncRun.objects.get(pk=run.pk).is_final, within=30)


def _sweep_until_it_ends(run: SyncRun) -> None:
    """Do what beat does every few seconds."""
    deadline = time.monotonic() + 30
    while not SyncRun.objects.get(pk=run.pk).is_final:
        assert time.monotonic() < deadline
        single_flight.sweep_stalled()
        time.sleep(0.2)
