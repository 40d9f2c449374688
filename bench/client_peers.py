"""What the client is measured against: a published client, the obvious way over HTTP, and the limits of both."""

from __future__ import annotations

import http.client
import json
import queue
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import requests
from lxml import etree

from bench.client_pages import COLUMNS, FIRST_KEY

EXECUTE = "/platform/v2/dataSuite/executeSearch"
HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": "Bearer t-1"}


def statement(start: int, rows: int) -> bytes:
    """Ask over REST for the page that begins at a place."""
    return json.dumps(
        {
            "msql": f"SELECT TOP {rows} {', '.join(COLUMNS)} FROM Individual WHERE DoNotEmail = 0 "
            f"AND LocalID >= {FIRST_KEY + start} ORDER BY LocalID, ID"
        }
    ).encode()


def with_requests(address: str, people: int, size: int, read: Callable[[requests.Response], int]) -> int:
    """Read all pages one after another over one connection; `read` returns how many rows an answer held."""
    with requests.Session() as session:
        return sum(
            read(session.post(address + EXECUTE, data=statement(start, size), headers=HEADERS, stream=True))
            for start in range(0, people, size)
        )


def parsed(response: requests.Response) -> int:
    return len(response.json()["data"])


def unparsed(size: int) -> Callable[[requests.Response], int]:
    """Return a way to read the bytes of a page and no more."""

    def read(response: requests.Response) -> int:
        response.raw.read(decode_content=True)
        response.close()
        return size

    return read


def wire_alone(address: str, people: int, size: int, in_flight: int) -> int:
    """Read all pages over so many connections with the least that Python offers, and look at none."""
    host, _, path = address.removeprefix("http://").partition("/")
    starts: queue.SimpleQueue[int] = queue.SimpleQueue()
    for start in range(0, people, size):
        starts.put(start)

    def read() -> None:
        connection = http.client.HTTPConnection(host)
        try:
            while True:
                connection.request("POST", f"/{path}{EXECUTE}", statement(starts.get_nowait(), size), HEADERS)
                connection.getresponse().read()
        except queue.Empty:
            connection.close()

    threads = [threading.Thread(target=read) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return people


def parse_alone(pages: list[bytes], people: int) -> int:
    """Parse pages in memory as the client's parser is set, and read nothing of the people in them."""
    for page in pages:
        etree.fromstring(page, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    return people


@cache
def _published_client(address: str) -> Any:
    import zeep
    from membersuite_api_client import client as published

    published.Client = lambda _: zeep.Client(f"{address}/mex?at={address}")
    client = published.ConciergeClient("k", "c2VjcmV0", "11111111-2222-3333-4444-555555555555")
    client.request_session()
    return client


def prepare_published_client(address: str) -> None:
    """Let it read its service description, which it does once; ImportError when it is not installed."""
    _published_client(address)


def with_published_client(address: str, size: int, calls: int) -> int:
    """Read so many pages with membersuite-api-client's own way to read many records."""
    from membersuite_api_client.mixins import ChunkQueryMixin
    from membersuite_api_client.models import MemberSuiteObject

    class People(ChunkQueryMixin):  # type: ignore[misc]
        client = _published_client(address)

        def ms_object_to_model(self, record: Any) -> Any:
            return MemberSuiteObject(record)

    found = People().get_long_query("SELECT OBJECTS() FROM Individual", limit_to=size, max_calls=calls)
    return len(found)
