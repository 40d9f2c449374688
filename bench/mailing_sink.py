"""A mail server that keeps what it takes: `python -m bench.mailing_sink LAG_MS` prints its port, then obeys stdin.

Each reply comes LAG_MS after what it answers, as from a relay across a network; commands that arrive together are
answered together. A line on stdin asks what came since the last one: the answer is a line of JSON.
"""

from __future__ import annotations

import asyncio
import email
import json
import sys
from collections.abc import Iterator
from email import policy
from typing import cast

from bench import mailing_message

_REPLIES = {
    b"DATA": b"354 go on\r\n",
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10000000\r\n",
    b"QUIT": b"221 bye\r\n",
}
_MOST_TOLD = 3
Taken = list[tuple[str, bytes]]


class Receiver(asyncio.Protocol):
    def __init__(self, lag: float, taken: Taken) -> None:
        self._lag, self._taken = lag, taken
        self._received = bytearray()
        self._is_text, self._to = False, ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._say(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._received += data
        if replies := b"".join(self._replies()):
            self._say(replies)

    def _say(self, replies: bytes) -> None:
        if self._lag:
            asyncio.get_running_loop().call_later(self._lag, self._transport.write, replies)
        else:
            self._transport.write(replies)

    def _replies(self) -> Iterator[bytes]:
        while True:
            end = b"\r\n.\r\n" if self._is_text else b"\r\n"
            piece, found, _ = bytes(self._received).partition(end)
            if not found:
                return
            del self._received[: len(piece) + len(end)]
            yield self._kept(piece) if self._is_text else self._obeyed(piece)

    def _kept(self, text: bytes) -> bytes:
        self._taken.append((self._to, text.replace(b"\r\n..", b"\r\n.")))
        self._is_text = False
        return b"250 taken\r\n"

    def _obeyed(self, command: bytes) -> bytes:
        verb = command[:4].upper()
        if verb == b"RCPT":
            self._to = command.decode().partition("<")[2].partition(">")[0]
        self._is_text = verb == b"DATA"
        return _REPLIES.get(verb, b"250 ok\r\n")


def told(taken: Taken) -> dict[str, object]:
    """Say how many messages there are, to how many addresses, and which of them are not as they should be."""
    wrong = [f"{to}: {why}" for to, content in taken for why in _wrong(to, content)]
    return {"count": len(taken), "addresses": len({to for to, _ in taken}), "wrong": wrong[:_MOST_TOLD]}


def _wrong(to: str, content: bytes) -> Iterator[str]:
    """Say what is wrong with a message: it has its reader's name, whatever of text and HTML it has, and the headers."""
    message = email.message_from_bytes(content, policy=policy.default)
    number = int(to.partition("@")[0].removeprefix("m"))
    if to not in str(message["To"]):
        yield "another address in the header To"
    bodies = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    if not bodies:
        yield "no text"
    greeting, places = f"Hello {mailing_message.name(number)},", ("Zürich this spring", "Zürich. <a")
    if any(greeting not in body or not any(place in body for place in places) for body in bodies):
        yield "a text without the name, or with other letters"


async def main(lag: float) -> None:
    taken: Taken = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Receiver(lag, taken), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(told(taken)), flush=True)
        taken.clear()
    server.close()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) / 1000))
