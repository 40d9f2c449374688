"""How much a program may ask: so many requests a minute and token, and bodies of a size that people's data needs.

Whoever shows no token that works is refused in words so often a minute, and briefly then.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import IO, Any

import redis
from django.conf import settings
from django.utils.translation import gettext
from rest_framework.exceptions import ParseError, Throttled
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.lockout import client_address
from thrive_sync.lib.valkey import connect

from .problems import TooLarge

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60
MOST_WITHOUT_TOKEN = 30
MOST_BODY_BYTES = 512 * 1024


class TokenThrottle(BaseThrottle):
    """Counts in Valkey, by the minute. While that is away nobody is refused: the limit is a courtesy, no lock."""

    remaining: int | None = None
    reset_seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        count, self.reset_seconds = _counted(str(request.auth.pk))
        if count is None:
            return True
        self.remaining = max(settings.API_REQUESTS_PER_MINUTE - count, 0)
        view.throttle = self
        return count <= settings.API_REQUESTS_PER_MINUTE

    def wait(self) -> float:
        return self.reset_seconds

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(settings.API_REQUESTS_PER_MINUTE),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }


def refuse_more_without_token(request: Request) -> None:
    """Count a request that showed no token that works, by where it comes from; past the limit it is told to wait.

    Only such requests are counted and refused: a program with a token that works may stand behind the same address.
    """
    count, seconds = _counted(f"without:{client_address(request._request)}")
    if count is not None and count > MOST_WITHOUT_TOKEN:
        raise Throttled(seconds)


class JsonParser(BaseParser):
    """Takes JSON and nothing else, up to a size; what can't be read is the sender's fault, however it is broken."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return json.loads(stream.read(), parse_constant=_no_constant)
        except (ValueError, RecursionError):  # brackets nested by the thousand are no fault of ours
            raise ParseError(gettext("The body is no JSON.")) from None


def refuse_large(request: Request) -> None:
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length[:12]) > MOST_BODY_BYTES:
        raise TooLarge


def _no_constant(word: str) -> None:
    raise ValueError(word)


def _counted(who: str) -> tuple[int | None, int]:
    """Count a request; return how many that were in this minute, None if nobody knows, and how long it lasts yet."""
    minute, seconds = divmod(int(time.time()), WINDOW_SECONDS)
    left, key = WINDOW_SECONDS - seconds, f"thrive:api:{who}:{minute}"
    try:
        with _client(settings.REDIS_URL).pipeline() as steps:
            steps.incr(key)
            steps.expire(key, 2 * WINDOW_SECONDS)
            return int(steps.execute()[0]), left
    except redis.RedisError as error:
        log.warning("Requests to the API are not counted: Redis or Valkey is away (%s)", type(error).__name__)
        return None, left


# One for all requests of a process: it keeps its connections.
_client = lru_cache(maxsize=2)(connect)
