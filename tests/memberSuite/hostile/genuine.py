"""What MemberSuite would really answer: the stand-in's replies, each made once."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, replace

from memberSuite.standin.server import StandIn, route
from memberSuite.standin.web import Request
from tests.memberSuite.standin.concierge import ACTION, Caller

SEARCHES = ("All individuals", "Current members")  # over REST only the first can be run
_HEADER = re.compile(rb"<ConciergeRequestHeader.*</ConciergeRequestHeader>", re.DOTALL)


@dataclass(frozen=True)
class Reply:
    """A reply before it is on the wire."""

    status: int
    content_type: str
    body: bytes

    @property
    def is_xml(self) -> bool:
        return "xml" in self.content_type


class Genuine:
    """Answers any request as the stand-in does, whatever session or token it names: a hostile reply may have spoilt it.

    `is_kept` is for people who do not change: each answer is then made once.
    """

    def __init__(self, standin: StandIn, *, is_kept: bool = True) -> None:
        self.standin = standin
        self._is_kept = is_kept
        self._signed = Caller(standin)
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str, str, str, bytes], Reply] = {}
        self._token = ""

    def answer(self, request: Request) -> Reply:
        action = operation_of(request) if request.header("soapaction") else ""
        body = _HEADER.sub(self._signed.header(action).encode(), request.body) if action else request.body
        key = (request.method, request.path, str(sorted(request.query.items())), action, body)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = self._ask(replace(request, body=body))
            if self._is_kept:
                with self._lock:
                    self._known[key] = known
        return known

    def _ask(self, request: Request) -> Reply:
        if not request.path.startswith("/platform/v2/loginUser") and not request.header("soapaction"):
            request = replace(request, headers=request.headers | {"authorization": self._token or self._sign_in()})
        response = route(self.standin.world, self.standin.url, request)
        return Reply(response.status, response.content_type, response.body)

    def _sign_in(self) -> str:
        payload = json.dumps({"email": self.standin.api_user, "password": self.standin.api_password}).encode()
        path = f"/platform/v2/loginUser/{self.standin.tenant_id}"
        answer = route(self.standin.world, self.standin.url, Request("POST", path, {}, {}, payload))
        self._token = "Bearer " + json.loads(answer.body)["data"]["idToken"]
        return self._token


def operation_of(request: Request) -> str:
    """Return what a request asks for, in one word."""
    action = request.header("soapaction").strip('"').removeprefix(ACTION)
    return action or next((part for part in reversed(request.path.split("/")) if part.isalpha()), "")
