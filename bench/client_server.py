"""A MemberSuite that only answers fast: `python -m bench.client_server concierge|rest PEOPLE` prints its port.

It knows one search, "Everybody", and just enough of both protocols for the contestants: sign-in, totals, one page by
LocalID or by offset. A measurement of a client must not wait for the server, so nothing is looked up or rendered.
Each service address says how many people there are and how long to wait: http://127.0.0.1:PORT/20000/50 (ms).
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote_plus

from bench.client_pages import EXTRA, FIRST_KEY, JSON, OBJECTS, TABLE, Pages, soap
from memberSuite.standin import wsdl

ROOT = Path(__file__).resolve().parent.parent
SEARCH_ID = "6faf90e4-00a1-4a00-8f10-0b3c0d5e9a01"
TENANT = "40001"
NOBODY = 0
OBJECTS_KNOWN = 5_000  # one record in this form is 2 KB, and only the slowest contestant asks for it

_PLACE = re.compile(r"/(\d+)/(\d+)/")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_MOST = re.compile(rb"maximumNumberOfRecordsToReturn>(\d+)<")
_START = re.compile(rb"startRecord>(\d+)<")
_LOW = re.compile(rb'o:IsGreaterThanOrEqualTo"><q:FieldName>LocalID</q:FieldName>.*?>(\d+)<', re.DOTALL)
_HIGH = re.compile(rb'o:IsLessThan"><q:FieldName>LocalID</q:FieldName>.*?>(\d+)<', re.DOTALL)
_MSQL_LOW = re.compile(rb"LocalID (>=?) (\d+)")
_MSQL_HIGH = re.compile(rb"LocalID < (\d+)")
_MSQL_TOP = re.compile(rb"SELECT TOP (\d+)")

Answer = Callable[[str, bytes, int], bytes]  # request line, body, people


def concierge(most_people: int) -> Answer:
    """Answer signed calls without looking at the signature."""
    table, objects = Pages(TABLE, most_people), Pages(OBJECTS, min(most_people, OBJECTS_KNOWN))

    def answer(path: str, body: bytes, people: int) -> bytes:
        most = int((_MOST.search(body) or [0, 0])[1])
        start = int((_START.search(body) or [0, 0])[1])
        if "/mex?" in path:
            return wsdl.document(path.split("at=")[1].split(" ")[0]).encode()
        if b"WhoAmI" in body:
            return soap("WhoAmI", b"<a:SessionID>s-1</a:SessionID>")
        if b"<Get " in body:
            return soap("Get", _stored_search())
        if b"ExecuteMSQL" in body:
            return objects.page(start, most, min(people, objects.total))
        if b"o:IsBlank" in body:  # nobody is without LocalID
            return table.page(NOBODY, 0, people)
        if b"IsDescending>true" in body:
            return table.page(people - 1, 1, people)
        low, high = _LOW.search(body), _HIGH.search(body)
        place = int(low[1]) - FIRST_KEY if low else 0
        end = min(people, int(high[1]) - FIRST_KEY) if high else None
        return table.page(max(0, place) + start, most, people, end)

    return answer


def rest(most_people: int) -> Answer:
    """Answer REST calls; the list door tells the total, so that nothing has to be counted."""
    pages = Pages(JSON, most_people)

    def answer(path: str, body: bytes, people: int) -> bytes:
        if "/loginUser/" in path:
            return b'{"success": true, "data": {"idToken": "t-1", "accessToken": "t-1", "refreshToken": "r-1"}}'
        if "/whoami" in path:
            return json.dumps({"tenantId": int(TENANT)}).encode()
        if "/savedsearches/" in path:
            return json.dumps([_saved_search()]).encode()
        if "/individuals/" in path:
            return json.dumps({"items": [], "totalCount": people}).encode()
        if b"LocalID IS NULL" in body:
            return pages.page(NOBODY, 0, people)
        if b"LocalID DESC" in body:
            return pages.page(people - 1, 1, people)
        low, high, top = _MSQL_LOW.search(body), _MSQL_HIGH.search(body), _MSQL_TOP.search(body)
        place = int(low[2]) - FIRST_KEY + (low[1] == b">") if low else 0
        end = min(people, int(high[1]) - FIRST_KEY) if high else None
        return pages.page(place, int(top[1]) if top else people, people, end)

    return answer


def _stored_search() -> bytes:
    columns = "".join(
        "<q:SearchOutputColumn><q:AggregateFunction>None</q:AggregateFunction><q:ColumnWidth>0</q:ColumnWidth>"
        f"<q:DisplayName>{name}</q:DisplayName><q:Hidden>false</q:Hidden><q:Name>{name}</q:Name></q:SearchOutputColumn>"
        for name in EXTRA
    )
    fields = {"ID": SEARCH_ID, "Name": "Everybody", "ApplicableType": "Individual", "IsPublic": "true"}
    pairs = "".join(
        f"<b:KeyValueOfstringanyType><b:Key>{key}</b:Key><b:Value>{text}</b:Value></b:KeyValueOfstringanyType>"
        for key, text in fields.items()
    )
    return (
        '<b:ClassType xmlns:b="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types">SavedSearch</b:ClassType>'
        '<b:Fields xmlns:b="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types">'
        f'{pairs}<b:KeyValueOfstringanyType><b:Key>Search</b:Key><b:Value i:type="q:Search" '
        'xmlns:q="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching">'
        f"<q:GroupType>And</q:GroupType><q:OutputColumns>{columns}</q:OutputColumns><q:Type>Individual</q:Type>"
        "</b:Value></b:KeyValueOfstringanyType></b:Fields>"
    ).encode()


def _saved_search() -> dict[str, object]:
    return {
        "id": SEARCH_ID,
        "name": "Everybody",
        "applicableType": "Individual",
        "isPublic": True,
        "search": {"type": "Individual", "criteria": [], "outputColumns": list(EXTRA)},
    }


class Connection(asyncio.Protocol):
    """One kept connection: whole requests in, answers out after the latency."""

    def __init__(self, answer: Answer, kind: bytes) -> None:
        self._answer = answer
        self._kind = kind
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest_of_it = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body_length = int(length[1]) if length else 0
        if not end or len(rest_of_it) < body_length:
            return
        self._received = rest_of_it[body_length:]
        path = head.partition(b"\r\n")[0].decode("latin-1")
        place = _PLACE.search(path)
        people, latency_ms = (int(place[1]), int(place[2])) if place else (0, 0)
        answer = self._answer(unquote_plus(path), rest_of_it[:body_length], people)
        size = str(len(answer)).encode()
        parts = (b"HTTP/1.1 200 OK\r\nContent-Type: ", self._kind, b"\r\nContent-Length: ", size, b"\r\n\r\n", answer)
        whole = b"".join(parts)
        if latency_ms:
            asyncio.get_running_loop().call_later(latency_ms / 1000, self._transport.write, whole)
        else:
            self._transport.write(whole)


async def serve(answer: Answer, kind: bytes) -> None:
    """Serve on a free port of the loopback address, and print it."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answer, kind), "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running(transport: str, people: int) -> Iterator[str]:
    """Run a server in a process of its own, and give its address without people and latency."""
    command = [sys.executable, "-m", "bench.client_server", transport, str(people)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    if sys.argv[1] == "rest":
        asyncio.run(serve(rest(int(sys.argv[2])), b"application/json"))
    else:
        asyncio.run(serve(concierge(int(sys.argv[2])), b"text/xml; charset=utf-8"))
