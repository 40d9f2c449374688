"""One request out and one answer back: limits, and every library error and HTTP status mapped to ours here."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
import urllib3

from memberSuite import exceptions as e
from memberSuite.records import ConnectionSettings

BODY_LIMIT = 64 * 1024 * 1024
CHUNK = 1 << 18
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
    """Sends requests over kept connections; used from several threads at once."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._timeout = (settings.connect_timeout, settings.read_timeout)
        # A server that drips bytes never trips the read time-out, so a whole answer has a limit too.
        self._whole_answer = settings.connect_timeout + 3 * settings.read_timeout
        self._address = settings.service_address
        self._secrets = settings.secrets()
        self._lock = threading.Lock()
        self._idle: list[requests.Session] = []
        self._is_closed = False

    def close(self) -> None:
        with self._lock:
            idle, self._idle, self._is_closed = self._idle, [], True
        for session in idle:
            session.close()

    def redact(self, text: str) -> str:
        """Return text without any of our secrets, for errors and logs."""
        for secret in self._secrets:
            text = text.replace(secret, "[hidden]")
        return _TOKEN.sub("[hidden]", text)

    def send(self, request: Request) -> Reply:
        """Send once and read the whole answer, whatever its status; redirects are never followed."""
        with self._session() as session:
            try:
                prepared = session.prepare_request(
                    requests.Request(request.method, request.url, headers=dict(request.headers), data=request.body)
                )
                response = session.send(
                    prepared,
                    stream=True,
                    timeout=self._timeout,
                    allow_redirects=False,
                    verify=session.verify,
                    proxies=session.proxies,
                )
                with response:
                    return self._read(response)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                # The library's error carries the request with its headers: it must not reach an error report.
                raise self._mapped(error) from None

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        with self._lock:
            session = self._idle.pop() if self._idle else None
        if session is None:
            session = self._new_session()
        try:
            yield session
        finally:
            with self._lock:
                keep = not self._is_closed
                if keep:
                    self._idle.append(session)
            if not keep:
                session.close()

    def _new_session(self) -> requests.Session:
        """Make a session that reads proxies and root certificates of the environment once, and never a netrc file."""
        session = requests.Session()
        settings = session.merge_environment_settings(self._address, {}, True, None, None)
        session.proxies, session.verify = settings["proxies"], settings["verify"]
        session.trust_env = False
        session.headers.update({"User-Agent": "thrive-sync", "Accept-Encoding": "gzip"})
        return session

    def _read(self, response: requests.Response) -> Reply:
        until = time.monotonic() + self._whole_answer
        chunks: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            size += len(chunk)
            if size > BODY_LIMIT:
                raise e.ReplyTooLarge
            if time.monotonic() > until:
                raise e.TimedOut("The answer did not end.")
            chunks.append(chunk)
        return Reply(
            status=response.status_code,
            content_type=response.headers.get("Content-Type", "").lower(),
            body=b"".join(chunks),
            retry_after=retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC)),
        )

    def _mapped(self, error: Exception) -> e.MemberSuiteError:
        said = self.redact(_root_text(error))
        kinds = list(_causes(error))

        def has(*types: type[BaseException]) -> bool:
            return any(isinstance(kind, types) for kind in kinds)

        if has(requests.exceptions.SSLError, urllib3.exceptions.SSLError):
            return e.CertificateInvalid(said)
        if has(requests.ConnectTimeout, urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProxyError):
            return e.HostUnreachable(said)
        if has(requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
            return e.TimedOut(said)
        if has(urllib3.exceptions.DecodeError):
            return e.UnreadableReply(said)
        if has(requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema):
            return e.AddressWrong(said)
        return e.ConnectionCut(said)


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


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all that it wraps; requests hides urllib3's in args and `reason`."""
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
    last = list(_causes(error))[-1]
    return f"{type(last).__name__}: {last}"
