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

app = Celery("thrive_sync")


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
            "sweep": {
                "task": "targetgroups.tasks.sweep",
                "schedule": settings.SYNC_SWEEP_SECONDS,
                "options": {"queue": "interactive", "expires": max(settings.SYNC_SWEEP_SECONDS, 1)},
            },
            # A schedule that is due is a row whose time has come, so nothing of it lives in beat's memory.
            "sweep schedules": {
                "task": "targetgroups.tasks.sweep_schedules",
                "schedule": settings.SYNC_SWEEP_SECONDS,
                "options": {"queue": "interactive", "expires": max(settings.SYNC_SWEEP_SECONDS, 1)},
            },
            "sweep mailings": {
                "task": "mailings.tasks.sweep",
                "schedule": settings.SYNC_SWEEP_SECONDS,
                "options": {"queue": "interactive", "expires": max(settings.SYNC_SWEEP_SECONDS, 1)},
            },
            "apply mail events": {
                "task": "mailings.tasks.apply_mail_events",
                "schedule": settings.SYNC_SWEEP_SECONDS,
                "options": {"queue": "interactive", "expires": max(settings.SYNC_SWEEP_SECONDS, 1)},
            },
            "sweep tests": {
                "task": "mailings.tasks.sweep_tests",
                "schedule": settings.SYNC_SWEEP_SECONDS,
                "options": {"queue": "interactive", "expires": max(settings.SYNC_SWEEP_SECONDS, 1)},
            },
            "count outdated": {
                "task": "targetgroups.tasks.count_outdated",
                "schedule": settings.SYNC_SWEEP_SECONDS,
                "options": {"queue": "interactive", "expires": max(settings.SYNC_SWEEP_SECONDS, 1)},
            },
            "send letters": {
                "task": "accounts.tasks.send_letters",
                "schedule": 60,
                "options": {"queue": "interactive", "expires": 60},
            },
            "clean up people": {
                "task": "accounts.tasks.clean_up",
                "schedule": crontab(hour="3", minute="47"),
                "options": {"queue": "scheduled"},
            },
            "sweep alerts": {
                "task": "alerts.tasks.sweep",
                "schedule": settings.SYNC_SWEEP_SECONDS,
                "options": {"queue": "interactive", "expires": max(settings.SYNC_SWEEP_SECONDS, 1)},
            },
            "send alert letters": {
                "task": "alerts.tasks.send_letters",
                "schedule": settings.SYNC_SWEEP_SECONDS,
                "options": {"queue": "interactive", "expires": max(settings.SYNC_SWEEP_SECONDS, 1)},
            },
            "clean up alerts": {
                "task": "alerts.tasks.clean_up",
                "schedule": crontab(hour="3", minute="53"),
                "options": {"queue": "scheduled"},
            },
            "clean up API": {
                "task": "api.tasks.clean_up",
                "schedule": crontab(minute="41"),
                "options": {"queue": "scheduled"},
            },
            "sweep writebacks": {
                "task": "targetgroups.tasks.sweep_writebacks",
                "schedule": settings.SYNC_SWEEP_SECONDS,
                "options": {"queue": "interactive", "expires": max(settings.SYNC_SWEEP_SECONDS, 1)},
            },
            "check opt-outs": {
                "task": "targetgroups.tasks.check_all_opt_outs",
                "schedule": crontab(hour="5", minute="23"),
                "options": {"queue": "scheduled"},
            },
            "clean up": {
                "task": "targetgroups.tasks.clean_up",
                "schedule": crontab(hour="3", minute="17"),
                "options": {"queue": "scheduled"},
            },
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
