"""Fetching and syncing in one go, as a run does it: beside dlt's REST source, and beside each of the two halves alone.

The service is one that only answers fast (see bench.client_server), over REST, after the latency of each call.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench import goals
from bench.client_server import SEARCH_ID, TENANT, running
from bench.goals import Goal, ItemResult, Scale
from bench.peers import PeerMissing, python_of
from bench.sync_peers import finish, forget_schemas, url_for_dlt
from bench.together_dlt import DATASET, PAGE
from memberSuite import ConnectionSettings, Person, connect
from targetgroups.models import TargetGroup

STEPS = ("first", "unchanged")
PRODUCT, FETCH, SYNC, DLT = "product", "product, fetch alone", "product, sync alone", "dlt rest_api"
_NEEDED_OF_DLT, _NEEDED_OF_HALF = 4, 0.7
MOST_PEOPLE = 200_000  # the server keeps all its rows in memory

Rates = dict[str, dict[str, list[float]]]


class Fetched:
    """People who were fetched before, as a canned client answers them."""

    flagged_total = 0

    def __init__(self, pages: list[list[Person]]) -> None:
        self._pages = pages
        self.total = sum(map(len, pages))

    def mailable(self) -> Iterable[list[Person]]:
        return self._pages

    def flagged(self) -> Iterable[list[Person]]:
        return ()


def measure(scale: Scale) -> ItemResult:
    """Measure the product, its two halves and dlt in turn."""
    logging.disable(logging.INFO)
    people = min(scale.people, MOST_PEOPLE)
    rates: Rates = {name: {step: [] for step in STEPS} for name in (PRODUCT, FETCH, SYNC, DLT)}
    why = "" if scale.wants(DLT) else "not asked for"
    with running("rest", people) as server, tempfile.TemporaryDirectory() as folder:
        address = f"{server}/{people}/{scale.latency_ms:g}"
        for number in range(scale.rounds):
            _measure_product(rates, address, people)
            if why or (scale.is_small and number > 0):
                continue
            try:
                _measure_dlt(rates, address, people, Path(folder))
            except PeerMissing as error:
                why = str(error)
    return ItemResult(
        figures=[
            figure
            for name, by_step in rates.items()
            for step, values in by_step.items()
            for figure in goals.figures_of("together", name, step, values, "rows/s")
        ],
        goals=[goal for step in STEPS for goal in _goals(rates, step, why)],
        notes=[
            f"{people:,} people, {PAGE} rows a page, {scale.latency_ms:g} ms a call; nobody is Do Not Email.",
            f"The product has {ConnectionSettings.in_flight} calls in flight, dlt one.",
        ],
    )


def _goals(rates: Rates, step: str, why: str) -> list[Goal]:
    own = rates[PRODUCT][step]
    slower = min((FETCH, SYNC), key=lambda half: median(rates[half][step]))
    what = f"fetch and sync, {step}: product over {DLT}"
    return [
        goals.not_measured("2e", what, _NEEDED_OF_DLT, "at least", why)
        if why
        else goals.at_least("2e", what, own, rates[DLT][step], _NEEDED_OF_DLT),
        goals.at_least(
            "2e", f"fetch and sync, {step}: product over {slower}", own, rates[slower][step], _NEEDED_OF_HALF
        ),
    ]


def _measure_product(rates: Rates, address: str, people: int) -> None:
    from bench.sync_product import forget_everybody, sync_from, timed_sync

    forget_everybody()
    for step in STEPS:
        seconds, _ = timed_sync(_group(address))
        rates[PRODUCT][step].append(people / seconds)
    with connect(_settings(address), clock=lambda: datetime.now(UTC)) as client:
        search = client.get_search(SEARCH_ID)
        began = time.perf_counter()
        pages = [page.rows for page in client.read_people(search)]
        rate = people / (time.perf_counter() - began)
        for step in STEPS:  # to read is the same, whatever is stored
            rates[FETCH][step].append(rate)
    forget_everybody()
    for step in STEPS:
        seconds, _ = sync_from(Fetched(pages), search, _group(address))
        rates[SYNC][step].append(people / seconds)


def _measure_dlt(rates: Rates, address: str, people: int, folder: Path) -> None:
    python = python_of("dlt")
    forget_schemas(DATASET, f"{DATASET}_staging")
    command = [str(python), "-m", "bench.together_dlt", address, str(folder), str(len(STEPS))]
    said = finish(command, {"BENCH_DATABASE_URL": url_for_dlt()})
    for step, line in zip(STEPS, said.splitlines()[-len(STEPS) :], strict=True):
        seconds, fetched = map(float, line.split())
        if fetched != people:
            raise PeerMissing(f"it fetched {fetched:.0f} rows instead of {people}")
        rates[DLT][step].append(people / seconds)


def _settings(address: str) -> ConnectionSettings:
    return ConnectionSettings(
        "rest",
        address,
        tenant_id=TENANT,
        api_user="u",
        api_password="p",
        page_size=PAGE,
    )


def _group(address: str) -> TargetGroup:
    """Return the group to sync; the service knows nobody who is Do Not Email, so they are not listed."""
    from bench.sync_product import group_to_sync

    return group_to_sync(
        SEARCH_ID,
        transport="rest",
        service_address=address,
        tenant_id=TENANT,
        api_user="u",
        api_password="p",
        page_size=PAGE,
        lists_do_not_email=False,
    )
