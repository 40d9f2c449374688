"""/metrics: for whoever has the token; figures that add up, whatever is away."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as site
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from memberSuite.standin.server import StandIn
from targetgroups import metrics as syncs
from targetgroups import remote
from targetgroups.models import Bridge, SyncRun
from tests.mailings.views.conftest import Desk, desk, mailbox
from tests.targetgroups.views.conftest import Rows, rows
from thrive_sync.lib import meters, valkey

__all__ = ["desk", "mailbox", "rows"]
pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-the-collector"


@pytest.fixture(autouse=True)
def _watched(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(syncs, "ended", syncs.Ended())


def collect() -> dict[str, dict[tuple[str, ...], float]]:
    """Read the figures as Prometheus does: {name: {label values, by the labels' names: figure}}."""
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN + "ä"}])
def test_nobody_reads_them_without_the_token(broker: redis.Redis, shown: dict[str, str]) -> None:
    answer = Client().get("/metrics", headers=shown)
    assert answer.status_code == 401
    assert b"thrive_sync_" not in answer.content


def test_without_a_token_set_there_is_nothing(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_a_run_is_counted_once_when_it_has_ended_however_often_one_looks(rows: Rows, broker: redis.Redis) -> None:
    group = rows.group(member_count=3)
    old = rows.run(group, phase_seconds={"reading": 2.5, "writing": 0.5}, figures={"in_search": 90, "added": 4})
    going = rows.run(group, "running")
    held = rows.run(rows.group("Other"), "held")
    SyncRun.objects.filter(pk__in=[old.pk, going.pk, held.pk]).update(created_at=timezone.now() - timedelta(hours=1))
    young = rows.run(None, "failed")
    for _ in range(3):
        found = collect()
        assert found["thrive_sync_runs_total"] == {
            ("group", "completed", "resync_now"): 1,
            ("list", "failed", "resync_now"): 1,
        }
        assert found["thrive_sync_run_phase_seconds_total"][("group", "reading")] == 2.5
        assert found["thrive_sync_run_rows_total"][("group", "in_search")] == 90
        assert found["thrive_sync_open_runs"] == {("waiting",): 0, ("running",): 1, ("held",): 1}
    SyncRun.objects.filter(pk=going.pk).update(status="completed", phase_seconds={"reading": 1})
    SyncRun.objects.filter(pk=held.pk).update(status="superseded")
    SyncRun.objects.filter(pk=young.pk).update(created_at=timezone.now() - timedelta(minutes=2))
    for _ in range(2):
        found = collect()
        assert found["thrive_sync_runs_total"] == {
            ("group", "completed", "resync_now"): 2,
            ("group", "superseded", "resync_now"): 1,
            ("list", "failed", "resync_now"): 1,
        }
        assert found["thrive_sync_run_phase_seconds_total"][("group", "reading")] == 3.5


def test_what_stands_where_now(rows: Rows, desk: Desk, broker: redis.Redis) -> None:
    group = rows.group(member_count=3)
    rows.group("Never")
    rows.run(group, "waiting", due_at=timezone.now() - timedelta(seconds=90), queue="scheduled")
    desk.frozen(group, sent=2, unknown=1)
    Bridge.objects.update(last_error_code="host_unreachable", last_good_contact_at=timezone.now())
    broker.rpush("interactive", "a message", "another")
    found = collect()
    assert found["thrive_sync_due_runs"] == {("interactive",): 0, ("scheduled",): 1}
    assert 90 <= found["thrive_sync_due_runs_seconds"][("scheduled",)] < 900
    assert found["thrive_sync_target_groups"][("not_counted",)] == 1
    assert found["thrive_sync_target_groups"][("error",)] == 0
    assert found["thrive_sync_bridge_reachable"] == {(str(rows.bridge.pk),): 0}
    assert found["thrive_sync_recipients"][("sent",)] == 2
    assert found["thrive_sync_recipients"][("unknown",)] == 1
    assert found["thrive_sync_queue_messages"][("interactive",)] == 2
    assert found["thrive_sync_up"] == {("broker",): 1, ("database",): 1}


def test_calls_to_membersuite_are_timed_with_their_errors(rows: Rows, standin: StandIn, broker: redis.Redis) -> None:
    bridge = rows.bridge
    bridge.service_address, bridge.association_id = standin.url, standin.association_id
    bridge.access_key_id, bridge.secret_access_key = standin.access_key_id, standin.secret_access_key
    with remote.connect(bridge, clock=timezone.now, stop=threading.Event()) as client:
        assert client.list_searches().total
        with pytest.raises(remote.SearchGone):
            client.get_search("00000000-0000-0000-0000-000000000000")
    remote.CALLS.hand_over(site.REDIS_URL)
    remote.CALLS.hand_over(site.REDIS_URL)  # hands nothing over twice
    counts = collect()["thrive_sync_membersuite_call_seconds_count"]
    assert {(number, transport) for number, _, _, transport in counts} == {(str(bridge.pk), "concierge")}
    by_error = Counter({error: count for (_, _, error, _), count in counts.items() if error})
    assert by_error == {"remote_refused": 1}
    assert sum(count for (_, _, error, _), count in counts.items() if not error) >= 1
    assert str(standin.access_key_id) not in str(broker.hgetall(f"{meters.STORE}:membersuite-calls"))


def test_a_store_that_is_away_costs_figures_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    meter = meters.Meter("lamps")
    meter.took(0.2, "a call", url="redis://127.0.0.1:1/0")
    meter.hand_over("redis://127.0.0.1:1/0")
    assert "figures of lamps were lost" in caplog.text


def test_each_part_that_is_away_is_told_and_takes_no_other_with_it(
    rows: Rows, broker: redis.Redis, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    found = collect()
    settings.REDIS_URL = here
    assert found["thrive_sync_up"] == {("broker",): 0, ("database",): 1}
    assert "thrive_sync_open_runs" in found

    def refuse() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(syncs.ended, "look", refuse)
    assert collect()["thrive_sync_up"][("database",)] == 0


def test_durations_fall_into_their_places(broker: redis.Redis) -> None:
    meter = meters.Meter("lamps")
    for seconds in (0.05, 0.051, 7, 3600):
        meter.took(seconds, "a call", url=site.REDIS_URL)
    meter.hand_over(site.REDIS_URL)
    histogram = meters.read("lamps", valkey.connect(site.REDIS_URL))[("a call",)]
    assert histogram.total == 4
    assert dict(zip(meters.EDGES, histogram.counts, strict=True))[0.05] == 1
    assert histogram.counts[-1] == 1
    assert histogram.seconds == pytest.approx(3607.101)
