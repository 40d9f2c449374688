"""REST calls with a token: every fault of a reply as one of our errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from memberSuite import exceptions as e
from memberSuite.auth import rest_token
from memberSuite.coerce import to_bool
from memberSuite.crew import Halt
from memberSuite.faults import SESSION_CODES, name_of, refusal
from memberSuite.patience import Pace, Patience
from memberSuite.records import ConnectionSettings
from memberSuite.rest.names import is_each_name_once
from memberSuite.transport import Reply, Request, Transport, raise_for_status
from memberSuite.words import gettext

T = TypeVar("T")
Trouble = Callable[[e.TransientError], None]
Decode = Callable[[bytes], object]
_SLOW_SHARE = 4  # slow means 2 calls a second with the default first wait of 2 seconds
_SPEAKING = (400, 403, 404, 409, 422, 500)  # statuses whose body may say more than they do


@dataclass(frozen=True)
class Call:
    """One REST call; `what` names it in the log, where paths and statements do not belong."""

    what: str
    method: str
    path: str
    payload: Any = None
    query: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Outcome:
    """A successful reply and the moment its request was sent."""

    value: Any
    asked_at: datetime


class RestWire:
    """Calls the service with a token that all threads of the process share."""

    def __init__(self, settings: ConnectionSettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._address = settings.service_address.rstrip("/")
        self._token = rest_token(settings.identity())
        self.tenant = quote(settings.tenant_id, safe="")
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
        make_call: Callable[[], Call],
        read: Callable[[Outcome], T],
        halt: Halt,
        on_trouble: Trouble | None = None,
        decode: Decode | None = None,
    ) -> T:
        """Call, read the reply, and ask again after transient trouble; the call is made anew for each attempt.

        `decode` may give a good answer's value in a form of its own; where it gives None, the answer is read as any.
        """

        def attempt() -> T:
            return read(self._attempt(make_call(), decode))

        return self.patience.ask(attempt, halt, what=make_call().what, on_trouble=on_trouble)

    def sign_in(self, halt: Halt) -> str:
        """Get a new token whatever we had, and say for which association."""

        def renew() -> str:
            self._token.renew(self._token.text, self._login)
            return f"association {self._settings.tenant_id}"

        return self.patience.ask(renew, halt, what="loginUser")

    def reach(self) -> None:
        """Find out whether anything answers at the address, whatever it answers."""
        self.transport.send(Request("GET", self._address + "/", {}))

    def _attempt(self, call: Call, decode: Decode | None) -> Outcome:
        token = self._token.ensure(self._login)
        asked_at, reply = self._send(call, token)
        if self._ends_token(reply):
            token = self._token.renew(token, self._login)
            asked_at, reply = self._send(call, token)
            if reply.status == 401:  # not a missing permission: the service does not know its own newest token
                raise e.SessionExpired(self._said(reply))
        value = decode(reply.body) if decode is not None and reply.status == 200 else None
        return Outcome(self._read(reply) if value is None else value, asked_at)

    def _send(self, call: Call, token: str | None) -> tuple[datetime, Reply]:
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body = None
        if call.payload is not None:
            headers["Content-Type"] = "application/json"
            body = msgspec.json.encode(call.payload)
        url = self._address + call.path + ("?" + urlencode(call.query) if call.query else "")
        asked_at = self._clock()
        return asked_at, self.transport.send(Request(call.method, url, headers, body))

    def _login(self) -> str:
        """Sign in, and make sure that the token is for the association it should be for."""
        settings = self._settings
        payload = {"email": settings.api_user, "password": settings.api_password}
        _, reply = self._send(Call("loginUser", "POST", f"/platform/v2/loginUser/{self.tenant}", payload), None)
        if reply.status in (400, 401, 403):
            raise e.LoginRefused(self._said(reply))
        answer = self._read(reply, refused=e.LoginRefused)
        token = _find(answer, "idToken")
        if not isinstance(token, str) or not token:
            raise e.UnreadableReply(gettext("The sign-in gave no token."))
        _, reply = self._send(Call("whoami", "GET", "/platform/v2/whoami"), token)
        tenant = _find(self._read(reply), "tenantId")
        if str(tenant) != settings.tenant_id.strip():
            raise e.WrongTenant(gettext("MemberSuite says tenant %(tenant)s.") % {"tenant": tenant})
        return token

    def _ends_token(self, reply: Reply) -> bool:
        if reply.status == 401:
            return True
        return reply.status in _SPEAKING and name_of(_find(_json_or_none(reply), "code")) in SESSION_CODES

    def _read(self, reply: Reply, *, refused: type[e.MemberSuiteError] | None = None) -> Any:
        value = _json_or_none(reply)
        if reply.status in _SPEAKING and (code := _find(value, "code")) is not None:
            raise refusal(code, self._said(reply), _field(value))
        if reply.status != 200:
            raise_for_status(reply, self._said(reply))
            if reply.status >= 300:
                raise e.UnreadableReply(f"HTTP {reply.status}")
        if value is None:
            raise e.UnreadableReply(self.transport.redact(reply.text_start) or gettext("The answer is empty."))
        if isinstance(value, dict) and to_bool(value.get("success")) is False:
            if refused is not None:
                raise refused(self._said(reply))
            raise refusal(_find(value, "code"), self._said(reply), _field(value))
        return value

    def _said(self, reply: Reply) -> str:
        """Return the reply's message, else its first words; never its tokens."""
        message = _find(_json_or_none(reply), "message")
        return self.transport.redact(message if isinstance(message, str) else reply.text_start)


def items_of(value: Any) -> tuple[list[dict[str, Any]], int | None]:
    """Return the records of a list and the server's total, from a bare array or one of the known envelopes."""
    total = None
    if isinstance(value, dict):
        total = value.get("totalCount")
        value = next((value[name] for name in ("results", "items", "data") if name in value), None)
        if isinstance(value, dict):
            return items_of(value)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise e.UnreadableReply(gettext("The answer is not a list of records."))
    return value, total if isinstance(total, int) and not isinstance(total, bool) else None


def _find(value: Any, name: str) -> Any:
    """Return a member of an answer, which may stand at its top or inside `data`."""
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    inner = value.get("data")
    return inner.get(name) if isinstance(inner, dict) else None


def _field(value: Any) -> str | None:
    field = _find(value, "offendingField")
    return field if isinstance(field, str) else None


def _json_or_none(reply: Reply) -> Any:
    body = reply.body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body.startswith((b"{", b"[")):
        return None
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return value if is_each_name_once(body) else None
