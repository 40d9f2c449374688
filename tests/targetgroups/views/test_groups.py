"""Target Groups: order, states, filters, refresh."""

from __future__ import annotations

import re

from django.utils import timezone

from accounts.models import User
from targetgroups.models import Bridge, SyncRequest, SyncRun
from tests.targetgroups.views.conftest import Rows, SignIn, text_of

LIST = "/target-groups/"


def names_on(page: str) -> list[str]:
    return re.findall(r'class="name-link"[^>]*>([^<]+)<', page)


def test_sorting_by_count_puts_errors_first_then_not_counted_then_numbers(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Small", member_count=3)
    rows.group("Uncounted")
    rows.group("Empty", member_count=0)
    rows.group("Broken", member_count=9, error_code="timed_out", error_text="Too slow.")
    rows.group("Large", member_count=70)
    client = sign_in()
    assert names_on(client.get(LIST + "?sort=count").content.decode()) == [
        "Broken", "Uncounted", "Empty", "Small", "Large",
    ]  # fmt: skip
    downwards = names_on(client.get(LIST + "?sort=-count").content.decode())
    assert downwards == ["Broken", "Uncounted", "Large", "Small", "Empty"]


def test_every_header_sorts_both_ways_and_says_so(rows: Rows, sign_in: SignIn) -> None:
    for name in ("b", "a", "C"):
        rows.group(name)
    page = sign_in().get(LIST).content.decode()
    assert names_on(page) == ["a", "b", "C"]
    assert 'aria-sort="ascending"' in page
    assert names_on(sign_in().get(LIST + "?sort=-name").content.decode()) == ["C", "b", "a"]
    for word in ("last_synced", "-last_synced", "type", "-type", "folder", "search_id", "nonsense"):
        assert len(names_on(sign_in().get(LIST, {"sort": word}).content.decode())) == 3


def test_r15_what_was_never_counted_shows_a_word_and_no_number(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Fresh")
    page = sign_in().get(LIST)
    cell = re.search(r'<td class="count">(.*?)</td>', page.content.decode(), re.DOTALL)
    assert cell is not None
    assert "Not counted yet" in cell[1]
    assert "count-number" not in cell[1]


def test_r15_an_empty_group_that_was_counted_shows_its_0_and_age(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Empty", member_count=0)
    assert "0 Counted just now" in text_of(sign_in().get(LIST))


def test_r15_an_error_stands_beside_the_old_number_and_its_age(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Broken", member_count=1234, error_code="timed_out", error_text="MemberSuite was too slow.")
    page = sign_in().get(LIST)
    assert "1,234 Error from just now" in text_of(page)
    assert "MemberSuite was too slow." in page.content.decode()


def test_r10_a_vanished_search_keeps_its_group_and_says_so(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("Past", member_count=5, gone_at=timezone.now())
    page = sign_in().get(LIST)
    assert "No longer in MemberSuite" in text_of(page)
    assert f"/target-groups/{group.pk}/resync/" not in page.content.decode()


def test_two_searches_of_one_name_are_both_flagged(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Twin")
    rows.group("Twin")
    assert text_of(sign_in().get(LIST)).count("Same name twice") == 2


def test_folder_and_search_narrow_the_list(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Here")
    rows.group("Elsewhere", folder=rows.main)
    client = sign_in()
    assert names_on(client.get(LIST, {"folder": rows.main.pk}).content.decode()) == ["Elsewhere"]
    assert names_on(client.get(LIST, {"q": "HERE"}).content.decode()) == ["Elsewhere", "Here"]
    assert "No target group here" in text_of(client.get(LIST, {"q": "nothing such"}))


def test_refresh_asks_for_one_run_however_often_it_is_clicked(rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    for _ in range(3):
        assert client.post(LIST + "refresh/", {"bridge": rows.bridge.pk}).status_code == 302
    assert SyncRun.objects.filter(kind="list").count() == 1
    assert SyncRequest.objects.count() == 3


def test_refresh_stands_at_top_and_bottom_with_its_note_and_result(rows: Rows, sign_in: SignIn) -> None:
    rows.group()
    rows.run(sentence="2 new, 1 renamed, 37 unchanged")
    words = text_of(sign_in().get(LIST))
    assert words.count("Refresh Target Group List") == 2
    assert words.count("This does not update counts; Info does.") == 2
    assert "2 new, 1 renamed, 37 unchanged" in words


def test_the_list_polls_while_something_runs_and_not_after(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    client = sign_in()
    assert "every" not in client.get(LIST).content.decode()
    run = rows.run(group, "running")
    assert 'hx-trigger="every 1s' in client.get(LIST).content.decode()
    run.status = "completed"
    run.save()
    assert "every" not in client.get(LIST).content.decode()


def test_a_polled_list_is_the_same_part_as_in_the_page(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Members")
    part = sign_in().get(LIST, headers={"HX-Request": "true", "HX-Target": "groups"}).content.decode()
    assert part.lstrip().startswith('<div id="groups"')
    assert names_on(part) == ["Members"]


def test_search_id_is_off_until_chosen_and_the_choice_is_remembered(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    client = sign_in()
    assert f"<code>{group.search_id}</code>" not in client.get(LIST).content.decode()
    answer = client.post("/tables/target_groups/columns/", {"columns": ["search_id"], "size": "25", "back": LIST})
    assert answer["Location"] == LIST
    page = client.get(LIST).content.decode()
    assert f"<code>{group.search_id}</code>" in page
    assert names_on(page) == ["Members"]  # the name can't be switched off
    assert "sort=last_synced" not in page
    assert User.objects.get().table_preferences["target_groups"]["page_size"] == 25


def test_the_chooser_sends_nobody_to_another_site(rows: Rows, sign_in: SignIn) -> None:
    for back in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        answer = sign_in().post("/tables/target_groups/columns/", {"columns": ["count"], "back": back})
        assert answer["Location"] == LIST


def test_the_number_of_queries_does_not_grow_with_the_list(
    rows: Rows, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        rows.run(rows.group(f"Group {number}"), "running")
    client = sign_in()
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        client.get(LIST)


def test_with_several_associations_the_list_asks_which_and_refreshes_that_one(rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    rows.group("Of lamps")
    assert 'name="bridge" data-submit' not in client.get("/target-groups/?folder=all").content.decode()
    lenses = Rows(Bridge.objects.create(name="Lens Makers", association_id="a-2"))
    lenses.group("Of lenses", search_id="other", search_key="other")
    page = client.get("/target-groups/?folder=all")
    assert "Of lamps" in text_of(page)
    assert "Of lenses" in text_of(page)
    assert "Refresh Target Group List of Lamp Keepers" in text_of(page)
    page = client.get(f"/target-groups/?folder=all&bridge={lenses.bridge.pk}&sort=association")
    assert "Of lamps" not in text_of(page)
    assert "Of lenses" in text_of(page)
    assert "Refresh Target Group List of Lens Makers" in text_of(page)
    assert "Of lamps" in text_of(client.get("/target-groups/?folder=all&bridge=999999")), "an old address shows all"


def test_a_refresh_asked_for_beside_a_bridge_answers_with_that_bridge(rows: Rows, sign_in: SignIn) -> None:
    client, asked = sign_in(), {"bridge": rows.bridge.pk, "from": "bridge"}
    page = client.post("/target-groups/refresh/", asked, follow=True)
    assert page.redirect_chain[-1][0] == f"/bridge-configuration/{rows.bridge.pk}/"
    part = client.post(
        "/target-groups/refresh/", asked, follow=True, headers={"HX-Request": "true", "HX-Target": "check"}
    )
    assert part.content.decode().lstrip().startswith('<div id="check"')
