"""A mail server for tests: real SMTP on a thread of this process, which can be made to misbehave."""

from __future__ import annotations

import asyncio
import email
import logging
import os
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import connections

from thrive_sync.stack import ports


@dataclass(frozen=True)
class Letter:
    """One message as it was taken."""

    sender: str
    to: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.content, policy=policy.default)


class Sink:
    """Takes every message, unless told otherwise. `letters` is its own log of what it said 250 to, or lost after."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, is_starttls: bool = False, authenticator: Any = None
    ) -> None:
        """Take messages, with TLS (by STARTTLS, or from the start) and to whom the authenticator lets in, if given."""
        self._options: dict[str, Any] = {}
        if tls is not None:
            self._options |= {"tls_context": tls, "require_starttls": True} if is_starttls else {"ssl_context": tls}
        if authenticator is not None:
            self._options |= {"authenticator": authenticator, "auth_require_tls": is_starttls}
        self._lock = threading.Lock()
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # the server's own words are not the product's log
        # The tests of several processes look for a port at the same time.
        self.port = ports.next_free(20_025 + os.getpid() % 9_000)
        self._controller: Controller | None = None
        self.behave()

    def behave(self) -> Self:
        """Forget everything, be there, and take every message."""
        self.letters: list[Letter] = []
        self.replies: dict[str, str] = {}  # to RCPT, by address
        self.data_replies: dict[str, str] = {}  # to the whole message, by address
        self.sender_reply = ""
        self.seconds_a_message = 0.0
        self.cuts: dict[str, str] = {}  # by address: cut "before" or "after" the message was taken, or at "rcpt"
        self.most_a_connection = 0
        self.is_pipelining = False  # whether it offers that, and SMTPUTF8
        self.takes_utf8 = True
        self.connection_count = 0
        self.on_refusal: Callable[[], object] | None = None  # done before too many messages are refused
        self._whens: list[tuple[int, Callable[[], object]]] = []
        self._taking = asyncio.Lock()
        if self._controller is None:
            self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=10, **self._options)
            self._controller.start()
        return self

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def copies(self) -> Counter[str]:
        """Say how many copies each address got."""
        with self._lock:
            return Counter(letter.to for letter in self.letters)

    def to(self, address: str) -> EmailMessage:
        """Give the one message to an address."""
        [letter] = [letter for letter in self.letters if letter.to == address]
        return letter.message

    def when_taken(self, count: int, act: Callable[[], object]) -> None:
        """Do something when so many messages have been taken, before the next is: what any connection sends waits."""
        self._whens.append((count, act))

    # What aiosmtpd calls.

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connection_count += 1
        offered = [line for line in responses if self.takes_utf8 or "SMTPUTF8" not in line]
        return [*offered[:1], *(["250-PIPELINING"] if self.is_pipelining else []), *offered[1:]]

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        taken = getattr(session, "taken", 0)
        if self.most_a_connection and taken >= self.most_a_connection:
            if self.on_refusal is not None:
                await asyncio.get_running_loop().run_in_executor(None, _with_own_connection, self.on_refusal)
            return "421 4.7.0 Too many messages on this connection"
        if self.sender_reply:
            return self.sender_reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.cuts.get(address) == "rcpt":
            self.cuts.pop(address)
            _abort(server)
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        [address] = envelope.rcpt_tos
        if self.seconds_a_message:
            await asyncio.sleep(self.seconds_a_message)
        if address in self.data_replies:
            return self.data_replies[address]
        cut = self.cuts.pop(address, "")
        if cut != "before":
            session.taken = getattr(session, "taken", 0) + 1  # type: ignore[attr-defined]
            await self._take(Letter(envelope.mail_from or "", address, envelope.original_content or b""))
        if cut:
            _abort(server)
        return "250 Taken"

    async def _take(self, letter: Letter) -> None:
        async with self._taking:
            with self._lock:
                self.letters.append(letter)
                due = [act for count, act in self._whens if count == len(self.letters)]
            for act in due:
                await asyncio.get_running_loop().run_in_executor(None, _with_own_connection, act)


def _with_own_connection(act: Callable[[], object]) -> None:
    try:
        act()
    finally:
        connections.close_all()


def _abort(server: Any) -> None:
    """Lose the connection, without a word."""
    server.transport.abort()
