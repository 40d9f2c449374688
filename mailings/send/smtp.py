"""One connection to a mail server: SMTP (RFC 5321) with STARTTLS, AUTH, PIPELINING (RFC 2920) and SMTPUTF8 (RFC 6531).

It knows nothing of mailings. Whatever waits for the server waits for a limited time.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import re
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from django.utils.translation import gettext

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_REPLY = 64 * 1024
_LONGEST_SAID = 500
_LONGEST_GOODBYE = 2.0  # seconds
READY, OK, GO_ON, SEND_TEXT = 220, 250, 334, 354
SIGNED_IN = 235
WRONG_PASSWORD = (530, 534, 535, 538)
# The answer to a message that was taken, a line.
_TAKEN = re.compile(rb"250 [^\n]*\n")
# The answers to an envelope and DATA that went out together, when all is well: 250, 2xx, 354, a line each.
_LET_IN = re.compile(rb"250 [^\n]*\n2\d\d [^\n]*\n354[ \r][^\n]*\n|250 [^\n]*\n2\d\d [^\n]*\n354\n")


class Lost(Exception):
    """The connection broke off, or the server was silent for too long, or said what is no SMTP."""


class NoEntry(Exception):
    """The server can't be reached, or does not let us in; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Account:
    """Where the mail server is, and who we are there: Django's EMAIL_ settings."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    has_starttls: bool = False
    has_tls: bool = False  # from the start
    seconds: float = 30.0
    certificate: str | None = None
    key: str | None = None

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.certificate or self.key:
            context.load_cert_chain(cast("str", self.certificate), self.key)
        return context


class Reply(NamedTuple):
    code: int
    words: str

    @property
    def is_good(self) -> bool:
        return 200 <= self.code < 300


class Envelope(NamedTuple):
    """From whom to whom, as MAIL and RCPT have it."""

    sender: str
    to: str

    @property
    def needs_utf8(self) -> bool:
        return not (self.sender.isascii() and self.to.isascii())


class Connection(asyncio.Protocol):
    """A connection that has said hello and signed in: make one by `connect`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._is_lost = False
        self._waiter: asyncio.Future[None] | None = None
        self._hear: Callable[[], bool] | None = None
        # When it has been silent for too long, while it is waited for.
        self._patient_until = 0.0
        self._clock: asyncio.TimerHandle | None = None
        self._offers: dict[str, str] = {}
        self._own_ip = ""

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._own_ip = transport.get_extra_info("sockname")[0]

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._hear is None or not self._is_heard(self._hear):
            self._hear = None  # who is woken reads on from there
            self._wake()

    def connection_lost(self, _error: Exception | None) -> None:
        self._is_lost = True
        if self._clock is not None:
            self._clock.cancel()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- what the server offers

    @property
    def is_pipelining(self) -> bool:
        return "PIPELINING" in self._offers

    @property
    def takes_utf8(self) -> bool:
        return "SMTPUTF8" in self._offers

    # --- to and fro

    def write(self, data: bytes) -> None:
        """Send; what breaks off here is told by the next `reply`."""
        if self._transport is not None and not self._is_lost:
            self._transport.write(data)

    def takes_text(self) -> bool:
        """Read the replies to MAIL, RCPT and DATA together, if all are here and good; or leave them to `reply`."""
        return self._reads(_LET_IN)

    def has_taken(self) -> bool:
        """Read the reply to a message, if it is here and says that it was taken; or leave it to `reply`."""
        return self._reads(_TAKEN)

    def _reads(self, usual: re.Pattern[bytes]) -> bool:
        found = usual.match(self._received)
        if found is None:
            return False
        end = found.end()
        del found  # what a match refers to can't be cut
        del self._received[:end]
        return True

    async def hear(self, hear: Callable[[], bool]) -> None:
        """Have `hear` called with whatever arrives, until it says False or the connection is lost.

        It is called at once, where a coroutine that waits would have to be woken first: that takes as long as all else
        that is done with an answer. Raises Lost, and whatever `hear` raises.
        """
        if self._received:
            return
        self._hear = hear
        try:
            await self._wait()
        finally:
            self._hear = None

    def _is_heard(self, hear: Callable[[], bool]) -> bool:
        try:
            is_heard = hear()
        except Exception as error:
            self._hear = None
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_exception(error)
            return True
        self._patient_until = time.monotonic() + self._account.seconds
        # What came too early is read at once: the server says why it wants no text.
        return is_heard and not self._received

    async def reply(self) -> Reply:
        """Wait for the next reply. Raises Lost."""
        lines: list[str] = []
        while True:
            line = self._take_line()
            if line is None:
                await self._wait()
                continue
            if len(line) < 3 or not line[:3].isdigit() or line[3:4] not in (b" ", b"-", b""):
                raise Lost
            lines.append(line[4:].decode(errors="replace"))
            if line[3:4] != b"-":
                return Reply(int(line[:3]), " ".join(" ".join(lines).split())[:_LONGEST_SAID])
            if sum(map(len, lines)) > _LONGEST_REPLY:
                raise Lost

    def _take_line(self) -> bytes | None:
        end = self._received.find(b"\n")
        if end < 0:
            return None
        line = bytes(self._received[:end]).rstrip(b"\r")
        del self._received[: end + 1]
        return line

    async def _wait(self) -> None:
        if self._is_lost or len(self._received) > _LONGEST_REPLY:
            raise Lost
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        self._patient_until = loop.time() + self._account.seconds
        if self._clock is None:
            self._clock = loop.call_at(self._patient_until, self._look_at_clock)
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _look_at_clock(self) -> None:
        """End a wait that is too long: one timer looks after all waits, most of which last no millisecond."""
        self._clock = None
        if self._waiter is None or self._waiter.done():
            return
        loop = asyncio.get_running_loop()
        if loop.time() >= self._patient_until:
            self._waiter.set_exception(Lost())
        else:
            self._clock = loop.call_at(self._patient_until, self._look_at_clock)

    async def ask(self, command: str) -> Reply:
        self.write(f"{command}\r\n".encode())
        return await self.reply()

    # --- a message

    def envelope(self, envelope: Envelope) -> tuple[bytes, bytes]:
        """Give the MAIL and the RCPT command."""
        options = " BODY=8BITMIME SMTPUTF8" if envelope.needs_utf8 else ""
        return f"MAIL FROM:<{envelope.sender}>{options}\r\n".encode(), f"RCPT TO:<{envelope.to}>\r\n".encode()

    def whole_envelope(self, envelope: Envelope) -> bytes:
        """Give both and DATA, for a server that takes them together."""
        options = " BODY=8BITMIME SMTPUTF8" if envelope.needs_utf8 else ""
        return f"MAIL FROM:<{envelope.sender}>{options}\r\nRCPT TO:<{envelope.to}>\r\nDATA\r\n".encode()

    # --- the beginning and the end

    async def enter(self) -> None:
        """Say hello, begin TLS and sign in, as the account says. Raises NoEntry, Lost."""
        _must(await self.reply(), READY)
        await self._hello()
        if self._account.has_starttls:
            await self._start_tls()
            await self._hello()
        if self._account.user:
            await self._sign_in()

    async def _hello(self) -> None:
        name = _own_name() or self._own_address()
        reply = await self._lines(f"EHLO {name}")
        if reply:
            self._offers = dict(_offer(line) for line in reply[1:])
            return
        self._offers = {}
        _must(await self.ask(f"HELO {name}"), OK)

    async def _lines(self, command: str) -> list[str]:
        """Give the lines of a good reply, none of a bad one."""
        self.write(f"{command}\r\n".encode())
        lines: list[str] = []
        while True:
            line = self._take_line()
            if line is None:
                await self._wait()
                continue
            lines.append(line[4:].decode(errors="replace"))
            if line[:3] == b"421":
                raise NoEntry(_said(lines[-1][:_LONGEST_SAID]))
            if line[3:4] != b"-":
                return lines if line[:3] == b"250" else []
            if len(lines) > 200:
                raise Lost

    async def _start_tls(self) -> None:
        if "STARTTLS" not in self._offers:
            raise NoEntry(gettext("The mail server does not offer STARTTLS, without which nothing is sent."))
        _must(await self.ask("STARTTLS"), READY)
        # What came unencrypted behind the answer is somebody else's.
        self._received.clear()
        loop = asyncio.get_running_loop()
        self._transport = await loop.start_tls(
            cast("asyncio.Transport", self._transport),
            self,
            self._account.context(),
            server_hostname=self._account.host,
            ssl_handshake_timeout=self._account.seconds,
        )

    async def _sign_in(self) -> None:
        ways = self._offers.get("AUTH", "").upper().split()
        user, password = self._account.user.encode(), self._account.password.encode()
        if "PLAIN" in ways:
            token = _base64(b"\0" + user + b"\0" + password)
            reply = await self.ask(f"AUTH PLAIN {token}")
        elif "LOGIN" in ways:
            reply = await self.ask("AUTH LOGIN")
            for word in (user, password):
                if reply.code == GO_ON:
                    reply = await self.ask(_base64(word))
        else:
            raise NoEntry(gettext("The mail server does not offer to sign in with a user name and a password."))
        if reply.code in WRONG_PASSWORD:
            raise NoEntry(gettext("The mail server does not accept this program's user name or password."))
        _must(reply, SIGNED_IN)

    def _own_address(self) -> str:
        return f"[IPv6:{self._own_ip}]" if ":" in self._own_ip else f"[{self._own_ip}]"

    async def leave(self) -> None:
        """Say goodbye, which nobody has to answer."""
        self.write(b"QUIT\r\n")
        try:
            async with asyncio.timeout(_LONGEST_GOODBYE):
                await self.reply()
        except (Lost, TimeoutError):
            pass
        self.drop()

    def drop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
        if self._transport is not None:
            self._transport.abort()


async def connect(account: Account) -> Connection:
    """Open a connection that is ready for messages. Raises NoEntry."""
    connection = Connection(account)
    try:
        async with asyncio.timeout(account.seconds):
            await _open(account, connection)
        await connection.enter()
    except Lost:
        connection.drop()
        raise NoEntry(gettext("The mail server can't be reached (it broke off, or was silent).")) from None
    except OSError as error:  # a TimeoutError and an SSLError are some, too
        connection.drop()
        sentence = gettext("The mail server can't be reached (%(error)s).")
        raise NoEntry(sentence % {"error": error.strerror or type(error).__name__}) from None
    except BaseException:
        connection.drop()
        raise
    return connection


async def _open(account: Account, connection: Connection) -> None:
    loop = asyncio.get_running_loop()
    # On a thread of its own, which nobody has to wait for: uvloop can't be closed before its own look-up has ended.
    look_up = functools.partial(socket.getaddrinfo, account.host, account.port, type=socket.SOCK_STREAM)
    hosts = [str(found[4][0]) for found in await loop.run_in_executor(None, look_up)]
    tls: dict[str, Any] = {}
    if account.has_tls:
        tls = {"ssl": account.context(), "ssl_handshake_timeout": account.seconds, "server_hostname": account.host}
    while True:
        try:
            await loop.create_connection(lambda: connection, hosts.pop(0), account.port, **tls)
            return
        except OSError:
            if not hosts:
                raise


def stuffed(message: bytes) -> bytes:
    """Write a message as DATA has it: a line's dot doubled, and a dot alone at the end (RFC 5321, 4.5.2)."""
    if message.startswith(b"."):
        message = b"." + message
    if b"\r\n." in message:
        message = message.replace(b"\r\n.", b"\r\n..")
    return message + (b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n")


def _must(reply: Reply, code: int) -> None:
    if reply.code != code:
        raise NoEntry(_said(reply.words))


def _said(words: str) -> str:
    return gettext('The mail server said: "%(words)s".') % {"words": words}


def _offer(line: str) -> tuple[str, str]:
    word, _, more = line.strip().replace("=", " ").partition(" ")  # some old ones write AUTH=LOGIN
    return word.upper(), more


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@functools.cache
def _own_name() -> str:
    """Give this machine's full name, if it has one."""
    name = socket.getfqdn()
    return name if "." in name and name.isascii() and " " not in name else ""
