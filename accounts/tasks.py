"""One statement a task: everything that matters is in the database, a message only says "look"."""

from celery import shared_task

from accounts import letters, retention


@shared_task
def send_letters() -> None:
    letters.send_due()


@shared_task
def clean_up() -> None:
    retention.clean_up()
