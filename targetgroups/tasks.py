"""One statement a task: everything that matters is in the database, a message only says "look"."""

from typing import Any

from celery import shared_task

from thrive_sync.lib.steps import follow_up

from . import writeback
from .sync import firing, pipeline, receiving, retention, single_flight


@shared_task(acks_late=True)
def run_sync(run_id: int) -> None:
    pipeline.perform(run_id)


@shared_task
def sweep() -> None:
    single_flight.sweep_stalled()


@shared_task
def sweep_schedules() -> None:
    firing.sweep()


@shared_task(acks_late=True)
def fire_schedule(schedule_id: int) -> None:
    firing.fire(schedule_id)


@shared_task
def clean_up() -> None:
    retention.clean_up()


@shared_task
def count_receiving(group_id: int) -> None:
    receiving.count(group_id)


@shared_task
def count_outdated() -> None:
    receiving.count_outdated()


@shared_task(bind=True, acks_late=True)
def write_back(self: Any, bridge_id: int) -> None:
    follow_up(self, writeback.advance(bridge_id))


@shared_task
def sweep_writebacks() -> None:
    writeback.sweep()


@shared_task
def queue_still_mailable(bridge_id: int) -> None:
    writeback.queue_still_mailable(bridge_id)


@shared_task
def check_opt_outs(bridge_id: int) -> None:
    writeback.check(bridge_id)


@shared_task
def check_all_opt_outs() -> None:
    writeback.check_all()
