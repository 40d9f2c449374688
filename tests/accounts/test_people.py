"""The user model: time zone and remembered tables."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.middleware import TimezoneMiddleware
from accounts.models import Session, User
from accounts.preferences import remember_table

pytestmark = pytest.mark.django_db


def zone_seen_by(user: User, rf: RequestFactory) -> str:
    request = rf.get("/")
    request.user = user
    seen: list[str] = []

    def inner(request: HttpRequest) -> HttpResponse:
        seen.append(timezone.get_current_timezone_name())
        return HttpResponse()

    TimezoneMiddleware(inner)(request)
    return seen[0]


def test_pages_run_in_the_persons_own_zone(rf: RequestFactory) -> None:
    assert zone_seen_by(User.objects.create_user("ann", timezone="America/Chicago"), rf) == "America/Chicago"


def test_a_zone_that_is_gone_falls_back_instead_of_failing(rf: RequestFactory) -> None:
    assert zone_seen_by(User.objects.create_user("ann", timezone="Mars/Olympus"), rf) in zoneinfo.available_timezones()


@pytest.mark.parametrize(
    ("chosen", "browser", "written"),
    [
        ("en-gb", "en-US", "27 Nov 2026"),
        ("", "en-US,en;q=0.9", "Nov 27, 2026"),
        ("", "en-IE", "27 Nov 2026"),
        ("", "xx", "Nov 27, 2026"),
        ("gone", "en-CA", "27 Nov 2026"),
    ],
)
def test_dates_are_written_as_the_person_chose_or_the_browser_asks(
    client: Client, chosen: str, browser: str, written: str
) -> None:
    user = User.objects.create_user("ann", language=chosen, timezone="UTC")
    client.force_login(user)
    at = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
    Session.objects.update(created_at=at)
    answer = client.get("/preferences/", HTTP_ACCEPT_LANGUAGE=browser)
    assert f"{written}, 09:30:00 UTC" in answer.content.decode()
    assert answer["Content-Language"] == (chosen if chosen == "en-gb" else answer.wsgi_request.LANGUAGE_CODE)


def test_an_unknown_zone_is_refused_when_saved_by_a_form() -> None:
    with pytest.raises(ValidationError):
        User(username="ann", password="x", timezone="Mars/Olympus").full_clean()


def test_remembering_one_table_keeps_the_others_and_its_other_choices() -> None:
    user = User.objects.create_user("ann")
    remember_table(user, "groups", columns=["name"])
    remember_table(user, "runs", page_size=100)
    remember_table(user, "groups", page_size=50)
    user.refresh_from_db()
    assert user.table_preferences == {"groups": {"columns": ["name"], "page_size": 50}, "runs": {"page_size": 100}}


def test_signing_out_takes_a_post(client: Client) -> None:
    client.force_login(User.objects.create_user("ann"))
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert "_auth_user_id" not in client.session


def test_a_wrong_password_says_so_in_one_sentence(client: Client) -> None:
    User.objects.create_user("ann", password="right-password")
    response = client.post("/sign-in/", {"username": "ann", "password": "wrong"})
    assert "do not match" in response.content.decode()


def test_preferences_are_saved_and_keep_what_they_do_not_show(client: Client) -> None:
    user = User.objects.create_user("ann", table_preferences={"runs": {"page_size": 50}})
    client.force_login(user)
    values = {"first_name": "Ann", "last_name": "Lee", "email": "ann@example.org", "timezone": "Europe/Vienna"}
    client.post("/preferences/", values)
    user.refresh_from_db()
    assert (user.first_name, user.timezone, user.email) == ("Ann", "Europe/Vienna", "ann@example.org")
    assert (user.username, user.table_preferences) == ("ann", {"runs": {"page_size": 50}})
    refused = client.post("/preferences/", values | {"email": "ann"}).content.decode()
    assert 'id="id_email_error"' in refused
