"""One request out and one answer back: limits, and every library error and HTTP status mapped to ours here."""

from __future__ import annotations

import http.client
import io
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import certifi
import requests
import urllib3

from memberSuite import exceptions as e
from memberSuite import public
from memberSuite.records import ConnectionSettings
from memberSuite.words import gettext

BODY_LIMIT = 64 * 1024 * 1024
# A part (an element, a value of a list) takes up to 40 times its bytes once it is read. A large page has some 100,000.
MOST_PARTS = 750_000
_UNCOUNTED = 4 * 1024 * 1024  # so short a body can't have too many
CHUNK = 1 << 15  # larger ones are slower: each is memory that the system has to clear first
_HEADERS = {"User-Agent": "thrive-sync", "Accept-Encoding": "gzip"}
_TOKEN = re.compile(r"(?i)\beyJ[\w-]+(?:\.[\w-]*)*|\b(bearer|authtoken)\s+[^\s\"'<,;]+")


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Reply:
    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: float | None = None

    @property
    def text_start(self) -> str:
        """Return the beginning of the body as text, for people to read."""
        return self.body[: e.SAID_LIMIT * 4].decode("utf-8-sig", "replace")[: e.SAID_LIMIT]


class Transport:
    """Sends requests over kept connections; used from several threads at once.

    `requests` finds proxy and certificates once; then urllib3 sends, because what a session of requests does for each
    call beside that (cookies, redirects, hooks, a netrc file: nothing of it is wanted) takes twice as long.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self._timeout = urllib3.Timeout(connect=settings.connect_timeout, read=settings.read_timeout)
        # A server that drips bytes never trips the read time-out, so a whole answer has a limit too.
        self._whole_answer = settings.connect_timeout + 3 * settings.read_timeout
        self._address = settings.service_address
        self._is_public_only = settings.public_only
        self._most_connections = settings.in_flight + 1
        self._secrets = settings.secrets()
        self._lock = threading.Lock()
        self._connections: urllib3.PoolManager | None = None

    def close(self) -> None:
        with self._lock:
            connections, self._connections = self._connections, None
        if connections is not None:
            connections.clear()

    def redact(self, text: str) -> str:
        """Return text without any of our secrets, for errors and logs."""
        for secret in self._secrets:
            text = text.replace(secret, "[hidden]")
        return _TOKEN.sub("[hidden]", text)

    def send(self, request: Request) -> Reply:
        """Send once and read the whole answer, whatever its status; redirects are never followed."""
        try:
            response = self._pool().urlopen(
                request.method,
                request.url,
                body=request.body,
                headers={**_HEADERS, **request.headers},
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                return self._read(response)
            finally:
                response.close()  # ends the connection, unless the whole answer was read: then it is back already
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # The library's error carries the request with its headers: it must not reach an error report.
            raise self._mapped(error) from None

    def _pool(self) -> urllib3.PoolManager:
        with self._lock:
            if self._connections is None:
                self._connections = self._new_pool()
            return self._connections

    def _new_pool(self) -> urllib3.PoolManager:
        """Make a pool that knows the environment's proxies and root certificates, and never a netrc file."""
        address = urllib3.util.parse_url(self._address)
        if address.scheme not in ("http", "https") or not address.host:
            raise requests.exceptions.InvalidURL(gettext("not an http or https address"))
        with requests.Session() as session:
            found = session.merge_environment_settings(self._address, {}, True, None, None)
        roots = certifi.where() if found["verify"] is True else str(found["verify"])
        kind = "ca_cert_dir" if Path(roots).is_dir() else "ca_certs"
        tls: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED", kind: roots}
        proxy = requests.utils.select_proxy(self._address, found["proxies"])
        if proxy is None:
            manager = urllib3.PoolManager(maxsize=self._most_connections, **tls)
        else:
            adapter = requests.adapters.HTTPAdapter(pool_maxsize=self._most_connections)
            manager = adapter.proxy_manager_for(proxy if "://" in proxy else f"http://{proxy}", **tls)
        # Behind a proxy it is the proxy that looks the name up, and the proxy itself may be a private one.
        manager.pool_classes_by_scheme = pools_with_a_limit(self._whole_answer, self._is_public_only and proxy is None)
        return manager

    def _read(self, response: urllib3.BaseHTTPResponse) -> Reply:
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(CHUNK, decode_content=True):
            size += len(chunk)
            if size > BODY_LIMIT:
                raise e.ReplyTooLarge
            chunks.append(chunk)
        body = b"".join(chunks)
        if size > _UNCOUNTED and sum(map(body.count, (b"<", b",", b"[", b"{"))) > MOST_PARTS:
            raise e.ReplyTooLarge
        return Reply(
            status=response.status,
            content_type=response.headers.get("Content-Type", "").lower(),
            body=body,
            retry_after=retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC)),
        )

    def _mapped(self, error: Exception) -> e.MemberSuiteError:
        said = self.redact(_root_text(error))
        kinds = list(causes(error))

        def has(*types: type[BaseException]) -> bool:
            return any(isinstance(kind, types) for kind in kinds)

        if has(public.PrivateAddress):
            return e.AddressPrivate()
        if has(urllib3.exceptions.SSLError):
            return e.CertificateInvalid(said)
        if has(
            urllib3.exceptions.ConnectTimeoutError,
            urllib3.exceptions.NewConnectionError,
            urllib3.exceptions.ProxyError,
        ):
            return e.HostUnreachable(said)
        if has(urllib3.exceptions.ReadTimeoutError, TimeoutError):
            return e.TimedOut(said)
        if has(urllib3.exceptions.DecodeError):
            return e.UnreadableReply(said)
        if has(requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError):
            return e.AddressWrong(said)
        return e.ConnectionCut(said)


class _Limited(io.RawIOBase):
    """Reads a socket until a moment has come."""

    def __init__(self, connection: io.RawIOBase, until: float) -> None:
        self._connection = connection
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._until:
            raise TimeoutError(gettext("The answer did not end."))
        return self._connection.readinto(buffer)

    def close(self) -> None:
        self._connection.close()
        super().close()


class _LimitedResponse(http.client.HTTPResponse):
    """An answer that has so many seconds to arrive, from its first header to its last byte."""

    def __init__(self, seconds: float, connection: socket.socket, **how: Any) -> None:
        super().__init__(connection, **how)
        self.fp = io.BufferedReader(_Limited(self.fp.detach(), time.monotonic() + seconds))


class _PublicOnly:
    """Connects to public addresses only, whatever the host's name leads to."""

    host: str
    port: int

    def _new_conn(self) -> socket.socket:
        public.check_host(self.host, self.port)
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]  # of the connection that it is mixed into
        public.check_connected(connection)
        return connection


def pools_with_a_limit(seconds: float, is_public_only: bool) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    own = {"response_class": partial(_LimitedResponse, seconds)}
    mixed = (_PublicOnly,) if is_public_only else ()

    class Plain(urllib3.HTTPConnectionPool):
        ConnectionCls = type("Plain", (*mixed, urllib3.HTTPConnectionPool.ConnectionCls), own)

    class Secure(urllib3.HTTPSConnectionPool):
        ConnectionCls = type("Secure", (*mixed, urllib3.HTTPSConnectionPool.ConnectionCls), own)

    return {"http": Plain, "https": Secure}


def raise_for_status(reply: Reply, said: str) -> None:
    """Raise our error for a status that says more than the body does; other statuses are the caller's to read."""
    status = reply.status
    said = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    if 300 <= status < 400:
        raise e.RedirectRefused(f"HTTP {status}")
    if status == 429:
        raise e.Throttled(said, retry_after=reply.retry_after)
    if status >= 500:
        raise e.ServerTrouble(said, retry_after=reply.retry_after)
    if status in (401, 403):
        raise e.AccessDenied(said)
    if status in (404, 405, 410):
        raise e.AddressWrong(said)
    if status == 408:
        raise e.TimedOut(said)
    if status >= 400:
        raise e.RemoteRefused(said, remote_code=str(status))


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Return how long the server asked us to wait: it says seconds or a date."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all that it wraps; urllib3 hides some in args and `reason`."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
        waiting.extend(item for item in inner if isinstance(item, BaseException))


def _root_text(error: BaseException) -> str:
    """Return the innermost reason: the outer texts repeat the address with its query."""
    last = list(causes(error))[-1]
    return f"{type(last).__name__}: {last}"
