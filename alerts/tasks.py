"""One statement a task: everything that matters is in the database, a message only says "look"."""

from celery import shared_task

from . import letters
from . import sweep as sweeping


@shared_task
def sweep() -> None:
    sweeping.sweep()


@shared_task
def send_letters() -> None:
    letters.send_due()


@shared_task
def clean_up() -> None:
    sweeping.clean_up()
