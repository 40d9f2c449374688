"""Where people are signed in: the list, its ends, idle time and the 12 hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.browsers import described, shown
from accounts.models import Session, User
from audit.models import AuditEntry
from tests.support.pseudo import BEGIN, END, marking

pytestmark = pytest.mark.django_db
PASSWORD = "lamps in the window"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36 Edg/142.0.0.0"
)


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", password=PASSWORD)


def signed_in(agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": agent})
    assert client.post("/sign-in/", {"username": "ann", "password": PASSWORD}).status_code == 302
    return client


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("curl/8.5", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_called_what_its_person_calls_it(agent: str, words: str) -> None:
    assert described(agent) == words
    assert shown(words) == words
    with marking():
        assert shown(words).startswith(BEGIN) and shown(words).endswith(END)


def test_every_sign_in_is_listed_and_the_one_here_stands_first(ann: User) -> None:
    signed_in(PHONE)
    page = signed_in().get("/preferences/").content.decode()
    assert page.index("Firefox on Linux") < page.index("This one") < page.index("Safari on iPhone")
    keys = Session.objects.values_list("session_key", flat=True)
    assert not any(key in page for key in keys), "a key would open the session"


def test_one_other_session_is_ended_at_once(ann: User) -> None:
    here, phone = signed_in(), signed_in(PHONE)
    place = next(place for place in here.get("/preferences/").context["places"] if not place.is_here)
    here.post("/preferences/sessions/end/", {"session": place.handle})
    assert phone.get("/preferences/").status_code == 302
    assert here.get("/preferences/").status_code == 200


def test_all_others_are_ended_and_that_is_recorded(ann: User) -> None:
    here, others = signed_in(), [signed_in(PHONE), signed_in(EDGE)]
    here.post("/preferences/sessions/end/")
    assert [other.get("/preferences/").status_code for other in others] == [302, 302]
    assert here.get("/preferences/").status_code == 200
    assert AuditEntry.objects.get(action="user.signed_out_elsewhere").after == {"count": 2}


def test_nobody_ends_the_session_of_somebody_else(ann: User) -> None:
    here = signed_in()
    handle = here.get("/preferences/").context["places"][0].handle
    other = Client()
    other.force_login(User.objects.create_user("ben"))
    other.post("/preferences/sessions/end/", {"session": handle})
    assert here.get("/preferences/").status_code == 200


def test_reading_pages_writes_once_a_minute_at_most(ann: User) -> None:
    with time_machine.travel("2026-11-02 09:00:00+00:00", tick=False) as clock:
        here = signed_in()
        assert not writes_of(here)
        clock.shift(timedelta(seconds=59))
        assert not writes_of(here)
        clock.shift(timedelta(seconds=2))
        assert len(writes_of(here)) == 2, "the session's row, and the person's"
        assert not writes_of(here)
        ann.refresh_from_db()
        assert ann.last_seen_at == timezone.now() == Session.objects.get().seen_at


def writes_of(client: Client) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get("/preferences/").status_code == 200
    return [query["sql"] for query in captured if query["sql"].startswith(("UPDATE", "INSERT"))]


def test_who_does_nothing_for_an_hour_is_signed_out_and_told(ann: User) -> None:
    with time_machine.travel("2026-11-02 09:00:00+00:00", tick=False) as clock:
        here = signed_in()
        clock.shift(timedelta(minutes=59))
        assert here.get("/preferences/").status_code == 200
        clock.shift(timedelta(minutes=61))
        page = here.get("/preferences/", follow=True)
        assert page.redirect_chain == [("/sign-in/?next=/preferences/", 302)]
        assert "nothing was done here for 60 minutes" in page.content.decode()
        assert not Session.objects.filter(user=ann).exists()


def test_a_page_that_asks_for_news_by_itself_keeps_nobody_signed_in(ann: User) -> None:
    with time_machine.travel("2026-11-02 09:00:00+00:00", tick=False) as clock:
        here = signed_in()
        for _ in range(2):
            clock.shift(timedelta(minutes=31))
            polled = here.get("/", headers={"X-By-Itself": "true"})
        assert polled.status_code == 302


def test_without_an_idle_time_only_the_twelve_hours_count(ann: User, settings: Any) -> None:
    settings.SESSION_IDLE_MINUTES = 0
    with time_machine.travel("2026-11-02 09:00:00+00:00", tick=False) as clock:
        here = signed_in()
        for _ in range(3):
            clock.shift(timedelta(hours=3, minutes=50))
            values = {"first_name": "Ann", "timezone": "UTC"}
            assert here.post("/preferences/", values).status_code == 302  # writes the session as well: a message
            assert here.get("/preferences/").status_code == 200
        clock.shift(timedelta(minutes=31))
        assert here.get("/preferences/").status_code == 302, "12 hours after the sign-in, whatever was done since"


def test_a_changed_password_ends_all_other_sessions_and_is_recorded(ann: User) -> None:
    here, phone = signed_in(), signed_in(PHONE)
    new = "a quite different phrase"
    values = {"password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/preferences/password/", values).status_code == 302
    assert here.get("/preferences/").status_code == 200
    assert phone.get("/preferences/").status_code == 302
    ann.refresh_from_db()
    assert ann.check_password(new)
    assert AuditEntry.objects.get(action="user.password_changed").after is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"password": "wrong"}, "This is not your password."),
        ({"new_password2": "another phrase entirely"}, "The two passwords are not the same."),
        ({"new_password1": "short", "new_password2": "short"}, "at least 10 characters"),
        ({"new_password1": "", "new_password2": ""}, "This field is required."),
    ],
)
def test_a_password_that_is_not_changed_says_why(ann: User, values: dict[str, str], said: str) -> None:
    new = "a quite different phrase"
    whole = {"password": PASSWORD, "new_password1": new, "new_password2": new} | values
    answer = signed_in().post("/preferences/password/", whole)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_the_rules_of_passwords_stand_beside_the_field(ann: User) -> None:
    page = signed_in().get("/preferences/").content.decode()
    assert "at least 10 characters" in page and "too similar" in page
