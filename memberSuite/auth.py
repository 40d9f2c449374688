"""Sign-in: the Concierge signature, and sessions and tokens shared by all threads of a process."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from memberSuite.exceptions import InvalidSecret

TOKEN_LIFE = 50 * 60.0  # seconds, when the token does not say
TOKEN_MARGIN = 60.0


def signing_key(secret_access_key: str) -> bytes:
    """Decode the secret, or raise InvalidSecret: it is never sent, so MemberSuite can't tell us that it is wrong."""
    text = "".join(secret_access_key.split())
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSecret from None
    if not key:
        raise InvalidSecret
    return key


def signature(key: bytes, action: str, association_id: str, session_id: str | None) -> str:
    """Sign the three values of protocol section 2.1."""
    text = action + association_id + (session_id or "")
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha1).digest()).decode()


class SoapSession:
    """The Concierge session of one connection; one sign-in serves all calls that need a new one."""

    def __init__(self) -> None:
        self._login = threading.Lock()
        self._swap = threading.Lock()
        self._session_id: str | None = None

    @property
    def session_id(self) -> str | None:
        return self._session_id

    def ensure(self, login: Callable[[], str | None]) -> str | None:
        """Return the session, signing in first when there is none."""
        return self._session_id or self.renew(None, login)

    def renew(self, expired: str | None, login: Callable[[], str | None]) -> str | None:
        """Sign in, unless another thread already did since `expired` was in use."""
        with self._login:
            if self._session_id != expired and self._session_id is not None:
                return self._session_id
            self._session_id = None
            received = login()
            with self._swap:
                self._session_id = received
            return received

    def adopt(self, sent_under: str | None, received: str | None) -> None:
        """Take the session of a reply, if its request was sent under the present one and it names one."""
        with self._swap:
            if received and sent_under is not None and sent_under == self._session_id:
                self._session_id = received


@dataclass(frozen=True)
class Token:
    text: str
    ends_at: float  # of time.time(), the clock that the token's own end is written in


class RestToken:
    """The REST token of one connection, renewed a minute before its end."""

    def __init__(self) -> None:
        self._login = threading.Lock()
        self._token: Token | None = None

    @property
    def text(self) -> str | None:
        return self._token.text if self._token else None

    def ensure(self, login: Callable[[], str]) -> str:
        """Return a token that is still good, signing in when there is none."""
        token = self._token
        if token is not None and time.time() < token.ends_at:
            return token.text
        return self.renew(token.text if token else None, login)

    def renew(self, refused: str | None, login: Callable[[], str]) -> str:
        """Sign in, unless another thread already did since `refused` was in use."""
        with self._login:
            token = self._token
            if token is not None and token.text != refused and time.time() < token.ends_at:
                return token.text
            self._token = None
            text = login()
            self._token = Token(text, token_end(text, time.time()))
            return text


def token_end(token: str, now: float) -> float:
    """Return when to renew: the token's own end less a minute, else 50 minutes from now."""
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        end = float(claims["exp"]) - TOKEN_MARGIN
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error, msgspec.MsgspecError):
        return now + TOKEN_LIFE
    # A token that is over when it arrives says that the clocks differ; it is good until it is refused.
    return end if end > now else now + TOKEN_LIFE


_sessions: dict[str, SoapSession] = {}
_tokens: dict[str, RestToken] = {}
_cache = threading.Lock()


def soap_session(identity: str) -> SoapSession:
    """Return this process's session for these credentials."""
    with _cache:
        return _sessions.setdefault(identity, SoapSession())


def rest_token(identity: str) -> RestToken:
    """Return this process's token for these credentials."""
    with _cache:
        return _tokens.setdefault(identity, RestToken())


def forget_sign_ins() -> None:
    """Drop every session and token of this process."""
    with _cache:
        _sessions.clear()
        _tokens.clear()
