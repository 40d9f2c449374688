"""Replies that are wrong on the wire: lengths that lie, bytes that drip or never end, cut connections, odd heads."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from random import Random

from tests.memberSuite.hostile.genuine import Reply

Send = Callable[[socket.socket, Random, Reply, threading.Event], None]

WIRES: dict[str, tuple[Send, float]] = {}
STALLS: set[str] = set()  # these are ended by a time-out of the client's
CHUNKED = "Transfer-Encoding: chunked"
_DRIP = 0.02  # seconds between two bytes
_MEGABYTE = b"a" * (1 << 20)


def wire(*, weight: float = 1.0, stalls: bool = False) -> Callable[[Send], Send]:
    """Register a way to send a reply wrongly, under its own name; the connection is closed after it."""

    def register(send: Send) -> Send:
        WIRES[send.__name__] = (send, weight)
        if stalls:
            STALLS.add(send.__name__)
        return send

    return register


def head(reply: Reply, *lines: str, length: int | str | None = None) -> bytes:
    given = [f"Content-Type: {reply.content_type}", *lines]
    if length is not None:
        given.append(f"Content-Length: {length}")
    text = f"HTTP/1.1 {reply.status} Said\r\n" + "".join(f"{line}\r\n" for line in given) + "\r\n"
    return text.encode("latin-1", "replace")


def send_well(peer: socket.socket, reply: Reply) -> None:
    peer.sendall(head(reply, length=len(reply.body)) + reply.body)


def close(peer: socket.socket) -> None:
    with contextlib.suppress(OSError):
        peer.shutdown(socket.SHUT_WR)


def _chunk(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part)


# -- lengths ----------------------------------------------------------------------------------------------------------


@wire()
def length_too_long(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    peer.sendall(head(reply, length=len(reply.body) + random.choice((1, 1000, 10**12))) + reply.body)


@wire()
def length_too_short(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    """What is left over stands where the next answer on the same connection should begin."""
    peer.sendall(head(reply, length=random.randrange(len(reply.body) + 1)) + reply.body)


@wire()
def length_is_none(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    length = random.choice(("-1", "abc", "", "1e3", "0x10", "9" * 400, "5, 6", "+5", "\xb2"))
    peer.sendall(head(reply, length=length) + reply.body)


@wire()
def two_lengths(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    lines = random.choice((["Content-Length: 10"], [CHUNKED], [CHUNKED, "Transfer-Encoding: gzip"]))
    peer.sendall(head(reply, *lines, length=len(reply.body)) + reply.body)


@wire()
def no_length_and_cut(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    """As HTTP/1.0 did: the end of the connection is the end of the body, wherever it is."""
    peer.sendall(head(reply, "Connection: close") + reply.body[: random.randrange(len(reply.body) + 1)])


@wire()
def cut_anywhere(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    whole = head(reply, length=len(reply.body)) + reply.body
    peer.sendall(whole[: random.randrange(len(whole))])
    if random.random() < 0.5:  # a reset, not an end
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@wire()
def chunks_broken(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    size, body = len(reply.body), reply.body
    ways = (
        _chunk(body),  # without its end
        b"zz\r\n" + body,
        b"-5\r\n" + body + b"\r\n0\r\n\r\n",
        b"f" * 20 + b"\r\n" + body,
        b"%x\r\n%b0\r\n\r\n" % (size, body),
        b"%x;%b\r\n%b\r\n0\r\n\r\n" % (size, b"e" * 70_000, body),
        b"\r\n" * 50 + _chunk(body),
        _chunk(body) + b"0\r\n" + b"X-T: y\r\n" * 5000 + b"\r\n",
    )
    peer.sendall(head(reply, CHUNKED) + random.choice(ways))


# -- without end ------------------------------------------------------------------------------------------------------


@wire(weight=0.05)
def body_without_end(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    is_chunked = random.random() < 0.5
    peer.sendall(head(reply, CHUNKED) if is_chunked else head(reply))
    part = _chunk(_MEGABYTE) if is_chunked else _MEGABYTE
    while not over.is_set():
        peer.sendall(part)


@wire(weight=0.3, stalls=True)
def body_drips(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    peer.sendall(head(reply, length=len(reply.body)))
    _drip(peer, reply.body, over)


@wire(weight=0.3, stalls=True)
def headers_drip(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    _drip(peer, head(reply, *(f"X-{number}: {'a' * 60}" for number in range(90)), length=0), over)


@wire(weight=0.3, stalls=True)
def interim_answers_without_end(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    while not over.wait(_DRIP):
        peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


@wire(weight=0.3, stalls=True)
def trailers_without_end(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    peer.sendall(head(reply, CHUNKED) + _chunk(reply.body) + b"0\r\n")
    while not over.wait(_DRIP):
        peer.sendall(b"X-More: yes\r\n")


@wire(weight=0.3, stalls=True)
def silence(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    """Nothing more comes, and the connection stays."""
    whole = head(reply, length=len(reply.body)) + reply.body
    peer.sendall(whole[: random.randrange(len(whole))])
    over.wait(3)


def _drip(peer: socket.socket, data: bytes, over: threading.Event) -> None:
    for place in range(len(data)):
        peer.sendall(data[place : place + 1])
        if over.wait(_DRIP):
            return


# -- heads ------------------------------------------------------------------------------------------------------------


@wire()
def head_odd(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    starts = (
        b"HTTP/9.9 abc\r\n\r\n",
        b"HTTP/1.1 200" + b" a" * 40_000 + b"\r\n\r\n",
        b"\r\n" * 200,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"<html></html>",
        b"HTTP/1.1 99999 x\r\n\r\n",
        b"HTTP/1.1 -1 x\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/0.9\r\n\r\n",
    )
    peer.sendall(random.choice(starts) + reply.body)


@wire()
def header_flood(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    ways = (
        [f"X-{number}: y" for number in range(5000)],
        ["X-Long: " + "a" * 70_000],
        [f"Set-Cookie: c{number}={'a' * 3000}; Max-Age=99999999999999; Expires=x" for number in range(90)],
        ["X: y\r\n folded" * 30],
        ["no colon here"],
        [": no name", "\0: \0"],
        ["X: \xff\xfe\x00"],
    )
    peer.sendall(head(reply, *random.choice(ways), length=len(reply.body)) + reply.body)


@wire()
def redirect(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    """To itself, to a file, to another host, to nowhere."""
    places = ("/", "", "file:///etc/passwd", "http://169.254.169.254/", "//[::1", "http://\xff/", "x" * 9000)
    body = random.choice((b"", reply.body))
    moved = Reply(random.choice((301, 302, 303, 307, 308)), reply.content_type, body)
    peer.sendall(head(moved, f"Location: {random.choice(places)}", length=len(body)) + body)


_NEVER = ("9" * 400, "-5", "NaN", "inf", "1e9", "", "soon", "\xb2", "Fri, 31 Dec 9999 23:59:59 GMT")
_ODD_DATES = (
    "Mon, 99 Foo 99999 99:99:99 X",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Fri, 01 Jan 0001 00:00:00 +9999",
)


@wire()
def slow_down(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    """A throttle that says when to come back, in words that mean never, or nothing."""
    throttled = Reply(random.choice((429, 503)), reply.content_type, b"")
    peer.sendall(head(throttled, f"Retry-After: {random.choice(_NEVER + _ODD_DATES)}", length=0))
