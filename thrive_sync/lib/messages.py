"""Tell a worker to look at a row: a shortcut that may fail, since a sweep finds every such row in the database."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError as BrokerError

log = logging.getLogger(__name__)


def hand_over(task: str, row_id: int, queue: str) -> None:
    """Send a task with a row's ID. A broker that is away loses nothing (R9)."""
    try:
        current_app.send_task(task, args=[row_id], queue=queue, retry=False)
    except (BrokerError, ConnectionError, OSError) as error:
        log.warning("%s %s waits for the sweep: the broker did not take it (%s)", task, row_id, type(error).__name__)
