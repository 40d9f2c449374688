"""One statement a task: everything that matters is in the database, a message only says "look"."""

from celery import shared_task

from .sync import pipeline, receiving, retention, single_flight


@shared_task(acks_late=True)
def run_sync(run_id: int) -> None:
    pipeline.perform(run_id)


@shared_task
def sweep() -> None:
    single_flight.sweep_stalled()


@shared_task
def clean_up() -> None:
    retention.clean_up()


@shared_task
def count_receiving(group_id: int) -> None:
    receiving.count(group_id)


@shared_task
def count_outdated() -> None:
    receiving.count_outdated()
