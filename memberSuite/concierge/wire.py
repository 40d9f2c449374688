"""Signed Concierge calls: the session in and out, and every fault of a reply as one of our errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from lxml import etree

from memberSuite import exceptions as e
from memberSuite.auth import signature, signing_key, soap_session
from memberSuite.concierge import envelope
from memberSuite.crew import Halt
from memberSuite.decode import (
    RESULTS,
    Frame,
    fault_text,
    looks_like_xml,
    parse_xml,
    read_frame,
    record_fields,
    text_of,
)
from memberSuite.faults import SESSION_CODES, name_of, refusal
from memberSuite.patience import Pace, Patience
from memberSuite.records import ConnectionSettings
from memberSuite.transport import Reply, Request, Transport, raise_for_status
from memberSuite.words import gettext

T = TypeVar("T")
Trouble = Callable[[e.TransientError], None]
Parse = Callable[[bytes], etree._Element]
_SLOW_SHARE = 4  # slow means 2 calls a second with the default first wait of 2 seconds


@dataclass(frozen=True)
class Outcome:
    """A successful reply and the moment its request was sent."""

    frame: Frame
    asked_at: datetime

    @property
    def value(self) -> etree._Element:
        """Return the result; a success without one is unreadable, never an empty list."""
        if self.frame.value is None:
            raise e.UnreadableReply(gettext("The answer says success but holds no result."))
        return self.frame.value


class ConciergeWire:
    """One method per way of calling; used from several threads at once."""

    def __init__(self, settings: ConnectionSettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._address = settings.service_address.rstrip("/") + "/"
        self._session = soap_session(settings.identity())
        self.transport = Transport(settings)
        self.patience = Patience(
            first_wait=settings.retry_wait,
            cap=settings.throttle_cap,
            longest=settings.longest_wait,
            pace=Pace(settings.in_flight, settings.retry_wait / _SLOW_SHARE),
            on_call=settings.on_call,
        )

    def call(
        self,
        operation: str,
        make_body: Callable[[], str],
        read: Callable[[Outcome], T],
        halt: Halt,
        on_trouble: Trouble | None = None,
        parse: Parse = parse_xml,
    ) -> T:
        """Call, read the reply, and ask again after transient trouble; the body is made anew for each attempt."""

        def attempt() -> T:
            return read(self._attempt(operation, make_body(), parse))

        return self.patience.ask(attempt, halt, what=operation, on_trouble=on_trouble)

    def sign_in(self, halt: Halt) -> str | None:
        """Make a new session whatever we had, and return the association's name."""
        return self.patience.ask(self._fresh_session, halt, what="WhoAmI")

    def reach(self) -> None:
        """Find out whether anything answers at the address, whatever it answers."""
        self.transport.send(Request("GET", self._address, {}))

    def _attempt(self, operation: str, body: str, parse: Parse) -> Outcome:
        session_id = self._session.ensure(self._who_am_i)
        outcome = self._once(operation, body, session_id, parse)
        if _ends_session(outcome.frame):
            session_id = self._session.renew(session_id, self._who_am_i)
            outcome = self._once(operation, body, session_id, parse)
        self._raise_errors(outcome.frame)
        return outcome

    def _fresh_session(self) -> str | None:
        outcome = self._once("WhoAmI", envelope.who_am_i(), None)
        self._raise_errors(outcome.frame)
        self._session.renew(self._session.session_id, lambda: outcome.frame.session_id)
        return _association_name(outcome.value)

    def _who_am_i(self) -> str | None:
        outcome = self._once("WhoAmI", envelope.who_am_i(), None)
        self._raise_errors(outcome.frame)
        return outcome.frame.session_id or text_of(outcome.frame.value, RESULTS + "SessionID")

    def _once(self, operation: str, body: str, session_id: str | None, parse: Parse = parse_xml) -> Outcome:
        settings = self._settings
        action = envelope.action(operation)
        key = signing_key(settings.secret_access_key)
        text = envelope.envelope(
            access_key_id=settings.access_key_id,
            association_id=settings.association_id,
            session_id=session_id,
            signature=signature(key, action, settings.association_id, session_id),
            body=body,
        )
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
        asked_at = self._clock()
        reply = self.transport.send(Request("POST", self._address, headers, text))
        frame = read_frame(self._root(reply, parse), operation)
        self._session.adopt(session_id, frame.session_id)
        return Outcome(frame, asked_at)

    def _root(self, reply: Reply, parse: Parse) -> etree._Element:
        is_xml = looks_like_xml(reply.content_type, reply.body)
        if reply.status == 200:
            if not is_xml:
                raise e.UnreadableReply(self.transport.redact(reply.text_start) or gettext("The answer is empty."))
            root = parse(reply.body)
            if (fault := fault_text(root)) is not None:
                raise e.ServerTrouble(self.transport.redact(fault))
            return root
        said = None
        if is_xml:
            try:
                said = fault_text(parse_xml(reply.body))
            except e.UnreadableReply:
                said = None
        raise_for_status(reply, self.transport.redact(said or reply.text_start))
        raise e.UnreadableReply(f"HTTP {reply.status}")

    def _raise_errors(self, frame: Frame) -> None:
        if frame.is_success:
            return
        if not frame.errors:
            raise e.RemoteRefused(gettext("MemberSuite says that it failed, and not why."))
        first = frame.errors[0]
        raise refusal(first.code, self.transport.redact(first.message or ""), first.field)


def _ends_session(frame: Frame) -> bool:
    return not frame.is_success and any(name_of(error.code) in SESSION_CODES for error in frame.errors)


def _association_name(value: etree._Element) -> str | None:
    association = value.find(RESULTS + "Association")
    if association is None:
        return None
    name = record_fields(association).get("name")
    return name.text if name else None
