"""One call to an address that a person typed: HTTPS, public hosts only, no redirect, limits of time and size."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import certifi
import urllib3
from django.conf import settings
from django.utils.translation import gettext

from targetgroups.remote import PrivateAddress, causes, is_public, pools_with_a_limit

CONNECT_SECONDS = 5
SILENCE_SECONDS = 10
WHOLE_ANSWER_SECONDS = 15
MOST_BYTES = 1000  # more of an answer is not read


@dataclass(frozen=True)
class Answer:
    """What became of a call: a status and how the answer began, or what kept it from coming."""

    status: int | None
    said: str
    took_ms: int
    problem: str = ""

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def refusal(address: str) -> str:
    """Say why an address cannot be a webhook's; "" if it can. Looks nothing up: the call does."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return gettext("This is not an address. It starts with https:// and names a host.")
    is_here = settings.ALLOW_PRIVATE_ADDRESSES and host in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        return gettext("The address must start with https://, or what it tells would travel in the open.")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        return gettext("The address names a host and a path, without a user name, a password or a #.")
    return "" if settings.ALLOW_PRIVATE_ADDRESSES or not _is_private(host) else _private()


def _private() -> str:
    return gettext("The address leads into a private network.")


def _is_private(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:  # a name
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def post(address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Call once, and never raise for what the other side does."""
    began = time.monotonic()
    if problem := refusal(address):  # the setting may have changed since it was typed
        return Answer(None, "", 0, problem)
    try:
        status, said = _post(address, body, headers)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        return Answer(None, "", _since(began), _words(error))
    problem = "" if 200 <= status < 300 else f"HTTP {status}"
    if 300 <= status < 400:
        problem = gettext("HTTP %(status)s: redirects are not followed") % {"status": status}
    return Answer(status, said, _since(began), problem)


def _post(address: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    with urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=certifi.where()) as manager:
        is_public_only = not settings.ALLOW_PRIVATE_ADDRESSES
        manager.pool_classes_by_scheme = pools_with_a_limit(WHOLE_ANSWER_SECONDS, is_public_only)
        response = manager.urlopen(
            "POST",
            address,
            body=body,
            headers={"Content-Type": "application/json", "User-Agent": "thrive-sync-webhooks", **headers},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            said = response.read(MOST_BYTES, decode_content=False)
        finally:
            response.close()
        return response.status, said.decode("utf-8", "replace").replace("\x00", "�")


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _words(error: Exception) -> str:
    """Put a library's error in words; its own text repeats the address with whatever is secret in it."""
    kinds = list(causes(error))

    def has(*types: type[BaseException]) -> bool:
        return any(isinstance(kind, types) for kind in kinds)

    if has(PrivateAddress):
        return _private()
    if has(urllib3.exceptions.SSLError):
        return gettext("Its certificate is not valid.")
    if has(urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError):
        return gettext("The host could not be reached.")
    if has(urllib3.exceptions.ReadTimeoutError, TimeoutError):
        return gettext("It did not answer in time.")
    return gettext("The connection broke (%(error)s).") % {"error": type(error).__name__}
