"""Manage Subscribers: everybody by state, paged by key, found by name, address or Remote ID."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEntry
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Bridge, Suppression
from tests.targetgroups.views.conftest import Rows, SignIn, text_of

PAGE = "/subscribers/"


@pytest.fixture
def everybody(rows: Rows) -> Rows:
    """One person of each state; Zoë is in two groups, and Per shares an address with his wife."""
    group, other = rows.group("Members"), rows.group("Readers")
    rows.member(group, "zoe@lamps.example", "Zoë", "Ångström")
    rows.member(other, "out@lamps.example", "Odd", "Out")
    rows.member(group, "gone@lamps.example", "Bo", "Gone")
    rows.member(group, "home@lamps.example", "Per", "Berg")
    rows.member(group, "home@lamps.example", "Pia", "Berg")
    rows.member(group, "", do_not_email_at=timezone.now())
    suppression.suppress("out@lamps.example", SuppressionCause.OPT_OUT, "here: by phone")
    suppression.suppress("gone@lamps.example", SuppressionCause.HARD_BOUNCE)
    rows.excluded(group)
    rows.excluded(group, "no_address")
    return rows


def heads(page: Any) -> list[str]:
    """Return what names each row: the address, or the Remote ID."""
    found = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', page.content.decode(), re.DOTALL)
    return [re.sub(r"<[^>]*>", " ", head).split()[0] for head in found]


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        ("all", ["(erased)", "gone@lamps.example", "home@lamps.example", "home@lamps.example", "out@lamps.example",
                 "zoe@lamps.example"]),
        ("active", ["home@lamps.example", "home@lamps.example", "zoe@lamps.example"]),
        ("opted_out", ["out@lamps.example"]),
        ("bounced", ["gone@lamps.example"]),
        ("excluded", ["Excluded-0009"]),
        ("excluded&reason=no_address", ["Excluded-0010"]),
        ("nonsense", ["(erased)", "gone@lamps.example", "home@lamps.example", "home@lamps.example",
                      "out@lamps.example", "zoe@lamps.example"]),
    ],
)  # fmt: skip
def test_each_list_holds_exactly_whom_it_names(
    show: str, expected: list[str], everybody: Rows, sign_in: SignIn
) -> None:
    assert heads(sign_in().get(f"{PAGE}?show={show}")) == expected


@pytest.mark.parametrize(
    ("show", "text", "expected"),
    [
        ("all", "angstrom zoe", ["zoe@lamps.example"]),
        ("all", "ho", ["home@lamps.example", "home@lamps.example"]),
        ("all", "remote-0003", ["zoe@lamps.example"]),
        ("all", "%", []),
        ("active", "odd", []),
        ("opted_out", "odd", ["out@lamps.example"]),
        ("opted_out", "out@", ["out@lamps.example"]),
        ("excluded", "excluded-0009", ["Excluded-0009"]),
    ],
)
def test_a_search_finds_address_name_and_remote_id_and_stands_in_no_address(
    show: str, text: str, expected: list[str], everybody: Rows, sign_in: SignIn
) -> None:
    page = sign_in().post(f"{PAGE}?show={show}", {"q": text})
    assert heads(page) == expected
    addresses = re.findall(r'(?:href|action|hx-get|hx-post)="([^"]*)"', page.content.decode())
    assert not [address for address in addresses if f"={text}" in address]


@pytest.mark.parametrize("sort", ["email", "name"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_paging_shows_everybody_exactly_once_in_order_both_ways(
    sort: str, sign: str, rows: Rows, sign_in: SignIn
) -> None:
    group = rows.group()
    for number in range(60):
        rows.member(group, f"p{number % 7}@example.org", first=f"F{number % 3}", last="Same" if number % 2 else "")
    client, pages, address = sign_in(), [], f"{PAGE}?size=25&sort={sign}{sort}"
    opened = re.compile(r'href="/subscribers/(\d+)/"')
    for _ in range(3):
        page = client.get(address).content.decode()
        pages.append([int(one) for one in opened.findall(page)])
        address = f"{PAGE}?size=25&sort={sign}{sort}&after={pages[-1][-1]}"
    assert [len(page) for page in pages] == [25, 25, 10]
    key = {"email": "address_key", "name": "sort_name"}[sort]
    people = rows.bridge.subscribers.values_list(key, "pk")
    assert [pk for page in pages for pk in page] == [pk for _, pk in sorted(people, reverse=bool(sign))]
    back = client.get(f"{PAGE}?size=25&sort={sign}{sort}&before={pages[2][0]}").content.decode()
    assert [int(one) for one in opened.findall(back)] == pages[1]


def test_r15_no_list_counts_people_and_each_asks_as_often_whoever_is_on_it(everybody: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    for show, most in (("all", 8), ("active", 8), ("opted_out", 7), ("bounced", 7), ("excluded", 8)):
        with CaptureQueriesContext(connection) as captured:
            client.get(f"{PAGE}?show={show}&size=25")
        asked = [query["sql"] for query in captured.captured_queries]
        assert len(asked) <= most, "\n".join(asked)
        # The groups of the people of the page are counted, for nobody else.
        assert not [sql for sql in asked if "COUNT(" in sql and " IN (" not in sql]


@pytest.mark.parametrize(("sort", "index"), [("email", "subscriber_by_address"), ("name", "subscriber_by_name")])
def test_any_page_of_everybody_is_one_read_of_the_index_of_its_order(
    sort: str, index: str, everybody: Rows, sign_in: SignIn
) -> None:
    client = sign_in()
    last = everybody.bridge.subscribers.order_by("pk").last()
    with CaptureQueriesContext(connection) as captured:
        client.get(f"{PAGE}?sort={sort}&after={last.pk}")
    page = next(query["sql"] for query in captured.captured_queries if "LIMIT 51" in query["sql"])
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(rf"Limit [^\n]*\n *->  Index Scan using {index}", plan), plan


def test_a_csv_holds_what_the_page_shows_and_leaves_a_record(everybody: Rows, sign_in: SignIn) -> None:
    reply = sign_in().post(f"{PAGE}csv/?show=opted_out", {"q": "odd"})
    lines = b"".join(reply.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    since = Suppression.objects.get(cause="opt_out").suppressed_at.isoformat(" ", "seconds")
    assert lines == ["E-mail,Name,Why,Since,How", f"out@lamps.example,Odd Out,Opted out,{since},here: by phone"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.after["list"], entry.after["is_searched"]) == ("people.exported", "opted_out", True)
    assert "odd" not in str(entry.after)


def test_before_the_first_bridge_the_page_says_what_to_do(sign_in: SignIn) -> None:
    assert "First connect MemberSuite" in text_of(sign_in().get(PAGE))


def test_with_several_associations_each_has_its_own_people(everybody: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    assert 'name="bridge"' not in client.get(PAGE).content.decode()
    lenses = Rows(Bridge.objects.create(name="Lens Makers", association_id="a-2"))
    lenses.member(lenses.group("Of lenses", search_id="o", search_key="o"), "iris@lenses.example", "Iris", "Prism")
    address = f"{PAGE}?bridge={lenses.bridge.pk}"
    assert heads(client.get(address)) == ["iris@lenses.example"]
    assert "iris@lenses.example" not in text_of(client.get(PAGE))
    assert heads(client.post(address, {"q": "prism"})) == ["iris@lenses.example"]
    assert heads(client.post(address, {"q": "zoe@"})) == []
    exported = client.post(f"{PAGE}csv/?bridge={lenses.bridge.pk}")
    assert b"".join(exported.streaming_content).count(b"@") == 1
    assert f"show=opted_out&amp;bridge={lenses.bridge.pk}" in client.get(address).content.decode()
