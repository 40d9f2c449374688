"""Programs with tokens of every role, and rows for them to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts import tokens
from accounts.models import User
from accounts.scopes import SCOPES
from tests.mailings.views.conftest import Desk, desk
from tests.targetgroups.views.conftest import Rows, rows

__all__ = ["Desk", "Rows", "desk", "rows"]
API = "/api/v1"


class Program:
    """Calls the API with one token, and gives back answers as they came."""

    def __init__(self, user: User, scopes: Sequence[str] = tuple(SCOPES), days: int = 30) -> None:
        self.token, self.text = tokens.create(user, "nightly report", list(scopes), days)
        self.client = Client(raise_request_exception=False)

    def get(self, address: str, **query: Any) -> Any:
        return self.client.get(self._whole(address), query, headers=self._headers({}))

    def post(self, address: str, body: Any = None, **headers: str) -> Any:
        given = {"data": b"" if body is None else json.dumps(body), "content_type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(self._whole(address), headers=self._headers(named), **given)

    def everything(self, address: str, **query: Any) -> list[Any]:
        """Follow a list to its end."""
        found, page = [], self.get(address, **query)
        while True:
            assert page.status_code == 200, page.content
            found += page.json()["results"]
            if page.json()["next"] is None:
                return found
            page = self.client.get(page.json()["next"], headers=self._headers({}))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}", **more}

    def _whole(self, address: str) -> str:
        return address if address.startswith("/api/") else f"{API}/{address}"


Programs = Callable[..., Program]


@pytest.fixture
def program(db: None) -> Programs:
    """Make a program whose token's user has this role."""

    def make(role: str = "Administrator", scopes: Sequence[str] = tuple(SCOPES), **how: Any) -> Program:
        user, _ = User.objects.get_or_create(username=f"{role.lower()}-of-programs")
        user.groups.set([Group.objects.get(name=role)])
        return Program(user, scopes, **how)

    return make


def is_problem(answer: Any, status: int, code: str = "") -> bool:
    """Say whether an answer is a refusal of this kind, as RFC 9457 has it."""
    assert answer["Content-Type"] == "application/problem+json", answer.content
    told = answer.json()
    assert told["status"] == answer.status_code and told["title"] and told["detail"] and told["type"]
    return bool(answer.status_code == status and (not code or told["code"] == code))
