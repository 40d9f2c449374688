"""Settings that are wrong: each says what is wrong and where to correct it, and changes nothing (R4, R17)."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, transaction
from django.forms import model_to_dict

from memberSuite.exceptions import HostUnreachable
from targetgroups import enqueue
from targetgroups.forms import BridgeForm
from targetgroups.models import Bridge
from targetgroups.sync import contact
from tests.support.engine import perform_beside
from tests.support.failing import completes, fails, picture, synced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import SettingsWrapper

    from tests.support.engine import Engine

NAME = "All individuals"
KEY = "MemberSuite refused the access key or the signature. Check the Access Key ID, the Secret Access Key"
SECRET = "The Secret Access Key is not in the form MemberSuite gives it (base64 text). Copy it again"
HOST = "The MemberSuite server could not be reached. Check the service address"
NOT_THERE = "The service address answers, but MemberSuite's service is not there. Check the address"
CERTIFICATE = "The server's certificate could not be verified, so no secret was sent. Check the service address"
PASSWORD = "MemberSuite refused the sign-in. Check the API user and its password on Bridge Configuration"
REST = {"transport": "rest"}


@pytest.fixture
def group(engine: Engine, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch) -> str:
    settings.MEMBERSUITE_RETRY_WAIT_SECONDS = 0.001
    # A name server that does not answer would cost ten seconds a try.
    monkeypatch.setenv("RES_OPTIONS", "timeout:1 attempts:1")
    return synced(engine, NAME, page_size=200)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def _wrong_settings(engine: Engine) -> dict[str, tuple[dict[str, str], str, str]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    return {
        "access key": ({"access_key_id": "AKEXAMPLE9999"}, "invalid_access_key", KEY),
        "association": ({"association_id": "99999999-2222-3333-4444-555555555555"}, "invalid_access_key", KEY),
        "secret": ({"secret_access_key": "b3RoZXItc2VjcmV0"}, "invalid_access_key", KEY),
        "secret that is no base64": ({"secret_access_key": "not base64!"}, "invalid_secret", SECRET),
        "host": ({"service_address": "http://no-such-host.invalid/"}, "host_unreachable", HOST),
        "port": ({"service_address": f"http://127.0.0.1:{closed}/"}, "host_unreachable", HOST),
        "path": ({"service_address": f"{engine.standin.url}/elsewhere"}, "address_wrong", NOT_THERE),
        "https": (
            {"service_address": engine.standin.url.replace("http:", "https:")},
            "certificate_invalid",
            CERTIFICATE,
        ),
        "password": (REST | {"api_password": "wrong"}, "login_refused", PASSWORD),
        "tenant": (REST | {"tenant_id": "40999"}, "login_refused", PASSWORD),
        "REST path": (REST | {"service_address": f"{engine.standin.url}/elsewhere"}, "address_wrong", NOT_THERE),
    }


def test_r4_each_wrong_setting_fails_with_a_sentence_of_its_own_and_changes_nothing(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    good = Bridge.objects.get()
    for what, (fields, code, sentence) in _wrong_settings(engine).items():
        with subtests.test(what):
            _set(good, fields)
            run = fails(engine, group, code)
            assert run.error_text.startswith(sentence)
            bridge = Bridge.objects.get()
            assert (bridge.last_error_code, bridge.last_error_text) == (code, run.error_text)
            for secret in (bridge.secret_access_key, bridge.api_password):
                assert secret not in run.error_text + run.remote_said
    _set(good, {})
    completes(engine, group)


def test_a_connection_test_says_the_same_at_the_step_that_fails(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    good, before = Bridge.objects.get(), picture()
    for what, (fields, code, sentence) in _wrong_settings(engine).items():
        with subtests.test(what):
            _set(good, fields)
            run = engine.work(enqueue.request_check(Bridge.objects.get()))
            assert (run.status, run.error_code) == ("failed", code)
            assert run.error_text.startswith(sentence)
            outcomes = [step["outcome"] for step in run.figures["steps"]]
            failed_at = outcomes.index("failed")
            assert failed_at == (0 if code in ("host_unreachable", "certificate_invalid") else 1)
            assert outcomes == ["ok"] * failed_at + ["failed"] + ["skipped"] * (3 - failed_at)
            assert picture() == before


def test_a_mended_address_is_not_blamed_for_what_a_run_met_at_the_old_one(engine: Engine) -> None:
    _set(Bridge.objects.get(), {"service_address": "http://127.0.0.1:9/"})
    taken_along = Bridge.objects.get()
    _set(Bridge.objects.get(), {"service_address": engine.standin.url})
    contact.note_failed(taken_along, HostUnreachable("ConnectionRefusedError"))
    assert Bridge.objects.get().last_error_text == ""


def test_a_connection_test_finds_as_many_searches_as_a_refresh_makes_groups_of(engine: Engine) -> None:
    check = engine.work(enqueue.request_check(Bridge.objects.get()))
    new = engine.refresh().figures["new"]
    assert [step["said"] for step in check.figures["steps"]][2] == f"{new} active public searches found."


def test_an_address_in_a_private_network_is_refused_unless_the_operator_allows_it(
    engine: Engine, settings: SettingsWrapper
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    before, asked = picture(), engine.standin.calls("WhoAmI")
    run = engine.work(enqueue.request_check(Bridge.objects.get()))
    assert (run.status, run.error_code) == ("failed", "address_private")
    assert "ALLOW_PRIVATE_ADDRESSES" in run.error_text
    assert (picture(), engine.standin.calls("WhoAmI")) == (before, asked)


def test_r3_a_list_refresh_with_a_wrong_setting_marks_no_group(engine: Engine, group: str) -> None:
    before = picture()
    _set(Bridge.objects.get(), {"access_key_id": "AKEXAMPLE9999"})
    run = engine.refresh()
    assert (run.status, run.error_code) == ("failed", "invalid_access_key")
    assert run.error_text.startswith(KEY)
    assert picture() == before
    assert not engine.group(group).is_gone


@pytest.mark.parametrize("transport", ["concierge", "rest"])
def test_r4_a_run_at_a_host_that_hangs_is_cancelled(
    engine: Engine, group: str, silent_port: int, transport: str
) -> None:
    before = picture()
    _set(Bridge.objects.get(), {"service_address": f"http://127.0.0.1:{silent_port}/", "transport": transport})
    run = enqueue.request_sync(engine.group(group), "resync_now")
    thread = perform_beside(run)
    _wait_until_running(run)
    enqueue.request_cancel(run)
    # Only the cancellation ends this: the host would be given two minutes.
    thread.join(20)
    assert not thread.is_alive()
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("cancelled", "cancelled")
    assert run.error_text == "The sync was cancelled. Nothing was changed."
    assert picture() == before
    assert engine.group(group).error_code == ""


def test_a_connection_test_at_a_host_that_hangs_is_cancelled(engine: Engine, group: str, silent_port: int) -> None:
    _set(Bridge.objects.get(), {"service_address": f"http://127.0.0.1:{silent_port}/"})
    run = enqueue.request_check(Bridge.objects.get())
    thread = perform_beside(run)
    _wait_until_running(run)
    enqueue.request_cancel(run)
    # Only the cancellation ends this: the host would be given two minutes.
    thread.join(20)
    assert not thread.is_alive()
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_the_database_refuses_a_page_size_and_requests_in_flight_outside_their_range(bridge: Bridge) -> None:
    outside = [("page_size", n) for n in (0, 24, 1001)] + [("requests_in_flight", n) for n in (0, 17)]
    for field, value in outside:
        with pytest.raises(IntegrityError, match=f"bridge_{field}_range"), transaction.atomic():
            Bridge.objects.update(**{field: value})


def test_the_form_says_what_a_page_size_and_requests_in_flight_may_be(
    bridge: Bridge, subtests: pytest.Subtests
) -> None:
    refused = [
        ("page_size", 24, "The page size must be 25 or more."),
        ("page_size", 1001, "The page size must be 1000 or less."),
        ("page_size", "many", "The page size must be a whole number from 25 to 1000."),
        ("requests_in_flight", 0, "At least 1 request must be in flight."),
        ("requests_in_flight", 17, "At most 16 requests can be in flight."),
    ]
    for field, value, sentence in refused:
        with subtests.test(f"{field} {value}"):
            assert _form(bridge, **{field: value}).errors == {field: [sentence]}
    for page_size in (25, 1000):
        assert _form(bridge, page_size=page_size).errors == {}


def test_the_form_refuses_a_secret_that_is_no_base64_and_never_shows_it(bridge: Bridge) -> None:
    form = _form(bridge, secret_access_key="not base64!")
    assert list(form.errors) == ["secret_access_key"]
    assert form.errors["secret_access_key"][0].startswith("This is not a secret access key: it holds characters")
    assert "not base64!" not in str(form)


@pytest.mark.parametrize("page_size", [25, 1000])
def test_the_smallest_and_the_largest_page_size_read_the_same_people(engine: Engine, page_size: int) -> None:
    synced(engine, NAME, page_size=page_size)


def _set(good: Bridge, fields: dict[str, str]) -> None:
    """Give the bridge the good settings but for some."""
    bridge = Bridge.objects.get()
    for name in ("service_address", "association_id", "access_key_id", "secret_access_key", "tenant_id", "api_user"):
        setattr(bridge, name, getattr(good, name))
    bridge.api_password, bridge.transport = good.api_password, good.transport
    for name, value in fields.items():
        setattr(bridge, name, value)
    bridge.save()


def _form(bridge: Bridge, **fields: Any) -> BridgeForm:
    return BridgeForm({**model_to_dict(bridge), **fields}, instance=Bridge.objects.get(pk=bridge.pk))


def _wait_until_running(run: Any) -> None:
    until = time.monotonic() + 10
    while run.status != "running" and time.monotonic() < until:
        time.sleep(0.02)
        run.refresh_from_db()
    time.sleep(0.2)  # the request is on its way
