"""A soak's mail server: real SMTP in a process of its own, and its log is the judge of who got what.

What it takes is in its files before it says so; a process that is killed has written exactly what it may have said.
It knows nothing of the product. Its manners, drawn from the seed, come as one line of JSON on the command line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
import time
import zlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

_MESSAGE_ID = re.compile(rb"^Message-ID: *(<[^>\r\n]+>)", re.MULTILINE | re.IGNORECASE)
_LONGEST_LINE = 1_000  # with its end (RFC 5321, 4.5.3.1.6)
_LATE_SECONDS = 3.0  # longer than the senders' patience

# Where a connection is lost. After the first byte of the text nobody but us knows whether the message was taken.
BEFORE_TEXT = ("greeting", "mail", "rcpt", "data")
IN_DOUBT = ("text", "before", "after", "late")
BUSY_AT = ("mail", "rcpt", "data", "text")


@dataclass(frozen=True)
class Manners:
    """How it behaves. `cuts` and `busy` are the place by the number of the message, counted from its start on."""

    seed: str = ""
    is_pipelining: bool = True
    takes_utf8: bool = True
    seconds: float = 0.0  # before each answer to a text
    most_a_connection: int = 0
    most_connections: int = 0
    shares: dict[str, int] = field(default_factory=dict)  # by reply: how many addresses in a thousand get it
    cuts: dict[int, str] = field(default_factory=dict)
    busy: dict[int, str] = field(default_factory=dict)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, told: str) -> Manners:
        values = json.loads(told)
        for name in ("cuts", "busy"):
            values[name] = {int(number): place for number, place in values[name].items()}
        return cls(**values)


class Sink:
    def __init__(self, manners: Manners, log: str) -> None:
        self.manners = manners
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._log, self._texts = os.open(f"{log}.log", flags, 0o600), os.open(f"{log}.texts", flags, 0o600)
        self._offset = 0
        self._number = 0
        self._open_count = 0
        self._tries: Counter[tuple[str, str]] = Counter()

    def note(self, what: str, **more: Any) -> None:
        """Write down what is about to be said or done."""
        os.write(self._log, (json.dumps({"what": what, "at": round(time.time(), 4)} | more) + "\n").encode())

    def take(self, address: str, text: bytes) -> None:
        found = _MESSAGE_ID.search(text[:4096])
        os.write(self._texts, text)
        self.note("taken", to=address, id=found[1].decode() if found else "", offset=self._offset, size=len(text))
        self._offset += len(text)

    def refusal(self, address: str, place: str) -> str:
        """Give the reply to those addresses that get another than the usual one, at this place."""
        number = zlib.crc32(f"{self.manners.seed} {address}".encode()) % 1000
        for reply, share in self.manners.shares.items():
            code, where, *rest = reply.split(" ")
            if number >= share:
                number -= share
                continue
            times = int(rest[0]) if rest else 0
            self._tries[address, place] += where == place
            if where != place or (times and self._tries[address, place] > times):
                return ""
            self.note("refused", to=address, code=code)
            return f"{code} {'5.1.1' if code == '550' else f'{code[0]}.2.0'} not {address}"
        return ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open_count += 1
        self.note("open")
        try:
            await _Talk(self, reader, writer).hold()
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.transport.abort()
            self._open_count -= 1
            self.note("closed")

    def next_number(self) -> int:
        self._number += 1
        return self._number

    @property
    def is_full(self) -> bool:
        return 0 < self.manners.most_connections < self._open_count


class _Cut(ConnectionError):
    pass


class _Talk:
    """One connection: a sender that does not wait its turn, or says what is no SMTP, is written down as wrong."""

    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sink, self.reader, self.writer = sink, reader, writer
        self.count = 0
        self.cut_at = self.busy_at = ""

    def tell(self, reply: str) -> None:
        self.writer.write(f"{reply}\r\n".encode())

    async def hold(self) -> None:
        if self.sink.is_full:
            self.tell("421 4.7.0 too many connections")
            await self.writer.drain()
            return
        self.tell("220 soak")
        await self._hello()
        verb = ""
        while line := await self.reader.readline():
            command = line.decode("utf-8", "surrogateescape").strip()
            verb = command[:4].upper()
            if verb == "QUIT":
                self.tell("221 2.0.0 bye")
                await self.writer.drain()
                return
            if verb == "RSET":
                self.tell("250 2.0.0 ok")
            elif verb != "MAIL":
                self._wrong("503 5.5.1 not now", command)
            elif not await self._message(command):
                return

    async def _hello(self) -> None:
        line = (await self._line()).upper()
        if not line.startswith(b"EHLO"):
            self._wrong("503 5.5.1 say EHLO", line.decode(errors="replace"))
        manners = self.sink.manners
        offers = ["soak", *(["PIPELINING"] if manners.is_pipelining else []), "8BITMIME"]
        offers += ["SMTPUTF8"] if manners.takes_utf8 else []
        for offer in offers[:-1]:
            self.tell(f"250-{offer}")
        self.tell(f"250 {offers[-1]}")

    async def _message(self, command: str) -> bool:
        """Take one message, or do not; say whether the connection goes on."""
        number = self.sink.next_number()
        self.cut_at = self.sink.manners.cuts.get(number, "")
        self.busy_at = self.sink.manners.busy.get(number, "")
        most = self.sink.manners.most_a_connection
        if self._is_busy("mail") or (most and self.count >= most):
            self.tell("421 4.7.0 enough for now")
            await self.writer.drain()
            return False
        self._may_cut("mail")
        self.tell("250 2.1.0 ok")
        rcpt = (await self._line()).decode("utf-8", "surrogateescape").strip()
        address = rcpt.partition("<")[2].rpartition(">")[0]
        if rcpt[:4].upper() != "RCPT" or not address:
            return self._wrong("503 5.5.1 to whom?", f"{command} / {rcpt}")
        self._may_cut("rcpt")
        if self._is_busy("rcpt"):
            return await self._leave()
        if refusal := self.sink.refusal(address, "rcpt"):
            self.tell(refusal)
            return await self._no_text()
        self.tell("250 2.1.5 ok")
        if (data := await self._line()).strip().upper() != b"DATA":
            return self._wrong("503 5.5.1 DATA?", data.decode(errors="replace"))
        self._may_cut("data")
        if self._is_busy("data"):
            return await self._leave()
        if refusal := self.sink.refusal(address, "data"):
            self.tell(refusal)
            return True
        self.tell("354 go on")
        return await self._text(address)

    async def _no_text(self) -> bool:
        """A sender that has sent its DATA ahead is told that nobody is there to get a text (RFC 2920, 3.1)."""
        if self.sink.manners.is_pipelining:
            if (data := await self._line()).strip().upper() != b"DATA":
                return self._wrong("503 5.5.1 DATA?", data.decode(errors="replace"))
            self.tell("503 5.5.1 no recipient")
        return True

    async def _text(self, address: str) -> bool:
        await self.writer.drain()
        if self.cut_at == "text":
            await self.reader.readexactly(200)
        self._may_cut("text", address)
        first = await self._line()
        raw = first + await self.reader.readuntil(b"\r\n.\r\n")
        if self.sink.manners.seconds:
            await asyncio.sleep(self.sink.manners.seconds)
        self._may_cut("before", address)
        if self._is_busy("text"):
            return await self._leave()
        if refusal := self.sink.refusal(address, "text"):
            self.tell(refusal)
            return True
        text = raw[:-3].replace(b"\r\n..", b"\r\n.")
        if b"\n" in text.replace(b"\r\n", b"") or max(map(len, text.split(b"\n"))) > _LONGEST_LINE:
            self.sink.note("wrong", said=f"a line of the message to {address} is too long or ends badly")
        self.sink.take(address, text)
        self.count += 1
        self._may_cut("after", address)
        if self.cut_at == "late":
            self.sink.note("cut", place="late", to=address)
            await asyncio.sleep(_LATE_SECONDS)
        self.tell("250 2.0.0 taken")
        await self.writer.drain()
        return True

    def _is_busy(self, place: str) -> bool:
        return self.busy_at == place

    async def _leave(self) -> bool:
        self.tell("421 4.3.2 closing")
        await self.writer.drain()
        return False

    def _may_cut(self, place: str, address: str = "") -> None:
        if self.cut_at == place:
            self.sink.note("cut", place=place, to=address)
            raise _Cut

    async def _line(self) -> bytes:
        """Read what comes next. A sender that was killed, or gave up waiting, says nothing wrong by going away."""
        line = await self.reader.readline()
        if not line.endswith(b"\n"):
            raise _Cut
        return line

    def _wrong(self, reply: str, said: str) -> bool:
        self.sink.note("wrong", said=said)
        self.tell(reply)
        return True


async def main(port: int, log: str, manners: Manners) -> None:
    sink = Sink(manners, log)
    server = await asyncio.start_server(sink.serve, "127.0.0.1", port, limit=2**22, reuse_address=True)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), sys.argv[2], Manners.of_json(sys.argv[3])))
