"""One run at a time, claimed in the database, whoever asks and whatever dies: R7, R8, R9."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from celery import current_app
from django.db import connections, transaction
from django.utils import timezone

from audit.models import AuditEntry
from targetgroups import enqueue
from targetgroups.choices import RunStatus, Trigger
from targetgroups.exceptions import Fenced, NotAllowedNow
from targetgroups.models import CancelWish, RunProgress, SyncRequest, SyncRun, TargetGroup
from targetgroups.signals import sync_finished
from targetgroups.sync import apply, pipeline, single_flight, stage
from tests.support import truth
from tests.support.broker import waiting_count, waiting_runs
from tests.support.engine import perform_beside, raw_connection
from tests.support.programs import wait_until

if TYPE_CHECKING:
    import redis
    from pytest_django.fixtures import SettingsWrapper

    from tests.support.engine import Engine

NAME = "Current members"


def test_r7_clicks_join_the_run_that_waits_and_each_is_kept(engine: Engine) -> None:
    group = engine.group(NAME)
    runs = {enqueue.request_sync(group, trigger).pk for trigger in (Trigger.INFO, Trigger.RESYNC_NOW, Trigger.SCHEDULE)}
    assert len(runs) == 1
    assert list(SyncRequest.objects.filter(run_id__in=runs).values_list("trigger", flat=True)) == [
        "info",
        "resync_now",
        "schedule",
    ]


def test_r7_requests_from_many_threads_at_once_make_one_run(engine: Engine) -> None:
    group = engine.group(NAME)
    barrier = threading.Barrier(8)
    seen: list[int] = []

    def click() -> None:
        barrier.wait()
        seen.append(enqueue.request_sync(group, Trigger.RESYNC_NOW).pk)
        connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(seen), len(set(seen))) == (8, 1)
    assert SyncRequest.objects.filter(run_id=seen[0]).count() == 8


def test_r7_a_click_joins_a_running_run_but_a_mailing_asks_for_a_new_one(engine: Engine) -> None:
    group = engine.group(NAME)
    with engine.standin.holds("ExecuteSearch", only="page") as held:
        run = enqueue.request_sync(group, Trigger.INFO)
        thread = perform_beside(run)
        assert held.wait_until_held()
        assert enqueue.request_sync(group, Trigger.RESYNC_NOW) == run
        for_mailing = enqueue.request_sync(group, Trigger.MAILING)
        assert for_mailing != run
        assert enqueue.request_sync(group, Trigger.MAILING) == for_mailing
        # The slot is busy: the waiting run can't be taken yet.
        assert single_flight.take(for_mailing.pk) is None
    thread.join(20)
    assert engine.work(for_mailing).status == "completed"


def test_r7_the_run_that_waited_is_sent_when_the_running_one_ends(engine: Engine) -> None:
    group = engine.group(NAME)
    with engine.standin.holds("ExecuteSearch", only="page") as held:
        thread = perform_beside(enqueue.request_sync(group, Trigger.INFO))
        assert held.wait_until_held()
        enqueue.request_sync(group, Trigger.MAILING)
        before = waiting_runs("interactive")
    thread.join(20)
    assert waiting_runs("interactive") == before + 1


def test_r9_a_receiver_that_fails_changes_nothing_about_the_run_that_it_hears_of(engine: Engine) -> None:
    def fail(**_kwargs: object) -> None:
        raise ValueError("a receiver went wrong")

    sync_finished.connect(fail)
    try:
        run = engine.sync(NAME)
    finally:
        sync_finished.disconnect(fail)
    assert (run.status, run.error_code) == ("completed", "")


def test_a_click_hurries_a_scheduled_run_that_is_put_off(engine: Engine) -> None:
    group = engine.group(NAME)
    run = enqueue.request_sync(group, Trigger.SCHEDULE)
    SyncRun.objects.filter(pk=run.pk).update(due_at=timezone.now() + timedelta(hours=1))
    assert single_flight.take(run.pk) is None
    assert enqueue.request_sync(group, Trigger.RESYNC_NOW) == run
    run.refresh_from_db()
    assert (run.due_at, run.queue) == (None, "interactive")


def test_scheduled_work_waits_in_a_queue_of_its_own(engine: Engine) -> None:
    engine.refresh()
    before = waiting_count("scheduled"), waiting_count("interactive")
    enqueue.request_sync(engine.group(NAME), Trigger.SCHEDULE)
    enqueue.request_sync(engine.group("Lapsed 2025"), Trigger.INFO)
    assert (waiting_count("scheduled"), waiting_count("interactive")) == (before[0] + 1, before[1] + 1)


def test_r9_a_message_delivered_twice_does_nothing(engine: Engine) -> None:
    run = enqueue.request_sync(engine.group(NAME), Trigger.INFO)
    engine.work(run)
    calls = engine.standin.calls("ExecuteSearch")
    again = engine.work(run)
    assert (again.status, again.attempt) == ("completed", 1)
    assert engine.standin.calls("ExecuteSearch") == calls


def test_r9_two_workers_with_one_message_do_it_once(engine: Engine) -> None:
    run = enqueue.request_sync(engine.group(NAME), Trigger.INFO)
    threads = [perform_beside(run) for _ in range(4)]
    for thread in threads:
        thread.join(20)
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("completed", 1)
    assert engine.standin.calls("Get") == 2  # before the reading and after it


def test_r9_a_worker_that_died_as_it_took_a_run_is_given_the_silence_before_another_takes_over(engine: Engine) -> None:
    run = enqueue.request_sync(engine.group(NAME), Trigger.INFO)
    assert single_flight.take(run.pk) is not None
    RunProgress.objects.filter(run=run).delete()  # it had not told of itself yet
    assert single_flight.take(run.pk) is None
    SyncRun.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(seconds=31))
    taken = single_flight.take(run.pk)
    assert taken is not None and taken.attempt == 2


def test_r9_a_silent_run_is_taken_over_and_its_old_worker_can_write_nothing(
    engine: Engine, settings: SettingsWrapper
) -> None:
    group = engine.group(NAME)
    run = enqueue.request_sync(group, Trigger.INFO)
    old = single_flight.take(run.pk)
    assert old is not None
    old_stage = stage.Stage(old)
    old_stage.create()
    assert single_flight.take(run.pk) is None  # alive: not to be taken

    RunProgress.objects.filter(run=run).update(beat_at=timezone.now() - timedelta(seconds=31))
    assert SyncRun.objects.select_related("progress").get(pk=run.pk).is_stalled(timezone.now())
    ended = engine.work(run)
    assert (ended.status, ended.attempt) == ("completed", 2)
    assert engine.complaints(NAME) == []
    with pytest.raises(Fenced), transaction.atomic():
        single_flight.lock_for_writing(old)
    with pytest.raises(Fenced):
        single_flight.finish(old, RunStatus.COMPLETED)
    # The old attempt's stage is left to the sweep, and only that one.
    assert len(truth.stages(raw_connection())) == 2
    assert stage.sweep() == 2
    assert truth.stages(raw_connection()) == []


def test_r9_an_old_worker_hears_that_it_was_overtaken(engine: Engine) -> None:
    run = enqueue.request_sync(engine.group(NAME), Trigger.INFO)
    with engine.standin.holds("ExecuteSearch", only="page") as held:
        thread = perform_beside(run)
        assert held.wait_until_held()
        SyncRun.objects.filter(pk=run.pk).update(attempt=2)
        RunProgress.objects.filter(run=run).update(attempt=2)
        thread.join(5)  # while the remote still hangs
        assert not thread.is_alive()
    run.refresh_from_db()
    assert run.status == "running"


def test_r9_a_worker_that_freezes_while_it_writes_lets_go_of_its_run_and_of_the_bridge(
    engine: Engine, settings: SettingsWrapper
) -> None:
    group = engine.group(NAME)
    run = enqueue.request_sync(group, Trigger.INFO)
    old = single_flight.take(run.pk)
    assert old is not None
    settings.SYNC_SILENCE_SECONDS = 0.2
    has_locks, wakes_up = threading.Event(), threading.Event()
    refused: list[type[Exception]] = []

    def freeze_while_writing() -> None:
        try:
            with transaction.atomic():
                assert apply.try_lock(group.bridge_id)
                single_flight.lock_for_writing(old)
                has_locks.set()
                wakes_up.wait(30)
                single_flight.finish(old, RunStatus.COMPLETED)
        except Exception as error:
            refused.append(type(error))
        finally:
            connections.close_all()

    frozen = threading.Thread(target=freeze_while_writing)
    frozen.start()
    assert has_locks.wait(10)
    wait_until(lambda: engine.work(run).status == "completed", within=20)
    wakes_up.set()
    frozen.join(10)
    run.refresh_from_db()
    assert (run.status, run.attempt, len(refused)) == ("completed", 2, 1)
    assert engine.complaints(NAME) == []


def test_r9_a_worker_that_freezes_just_after_it_took_a_run_leaves_it_to_whoever_has_it_now(
    engine: Engine, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = enqueue.request_sync(engine.group(NAME), Trigger.INFO)
    settings.SYNC_SILENCE_SECONDS = 0.2
    goes_on, others = single_flight._begin_progress, []

    def freeze(run_id: int, attempt: int) -> None:
        monkeypatch.setattr(single_flight, "_begin_progress", goes_on)
        wait_until(lambda: others.append(single_flight.take(run_id)) or others[-1], within=10)
        goes_on(run_id, attempt)

    monkeypatch.setattr(single_flight, "_begin_progress", freeze)
    assert single_flight.take(run.pk) is None
    assert others[-1].attempt == 2
    assert RunProgress.objects.get(run=run).attempt == 2


def test_r9_a_run_whose_workers_die_again_and_again_is_given_up(engine: Engine) -> None:
    run = enqueue.request_sync(engine.group(NAME), Trigger.INFO)
    for _ in range(single_flight.MOST_ATTEMPTS):
        assert single_flight.take(run.pk) is not None
        RunProgress.objects.filter(run=run).update(beat_at=timezone.now() - timedelta(minutes=5))
    ended = engine.work(run)
    assert (ended.status, ended.error_code) == ("failed", "worker_lost")


def test_r9_the_sweep_sends_what_the_broker_lost(
    engine: Engine, settings: SettingsWrapper, broker: redis.Redis
) -> None:
    settings.SYNC_SWEEP_SECONDS = 0.01
    run = enqueue.request_sync(engine.group(NAME), Trigger.INFO)
    broker.flushdb()
    assert waiting_count() == 0
    time.sleep(0.05)
    assert single_flight.sweep_stalled() == 1
    assert waiting_count("interactive") == 1
    assert engine.work(run).status == "completed"


def test_r9_a_request_is_kept_while_the_broker_is_away(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    group = engine.group(NAME)

    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionError("the broker is away")

    monkeypatch.setattr(current_app, "send_task", refuse)
    run = enqueue.request_sync(group, Trigger.INFO)
    assert run.status == "waiting"
    assert engine.work(run).status == "completed"


@pytest.mark.parametrize("where", ["Get", "ExecuteSearch"])
def test_cancel_works_within_two_seconds_even_when_the_remote_hangs(engine: Engine, where: str) -> None:
    engine.sync(NAME)
    before = engine.members(NAME)
    engine.standin.delete(ids=sorted(before)[:2])
    run = enqueue.request_sync(engine.group(NAME), Trigger.RESYNC_NOW)
    with engine.standin.holds(where) as held:
        thread = perform_beside(run)
        assert held.wait_until_held()
        enqueue.request_cancel(run)
        thread.join(2)
        assert not thread.is_alive()
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("cancelled", "cancelled")
    assert engine.members(NAME) == before
    assert engine.group(NAME).error_code == ""


def test_a_waiting_run_is_cancelled_at_once(engine: Engine) -> None:
    run = enqueue.request_sync(engine.group(NAME), Trigger.RESYNC_NOW)
    enqueue.request_cancel(run)
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert engine.work(run).status == "cancelled"
    assert not CancelWish.objects.exists()


def test_a_run_that_is_over_cannot_be_cancelled_and_the_answer_says_so(engine: Engine) -> None:
    run = engine.sync(NAME)
    with pytest.raises(NotAllowedNow, match="completed already"):
        enqueue.request_cancel(run)


def test_an_unexpected_error_ends_the_run_with_a_sentence_and_is_raised_for_the_log(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = engine.group(NAME)
    run = enqueue.request_sync(group, Trigger.INFO)

    def explode(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("targetgroups.sync.checking.settle", explode)
    with pytest.raises(ZeroDivisionError):
        pipeline.perform(run.pk)
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "unexpected")
    assert TargetGroup.objects.get(pk=group.pk).member_count is None
    assert truth.stages(raw_connection()) == []


def test_r16_each_request_cancel_apply_and_discard_is_recorded_with_who_and_what(
    engine: Engine, django_user_model: type
) -> None:
    mia = django_user_model.objects.create(username="mia")  # type: ignore[attr-defined]
    engine.sync("All individuals", Trigger.SCHEDULE)
    engine.standin.flip_do_not_email(percent=90, to=True)
    enqueue.request_cancel(enqueue.request_sync(engine.group(NAME), Trigger.RESYNC_NOW, mia), mia)
    held = engine.sync("All individuals", Trigger.SCHEDULE)
    enqueue.request_discard(held, mia)
    again = engine.sync("All individuals", Trigger.SCHEDULE)
    enqueue.request_apply(again, mia)

    said = list(AuditEntry.objects.order_by("pk").values_list("actor_label", "action"))
    assert ("schedule", "group.requested") in said
    for action in ("group.requested", "run.cancel_wished", "run.discard", "run.apply"):
        assert ("mia", action) in said
    listed = AuditEntry.objects.get(action="list.applied")
    assert listed.after["new"] == TargetGroup.objects.count()
