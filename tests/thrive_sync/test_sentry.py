"""What leaves this machine when somebody wants Sentry: where something failed, and nobody's data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.transport import Transport

from thrive_sync.health import sentry


class Kept(Transport):
    """Keeps what would be sent."""

    said: list[str]

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.said = []

    def capture_envelope(self, envelope: Any) -> None:
        self.said += [json.dumps(item.payload.json) for item in envelope.items]


@pytest.fixture
def kept() -> Iterator[Kept]:
    transport = Kept()
    sentry.start("https://key@sentry.example.org/1", "tests", transport=transport, default_integrations=False)
    yield transport
    sentry_sdk.get_global_scope().set_client(None)


def test_without_an_address_nothing_is_set_up() -> None:
    sentry.start("", "production")
    assert not sentry_sdk.get_client().is_active()


def test_an_error_tells_its_kind_and_place_and_nobody(kept: Kept) -> None:
    person = {"email": "ada@lamps.example", "name": "Ada Byron"}
    sentry_sdk.set_user({"email": person["email"]})
    sentry_sdk.add_breadcrumb(message="SELECT 'Ada Byron'")
    try:
        raise ValueError(f"no such member: {person['email']}, password=hunter2")
    except ValueError:
        sentry_sdk.capture_exception()
    [said] = kept.said
    assert "ValueError" in said
    assert "test_sentry" in said
    for secret in ("ada@", 'Ada Byron"', "hunter2"):
        assert secret not in said.replace("SELECT", ""), secret


def test_nothing_of_a_request_but_its_method_is_told() -> None:
    request = {
        "method": "POST",
        "url": "https://thrive.example.org/opt-out/token-of-a-person/",
        "headers": {"Cookie": "sessionid=1"},
        "query_string": "q=ada",
        "data": {"email": "ada@lamps.example"},
    }
    event = sentry.without_people({"request": request, "user": {"id": 1}, "extra": {"argv": []}, "level": "error"})
    assert event == {"request": {"method": "POST"}, "level": "error"}
