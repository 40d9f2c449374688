"""The addresses of a target group that somebody deleted say what became of it; those of none lead back."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from targetgroups import bulk
from targetgroups.models import SyncRun, TargetGroup
from tests.targetgroups.views.conftest import Rows, SignIn, text_of

GETS = ("info", "info_live", "counts", "subscribers", "excluded", "in_search", "history")
POSTS = ("open_info", "resync", "preview", "subscribers_csv", "excluded_csv", "in_search_csv")
ADDRESSES = [f"targetgroups:{name}" for name in (*GETS, *POSTS)] + ["mailings:group_mailings"]


@pytest.fixture
def deleted(rows: Rows, sign_in: SignIn) -> TargetGroup:
    group = rows.group("Old <friends>", member_count=1_234)
    rows.member(group, "ada@lamps.example")
    sign_in("Subscribers", first_name="Mia")
    bulk.delete_groups([group.pk], User.objects.get(username="subscribers"))
    group.refresh_from_db()
    return group


@pytest.mark.parametrize("name", ADDRESSES)
def test_every_address_of_a_deleted_group_says_what_became_of_it(
    name: str, deleted: TargetGroup, sign_in: SignIn
) -> None:
    client, address = sign_in(), reverse(name, args=[deleted.pk])
    page = client.post(address) if name.split(":")[1] in POSTS else client.get(address)
    assert page.status_code == 404
    words = text_of(page)
    for part in (
        "Old <friends>",
        "This target group was deleted",
        "By subscribers",
        "Its 1,234 members and all its counts, as they were",
        deleted.search_id,
    ):
        assert part in words
    assert f'href="/sync-activity/?group={deleted.pk}"' in page.content.decode()
    assert "ada@lamps.example" not in words
    assert not SyncRun.objects.exists()


def test_undelete_there_brings_it_back_and_shows_it(deleted: TargetGroup, sign_in: SignIn) -> None:
    client = sign_in("Subscribers")
    page = client.get(f"/target-groups/{deleted.pk}/").content.decode()
    assert 'action="/target-groups/undelete/"' in page
    shown = client.post("/target-groups/undelete/", {"group": deleted.pk, "to": "info"}, follow=True)
    assert shown.redirect_chain == [(f"/target-groups/{deleted.pk}/", 302)]
    assert "Undeleted: “Old <friends>”." in text_of(shown)
    assert "Overview" in text_of(shown)


def test_who_may_not_edit_groups_is_told_and_not_offered_it(deleted: TargetGroup, sign_in: SignIn) -> None:
    page = sign_in("Reporter").get(f"/target-groups/{deleted.pk}/")
    assert "Your role does not let you bring it back." in text_of(page)
    assert "undelete/" not in page.content.decode()


def test_the_right_is_asked_for_before_anything_is_told(deleted: TargetGroup, sign_in: SignIn) -> None:
    client = sign_in("Reporter")
    for name in ("subscribers_csv", "resync"):
        page = client.post(reverse(f"targetgroups:{name}", args=[deleted.pk]))
        assert page.status_code == 403
        assert "Old" not in text_of(page)


def test_a_part_of_a_page_cannot_say_it_so_the_page_goes_there(deleted: TargetGroup, sign_in: SignIn) -> None:
    headers = {"HX-Request": "true", "HX-Target": "info-live"}
    answer = sign_in().get(f"/target-groups/{deleted.pk}/live/", headers=headers)
    assert answer["HX-Redirect"] == f"/target-groups/{deleted.pk}/"


def test_a_group_without_counts_and_without_an_entry_in_the_log_says_so(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("Never counted", deleted_at=timezone.now(), gone_at=timezone.now())
    words = text_of(sign_in().get(f"/target-groups/{group.pk}/"))
    for part in ("By Not on record", "it was never counted", "No longer in MemberSuite"):
        assert part in words


def test_show_deleted_leads_there(deleted: TargetGroup, sign_in: SignIn) -> None:
    page = sign_in().get("/target-groups/?folder=all&deleted=1").content.decode()
    assert f'href="/target-groups/{deleted.pk}/"' in page


@pytest.mark.parametrize("number", ["999999", "9" * 30])
def test_a_group_that_never_was_is_the_products_404_with_a_way_back(number: str, rows: Rows, sign_in: SignIn) -> None:
    for part in ("", "subscribers/", "mailings/"):
        page = sign_in().get(f"/target-groups/{number}/{part}")
        assert page.status_code == 404
        assert "There is no such page" in text_of(page)
        assert 'href="/target-groups/">Go to Target Groups' in page.content.decode()


def test_a_run_of_another_group_stays_a_plain_404(rows: Rows, sign_in: SignIn) -> None:
    group, run = rows.group(), rows.run(rows.group("Other"))
    page = sign_in().post(f"/target-groups/{group.pk}/runs/{run.pk}/cancel/")
    assert page.status_code == 404
    assert "deleted</h2>" not in page.content.decode()
