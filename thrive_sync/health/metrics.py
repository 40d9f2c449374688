"""The address where Prometheus collects: figures of all processes, read from where they are kept."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from mailings import metrics as mail
from targetgroups import metrics as syncs
from targetgroups.remote import CALLS
from thrive_sync.lib import meters, valkey

from . import pulses

log = logging.getLogger(__name__)


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer whoever shows METRICS_TOKEN; without one set there is nothing here."""
    if not settings.METRICS_TOKEN:
        raise Http404
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if not hmac.compare_digest(shown, settings.METRICS_TOKEN.encode()):
        return HttpResponse(
            "METRICS_TOKEN is to be shown as a bearer token.\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
        )
    registry = CollectorRegistry()
    registry.register(_Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("thrive_sync_up", "Whether it answered just now", labels=["part"])
        yield from _asked(up, "database", DatabaseError, lambda: [*_of_syncs(), *_of_mailings()])
        yield from _asked(up, "broker", redis.RedisError, lambda: [*_of_queues()])
        yield up

    def describe(self) -> Iterable[Metric]:
        return []  # or registering would collect


def _asked(up: GaugeMetricFamily, part: str, kind: type[Exception], ask: Callable[[], list[Metric]]) -> list[Metric]:
    """Return a part's figures; one that is away is told as such, and takes no other part with it."""
    try:
        found = ask()
    except kind as error:
        log.warning("no figures: the %s does not answer (%s)", part, type(error).__name__)
        up.add_metric([part], 0)
        return []
    up.add_metric([part], 1)
    return found


# --- what a part knows ------------------------------------------------------------------------------------------------


def _of_syncs() -> Iterator[Metric]:
    totals = syncs.ended.look()
    yield _counter("thrive_sync_runs", "Runs that ended", ["kind", "trigger", "outcome"], totals.runs)
    yield _counter("thrive_sync_run_phase_seconds", "Seconds of ended runs", ["kind", "phase"], totals.seconds)
    yield _counter("thrive_sync_run_rows", "Rows and people of ended runs", ["kind", "what"], totals.rows)
    yield _gauge("thrive_sync_open_runs", "Runs that are not over", ["status"], syncs.open_runs())
    waiting = syncs.waiting()
    now = datetime.now(UTC)
    counts = {queue: waiting[queue].count if queue in waiting else 0 for queue in syncs.QUEUES}
    ages = {q: max(0.0, (now - waiting[q].since).total_seconds()) if q in waiting else 0.0 for q in syncs.QUEUES}
    yield _gauge("thrive_sync_due_runs", "Runs that are due and that no worker took yet", ["queue"], counts)
    yield _gauge("thrive_sync_due_runs_seconds", "Since when the first of them is due", ["queue"], ages)
    yield _gauge("thrive_sync_target_groups", "Target groups", ["state"], syncs.group_states())
    contacts = syncs.contacts()
    good = {str(one.bridge_id): float(one.is_good) for one in contacts}
    at = {str(one.bridge_id): one.good_at.timestamp() for one in contacts if one.good_at}
    yield _gauge("thrive_sync_bridge_reachable", "Whether the last contact with MemberSuite was good", ["bridge"], good)
    yield _gauge("thrive_sync_bridge_last_good_contact_timestamp_seconds", "When", ["bridge"], at)
    yield _gauge("thrive_sync_writebacks", "Changes for MemberSuite", ["state"], syncs.writebacks())


def _of_mailings() -> Iterator[Metric]:
    yield _gauge("thrive_sync_mailings", "Mailings", ["status"], mail.by_status())
    yield _gauge("thrive_sync_recipients", "Recipients of all mailings", ["outcome"], mail.by_outcome())


def _of_queues() -> Iterator[Metric]:
    with valkey.connect(settings.REDIS_URL) as store:
        depths, found, calls = pulses.depths(store), pulses.read(store), meters.read(CALLS.name, store)
    yield _gauge("thrive_sync_queue_messages", "Messages that no worker took yet", ["queue"], depths)
    yield _gauge(
        "thrive_sync_queue_wait_seconds",
        "How long the last pulse waited in the queue",
        ["queue"],
        {queue: pulse.waited for queue, pulse in found.items()},
    )
    yield _gauge(
        "thrive_sync_queue_last_pulse_timestamp_seconds",
        "When a worker last took a pulse from the queue",
        ["queue"],
        {queue: pulse.at.timestamp() for queue, pulse in found.items()},
    )
    took = HistogramMetricFamily(
        "thrive_sync_membersuite_call_seconds",
        "How long MemberSuite took; error is empty where it answered well",
        labels=["bridge", "transport", "call", "error"],
    )
    for labels, histogram in sorted(calls.items()):
        up_to = accumulate(histogram.counts)
        edges = ["+Inf" if edge == float("inf") else repr(edge) for edge in meters.EDGES]
        took.add_metric(labels, buckets=list(zip(edges, up_to, strict=True)), sum_value=histogram.seconds)
    yield took


def _counter(name: str, words: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    return _filled(CounterMetricFamily(name, words, labels=labels), values)


def _gauge(name: str, words: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    return _filled(GaugeMetricFamily(name, words, labels=labels), values)


def _filled(family: Any, values: Mapping[Any, float]) -> Metric:
    for key, value in sorted(values.items()):
        family.add_metric([str(one) for one in (key if isinstance(key, tuple) else (key,))], value)
    return family
