"""/readyz: a 503 only while no page can be served; the rest is said in words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings as site
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from thrive_sync.health import pulses
from thrive_sync.health.tasks import pulse
from thrive_sync.lib import valkey

pytestmark = pytest.mark.django_db


def say(status: int) -> list[str]:
    answer = Client().get("/readyz")
    assert answer.status_code == status
    assert "no-store" in answer["Cache-Control"]
    return answer.content.decode().splitlines()


def beats(store: redis.Redis, seconds_ago: float, *queues: str) -> None:
    now = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    for queue in queues:
        pulses.came_through(store, queue, now + timedelta(seconds=pulses.PULSE_EXPIRES_SECONDS), now)


def test_with_everything_running_there_is_nothing_to_say(broker: redis.Redis) -> None:
    beats(broker, 3, *pulses.QUEUES)
    assert say(200) == ["ready"]


def test_a_database_that_is_away_is_a_503_in_words(broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("FATAL: password=hunter2")

    monkeypatch.setattr(connection, "cursor", refuse)
    first, told = say(503)
    assert first == "not ready"
    assert told.startswith("database: it does not answer.")
    assert "hunter2" not in told


def test_missing_migrations_are_a_503_that_says_what_to_run(broker: redis.Redis) -> None:
    MigrationRecorder(connection).record_unapplied("audit", "0001_initial")
    assert say(503) == ["not ready", "database: 1 of its migrations are missing. Run: manage.py migrate"]


def test_a_broker_that_is_away_takes_no_page_away(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert say(200) == ["ready", "broker: it does not answer. What people ask for waits, and is done when it is back."]


def test_a_queue_without_a_worker_is_named(broker: redis.Redis) -> None:
    beats(broker, 2, "interactive")
    beats(broker, 300, "mailings")
    told = say(200)
    assert told[0] == "ready"
    assert told[1].startswith("scheduled: no worker was ever heard of.")
    assert told[2].startswith("mailings: nothing was taken from this queue for 300 s.")
    assert len(told) == 3


def test_a_pulse_tells_when_it_was_taken_and_how_long_it_waited(broker: redis.Redis) -> None:
    pulse.apply_async(args=["interactive"], queue="interactive", expires=pulses.PULSE_EXPIRES_SECONDS)
    headers = json.loads(broker.lindex("interactive", 0))["headers"]
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=40), tick=False):
        pulse.push_request(expires=headers["expires"])
        pulse.run(*json.loads(headers["argsrepr"].replace("'", '"')))
        pulse.pop_request()
        came = pulses.read(valkey.connect(site.REDIS_URL))["interactive"]
        assert came.at == datetime.now(UTC)
    assert came.waited == pytest.approx(40, abs=5)
    assert broker.llen("interactive") == 1
