"""Too many wrong passwords for a user name from one address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.test import Client, RequestFactory

from accounts import lockout
from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "lamps in the window"


@pytest.fixture(autouse=True)
def ann() -> User:
    return User.objects.create_user("ann", password=PASSWORD)


def attempt(password: str = "wrong", name: str = "ann", address: str = "192.0.2.1", agent: str = "") -> Any:
    client = Client(REMOTE_ADDR=address, headers={"User-Agent": agent})
    return client.post("/sign-in/", {"username": name, "password": password})


def test_the_fifth_wrong_password_locks_and_the_page_says_what_to_do() -> None:
    answers = [attempt(agent=f"browser {number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    page = answers[-1].content.decode()
    assert "For 15 minutes no more is taken" in page and "administrator can unlock" in page
    assert attempt(PASSWORD).status_code == 429
    assert lockout.locked_names() == {"ann"}


def test_others_and_other_addresses_are_not_locked() -> None:
    User.objects.create_user("ben", password=PASSWORD)
    for _ in range(6):
        attempt()
    assert attempt(PASSWORD, name="ben").status_code == 302
    assert attempt(PASSWORD, address="192.0.2.2").status_code == 302


def test_the_lock_opens_by_itself_and_trying_on_does_not_make_it_longer() -> None:
    with time_machine.travel("2026-11-02 09:00:00+00:00", tick=False) as clock:
        for _ in range(5):
            attempt()
        clock.shift(timedelta(minutes=14))
        assert attempt().status_code == 429
        clock.shift(timedelta(minutes=2))
        assert lockout.locked_names() == set()
        assert attempt(PASSWORD).status_code == 302
        assert lockout.forget_old() == 0, "the sign-in itself has forgotten them"


def test_a_right_password_forgets_the_wrong_ones_and_unlocking_does_too(ann: User) -> None:
    for _ in range(4):
        attempt()
    assert attempt(PASSWORD).status_code == 302
    assert not AccessAttempt.objects.exists()
    for _ in range(5):
        attempt()
    lockout.unlock(ann)
    assert attempt(PASSWORD).status_code == 302


def test_a_name_that_nobody_has_locks_alike() -> None:
    assert [attempt(name="nobody").status_code for _ in range(5)][-1] == 429


def test_nothing_that_was_typed_is_kept() -> None:
    attempt("a-password-with-a-slip")
    kept = AccessAttempt.objects.get()
    assert "slip" not in kept.post_data + kept.get_data


def test_wrong_passwords_on_preferences_lock_as_well() -> None:
    client = Client()
    client.force_login(User.objects.get())
    values = {"password": "wrong", "new_password1": "one new phrase", "new_password2": "one new phrase"}
    answers = [client.post("/preferences/password/", values).status_code for _ in range(5)]
    assert answers == [422, 422, 422, 422, 429]
    assert "new phrase" not in "".join(AccessAttempt.objects.values_list("post_data", flat=True))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),  # nobody's word but the connection's
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "10.9.9.9, 203.0.113.9", "203.0.113.9"),  # the first is what the client says of itself
        (2, "203.0.113.9, 198.51.100.7", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "", "192.0.2.1"),
    ],
)
def test_behind_a_proxy_only_its_own_word_counts(
    proxies: int, forwarded: str, address: str, settings: Any, rf: RequestFactory
) -> None:
    settings.PROXY_COUNT = proxies
    request = rf.get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert lockout.client_address(request) == address


def test_what_is_no_address_at_all_does_not_fail_the_sign_in(settings: Any) -> None:
    settings.PROXY_COUNT = 1
    client = Client(HTTP_X_FORWARDED_FOR="unix:")
    assert client.post("/sign-in/", {"username": "ann", "password": "wrong"}).status_code == 200
