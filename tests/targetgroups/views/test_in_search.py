"""The list behind the first number of Counts: everybody in the search, and what became of them (R15)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from targetgroups.choices import ExclusionReason, OutcomeKind
from targetgroups.models import Exclusion, TargetGroup
from tests.targetgroups.views.conftest import FIGURES, Rows, SignIn, outcome, text_of
from tests.targetgroups.views.test_exports import download
from tests.targetgroups.views.test_run_people import listed

NOW = timezone.now()


@pytest.fixture
def group(rows: Rows) -> TargetGroup:
    """40 members; 25 records left out for two reasons, and one row too many of a member."""
    reasons = {"do_not_email": 15, "no_address": 9, "duplicate_row": 1}
    group = rows.group(member_count=40, exclusion_counts=reasons)
    group.counted_run = rows.run(group, figures=FIGURES)
    group.search_count = 65
    group.save()
    people = [rows.member(group, f"p{number:02}@lamps.example", f"F{99 - number}", "Same") for number in range(40)]
    for reason, count in (("no_address", 9), ("do_not_email", 15)):
        for _ in range(count):
            rows.excluded(group, reason)
    key = {"remote_id": people[3].remote_id, "remote_key": people[3].remote_key}
    rows.excluded(group, "duplicate_row", row_count=2, **key)
    rows.excluded(group, until_run_id=group.counted_run_id, ended_at=NOW)
    return group


def address_of(group: TargetGroup) -> str:
    return f"/target-groups/{group.pk}/in-search/"


def everybody(group: TargetGroup, order: str) -> list[str]:
    """Return the Remote IDs of the whole list, up: the members in this order, then who is left out, by reason."""
    members = group.memberships.order_by(order).values_list("subscriber__remote_id", flat=True)
    present = Exclusion.objects.filter(target_group=group, until_run_id__isnull=True).order_by("remote_key")
    return [*members, *(row.remote_id for reason in ExclusionReason for row in present.filter(reason=reason))]


def turned(client: Client, page: Any, label: str) -> Any:
    [address] = [
        found for found, words in re.findall(r'<a href="([^"]*)"[^>]*class="btn[^>]*>(.*?)</a>', page, re.DOTALL)
        if label in words
    ]  # fmt: skip
    return client.get(address.replace("&amp;", "&")).content.decode()


def ids(page: str) -> list[str]:
    return re.findall(r'<th scope="row">(?:<a [^>]*>)?<code>([^<]+)</code>', page)


@pytest.mark.parametrize("sort", ["email", "name"])
@pytest.mark.parametrize("is_descending", [False, True], ids=["up", "down"])
def test_pages_lead_through_everybody_and_back(
    sort: str, is_descending: bool, group: TargetGroup, sign_in: SignIn
) -> None:
    client, words = sign_in(), f"sort={'-' if is_descending else ''}{sort}&size=25"
    wanted = everybody(group, f"sort_{sort}")
    wanted = wanted[::-1] if is_descending else wanted
    pages = [client.get(f"{address_of(group)}?{words}").content.decode()]
    pages += [turned(client, pages[-1], "Next")]
    pages += [turned(client, pages[-1], "Next")]
    assert [one for page in pages for one in ids(page)] == wanted
    assert "Next" not in pages[-1]
    back = [turned(client, pages[-1], "Previous")]
    back += [turned(client, back[-1], "Previous")]
    assert [ids(page) for page in back] == [ids(pages[1]), ids(pages[0])]
    assert "Previous" not in back[-1]


def test_a_page_that_ends_where_the_members_end_leads_on(group: TargetGroup, rows: Rows, sign_in: SignIn) -> None:
    for number in range(40, 50):
        rows.member(group, f"p{number}@lamps.example")
    client = sign_in()
    first = client.get(f"{address_of(group)}?size=50").content.decode()
    assert len(ids(first)) == 50
    second = turned(client, first, "Next")
    assert ids(second) == everybody(group, "sort_email")[50:]
    assert ids(turned(client, second, "Previous")) == ids(first)


def test_r15_counts_and_the_run_open_it_and_its_numbers_add_up(group: TargetGroup, sign_in: SignIn) -> None:
    client, address = sign_in(), address_of(group)
    assert f'href="{address}">65</a>' in client.get(f"/target-groups/{group.pk}/counts/").content.decode()
    run_page = client.get(f"/sync-activity/{group.counted_run_id}/").content.decode()
    assert f'href="{address}"' in run_page
    assert f'href="{address}?reason=member"' in run_page
    page = client.get(address)
    assert re.search(r'<a href="/target-groups/" aria-current', page.content.decode())
    words = text_of(page)
    for part in (
        "Everybody Member 40",
        "Do Not Email is Yes 15",
        "No e-mail address 9",
        "Duplicate row 1",
        "50 shown of 65",
    ):
        assert part in words


def test_a_run_that_another_followed_does_not_lead_to_the_people_of_now(
    group: TargetGroup, rows: Rows, sign_in: SignIn
) -> None:
    earlier = rows.run(group, figures=FIGURES)
    assert "in-search" not in sign_in().get(f"/sync-activity/{earlier.pk}/").content.decode()


@pytest.mark.parametrize(("reason", "count"), [("member", 40), ("no_address", 9), ("no such word", 50), ("", 50)])
def test_it_is_narrowed_to_what_became_of_them(reason: str, count: int, group: TargetGroup, sign_in: SignIn) -> None:
    assert len(listed(sign_in().get(address_of(group), {"reason": reason}))) == count


def test_each_line_says_what_became_of_it(group: TargetGroup, rows: Rows, sign_in: SignIn) -> None:
    rows.member(group, "", do_not_email_at=NOW)
    client = sign_in()
    words = text_of(client.get(address_of(group)))
    assert re.search(r"Remote-\d+ p03@lamps\.example F96 Same Member", words)
    assert re.search(r"Remote-\d+ – erased: Do Not Email Member", words)
    words = text_of(client.get(f"{address_of(group)}?sort=-email"))
    assert re.search(r"Excluded-\d+ – – No e-mail address", words)
    assert re.search(r"Remote-\d+ p03@lamps\.example F96 Same Duplicate row", words)


@pytest.mark.parametrize(("text", "count"), [("p03@", 2), ("F96", 2), ("same", 41), ("excluded-", 24), ("zq", 0)])
def test_they_are_found_by_name_address_and_remote_id(
    text: str, count: int, group: TargetGroup, sign_in: SignIn
) -> None:
    page = sign_in().post(address_of(group), {"q": text})
    assert len(listed(page)) == count
    assert ("Nobody found" if not count else f"{count} found") in text_of(page)
    addresses = re.findall(r'(?:href|action|formaction|hx-get|hx-post)="([^"]*)"', page.content.decode())
    assert not [one for one in addresses if text in one]


def test_r5_who_was_kept_on_doubt_stands_there_once_as_the_row_that_was_not_readable(
    group: TargetGroup, rows: Rows, sign_in: SignIn
) -> None:
    person = rows.member(group, "kept@lamps.example")
    outcome(group.counted_run, person, OutcomeKind.KEPT, reason="unreadable_row")
    rows.excluded(group, "unreadable_row", remote_id=person.remote_id, remote_key=person.remote_key)
    group.exclusion_counts |= {"unreadable_row": 1}
    group.member_count, group.search_count = 41, 66
    group.save()
    page = sign_in().post(address_of(group), {"q": "kept@"})
    assert listed(page) == [person.remote_id]
    assert "Unreadable row" in text_of(page).split("What became of it")[1]


@pytest.mark.parametrize("sort", ["email", "-name"])
def test_the_file_holds_what_the_pages_show(sort: str, group: TargetGroup, sign_in: SignIn) -> None:
    client, address = sign_in(), address_of(group)
    header, *lines = download(client, f"{address}csv/?sort={sort}")
    assert header == ["Remote ID", "E-mail", "Name", "What became of it"]
    wanted = everybody(group, f"sort_{sort.removeprefix('-')}")
    assert [line[0] for line in lines] == (wanted[::-1] if sort.startswith("-") else wanted)
    assert len(download(client, f"{address}csv/?reason=no_address")) == 10
    assert [line[3] for line in download(client, f"{address}csv/", q="p03@")[1:]] == ["Member", "Duplicate row"]
    entry = AuditEntry.objects.filter(action="people.exported").first()
    assert entry is not None
    assert entry.after["list"] == "in_search"
    assert "p03" not in str(entry.after)


def test_columns_are_chosen_and_remembered(group: TargetGroup, sign_in: SignIn) -> None:
    client = sign_in()
    client.post("/tables/in_search/columns/", {"columns": ["state", "rows", "detail"]})
    assert download(client, f"{address_of(group)}csv/?reason=duplicate_row")[1:] == [
        [listed(client.get(address_of(group), {"reason": "duplicate_row"}))[0], "Duplicate row", "2", ""]
    ]


def test_where_do_not_email_is_only_a_figure_the_list_says_whom_it_lacks(group: TargetGroup, sign_in: SignIn) -> None:
    Exclusion.objects.filter(reason="do_not_email").delete()
    TargetGroup.objects.update(is_do_not_email_calculated=True)
    words = text_of(sign_in().get(address_of(group)))
    assert (
        "Not everybody is listed. Of those who are Do Not Email the number is known, 15, but not the records" in words
    )
    assert "15 records, not listed" in text_of(sign_in().get(address_of(group), {"reason": "do_not_email"}))


def test_a_group_that_was_never_synced_says_so(rows: Rows, sign_in: SignIn) -> None:
    assert "Not synced yet" in text_of(sign_in().get(address_of(rows.group())))


def test_an_old_or_mistyped_cursor_opens_the_list(group: TargetGroup, sign_in: SignIn) -> None:
    for after in ("7", "m", "xx", "z9", "m999999", "x999999", "x" + "9" * 30):
        assert len(listed(sign_in().get(address_of(group), {"after": after}))) == 50
