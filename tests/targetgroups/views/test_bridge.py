"""Bridge Configuration: wrong input has its sentence, secrets stay in (R17), changes are recorded (R16)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEntry
from targetgroups.models import Bridge, SyncRun
from tests.targetgroups.views.conftest import Rows, SignIn, text_of

PAGE = "/bridge-configuration/"
FILLED: dict[str, Any] = {
    "name": "Lamp Keepers",
    "transport": "concierge",
    "service_address": "https://soap.example.org/",
    "association_id": "a-1",
    "access_key_id": "key-1",
    "secret_access_key": "",
    "page_size": "200",
    "requests_in_flight": "4",
    "guard_percent": "20",
    "guard_people": "25",
    "lists_do_not_email": "on",
}


@pytest.fixture
def client(rows: Rows, sign_in: SignIn) -> Client:
    return sign_in()


def save(client: Client, **changed: Any) -> Any:
    return client.post(PAGE + "save/", FILLED | changed, follow=True)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"page_size": "0"}, "The page size must be 25 or more."),
        ({"page_size": "1001"}, "The page size must be 1000 or less."),
        ({"page_size": "many"}, "The page size must be a whole number from 25 to 1000."),
        ({"requests_in_flight": "0"}, "At least 1 request must be in flight."),
        ({"requests_in_flight": "17"}, "At most 16 requests can be in flight."),
        ({"guard_percent": "101"}, "A percentage is at most 100."),
        ({"service_address": "not an address"}, "This is not an address."),
        ({"service_address": "http://soap.example.org/"}, "must start with https://"),
        ({"service_address": "https://me:pw@soap.example.org/"}, "Leave user name and password out"),
        ({"secret_access_key": "not base64!"}, "This is not a secret access key"),
        ({"secret_access_key": "abc"}, "This is not a secret access key"),
        ({"association_id": ""}, "Concierge (SOAP) needs this."),
        ({"transport": "rest"}, "REST needs this."),
        ({"service_address": "https://elsewhere.example.org/"}, "enter this secret again"),
    ],
)
def test_wrong_input_is_told_in_a_sentence_of_its_own_and_nothing_is_saved(
    changed: dict[str, str], sentence: str, client: Client
) -> None:
    before = Bridge.objects.values().get()
    answer = save(client, **changed)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert "Nothing was saved." in text_of(answer)
    assert Bridge.objects.values().get() == before
    assert not AuditEntry.objects.exists()


def test_r17_a_stored_secret_is_kept_when_left_empty_and_never_shown(client: Client) -> None:
    page = save(client, page_size="100")
    bridge = Bridge.objects.get()
    assert (bridge.page_size, bridge.secret_access_key) == (100, "c2VjcmV0LW9uZQ==")
    assert "c2VjcmV0LW9uZQ" not in page.content.decode()
    assert "Stored encrypted" in text_of(page)


def test_r17_what_was_typed_as_a_secret_is_not_sent_back_when_something_else_is_wrong(client: Client) -> None:
    assert "bmV3LXNlY3JldA==" not in save(client, secret_access_key="bmV3LXNlY3JldA==", page_size="0").content.decode()


def test_r16_r17_a_change_is_recorded_without_its_secrets(client: Client) -> None:
    save(client, secret_access_key="bmV3LXNlY3JldA==", guard_percent="30")
    entry = AuditEntry.objects.get()
    assert (entry.actor_label, entry.action) == ("administrator", "bridge changed")
    assert (entry.before["guard_percent"], entry.after["guard_percent"]) == (20, 30)
    assert entry.after["replaced"] == ["secret_access_key"]
    assert "bmV3" not in str((entry.before, entry.after))
    assert Bridge.objects.get().secret_access_key_set_at is not None


def test_the_first_bridge_is_made_here(client: Client) -> None:
    Bridge.objects.all().delete()
    assert "Not set yet" in text_of(client.get(PAGE))
    save(client, secret_access_key="bmV3LXNlY3JldA==")
    assert Bridge.objects.get().is_configured
    assert AuditEntry.objects.get().action == "bridge created"


def test_a_stand_in_on_this_machine_needs_no_https(client: Client) -> None:
    save(client, service_address="http://127.0.0.1:8010/", secret_access_key="bmV3LXNlY3JldA==")
    assert Bridge.objects.get().service_address == "http://127.0.0.1:8010/"


def test_r8_test_connection_is_a_run_with_its_steps_shown_live(client: Client) -> None:
    bridge = Bridge.objects.get()
    client.post(f"{PAGE}{bridge.pk}/test/")
    assert SyncRun.objects.get().kind == "check"
    page = client.get(PAGE)
    for step in ("Reach host", "Sign in", "List searches", "Read one record"):
        assert f"{step} Waiting" in text_of(page)
    assert "every 1s" in page.content.decode()


def test_a_finished_test_shows_what_each_step_said(client: Client, rows: Rows) -> None:
    step = {"name": "sign_in", "outcome": "failed", "said": "MemberSuite does not know this key.", "took_seconds": 0.2}
    rows.run(kind="check", status="failed", figures={"steps": [step]}, error_text="No.")
    assert "Sign in Failed 0.2 s MemberSuite does not know this key." in text_of(client.get(PAGE))


def test_who_may_only_look_gets_no_buttons(rows: Rows, sign_in: SignIn) -> None:
    page = sign_in("Manager").get(PAGE)
    assert "Your role lets you read this page but not change it." in text_of(page)
    assert "Test connection" not in text_of(page)


def test_the_default_of_2018_is_told_in_words(client: Client) -> None:
    assert "Since 2018 MemberSuite sets Do Not Email to Yes on every new record" in text_of(client.get(PAGE))
