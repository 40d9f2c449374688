"""What shows that a worker works."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery import shared_task
from django.conf import settings

from . import pulses


@shared_task(bind=True, ignore_result=True)
def pulse(task: Any, queue: str) -> None:
    pulses.take(settings.REDIS_URL, queue, datetime.fromisoformat(task.request.expires), datetime.now(UTC))
