"""One statement a task: everything that matters is in the database, a message only says "look"."""

from typing import Any

from celery import shared_task

from thrive_sync.lib.steps import follow_up

from . import bounces
from .send import pipeline, trial


@shared_task(bind=True, acks_late=True)
def advance_mailing(self: Any, mailing_id: int) -> None:
    follow_up(self, pipeline.advance(mailing_id))


@shared_task(acks_late=True)
def send_test(test_id: int) -> None:
    trial.send(test_id)


@shared_task
def sweep() -> None:
    pipeline.sweep()


@shared_task(bind=True, acks_late=True)
def apply_mail_events(self: Any) -> None:
    follow_up(self, bounces.work())


@shared_task
def sweep_tests() -> None:
    trial.sweep()
