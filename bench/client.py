"""How fast people are read from MemberSuite: the product's own client beside others, and beside what bounds it.

`python -m bench.client fetch ADDRESS` reads everybody at a service address once and prints how many there were.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from statistics import median

from bench import client_peers as peers
from bench.client_pages import JSON, TABLE, Pages
from bench.client_parts import read_json, read_tables
from bench.client_server import SEARCH_ID, TENANT, running
from bench.goals import Goal, ItemResult, Scale, at_least, figures_of, interleaved, not_measured
from memberSuite import ConnectionSettings, Search, connect

ITEM = "client"
PAGE = 1000
SMALL_PAGE = 200  # the product's default
MOST_PEOPLE = 200_000  # rates do not change above; the server keeps all its rows in memory
PEER_PAGES = 1
MANY = (16, 8)
DEFAULT_IN_FLIGHT = ConnectionSettings.in_flight
PUBLISHED = "membersuite-api-client"
REQUESTS = "requests"

Rates = dict[str, list[float]]
Cases = dict[str, Callable[[], float]]


def measure(scale: Scale) -> ItemResult:
    people = min(2 * scale.people, MOST_PEOPLE)
    many = min(4 * scale.people, MOST_PEOPLE)  # waiting hides how fast a short reading is: longer ones are read then
    latency = int(scale.latency_ms)
    result = ItemResult()
    with running("concierge", many) as server:
        soap = _soap_cases(server, scale, people, many, latency)
        with _one_core():
            _soap(result, interleaved(soap, scale.rounds), latency)
    with running("rest", many) as server:
        rest = _rest_cases(server, scale, people, many, latency)
        with _one_core():
            _rest(result, interleaved(rest, scale.rounds), latency)
    result.notes.append(
        f"{people:,} people at 0 ms, {many:,} at {latency} ms; 12 columns. Every contestant has one core, the server "
        "the others. The product reads through its public client: totals before and after, and its own paging, are in "
        "its time. It reads people by ExecuteSearch, whose answer is always a DataTable; only the peer's query for "
        "objects is answered in keys and values."
    )
    return result


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep this process, and so every contestant, on one core, and let the server have the others.

    No contestant computes on two at once, but one with threads would be moved between them, at a cost of up to half
    of its speed that depends on what else the machine does.
    """
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    gc.collect()
    gc.freeze()  # what another contestant keeps for itself is not for the others to look through
    try:
        yield
    finally:
        gc.unfreeze()
        os.sched_setaffinity(0, cores)


def product(address: str, transport: str, page_size: int, in_flight: int) -> Callable[[], int]:
    """Return a way to read everybody once; the search is read before."""
    settings = ConnectionSettings(
        "rest" if transport == "rest" else "concierge",
        address,
        association_id="11111111-2222-3333-4444-555555555555",
        access_key_id="k",
        secret_access_key="c2VjcmV0",  # the server looks at no signature
        tenant_id=TENANT,
        api_user="u",
        api_password="p",
        page_size=page_size,
        in_flight=in_flight,
    )

    def read(search: Search) -> int:
        with connect(settings, clock=lambda: datetime.now(UTC)) as client:
            reading = client.read_people(search)
            rows = sum(len(page.rows) for page in reading)
            if not reading.is_complete or reading.filter_ignored:
                raise RuntimeError("The reading is not what the server has.")
            return rows

    with connect(settings, clock=lambda: datetime.now(UTC)) as client:
        return partial(read, client.get_search(SEARCH_ID))


def _rate(read: Callable[[], int], expected: int) -> float:
    began = time.perf_counter()
    rows = read()
    seconds = time.perf_counter() - began
    if rows != expected:
        raise RuntimeError(f"{rows} rows were read instead of {expected}.")
    return rows / seconds


def _soap_cases(server: str, scale: Scale, people: int, many: int, latency: int) -> Cases:
    at_once, late = f"{server}/{people}/0", f"{server}/{many}/{latency}"
    pages = Pages(TABLE, people)
    cases: Cases = {}
    for size in (PAGE, SMALL_PAGE):
        bodies = pages.all(size, people)
        cases[f"product {size}"] = partial(_rate, product(at_once, "concierge", size, 1), people)
        cases[f"memory {size}"] = partial(_rate, partial(read_tables, bodies), people)
        cases[f"parse {size}"] = partial(_rate, partial(peers.parse_alone, bodies, people), people)
    cases["product late"] = partial(_rate, product(late, "concierge", PAGE, DEFAULT_IN_FLIGHT), many)
    if scale.wants(PUBLISHED):
        try:
            peers.prepare_published_client(at_once)
            peers.prepare_published_client(late)
        except ImportError:
            return cases
        rows = PEER_PAGES * PAGE
        cases["peer"] = partial(_rate, partial(peers.with_published_client, at_once, PAGE, PEER_PAGES), rows)
        cases["peer late"] = partial(_rate, partial(peers.with_published_client, late, PAGE, PEER_PAGES), rows)
    return cases


def _rest_cases(server: str, scale: Scale, people: int, many: int, latency: int) -> Cases:
    at_once, late = f"{server}/{people}/0", f"{server}/{many}/{latency}"
    pages = Pages(JSON, people)
    cases: Cases = {}
    for size in (PAGE, SMALL_PAGE):
        cases[f"product {size}"] = partial(_rate, product(at_once, "rest", size, 1), people)
        cases[f"memory {size}"] = partial(_rate, partial(read_json, pages.all(size, people)), people)
        cases[f"raw {size}"] = partial(
            _rate, partial(peers.with_requests, at_once, people, size, peers.unparsed(size)), people
        )
        if scale.wants(REQUESTS):
            cases[f"requests {size}"] = partial(
                _rate, partial(peers.with_requests, at_once, people, size, peers.parsed), people
            )
    for in_flight in MANY:
        cases[f"product late {in_flight}"] = partial(_rate, product(late, "rest", PAGE, in_flight), many)
        cases[f"wire {in_flight}"] = partial(_rate, partial(peers.wire_alone, late, many, PAGE, in_flight), many)
    if scale.wants(REQUESTS):
        few = min(10 * PAGE, many)
        cases["requests late"] = partial(_rate, partial(peers.with_requests, late, few, PAGE, peers.parsed), few)
    return cases


def _soap(result: ItemResult, rates: Rates, latency: int) -> None:
    for size in (PAGE, SMALL_PAGE):
        case, ours, limit = f"SOAP, 0 ms, {size} rows a page", rates[f"product {size}"], rates[f"parse {size}"]
        _figures(result, case, {"product": ours, PUBLISHED: rates.get("peer", []), "limit: lxml parse alone": limit})
        _parts(result, case, ours, rates[f"memory {size}"])
        result.goals.append(_against("1a", f"{case}: against {PUBLISHED}", ours, rates.get("peer", []), 15))
        result.goals.append(at_least("1a", f"{case}: against lxml parse alone", ours, limit, 0.7))
    case, ours = f"SOAP, {latency} ms, {DEFAULT_IN_FLIGHT} in flight, {PAGE} rows a page", rates["product late"]
    _figures(result, case, {"product": ours, PUBLISHED: rates.get("peer late", [])})
    result.goals.append(_against("1d", f"{case}: against {PUBLISHED}", ours, rates.get("peer late", []), 12))
    own = at_least("1d", f"{case}: against its own rate at 0 ms", ours, rates[f"product {PAGE}"], 0.65)
    result.goals.append(own)
    ceiling = DEFAULT_IN_FLIGHT * PAGE * 1000 / latency if latency else float("inf")
    result.notes.append(
        f"1d: {DEFAULT_IN_FLIGHT} calls of {PAGE:,} rows that wait {latency} ms each are {ceiling:,.0f} rows/s "
        "at most, however fast the client is."
    )


def _rest(result: ItemResult, rates: Rates, latency: int) -> None:
    for size in (PAGE, SMALL_PAGE):
        case, ours = f"JSON, 0 ms, {size} rows a page", rates[f"product {size}"]
        peer, limit = rates.get(f"requests {size}", []), rates[f"raw {size}"]
        _figures(result, case, {"product": ours, "requests + .json()": peer, "limit: requests, not parsed": limit})
        _parts(result, case, ours, rates[f"memory {size}"])
        result.goals.append(_against("1b", f"{case}: against requests + .json()", ours, peer, 1.6))
        result.goals.append(at_least("1b", f"{case}: against requests that parses nothing", ours, limit, 0.6))
    peer = rates.get("requests late", [])
    for in_flight, needed in zip(MANY, (10, 6), strict=True):
        case, ours = (
            f"JSON, {latency} ms, {in_flight} in flight, {PAGE} rows a page",
            rates[f"product late {in_flight}"],
        )
        limit = rates[f"wire {in_flight}"]
        _figures(result, case, {"product": ours, "requests + .json()": peer, "limit: wire alone": limit})
        result.goals.append(_against("1c", f"{case}: against requests on one connection", ours, peer, needed))
        result.goals.append(at_least("1c", f"{case}: against the wire alone", ours, limit, 0.75))


def _figures(result: ItemResult, case: str, contestants: Rates) -> None:
    for contestant, values in contestants.items():
        result.figures.extend(figures_of(ITEM, contestant, case, values, "rows/s"))


def _parts(result: ItemResult, case: str, ours: list[float], in_memory: list[float]) -> None:
    """Say where the product's time goes: what it does with a page that is there, and all the rest."""
    _figures(result, case, {"product, pages in memory": in_memory})
    whole, decoding = 1e6 / median(ours), 1e6 / median(in_memory)
    result.notes.append(
        f"{case}: {whole:.1f} us a row; bytes that are there already become people in {decoding:.1f}. The rest is the "
        "calls, waiting for the server, and handing pages from thread to thread."
    )


def _against(number: str, what: str, ours: list[float], peer: list[float], needed: float) -> Goal:
    if not peer:
        return not_measured(number, what, needed, "at least", "the peer is not installed or was not asked for")
    return at_least(number, what, ours, peer, needed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.client", description=__doc__)
    parser.add_argument("command", choices=("fetch",))
    parser.add_argument("address", help="a service address of bench.client_server")
    parser.add_argument("--transport", choices=("concierge", "rest"), default="concierge")
    parser.add_argument("--page-size", type=int, default=PAGE)
    parser.add_argument("--in-flight", type=int, default=DEFAULT_IN_FLIGHT)
    given = parser.parse_args()
    print(product(given.address.rstrip("/"), given.transport, given.page_size, given.in_flight)())


if __name__ == "__main__":
    main()
