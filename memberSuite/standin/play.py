"""Play one call: log it, hold or delay it, let faults answer instead of the server or spoil its answer."""

import time
from collections.abc import Callable
from dataclasses import replace

from memberSuite.standin import soap_write
from memberSuite.standin.errors import CODES, RemoteError
from memberSuite.standin.faults import Call, Fault, Firing
from memberSuite.standin.web import Response
from memberSuite.standin.world import Entry, World

HTML = (
    "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1>"
    "<p>The proxy in front could not complete this request.</p></body></html>"
)
XML_TYPE, JSON_TYPE, HTML_TYPE = (
    "text/xml; charset=utf-8",
    "application/json; charset=utf-8",
    "text/html; charset=utf-8",
)
# These faults are played by the server's own code, the others below.
Make = Callable[[Firing, Entry], Response]


def play(world: World, call: Call, make: Make) -> Response:
    """Answer a call by `make`, unless a fault says otherwise."""
    entry = world.log.begin(call)
    started = time.perf_counter()
    try:
        firing = world.faults.take(call)
        entry.faults = [fault.kind for fault in firing]
        wait(world, firing)
        response = instead(firing) or spoil(firing, make(firing, entry))
        entry.status = response.status
        return response
    finally:
        entry.took_ms = (time.perf_counter() - started) * 1000
        world.log.end(entry)


def wait(world: World, firing: Firing) -> None:
    if world.latency_ms:
        world.stopping.wait(world.latency_ms / 1000)
    for fault in firing:
        if fault.kind == "slow":
            world.stopping.wait(fault.number("seconds", 2))
        elif fault.kind == "hold":
            fault.held.set()
            while not (fault.released.wait(0.05) or world.stopping.is_set()):
                continue


def page(status: int, title: str, fault: Fault) -> Response:
    headers = {"Retry-After": fault.text("retry_after")} if "retry_after" in fault.options else {}
    return Response(status, HTML.format(title).encode(), HTML_TYPE, headers)


def instead(firing: Firing) -> Response | None:
    """Return the answer of the first fault that answers without asking the server."""
    for fault in firing:
        kind = fault.kind
        if kind.startswith("http_"):
            return page(int(kind.removeprefix("http_")), f"Error {kind.removeprefix('http_')}", fault)
        if kind == "html_200":
            return page(200, "Scheduled maintenance", fault)
        if kind == "soap_fault":
            return Response(500, soap_write.fault().encode(), XML_TYPE)
        if kind == "redirect":
            return Response(302, b"", headers={"Location": fault.text("to", "https://elsewhere.example/")})
        if kind == "no_answer":
            return Response(cut_after=-1)
        if kind == "empty_body":
            return Response(200, b"", XML_TYPE)
        if kind == "huge":
            size = int(fault.number("megabytes", 65)) << 20
            return Response(200, content_type=XML_TYPE, stream=(b" " * (1 << 20) for _ in range(size >> 20)))
    return None


def spoil(firing: Firing, response: Response) -> Response:
    body = response.body
    for fault in firing:
        if fault.kind == "cut":
            return replace(response, cut_after=int(fault.number("after", len(body) // 2)))
        if fault.kind == "malformed":
            body = body.replace(b"</", b"<", 3) if body.startswith(b"<") else body[:-1] + b",,"
        elif fault.kind == "truncated":
            body = body[: len(body) // 2]
        elif fault.kind == "bom":
            body = b"\xef\xbb\xbf" + body
    return replace(response, body=body)


def business_error(firing: Firing) -> None:
    """Raise the business error a fault asks for, if one does."""
    for fault in firing:
        if fault.kind in CODES:
            raise RemoteError(fault.kind, fault.text("message"), fault.text("field") or None)
