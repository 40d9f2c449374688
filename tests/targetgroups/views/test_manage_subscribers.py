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
    for show, most in (("all", 9), ("active", 9), ("opted_out", 9), ("bounced", 9), ("excluded", 10)):
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


def fields_of(everybody: Rows, client: Any) -> list[str]:
    """Give two searches extra fields and Zoë values, choose two of them for the list, and return the choice."""
    members, readers = everybody.bridge.target_groups.order_by("name")
    everybody.bridge.target_groups.filter(pk=members.pk).update(attribute_names=["Chapter", "joined"])
    everybody.bridge.target_groups.filter(pk=readers.pk).update(attribute_names=["Ärea", "Chapter"])
    attributes = {"Chapter": "=North", "joined": 1999, "Ärea": None}
    everybody.bridge.subscribers.filter(email="zoe@lamps.example").update(attributes=attributes)
    chosen = ["attribute:joined", "email", "remote_id", "attribute:Chapter", "attribute:Ärea"]
    client.post("/tables/people/columns/", {"columns": chosen, "order": chosen})
    return chosen


def test_every_field_of_every_search_is_offered_as_a_column(everybody: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    chosen = fields_of(everybody, client)
    page = client.get(PAGE).content.decode()
    offered = re.findall(r'name="order" value="([^"]*)"', page)
    assert offered[:5] == chosen  # in the order that was chosen
    assert len(offered) == len(set(offered)) == 12
    line = next(row for row in page.split("<tr>") if "zoe@lamps.example" in row)
    cells = [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in re.findall(r"<t[hd][^>]*>.*?</t[hd]>", line)]
    zoe = everybody.bridge.subscribers.get(email="zoe@lamps.example")
    assert cells == ["1999", "zoe@lamps.example", zoe.remote_id, "=North", ""]
    for show in ("opted_out", "excluded"):  # each list's choice is its own
        page = client.get(f"{PAGE}?show={show}").content.decode()
        assert [key for key in re.findall(r'name="order" value="([^"]*)"', page) if ":" in key] == [
            "attribute:Ärea", "attribute:Chapter", "attribute:joined"
        ]  # fmt: skip
        assert "=North" not in page


def test_fields_are_exported_as_they_are_shown_and_safe_in_a_spreadsheet(everybody: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    fields_of(everybody, client)
    reply = client.post(f"{PAGE}csv/", {"q": "zoe"})
    lines = b"".join(reply.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    zoe = everybody.bridge.subscribers.get(email="zoe@lamps.example")
    assert lines == ["joined,E-mail,Remote ID,Chapter,Ärea", f"1999,zoe@lamps.example,{zoe.remote_id},'=North,"]


def test_r1_fields_of_whom_no_search_may_tell_any_more_are_empty(everybody: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    client.post("/tables/left_out/columns/", {"columns": ["remote_id", "attribute:Chapter"]})
    everybody.bridge.target_groups.update(attribute_names=["Chapter"])
    known = everybody.bridge.subscribers.get(email="zoe@lamps.example")
    everybody.bridge.subscribers.filter(pk=known.pk).update(attributes={"Chapter": "South"})
    group = everybody.bridge.target_groups.first()
    everybody.excluded(group, remote_id=known.remote_id, remote_key=known.remote_key)
    page = client.get(f"{PAGE}?show=excluded").content.decode()
    assert re.findall(r'<td class="clip">(.*?)</td>', page) == ["", "South"]


@pytest.mark.parametrize("has_fields", [True, False])
def test_fields_are_read_only_for_a_list_that_shows_them_and_with_its_rows(
    has_fields: bool, everybody: Rows, sign_in: SignIn
) -> None:
    client = sign_in()
    if has_fields:
        fields_of(everybody, client)
    with CaptureQueriesContext(connection) as captured:
        client.get(PAGE)
    reading = [query["sql"] for query in captured.captured_queries if '."attributes"' in query["sql"]]
    assert len(reading) == has_fields
    assert all("LIMIT 51" in sql for sql in reading)


def test_times_of_a_csv_are_in_the_zone_of_whoever_asked(everybody: Rows, sign_in: SignIn) -> None:
    client = sign_in(timezone="Asia/Kathmandu")
    reply = client.post(f"{PAGE}csv/?show=opted_out")
    assert b"+05:45" in b"".join(reply.streaming_content)  # type: ignore[attr-defined]


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


def test_who_is_not_found_may_be_among_the_excluded_and_what_was_typed_goes_along(
    everybody: Rows, sign_in: SignIn
) -> None:
    client = sign_in()
    page = client.post(PAGE, {"q": "excluded-0009"})
    assert "Nobody found" in text_of(page) and "Look in Excluded" in text_of(page)
    there = f"{PAGE}?show=excluded&bridge={Bridge.objects.get().pk}"
    assert f'action="{there.replace("&", "&amp;")}"' in page.content.decode()
    page = client.post(there, {"q": "excluded-0009"})
    assert heads(page) == ["Excluded-0009"]
    assert "look up their Remote ID in MemberSuite" in text_of(page)
    assert "Look in All" in text_of(client.post(there, {"q": "zoe"}))
