"""Replies that are wrongly compressed: broken, in an encoding that nobody knows, or a bomb."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from functools import cache
from random import Random

from tests.memberSuite.hostile.genuine import Reply
from tests.memberSuite.hostile.wire import head, wire


@wire()
def gzip_broken(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    packed = gzip.compress(reply.body)
    ways = (
        packed[: random.randrange(len(packed))],
        reply.body,  # not compressed at all
        packed[:-4] + b"\0\0\0\0",  # a wrong length at its end
        packed[:10] + random.randbytes(50),
        zlib.compress(reply.body),
        packed + b"garbage",
        packed + gzip.compress(b"<more/>"),
        b"",
    )
    broken = random.choice(ways)
    peer.sendall(head(reply, "Content-Encoding: gzip", length=len(broken)) + broken)


@wire()
def encoding_unknown(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    encodings = ("br", "zstd", "x", "gzip, " * 50 + "gzip", "identity, gzip", "", "deflate", "\xff")
    peer.sendall(head(reply, f"Content-Encoding: {random.choice(encodings)}", length=len(reply.body)) + reply.body)


@wire(weight=0.1)
def gzip_bomb(peer: socket.socket, random: Random, reply: Reply, over: threading.Event) -> None:
    layers = random.choice((1, 1, 2))
    bomb = _bomb(layers)
    peer.sendall(head(reply, "Content-Encoding: " + ", ".join(["gzip"] * layers), length=len(bomb)) + bomb)


@cache
def _bomb(layers: int) -> bytes:
    """Half a gigabyte of spaces in half a megabyte; packed again, in a few kilobytes."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([*(packer.compress(b" " * (1 << 20)) for _ in range(512)), packer.flush()])
    return bomb if layers == 1 else gzip.compress(bomb)
