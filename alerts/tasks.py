"""One statement a task: everything that matters is in the database, a message only says "look"."""

from typing import Any

from celery import shared_task

from thrive_sync.lib.steps import follow_up

from . import delivery, letters
from . import sweep as sweeping


@shared_task
def sweep() -> None:
    sweeping.sweep()


@shared_task
def send_letters() -> None:
    letters.send_due()


@shared_task(bind=True, acks_late=True)
def deliver(self: Any, webhook_id: int) -> None:
    follow_up(self, delivery.deliver(webhook_id))


@shared_task
def clean_up() -> None:
    sweeping.clean_up()
