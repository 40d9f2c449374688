"""The Celery application: its queues, what it does when the broker goes away, and what runs by the clock."""

from __future__ import annotations

import logging.config
import os
import sys
from typing import Any

from celery import Celery, signals
from celery.schedules import crontab
from django.conf import settings
from django.db import close_old_connections
from kombu import Queue

from thrive_sync.health.pulses import PULSE_EXPIRES_SECONDS, PULSE_SECONDS, QUEUES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thrive_sync.settings")

LONGEST_RUN_SECONDS = 12 * 60 * 60

# What is due is a row whose time has come, so nothing of it lives in beat's memory.
SWEPT = {
    "sweep": "targetgroups.tasks.sweep",
    "sweep schedules": "targetgroups.tasks.sweep_schedules",
    "sweep mailings": "mailings.tasks.sweep",
    "apply mail events": "mailings.tasks.apply_mail_events",
    "sweep tests": "mailings.tasks.sweep_tests",
    "count outdated": "targetgroups.tasks.count_outdated",
    "sweep alerts": "alerts.tasks.sweep",
    "send alert letters": "alerts.tasks.send_letters",
    "sweep writebacks": "targetgroups.tasks.sweep_writebacks",
}
BY_THE_CLOCK = {
    "clean up people": ("accounts.tasks.clean_up", {"hour": "3", "minute": "47"}),
    "clean up alerts": ("alerts.tasks.clean_up", {"hour": "3", "minute": "53"}),
    "clean up API": ("api.tasks.clean_up", {"minute": "41"}),
    "check opt-outs": ("targetgroups.tasks.check_all_opt_outs", {"hour": "5", "minute": "23"}),
    "clean up": ("targetgroups.tasks.clean_up", {"hour": "3", "minute": "17"}),
}

app = Celery("thrive_sync")


def _swept(task: str, seconds: float) -> dict[str, Any]:
    """Ask again and again; what no worker took by the next time is not asked twice."""
    return {"task": task, "schedule": seconds, "options": {"queue": "interactive", "expires": max(seconds, 1)}}


def _by_the_clock(task: str, when: dict[str, str]) -> dict[str, Any]:
    return {"task": task, "schedule": crontab(**when), "options": {"queue": "scheduled"}}


def _configuration() -> dict[str, Any]:
    return {
        "broker_url": settings.REDIS_URL,
        # A person waits for what is on "interactive"; neither a nightly sync of everything nor a mailing to everybody
        # must stand before it.
        "task_queues": [Queue(name) for name in QUEUES],
        "task_default_queue": "interactive",
        "task_create_missing_queues": False,
        # A task whose worker died is delivered again; claims in the database make a second delivery harmless.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # runs live in the database, not in the broker
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "enable_utc": True,
        "timezone": settings.TIME_ZONE,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_connection_timeout": 3,
        "broker_transport_options": {
            "visibility_timeout": LONGEST_RUN_SECONDS,  # shorter, and a running task would be delivered again
            "socket_connect_timeout": 3,
            "socket_timeout": 30,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
        # A click must not wait for a broker that is away: its request is a row, and the sweep sends it again.
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1},
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        # Celery would open a connection to the database for each task: more than all else between click and "running".
        "CELERY_DB_REUSE_MAX": sys.maxsize,
        # In memory: the sweep finds all that is due in the database, so beat has nothing to remember.
        "beat_scheduler": "celery.beat:Scheduler",
        "beat_schedule": {
            # Shows that each queue has a worker that takes what is in it, and after how long.
            **{
                f"pulse {queue}": {
                    "task": "thrive_sync.health.tasks.pulse",
                    "args": [queue],
                    "schedule": PULSE_SECONDS,
                    "options": {"queue": queue, "expires": PULSE_EXPIRES_SECONDS},
                }
                for queue in QUEUES
            },
            **{name: _swept(task, settings.SYNC_SWEEP_SECONDS) for name, task in SWEPT.items()},
            "send letters": _swept("accounts.tasks.send_letters", 60),
            **{name: _by_the_clock(*when) for name, when in BY_THE_CLOCK.items()},
        },
    }


# Handed over as a function, so that importing the package needs no settings yet.
app.add_defaults(_configuration)
app.autodiscover_tasks()
app.autodiscover_tasks(["thrive_sync.health"])


@signals.setup_logging.connect
def _keep_django_logging(**_kwargs: object) -> None:
    """Log through the redacting handlers of the settings; Celery would put up its own."""
    logging.config.dictConfig(settings.LOGGING)


@signals.task_prerun.connect
def _let_go_of_dead_connections(**_kwargs: object) -> None:
    """Do for a task what Django does for a request: CONN_MAX_AGE holds, and a server that was restarted is noticed."""
    close_old_connections()
