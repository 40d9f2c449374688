"""The Subscribers tab: paging by key both ways, search, columns; no person's data in any address."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from targetgroups.columns import SUBSCRIBERS, attribute_columns
from targetgroups.models import Membership, Suppression, TargetGroup
from targetgroups.views import reading
from tests.targetgroups.views.conftest import Rows, SignIn, text_of


@pytest.fixture
def crowd(rows: Rows) -> TargetGroup:
    """Sixty people; many share an address or a name, so that only the ID tells them apart."""
    group = rows.group("Crowd", member_count=60)
    other = rows.group("Others", member_count=1)
    for number in range(60):
        rows.member(group, f"p{number % 7}@example.org", first=f"F{number % 3}", last="Same" if number % 2 else "")
    rows.member(other, "stranger@example.org")
    return group


def walk(group: TargetGroup, sort: str, *, is_descending: bool, backwards: bool = False) -> list[int]:
    """Read page after page of 7, and return the people in the order of the list."""
    seen: list[int] = []
    cursor: dict[str, Any] = {"after": None, "before": None}
    if backwards:
        column = reading.PEOPLE_SORTS[sort]
        order = [f"-{column}", "-subscriber_id"] if is_descending else [column, "subscriber_id"]
        last = Membership.objects.filter(target_group=group).order_by(*order).last()
        assert last is not None
        seen, cursor = [last.subscriber_id], {"after": None, "before": last.subscriber_id}
    for _ in range(20):
        found = reading.found_people(group, "")
        page = reading.people_page(found, sort=sort, is_descending=is_descending, size=7, **cursor)
        ids = [row.subscriber_id for row in page.rows]
        seen = [*ids, *seen] if backwards else [*seen, *ids]
        if not (page.has_previous if backwards else page.has_next):
            return seen
        cursor = {"before": ids[0], "after": None} if backwards else {"after": ids[-1], "before": None}
    raise AssertionError("paging does not end")


@pytest.mark.parametrize("sort", ["email", "name"])
@pytest.mark.parametrize("is_descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_paging_shows_everybody_exactly_once_in_order(
    sort: str, is_descending: bool, backwards: bool, crowd: TargetGroup
) -> None:
    keys = Membership.objects.filter(target_group=crowd).values_list(reading.PEOPLE_SORTS[sort], "subscriber_id")
    expected = [person for _, person in sorted(keys, reverse=is_descending)]
    assert walk(crowd, sort, is_descending=is_descending, backwards=backwards) == expected


def test_a_page_survives_its_cursor_leaving_the_group(crowd: TargetGroup) -> None:
    everybody = walk(crowd, "email", is_descending=False)
    Membership.objects.filter(target_group=crowd, subscriber_id=everybody[20]).delete()
    left = reading.found_people(crowd, "")
    page = reading.people_page(left, sort="email", is_descending=False, size=5, after=everybody[20], before=None)
    assert [row.subscriber_id for row in page.rows] == everybody[21:26]


def test_a_page_of_people_takes_the_same_queries_wherever_it_lies(
    crowd: TargetGroup, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client, deep = sign_in(), walk(crowd, "email", is_descending=False)[40]
    with django_assert_max_num_queries(14):
        page = client.get(f"/target-groups/{crowd.pk}/subscribers/?after={deep}")
    assert "Previous" in text_of(page)


@pytest.fixture
def known(rows: Rows) -> TargetGroup:
    group = rows.group("Known", member_count=4)
    rows.member(group, "zoe@example.org", "Zoë", "Ångström")
    rows.member(group, "50%off@example.org", "Per", "Cent")
    rows.member(group, "anna_b@example.org", "Anna", "Berg")
    rows.member(group, "annaxb@example.org", "Annax", "Berg")
    return group


def found(client: Client, group: TargetGroup, text: str) -> set[str]:
    page = client.post(f"/target-groups/{group.pk}/subscribers/", {"q": text}).content.decode()
    return set(re.findall(r'<th scope="row" class="mail"><a [^>]*>([^<]+)</a></th>', page))


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("ANGSTROM", {"zoe@example.org"}),
        ("zoë", {"zoe@example.org"}),
        ("zoe angstrom", {"zoe@example.org"}),
        ("z", {"zoe@example.org"}),
        ("be", {"anna_b@example.org", "annaxb@example.org"}),
        ("0%o", {"50%off@example.org"}),
        ("anna_b", {"anna_b@example.org"}),
        ("nobody such", set()),
    ],
)
def test_search_finds_inside_address_and_name_and_takes_wildcards_literally(
    text: str, addresses: set[str], known: TargetGroup, sign_in: SignIn
) -> None:
    assert found(sign_in(), known, text) == addresses


def test_what_is_searched_for_stands_in_no_address(known: TargetGroup, sign_in: SignIn) -> None:
    client = sign_in()
    page = client.post(f"/target-groups/{known.pk}/subscribers/", {"q": "example.org"}).content.decode()
    for address in re.findall(r'(?:href|action|formaction|hx-get|hx-post)="([^"]*)"', page):
        assert "example" not in address
    assert 'method="get"' not in page.split('id="people"')[1].split("table-frame")[0]
    assert found(client, known, "") == found(client, known, "example.org")  # and a GET takes no search at all
    assert "Nobody found" not in text_of(client.get(f"/target-groups/{known.pk}/subscribers/?q=nobody"))


def test_hits_are_counted_up_to_a_thousand(known: TargetGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_HITS_COUNTED", 2)
    assert reading.hits_among(reading.found_people(known, "example")) == 3


def test_remote_id_and_attributes_are_columns_to_choose(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group(member_count=1, attribute_names=["Member Since"])
    person = rows.member(group, "a@example.org", attributes={"Member Since": "1999"})
    client, address = sign_in(), f"/target-groups/{group.pk}/subscribers/"
    assert person.remote_id not in client.get(address).content.decode()
    client.post("/tables/subscribers/columns/", {"columns": ["remote_id", "attribute:Member Since"]})
    words = text_of(client.get(address))
    assert f"{person.remote_id} 1999" in words
    assert "3 columns" in words


def test_r11_an_opted_out_address_says_so(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group(member_count=1)
    person = rows.member(group, "a@example.org")
    Suppression.objects.create(address_key=person.address_key, address=person.email, cause="opt_out")
    assert "Opted out" in text_of(sign_in().get(f"/target-groups/{group.pk}/subscribers/"))


def test_the_page_and_the_file_name_the_same_cause_where_an_address_has_two(rows: Rows, sign_in: SignIn) -> None:
    group, client = rows.group(member_count=2), sign_in()
    person, lifted = rows.member(group, "a@example.org"), rows.member(group, "b@example.org")
    for cause in ("complaint", "manual"):
        Suppression.objects.create(address_key=person.address_key, address=person.email, cause=cause)
    gone = {"cause": "hard_bounce", "lifted_at": timezone.now()}
    Suppression.objects.create(address_key=lifted.address_key, address=lifted.email, **gone)
    address = f"/target-groups/{group.pk}/subscribers/"
    page, file = client.get(address), client.post(f"{address}csv/")
    lines = b"".join(file.streaming_content).decode()
    for words in (text_of(page), lines):
        assert "Complaint" in words and "Active" in words
        assert "Suppressed by a person" not in words and "Hard bounce" not in words


def test_what_people_bring_is_text_in_every_cell(rows: Rows, sign_in: SignIn) -> None:
    mark = "<i>&\"'"
    group = rows.group(member_count=1, attribute_names=[mark])
    rows.member(group, f"{mark}@example.org", mark, mark, remote_id=mark, attributes={mark: mark})
    client, address = sign_in(), f"/target-groups/{group.pk}/subscribers/"
    every = [column.key for column in (*SUBSCRIBERS.columns, *attribute_columns([mark]))]
    client.post("/tables/subscribers/columns/", {"columns": every})
    page = client.get(address).content.decode()
    assert "<i>" not in page
    assert page.partition("<tbody>")[2].partition("</tbody>")[0].count("&lt;i&gt;&amp;&quot;&#x27;") == 7


def test_empty_lists_say_why(rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    never, empty = rows.group("Never"), rows.group("Empty", member_count=0)
    assert "Not synced yet" in text_of(client.get(f"/target-groups/{never.pk}/subscribers/"))
    assert "Nobody in this search may be mailed" in text_of(client.get(f"/target-groups/{empty.pk}/subscribers/"))
