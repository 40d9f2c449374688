"""One statement a task."""

from celery import shared_task

from . import idempotency


@shared_task
def clean_up() -> None:
    idempotency.forget_old()
