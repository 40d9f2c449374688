"""One connection in use: what is said on it for one message and ahead for the next, and how much it may have."""

from __future__ import annotations

import time
from collections.abc import Callable

from .smtp import SEND_TEXT, Connection, Envelope, Reply

# At most so many in flight on a connection (R13).
MOST_IN_FLIGHT = 10
# A window shall be over within this many seconds, so that Pause and Cancel act within one.
_WINDOW_SECONDS = 0.5


class Parcel:
    """One person's message. It is written once, when it is first asked for."""

    __slots__ = ("_message", "_write", "envelope", "pk")

    def __init__(self, pk: int, envelope: Envelope, write: Callable[[], bytes]) -> None:
        """Args: `write` gives the message as DATA has it (`smtp.stuffed`)."""
        self.pk, self.envelope, self._write = pk, envelope, write
        self._message: bytes | None = None

    @property
    def message(self) -> bytes:
        if self._message is None:
            self._message = self._write()
        return self._message


class Line:
    """One connection in use: how fast it is, and what it is in the middle of."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.handed_over_count = 0
        self.must_reset = False
        self._resets = False
        self._stage = 0  # how many replies of a pipelined envelope are still to come
        self._seconds_a_message = _WINDOW_SECONDS
        self._since = 0.0

    # --- how much it may have

    @property
    def window(self) -> int:
        """Say how many messages may be in flight: fewer where the server is slow."""
        return max(1, min(MOST_IN_FLIGHT, int(_WINDOW_SECONDS / self._seconds_a_message)))

    def takes(self, parcel: Parcel) -> bool:
        return not parcel.envelope.needs_utf8 or self.connection.takes_utf8

    def has_answered(self) -> None:
        now = time.monotonic()
        self.handed_over_count += 1  # it talks to us: a refusal is about the recipient
        self._seconds_a_message, self._since = max(now - self._since, 1e-6), now

    # --- what is said, in order

    def begin(self, parcel: Parcel) -> None:
        self._since = time.monotonic()
        self.connection.write(self._introduction(parcel))

    def hand_over(self, message: bytes, ahead: Parcel | None) -> None:
        """Send a message's text, and what the server can be told of the next one, in one go."""
        self.connection.write(message if ahead is None else message + self._introduction(ahead))

    def _introduction(self, parcel: Parcel) -> bytes:
        """Give what is sent at once: the whole envelope, or its first command where the server does not pipeline."""
        reset = b"RSET\r\n" if self.must_reset else b""
        self._resets, self.must_reset = self.must_reset, False
        if not self.connection.is_pipelining:
            return reset if reset else self.connection.envelope(parcel.envelope)[0]
        self._stage = 3
        return reset + self.connection.whole_envelope(parcel.envelope)

    def takes_text(self) -> bool:
        """Say whether all that was sent ahead has been answered, and well."""
        if self._stage != 3 or self._resets or not self.connection.takes_text():
            return False
        self._stage = 0
        return True

    async def mail(self, parcel: Parcel) -> Reply:
        if self._resets:
            self._resets = False
            await self.connection.reply()
            if not self.connection.is_pipelining:
                self.connection.write(self.connection.envelope(parcel.envelope)[0])
        return await self._step(b"")

    async def rcpt(self, parcel: Parcel) -> Reply:
        return await self._step(self.connection.envelope(parcel.envelope)[1])

    async def data(self) -> Reply:
        return await self._step(b"DATA\r\n")

    async def _step(self, command: bytes) -> Reply:
        if self.connection.is_pipelining:
            self._stage -= 1
        elif command:
            self.connection.write(command)
        return await self.connection.reply()

    async def drain(self, _refusal: Reply) -> None:
        """Read the replies to what was sent ahead; a server that wants a text for nobody gets none (RFC 2920, 3.1)."""
        while self._stage:
            self._stage -= 1
            reply = await self.connection.reply()
        if self.connection.is_pipelining and reply.code == SEND_TEXT:
            self.connection.write(b".\r\n")
            await self.connection.reply()
