"""The column chooser: which columns, in which order, how many rows; one choice a person and table."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.tables import merged
from targetgroups.columns import EXCLUDED, SUBSCRIBERS, TABLES, attribute_columns
from tests.targetgroups.views.conftest import Rows, SignIn, text_of

CHOOSER = "/tables/subscribers/columns/"


def shown(**preferences: Any) -> list[str]:
    user = User(table_preferences={"subscribers": preferences})
    return [column.key for column in SUBSCRIBERS.shown_to(user, attribute_columns(["Chapter"]))]


def headers(client: Client, address: str) -> list[str]:
    head = client.get(address).content.decode().split('id="people"')[1].split("</thead>")[0]
    return [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in re.findall(r"<th [^>]*>(.*?)</th>", head, re.S)]


def test_columns_stand_in_the_order_that_was_chosen_and_what_names_the_row_is_always_there() -> None:
    assert shown(columns=["status", "attribute:Chapter", "email"]) == ["status", "attribute:Chapter", "email"]
    assert shown(columns=["status", "first_name"]) == ["email", "status", "first_name"]
    assert shown(columns=["status", "status", "gone", "attribute:Elsewhere"]) == ["email", "status"]
    assert shown(columns=[]) == ["email"]
    assert shown()[:3] == ["email", "first_name", "last_name"]
    assert shown(columns="nonsense") == shown()


def test_attributes_of_other_groups_keep_their_place_when_columns_are_chosen_here() -> None:
    before = ["email", "attribute:Theirs", "status", "attribute:Here"]
    offered = ["email", "status", "first_name", "attribute:Here"]
    assert merged(["first_name", "email"], offered, before) == ["first_name", "email", "attribute:Theirs"]
    assert merged(["status"], offered, ["attribute:Theirs", "email"]) == ["attribute:Theirs", "status"]
    assert merged(["status"], offered, ["email", "no_column_any_more"]) == ["status"]


def test_the_order_is_remembered_and_the_chooser_shows_it(rows: Rows, sign_in: SignIn) -> None:
    group, client = rows.group(member_count=1, attribute_names=["Chapter"]), sign_in()
    rows.member(group, "a@example.org", attributes={"Chapter": "North"})
    address = f"/target-groups/{group.pk}/subscribers/"
    chosen = ["attribute:Chapter", "email", "remote_id"]
    answer = client.post(CHOOSER, {"columns": chosen, "order": [*chosen, "status"], "size": "25", "back": address})
    assert answer["Location"] == address
    assert headers(client, address) == ["Chapter", "E-mail", "Remote ID"]
    page = client.get(address).content.decode()
    assert re.findall(r'name="order" value="([^"]*)"', page)[:3] == chosen
    assert "<option selected>25</option>" in page
    assert headers(sign_in("Manager"), address)[0] == "E-mail"  # a choice is a person's own
    client.post(CHOOSER, {"reset": "1", "columns": chosen})
    assert headers(client, address)[0] == "E-mail"


def test_without_javascript_a_move_shows_the_form_again_and_keeps_nothing(rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    asked: dict[str, Any] = {
        "order": ["email", "status", "attribute:<b>", "nonsense"],
        "columns": ["email", "attribute:<b>"],
        "back": "/x/",
    }
    page = client.post(CHOOSER, asked | {"move": "up:attribute:<b>"}).content.decode()
    assert re.findall(r'name="order" value="([^"]*)"', page) == ["email", "attribute:&lt;b&gt;", "status"]
    assert re.findall(r'value="([^"]*)"[^>]* checked', page) == ["email", "attribute:&lt;b&gt;"]
    assert 'name="back" value="/x/"' in page
    for wish in ("up:email", "up:unknown", "sideways:email", ""):
        page = client.post(CHOOSER, asked | {"move": wish}).content.decode()
        assert re.findall(r'name="order" value="([^"]*)"', page)[0] == "email"
    assert User.objects.get(username="administrator").table_preferences == {}


def test_a_list_that_was_searched_asks_again_by_itself_and_nobody_is_sent_elsewhere(sign_in: SignIn) -> None:
    client = sign_in()
    answer = client.post(CHOOSER, {"columns": ["email"], "keep": "1"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Trigger"]) == (204, "columns-chosen")
    for elsewhere in ("https://elsewhere.example/", "//elsewhere.example/", "javascript:1", ""):
        assert client.post(CHOOSER, {"back": elsewhere})["Location"] == "/target-groups/"
    assert client.post("/tables/no-such-table/columns/").status_code == 404


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_has_columns_of_different_names_and_one_that_names_the_row(name: str) -> None:
    keys = TABLES[name].keys
    assert len(set(keys)) == len(keys)
    assert sum(column.is_fixed for column in TABLES[name].columns) == 1


def test_lists_of_a_run_and_the_excluded_have_a_chooser_and_a_page_size_too(rows: Rows, sign_in: SignIn) -> None:
    group, client = rows.group(member_count=1), sign_in()
    for _ in range(30):
        rows.excluded(group)
    address = f"/target-groups/{group.pk}/excluded/"
    chosen = {"columns": ["seen", "remote_id"], "order": EXCLUDED.keys, "size": "25"}
    client.post("/tables/excluded/columns/", chosen)
    assert headers(client, address) == ["Seen", "Remote ID"]
    assert "25 shown" in text_of(client.get(address))
