"""What the Celery application promises: no message lost, none harmful twice, no click waiting."""

from __future__ import annotations

import redis
from celery import current_app

from tests.support.broker import waiting_count
from thrive_sync.celery import LONGEST_RUN_SECONDS


def test_a_message_outlives_its_worker_and_is_not_delivered_again_during_the_longest_run() -> None:
    assert current_app.conf.task_acks_late
    assert current_app.conf.task_reject_on_worker_lost
    assert current_app.conf.worker_prefetch_multiplier == 1
    assert current_app.conf.broker_transport_options["visibility_timeout"] >= LONGEST_RUN_SECONDS


def test_only_json_is_read_and_no_result_is_kept() -> None:
    assert current_app.conf.accept_content == ["json"]
    assert current_app.conf.task_ignore_result
    assert current_app.conf.result_backend is None


def test_a_message_goes_to_the_queue_that_people_wait_for_unless_told_otherwise(broker: redis.Redis) -> None:
    current_app.send_task("targetgroups.tasks.sweep")
    current_app.send_task("targetgroups.tasks.clean_up", queue="scheduled")
    assert (waiting_count("interactive"), waiting_count("scheduled")) == (1, 1)


def test_the_clock_sends_only_tasks_that_exist() -> None:
    current_app.loader.import_default_modules()
    assert {entry["task"] for entry in current_app.conf.beat_schedule.values()} <= set(current_app.tasks)
