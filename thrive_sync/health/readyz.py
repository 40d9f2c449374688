"""The address that says whether this process should get requests, and in words what is wrong."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache

from thrive_sync.lib import valkey
from thrive_sync.lib.words import number

from . import pulses

log = logging.getLogger(__name__)


@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 503 while no page could be served; what pages can do without is told with a 200.

    Without a broker or workers people still read, click and opt out: what they ask for is a row that waits. A load
    balancer that took every process away for it would make it worse.
    """
    wrong = _database()
    notes = [] if wrong else [*_workers()]
    lines = [*(["not ready"] if wrong else ["ready"]), *wrong, *notes]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8", status=503 if wrong else 200)


def _database() -> list[str]:
    try:
        missing = _shipped() - set(MigrationRecorder(connection).applied_migrations())
    except DatabaseError as error:
        log.warning("not ready: the database does not answer (%s)", type(error).__name__)
        return [
            gettext("database: it does not answer. Nothing is lost; is PostgreSQL running, and DATABASE_URL right?")
        ]
    if not missing:
        return []
    told = ngettext(
        "database: %(count)s of its migrations are missing. Run: manage.py migrate",
        "database: %(count)s of its migrations are missing. Run: manage.py migrate",
        len(missing),
    )
    return [told % {"count": len(missing)}]


@cache
def _shipped() -> set[tuple[str, str]]:
    """Return the migrations that this version of the program has."""
    return set(MigrationLoader(None).disk_migrations)


def _workers() -> list[str]:
    try:
        with valkey.connect(settings.REDIS_URL) as store:
            found = pulses.read(store)
    except redis.RedisError as error:
        log.warning("the broker does not answer (%s)", type(error).__name__)
        return [gettext("broker: it does not answer. What people ask for waits, and is done when it is back.")]
    now = datetime.now(UTC)
    notes = []
    for queue in pulses.QUEUES:
        pulse = found.get(queue)
        if pulse is None:
            told = gettext("%(queue)s: no worker was ever heard of. Are a worker of this queue and beat running?")
            notes.append(told % {"queue": queue})
        elif (silent := (now - pulse.at).total_seconds()) > pulses.SILENT_SECONDS:
            told = gettext(
                "%(queue)s: nothing was taken from this queue for %(seconds)s s. Are its worker and beat running?"
            )
            notes.append(told % {"queue": queue, "seconds": number(silent)})
    return notes
