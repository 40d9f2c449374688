"""Ticked target groups, folders and the search of the list, as the pages offer them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from mailings.models import Mailing, MailingGroup
from targetgroups.models import Folder, SyncRun, TargetGroup
from tests.targetgroups.views.conftest import Rows, SignIn, text_of
from tests.targetgroups.views.test_groups import LIST, names_on

IN_LIST = {"HX-Request": "true", "HX-Target": "groups"}
IN_DIALOG = {"HX-Request": "true", "HX-Target": "ask-body"}


def names(client: Client, **asked: Any) -> list[str]:
    return names_on(client.get(LIST, {"folder": "all", **asked}).content.decode())


def test_delete_asks_first_and_says_what_stays_and_why(rows: Rows, sign_in: SignIn) -> None:
    free, used, client = rows.group("Free"), rows.group("Used"), sign_in()
    MailingGroup.objects.create(mailing=Mailing.objects.create(name="Spring news"), target_group=used)
    asked = client.post(LIST + "delete/?sort=-name", {"group": [free.pk, used.pk]})
    words = text_of(asked)
    assert "Delete “Free”?" in words
    assert "Members and counts are kept as they are until you undelete." in words
    assert "1 target group stays: Used : It is used by the mailing “Spring news” (Draft)." in words
    assert TargetGroup.objects.present().count() == 2
    done = client.post(LIST + "delete/?sort=-name", {"group": [free.pk, used.pk], "sure": "1"}, follow=True)
    assert done.redirect_chain == [(LIST + "?sort=-name", 302)]
    assert "Deleted: “Free”." in text_of(done)
    assert "Not deleted: 1 target group. Used : It is used by" in text_of(done)
    assert names_on(done.content.decode()) == ["Used"]


def test_what_was_done_comes_back_with_the_list_where_a_part_was_asked_for(rows: Rows, sign_in: SignIn) -> None:
    group, client = rows.group("Members"), sign_in()
    asked = client.post(LIST + "delete/", {"group": group.pk}, headers=IN_DIALOG)
    assert "<html" not in asked.content.decode()
    done = client.post(LIST + "delete/", {"group": group.pk, "sure": "1"}, headers=IN_LIST)
    page = done.content.decode()
    assert page.lstrip().startswith('<div id="groups"')
    assert 'id="messages" role="status" tabindex="-1" hx-swap-oob="true"' in page
    assert "Deleted: “Members”." in text_of(done)


def test_show_deleted_lists_them_with_a_word_and_undeletes_many_at_once(rows: Rows, sign_in: SignIn) -> None:
    past = [rows.group(name, deleted_at=timezone.now(), member_count=2) for name in ("One", "Two")]
    client = sign_in()
    assert "One" not in text_of(client.get(LIST, {"folder": "all"}))
    shown = client.get(LIST, {"folder": "all", "deleted": "1"})
    assert text_of(shown).count("Deleted just now") == 2
    assert "/resync/" not in "".join(re.findall(r'<tr id="group.*?</tr>', shown.content.decode(), re.DOTALL))
    done = client.post(LIST + "undelete/", {"group": [group.pk for group in past]}, follow=True)
    assert "Undeleted: 2 target groups." in text_of(done)
    assert names_on(done.content.decode()) == ["One", "Two"]


def test_move_offers_the_folders_and_a_new_one_whose_name_must_be_free(rows: Rows, sign_in: SignIn) -> None:
    group, client = rows.group("Members"), sign_in()
    asked = client.post(LIST + "move/", {"group": group.pk})
    assert "Main Folder MemberSuite New folder" in text_of(asked)
    typed = {"group": group.pk, "folder": "new", "new_folder": "MEMBERsuite"}
    refused = client.post(LIST + "move/", typed, headers=IN_LIST)
    assert (refused.status_code, refused["HX-Retarget"]) == (200, "#ask-body")
    assert "There is a folder “MEMBERsuite” already." in text_of(refused)
    assert 'value="MEMBERsuite"' in refused.content.decode()
    client.post(LIST + "move/", {**typed, "new_folder": "Gala"})
    group.refresh_from_db()
    assert group.folder.name == "Gala"
    for unknown in ("99999", "x"):
        assert "no such folder any more" in text_of(client.post(LIST + "move/", {"group": group.pk, "folder": unknown}))


def test_resync_of_the_ticked_ones_says_why_one_was_not(rows: Rows, sign_in: SignIn) -> None:
    fine, asks = rows.group("Fine"), rows.group("Asks", not_runnable_code="needs_parameter")
    done = sign_in().post(LIST + "resync/", {"group": [fine.pk, asks.pk]}, follow=True)
    assert "A resync was asked for: “Fine”." in text_of(done)
    assert "Asks : This search asks for a value each time it is run" in text_of(done)
    assert [run.target_group for run in SyncRun.objects.all()] == [fine]


@pytest.mark.parametrize("action", ["resync", "move", "delete", "undelete"])
def test_without_a_tick_the_list_says_what_to_do(action: str, rows: Rows, sign_in: SignIn) -> None:
    rows.group()
    done = sign_in().post(f"{LIST}{action}/", {"group": ["x", ""]}, follow=True)
    assert "Tick at least one target group first." in text_of(done)


def test_each_role_sees_the_actions_it_may_do(rows: Rows, sign_in: SignIn) -> None:
    rows.group()
    reporter = sign_in("Reporter").get(LIST).content.decode()
    assert 'id="bulk"' not in reporter
    assert 'type="checkbox" name="group"' not in reporter
    for word in ("bulk-resync", "bulk-move", "bulk-delete", 'name="group"'):
        assert word in sign_in("Subscribers").get(LIST).content.decode()


# --- the search -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "terms", "found"),
    [
        (["name_contains"], ["MEM"], ["Members", "Past members"]),
        (["name_contains", "name_lacks"], ["mem", "past"], ["Members"]),
        (["name_starts"], ["past"], ["Past members"]),
        (["count_min"], ["1,000"], ["Members"]),
        (["count_max"], ["10"], ["Past members"]),
        (["not_counted"], [""], ["Twin", "Twin"]),
        (["same_name", "is_gone"], ["", ""], ["Twin"]),
        (["synced_since"], ["2001-02-03"], ["Members", "Past members"]),
        (["synced_before"], ["2001-02-03"], []),
        (["has_error"], [""], ["Past members"]),
        (["count_min"], ["many"], ["Members", "Past members", "Twin", "Twin"]),
        (["nonsense", "name_is"], ["x", "members"], ["Members"]),
    ],
)
def test_every_condition_must_hold(
    keys: list[str], terms: list[str], found: list[str], rows: Rows, sign_in: SignIn
) -> None:
    rows.group("Members", member_count=1500)
    rows.group("Past members", member_count=7, error_code="timed_out")
    rows.group("Twin")
    rows.group("Twin", gone_at=timezone.now())
    assert names(sign_in(), **{"is": keys, "term": terms}) == found


def test_a_term_that_can_not_be_compared_with_is_told_and_left_out(rows: Rows, sign_in: SignIn) -> None:
    rows.group()
    page = sign_in().get(LIST, {"is": ["count_min", "synced_since"], "term": ["abc", "yesterday"]})
    assert "Count is at least “abc”: That is not a whole number, like 1,500. It was left out." in text_of(page)
    assert "That is not a date written year-month-day" in text_of(page)


def test_each_condition_has_a_link_to_the_list_without_it(rows: Rows, sign_in: SignIn) -> None:
    rows.group()
    asked = {"folder": "all", "q": "me", "is": ["name_contains", "not_counted"], "term": ["mem", ""]}
    page = sign_in().get(LIST, asked).content.decode()
    assert 'href="?folder=all&amp;q=me&amp;is=not_counted&amp;term="' in page
    assert 'href="?folder=all&amp;q=me&amp;is=name_contains&amp;term=mem"' in page


def test_the_plus_sign_adds_a_condition_without_javascript(rows: Rows, sign_in: SignIn) -> None:
    page = sign_in().get(LIST, {"is": ["name_is"], "term": ["x"], "more": "1"}).content.decode()
    assert page.count('class="criterion"') == 2
    assert re.search(r"<dialog[^>]* open>", page)


# --- folders --------------------------------------------------------------------------------------------------------


def test_the_list_opens_on_all_folders_and_later_on_the_one_looked_at_last(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Here", folder=rows.main)
    rows.group("Elsewhere")
    client = sign_in()
    assert names_on(client.get(LIST).content.decode()) == ["Elsewhere", "Here"]
    client.get(LIST, {"folder": rows.main.pk})
    again = client.get(LIST, follow=True)
    assert again.redirect_chain == [(f"{LIST}?folder={rows.main.pk}", 302)]
    assert names_on(again.content.decode()) == ["Here"]
    client.get(LIST, {"folder": "all"})
    assert client.get(LIST).status_code == 200
    assert User.objects.get().table_preferences["target_groups"] == {"folder": "all"}


def test_a_remembered_folder_that_is_gone_leads_to_all_of_them(rows: Rows, sign_in: SignIn) -> None:
    folder, client = Folder.objects.create(name="Gala"), sign_in()
    client.get(LIST, {"folder": folder.pk})
    client.post(f"{LIST}folders/{folder.pk}/delete/")
    assert client.get(LIST).status_code == 200


def test_folders_are_created_renamed_and_deleted_on_their_page(rows: Rows, sign_in: SignIn) -> None:
    client, there = sign_in(), LIST + "folders/"
    assert "was created" in text_of(client.post(there + "create/", {"name": "Gala"}, follow=True))
    folder = Folder.objects.get(name="Gala")
    rows.group("Guests", folder=folder)
    assert 'value="Gala"' in client.get(there, {"rename": folder.pk}).content.decode()
    refused = client.post(f"{there}{folder.pk}/rename/", {"name": "main folder"})
    assert (refused.status_code, "already" in text_of(refused)) == (422, True)
    assert "is called “Ball” now" in text_of(client.post(f"{there}{folder.pk}/rename/", {"name": "Ball"}, follow=True))
    assert "Its 1 target group moves to Main Folder." in text_of(client.get(there, {"delete": folder.pk}))
    done = client.post(f"{there}{folder.pk}/delete/", follow=True)
    assert "“Ball” was deleted; 1 target group moved to Main Folder." in text_of(done)
    assert "Always there" in text_of(done)


# --- the refresh's sentence -----------------------------------------------------------------------------------------


def test_r15_each_number_of_the_refresh_opens_its_groups(rows: Rows, sign_in: SignIn) -> None:
    same, renamed, new = rows.group("Same"), rows.group("Renamed"), rows.group("New")
    rows.group("Gone long ago", gone_at=timezone.now())
    gone, past = rows.group("Gone"), rows.group("Past", deleted_at=timezone.now())
    figures = {
        "new": 1, "renamed": 1, "returned": 0, "gone": 1, "unchanged": 1, "deleted": 1,
        "new_search_ids": [new.search_id], "renamed_groups": [[renamed.pk, "Before", "Renamed"]],
        "returned_groups": [], "gone_groups": [gone.pk], "deleted_groups": [past.pk],
    }  # fmt: skip
    run = rows.run(figures=figures, sentence="told")
    TargetGroup.objects.filter(pk=gone.pk).update(gone_at=timezone.now())
    client = sign_in()
    page = client.get(LIST).content.decode()
    found = {}
    for address, words in re.findall(r'<a href="([^"]*refresh=[^"]*)">([^<]*)</a>', page):
        opened = client.get(address.replace("&amp;", "&"))
        found[words] = re.findall(r'id="name-\d+">([^<]+)<', opened.content.decode())
    assert found == {
        "1 new": ["New"], "1 renamed": ["Renamed"], "1 no longer in MemberSuite": ["Gone"],
        "1 unchanged": ["Same"], "1 deleted here": ["Past"],
    }  # fmt: skip
    assert "formerly “Before”" in text_of(client.get(LIST, {"refresh": run.pk, "part": "renamed"}))
    assert same.pk


def test_two_groups_of_one_name_show_their_search_ids(rows: Rows, sign_in: SignIn) -> None:
    twins = [rows.group("Twin"), rows.group("Twin")]
    words = text_of(sign_in().get(LIST))
    assert all(f"Same name twice {group.search_id}" in words for group in twins)


def test_r15_a_count_opens_its_people_for_those_who_may_see_them(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group(member_count=7)
    link = f'href="/target-groups/{group.pk}/subscribers/"'
    assert link in sign_in("Reporter").get(LIST).content.decode()
