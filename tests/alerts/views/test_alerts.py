"""The page Alerts, the count in the menu, and what a person chooses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from alerts.models import Alert, Wishes
from tests.alerts.conftest import SignIn, rows, sign_in
from tests.targetgroups.views.conftest import text_of

__all__ = ["rows", "sign_in"]
pytestmark = pytest.mark.django_db


def alert(kind: str = "failed", about: str = "Members", **fields: object) -> Alert:
    given = {"text": "MemberSuite did not answer.", "link": "/target-groups/1/", "raised_at": timezone.now()}
    return Alert.objects.create(**given | {"kind": kind, "key": f"group:{about}", "about": about} | fields)


def test_open_ones_come_first_and_past_ones_say_how_long(sign_in: SignIn) -> None:
    alert(about="Over", raised_at=timezone.now() - timedelta(hours=2), recovered_at=timezone.now())
    alert(about="Now")
    page = text_of(sign_in().get("/alerts/"))
    assert page.index("Now") < page.index("Past") < page.index("Over")
    assert "after 2 h 00 min" in page


def test_without_any_the_page_says_that_all_is_well(sign_in: SignIn) -> None:
    assert "All is well" in text_of(sign_in().get("/alerts/"))


def test_past_ones_are_paged(sign_in: SignIn) -> None:
    for number in range(60):
        alert(about=f"No {number:02}", recovered_at=timezone.now())
    client = sign_in()
    page = client.get("/alerts/")
    assert "No 59" in text_of(page) and "No 09" not in text_of(page)
    older = text_of(client.get(f"/alerts/?before={page.context['older']}"))
    assert "No 09" in older and "No 10" not in older


def test_nobody_sees_what_their_role_may_not(sign_in: SignIn) -> None:
    alert("mailing", about="Secret news")
    assert "Secret news" not in text_of(sign_in("Subscribers").get("/alerts/"))
    assert "Secret news" in text_of(sign_in("Reporter").get("/alerts/"))


def test_a_link_that_would_be_refused_is_none(sign_in: SignIn) -> None:
    alert("unreachable", about="Lamp Keepers", link="/bridge-configuration/")
    assert 'href="/bridge-configuration/"' not in sign_in("Reporter").get("/alerts/").content.decode()
    assert '<a href="/bridge-configuration/">Lamp Keepers' in sign_in().get("/alerts/").content.decode()


def test_who_has_no_role_is_told_so(client, db) -> None:
    client.force_login(User.objects.create_user("new"))
    assert client.get("/alerts/").status_code == 403


def test_the_menu_counts_what_is_new_until_it_was_seen(sign_in: SignIn) -> None:
    client, last = sign_in(), alert()
    assert "1 new" in text_of(client.get("/preferences/"))
    client.post("/alerts/seen/", {"up_to": last.pk})
    assert "1 new" not in text_of(client.get("/preferences/"))
    alert(about="Another")
    assert "1 new" in text_of(client.get("/preferences/"))


def test_what_comes_while_the_page_is_read_stays_new(sign_in: SignIn) -> None:
    client, shown = sign_in(), alert()
    alert(about="Another")
    client.post("/alerts/seen/", {"up_to": shown.pk})
    client.post("/alerts/seen/", {"up_to": 1})  # an older window
    assert "1 new" in text_of(client.get("/preferences/"))
    client.post("/alerts/seen/", {"up_to": 10**15})
    alert(about="A third")
    assert "1 new" in text_of(client.get("/preferences/"))


def test_the_count_is_one_statement_on_an_index(sign_in: SignIn) -> None:
    client = sign_in()
    alert()
    with CaptureQueriesContext(connection) as captured:
        client.get("/alerts/")
    assert len([each for each in captured.captured_queries if "LEFT JOIN alerts_wishes" in each["sql"]]) == 1


def test_what_is_chosen_counts_and_the_rest_is_not_told(sign_in: SignIn) -> None:
    client = sign_in("Subscribers")
    alert()
    assert "1 new" in text_of(client.get("/preferences/"))
    client.post("/preferences/alerts/", {"email": ["held", "mailing"], "app": ["held"]})
    assert "1 new" not in text_of(client.get("/preferences/"))
    wishes = Wishes.objects.get()
    assert (wishes.email, wishes.app) == (["held"], ["held"])  # no right to see mailings
    page = client.get("/preferences/alerts/").content.decode()
    assert 'name="email" value="held" checked' in page
    assert 'name="app" value="failed">' in page


def test_to_choose_nothing_is_a_choice(sign_in: SignIn) -> None:
    client = sign_in()
    client.post("/preferences/alerts/", {})
    assert " checked" not in client.get("/preferences/alerts/").content.decode()


def test_seeing_alerts_changes_nothing_of_the_choice(sign_in: SignIn) -> None:
    client = sign_in()
    client.post("/alerts/seen/", {"up_to": alert().pk})
    assert 'name="email" value="failed" checked' in client.get("/preferences/alerts/").content.decode()
