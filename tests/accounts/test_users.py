"""Admin > Users: who is here, and what an Administrator does with them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import people
from accounts.exceptions import NotAllowedNow
from accounts.models import Session, User
from audit.models import AuditEntry
from tests.targetgroups.views.conftest import SignIn, sign_in, text_of

__all__ = ["sign_in"]
pytestmark = pytest.mark.django_db


def somebody(name: str, *roles: str, **fields: object) -> User:
    user = User.objects.create_user(name, password="lamps in the window", **fields)
    user.groups.set(Group.objects.filter(name__in=roles or ["Reporter"]))
    return user


def names(client: Client, address: str = "/users/", **posted: str) -> list[str]:
    answer = client.post(address, posted) if posted else client.get(address)
    return [line.user.username for line in answer.context["lines"]]


def test_the_list_tells_name_roles_state_and_when_last_seen(sign_in: SignIn) -> None:
    seen = timezone.now() - timedelta(hours=3)
    somebody("ben", "Publisher", "Subscribers", first_name="Ben", email="ben@lamps.example", last_seen_at=seen)
    page = text_of(sign_in().get("/users/"))
    assert "ben ben@lamps.example Publisher, Subscribers Off Active 3 h ago" in page
    assert "you" in page


def test_people_are_found_by_any_part_and_what_is_typed_is_in_no_address(sign_in: SignIn) -> None:
    somebody("ben", first_name="Ben", last_name="Wick", email="b.wick@lamps.example")
    somebody("cleo")
    client = sign_in()
    assert names(client, q="wick ben") == ["ben"]
    assert names(client, q="LAMPS.example") == ["ben"]
    assert "Nobody found" in text_of(client.post("/users/", {"q": "%"}))
    assert names(client, "/users/?q=ben") == ["administrator", "ben", "cleo"]


def test_the_list_is_narrowed_by_role_and_state(sign_in: SignIn) -> None:
    somebody("off", is_active=False)
    somebody("pub", "Publisher")
    people.invite("command", "mia@lamps.example", [Group.objects.get(name="Publisher")])
    somebody("ben")
    for _ in range(5):
        Client().post("/sign-in/", {"username": "ben", "password": "wrong"})
    client = sign_in()
    assert names(client, "/users/?role=Publisher") == ["mia@lamps.example", "pub"]
    assert names(client, "/users/?state=deactivated") == ["off"]
    assert names(client, "/users/?state=invited") == ["mia@lamps.example"]
    assert names(client, "/users/?state=locked") == ["ben"]
    assert names(client, "/users/?state=active") == ["administrator", "pub"]
    assert names(client, "/users/?role=Emperor&state=lost&sort=x&page=no") == names(client)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["cleo", "administrator", "ben"]),
        ("-name", ["ben", "administrator", "cleo"]),
        ("username", ["administrator", "ben", "cleo"]),
        ("email", ["administrator", "cleo", "ben"]),
        ("-seen", ["ben", "cleo", "administrator"]),
    ],
)
def test_the_list_is_sorted(sort: str, expected: list[str], sign_in: SignIn) -> None:
    now = timezone.now()
    somebody("ben", first_name="Zed", email="z@x.example", last_seen_at=now)
    somebody("cleo", first_name="Abe", email="a@x.example", last_seen_at=now - timedelta(days=1))
    client = sign_in(first_name="Mid")
    assert names(client, f"/users/?sort={sort}") == expected


def test_a_long_list_has_pages_and_asks_as_often_as_a_short_one(sign_in: SignIn) -> None:
    client = sign_in()
    with CaptureQueriesContext(connection) as few:
        client.get("/users/")
    User.objects.bulk_create(User(username=f"user{number:03}") for number in range(150))
    with CaptureQueriesContext(connection) as many:
        page = client.get("/users/")
    assert len(page.context["lines"]) == 50
    assert len(many) == len(few) <= 7  # the menu's count of alerts among them
    assert not [query for query in many if "COUNT(" in query["sql"]]
    assert len(client.get("/users/?page=4").context["lines"]) == 1
    assert len(client.get("/users/?page=5").context["lines"]) == 50, "beyond the last page: the first"


def test_roles_are_changed_and_recorded_before_and_after(sign_in: SignIn) -> None:
    ben, client = somebody("ben"), sign_in()
    page = client.post(f"/users/{ben.pk}/roles/", {"roles": ["Publisher", "Subscribers"]}, follow=True)
    assert "Roles changed: Reporter → Publisher, Subscribers" in text_of(page)
    entry = AuditEntry.objects.get(action="user.roles_changed")
    assert (entry.before, entry.after) == ({"roles": ["Reporter"]}, {"roles": ["Publisher", "Subscribers"]})
    assert entry.actor_label == "administrator"
    client.post(f"/users/{ben.pk}/roles/", {"roles": ["Publisher", "Subscribers"]})
    assert AuditEntry.objects.filter(action="user.roles_changed").count() == 1, "nothing was changed"
    assert client.post(f"/users/{ben.pk}/roles/", {}).status_code == 422


def test_who_is_deactivated_is_signed_out_in_the_middle_and_can_not_come_back(sign_in: SignIn) -> None:
    ben, theirs = somebody("ben"), Client()
    theirs.force_login(ben)
    assert theirs.get("/preferences/").status_code == 200
    administrator = sign_in()
    administrator.post(f"/users/{ben.pk}/deactivate/")
    assert theirs.get("/preferences/").status_code == 302
    assert not Session.objects.filter(user=ben).exists()
    attempt = {"username": "ben", "password": "lamps in the window"}
    assert Client().post("/sign-in/", attempt).status_code == 200
    administrator.post(f"/users/{ben.pk}/reactivate/")
    assert Client().post("/sign-in/", attempt).status_code == 302
    actions = AuditEntry.objects.filter(object_id=str(ben.pk)).values_list("action", flat=True)
    assert set(actions) == {"user.deactivated", "user.reactivated"}


def test_nobody_deactivates_or_demotes_themselves(sign_in: SignIn) -> None:
    somebody("second", "Administrator")
    client = sign_in()
    myself = User.objects.get(username="administrator")
    page = client.post(f"/users/{myself.pk}/deactivate/", follow=True)
    assert "You can't deactivate yourself" in page.content.decode().replace("&#x27;", "'")
    page = client.post(f"/users/{myself.pk}/roles/", {"roles": ["Reporter"]}, follow=True)
    assert "from yourself" in page.content.decode()
    myself.refresh_from_db()
    assert myself.is_active and myself.may("manage_users")


def test_the_last_active_administrator_stays_one() -> None:
    last = somebody("last", "Administrator")
    somebody("off", "Administrator", is_active=False)
    people.invite("command", "mia@lamps.example", [Group.objects.get(name="Administrator")])
    other = somebody("other", "Manager")
    for act in (
        lambda: people.deactivate(other, last),
        lambda: people.change_roles(other, last, [Group.objects.get(name="Reporter")]),
    ):
        with pytest.raises(NotAllowedNow, match="last active Administrator"):
            act()
    assert User.objects.get(pk=last.pk).is_active
    assert people.change_roles(other, last, Group.objects.filter(name__in=["Administrator", "Manager"]))


def test_the_first_user_of_a_new_site_is_an_administrator_like_all_others() -> None:
    first = User.objects.create_superuser("first", password="lamps in the window")
    assert [role.name for role in first.groups.all()] == ["Administrator"]
    other = somebody("other", "Administrator")
    people.change_roles(other, first, [Group.objects.get(name="Reporter")])
    assert not User.objects.get(pk=first.pk).may("manage_users")


def test_an_administrator_ends_all_sessions_of_somebody(sign_in: SignIn) -> None:
    ben, theirs = somebody("ben"), Client()
    theirs.force_login(ben)
    sign_in().post(f"/users/{ben.pk}/sign-out/")
    assert theirs.get("/preferences/").status_code == 302
    assert AuditEntry.objects.get(action="user.signed_out").after == {"count": 1}


def test_an_administrator_unlocks(sign_in: SignIn) -> None:
    ben = somebody("ben")
    for _ in range(5):
        Client().post("/sign-in/", {"username": "ben", "password": "wrong"})
    client = sign_in()
    assert "Unlock" in text_of(client.get(f"/users/{ben.pk}/"))
    client.post(f"/users/{ben.pk}/unlock/")
    assert "Unlock" not in text_of(client.get(f"/users/{ben.pk}/")).replace("Unlocked", "")
    assert Client().post("/sign-in/", {"username": "ben", "password": "lamps in the window"}).status_code == 302


@pytest.mark.parametrize("action", ["reactivate", "withdraw", "invite-again"])
def test_what_a_user_is_not_in_the_state_for_is_refused_with_a_reason(action: str, sign_in: SignIn) -> None:
    ben = somebody("ben")
    page = sign_in().post(f"/users/{ben.pk}/{action}/", follow=True)
    assert "note-bad" in page.content.decode()
    assert not AuditEntry.objects.filter(object_id=str(ben.pk)).exists()


def test_a_user_who_is_not_there_is_a_404(sign_in: SignIn) -> None:
    assert sign_in().get("/users/999999/").status_code == 404


def test_users_is_in_the_menu_and_found_by_its_words(sign_in: SignIn) -> None:
    assert 'href="/users/"' in sign_in().get("/preferences/").content.decode()
    assert 'href="/users/"' not in sign_in("Manager").get("/preferences/").content.decode()
    assert "Admin > Users" in text_of(sign_in().post("/search/", {"q": "invite"}))
