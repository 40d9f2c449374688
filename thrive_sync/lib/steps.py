"""A long job is a loop of bounded steps: each commits, and says how to go on."""

import enum
import logging
from typing import Any

from celery import Task
from kombu.exceptions import OperationalError as BrokerError

log = logging.getLogger(__name__)


class Step(enum.Enum):
    AGAIN = "again"  # there is more to do now
    WAIT = "wait"  # for something that wakes the job when it comes; a sweep is the guarantee
    DONE = "done"  # over, or somebody else's


def follow_up(task: "Task[..., None]", step: Step) -> None:
    """Send the running task's message again if there is more to do, behind whatever waits in its queue already."""
    if step is not Step.AGAIN:
        return
    request = task.request
    where: dict[str, Any] = {"queue": (request.delivery_info or {}).get("routing_key")}
    try:
        task.apply_async(tuple(request.args or ()), dict(request.kwargs or {}), retry=False, **where)
    except (BrokerError, ConnectionError, OSError) as error:
        log.warning("%s waits for the sweep: the broker did not take it (%s)", task.name, type(error).__name__)
