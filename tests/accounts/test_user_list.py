"""Admin > Users as a table: its columns, order and page size are each person's own, and so is its file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import tokens, two_step
from accounts.columns import USERS
from accounts.models import User
from audit.models import AuditEntry
from tests.accounts.test_users import names, somebody
from tests.targetgroups.views.conftest import SignIn, sign_in, text_of
from tests.targetgroups.views.test_exports import download
from tests.targetgroups.views.test_tables import headers

__all__ = ["sign_in"]
pytestmark = pytest.mark.django_db
PAGE, CSV, CHOOSER = "/users/", "/users/csv/", "/users/tables/users/columns/"
EVERY = [str(column.label) for column in USERS.columns]


def choose(client: Client, *keys: str, **more: Any) -> Any:
    return client.post(CHOOSER, {"columns": keys, "order": keys, **more})


@pytest.fixture
def ben() -> User:
    """Somebody of whom every column has something to say."""
    seen = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    fields = {"first_name": "=Ben", "last_name": "Wick", "email": "ben@lamps.example", "last_seen_at": seen}
    ben = somebody("ben", "Publisher", "Subscribers", timezone="America/New_York", language="en-gb", **fields)
    two_step.confirm(ben, pyotp.TOTP(two_step.begin(ben).secret).now())
    tokens.revoke(ben, tokens.create(ben, "former", ["read:groups"], 1)[0])
    tokens.create(ben, "nightly", ["read:groups"], 1)
    times = {"date_joined": seen.replace(day=1), "invited_at": seen.replace(day=2)}
    User.objects.filter(pk=ben.pk).update(invited_by=somebody("cleo"), **times)
    return ben


def test_columns_are_chosen_and_name_and_user_name_are_always_there(ben: User, sign_in: SignIn) -> None:
    client = sign_in()
    assert headers(client, PAGE) == EVERY[:7]
    assert choose(client, "state", "roles", size="25")["Location"] == PAGE
    assert headers(client, PAGE) == ["Name", "User name", "State", "Roles"]
    assert "<option selected>25</option>" in client.get(PAGE).content.decode()
    assert choose(client, *USERS.keys, back="/users/?state=active")["Location"] == "/users/?state=active"
    assert headers(client, PAGE) == EVERY
    assert client.post("/users/tables/target_groups/columns/").status_code == 404


def test_every_column_has_its_cell_on_the_page_and_in_the_file(ben: User, sign_in: SignIn) -> None:
    client = sign_in(timezone="Asia/Kathmandu")
    choose(client, *USERS.keys)
    row = text_of(client.post(PAGE, {"q": "ben"})).split("=Ben Wick ", 1)[1]
    assert "ben ben@lamps.example Publisher, Subscribers On Active " in row
    assert re.search(r" ago cleo America/New York English \(United Kingdom\) 1 1 shown", row), row
    assert download(client, CSV, q="ben") == [
        EVERY,
        [
            "'=Ben Wick",
            "ben",
            "ben@lamps.example",
            "Publisher, Subscribers",
            "On",
            "Active",
            "2026-05-04 08:47:01+05:45",
            "2026-05-01 08:47:01+05:45",
            "2026-05-02 08:47:01+05:45",
            "cleo",
            "America/New York",
            "English (United Kingdom)",
            "1",
        ],
    ]
    cleo = download(client, CSV, q="cleo")[1]
    assert [*cleo[2:7], *cleo[8:]] == ["", "Reporter", "Off", "Active", "", "", "", "UTC", "The browser’s", "0"]


def test_r16_the_file_is_what_the_list_shows_and_that_is_recorded_without_what_was_typed(
    ben: User, sign_in: SignIn
) -> None:
    client = sign_in()
    choose(client, "email")
    assert download(client, f"{CSV}?sort=-username") == [
        ["Name", "User name", "E-mail"],
        ["cleo", "cleo", ""],
        ["'=Ben Wick", "ben", "ben@lamps.example"],
        ["administrator", "administrator", ""],
    ]
    assert [row[1] for row in download(client, f"{CSV}?role=Publisher&state=active", q="wick")] == ["User name", "ben"]
    entry = AuditEntry.objects.filter(action="users.exported").order_by("-pk")[0]
    assert entry.after == {
        "role": "Publisher",
        "state": "active",
        "columns": ["name", "username", "email"],
        "is_searched": True,
    }
    administrator = User.objects.get(username="administrator")
    assert "exported" not in text_of(client.get(f"/users/{administrator.pk}/")), "it did nothing to who did it"


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("added", ["ben", "cleo", "administrator"]),
        ("-invited", ["ben", "cleo", "administrator"]),
        ("-invited_by", ["ben", "cleo", "administrator"]),
        ("time_zone", ["ben", "administrator", "cleo"]),
    ],
)
def test_columns_that_are_not_there_at_first_sort_too(
    sort: str, expected: list[str], ben: User, sign_in: SignIn
) -> None:
    assert names(sign_in(), f"/users/?sort={sort}") == expected


def test_a_search_stays_when_the_list_is_sorted_or_goes_on(sign_in: SignIn) -> None:
    client = sign_in()
    User.objects.bulk_create(User(username=f"lamp{number:02}") for number in range(60))
    page = client.post("/users/?role=&sort=username", {"q": "lamp"}).content.decode()
    assert (
        re.findall(r'<button form="people-form" formaction="([^"]*)"', page)[-1]
        == "/users/?role=&amp;sort=username&amp;page=2"
    )
    assert names(client, "/users/?sort=username&page=2", q="lamp") == [f"lamp{number:02}" for number in range(50, 60)]
    part = client.post(PAGE, {"q": "lamp07"}, headers={"HX-Request": "true", "HX-Target": "people"})
    assert part.content.decode().lstrip().startswith('<div id="people"')


def test_with_every_column_a_long_list_asks_as_often_as_a_short_one(ben: User, sign_in: SignIn) -> None:
    client = sign_in()
    choose(client, *USERS.keys)

    def asked(address: str, **posted: str) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(address, posted)
            assert b"ben" in answer.getvalue()
        return [query["sql"] for query in queries]

    few = [asked(PAGE), asked(CSV)]
    for number in range(40):
        tokens.create(somebody(f"user{number:02}", invited_by=ben), "nightly", ["read:groups"], 1)
    many = [asked(PAGE), asked(CSV)]
    assert [len(queries) for queries in many] == [len(queries) for queries in few]
    assert not [sql for queries in many for sql in queries if "COUNT(" in sql]
