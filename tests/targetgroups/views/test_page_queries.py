"""What pages of a large group ask the database: how often, by which index, and never for a count of people (R15)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from targetgroups import querysets
from targetgroups.models import Bridge, Membership, TargetGroup
from targetgroups.querysets import MOST_FEW
from targetgroups.sync import receiving
from targetgroups.views import reading
from tests.targetgroups.views.conftest import Rows, SignIn

PEOPLE = 3_000
MEMBERS = """
WITH person AS (
    INSERT INTO targetgroups_subscriber (bridge_id, remote_id, remote_key, email, first_name, last_name, address_key,
        attributes, sort_email, sort_name, seen_at, created_at, changed_at)
    SELECT %(bridge)s, 'id-' || i, 'id-' || i, 'p' || i || '@lamps.example', 'Ada', 'Nr' || i,
        'p' || i || '@lamps.example', '{}', 'p' || i || '@lamps.example', 'nr' || i || ' ada', now(), now(), now()
    FROM generate_series(1, %(people)s) i RETURNING id, sort_email, sort_name)
INSERT INTO targetgroups_membership (target_group_id, subscriber_id, sort_email, sort_name, added_run_id, subscribed_at)
SELECT %(group)s, id, sort_email, sort_name, 1, now() FROM person
"""


@pytest.fixture
def large(rows: Rows) -> TargetGroup:
    """A group large enough for its indexes to be worth reading."""
    Bridge.objects.update(record_address="https://console.example.org/{id}")
    group = rows.group("Large", member_count=PEOPLE)
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, {"bridge": rows.bridge.pk, "group": group.pk, "people": PEOPLE})
        cursor.execute("SELECT gin_clean_pending_list('subscriber_search')")  # as autovacuum does
        cursor.execute("ANALYZE targetgroups_membership, targetgroups_subscriber")
    return group


def statements(client: Client, address: str, ask: Callable[[], Any] | None = None) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        response = ask() if ask else client.get(address)
    assert response.status_code == 200
    return [query["sql"] for query in captured.captured_queries]


def plan(
    group: TargetGroup, *, forbidden: tuple[str, ...] = ("seqscan",), statement: str = "LIMIT 51", **wanted: Any
) -> str:
    """Return how PostgreSQL reads a page of people; the group is small, so what it should not do is forbidden."""
    given = {"sort": "email", "is_descending": False, "after": None, "before": None} | wanted
    with CaptureQueriesContext(connection) as captured:
        found = reading.found_people(group, given.pop("text", ""), given.pop("only", ""))
        assert len(reading.people_page(found, size=50, **given).rows) <= 50
    page = next(query["sql"] for query in captured.captured_queries if statement in query["sql"])
    with connection.cursor() as cursor:
        for way in forbidden:
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN {page}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize(("sort", "index"), [("email", "membership_by_email"), ("name", "membership_by_name")])
@pytest.mark.parametrize("is_descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("is_deep", [False, True], ids=["first", "deep"])
def test_any_page_is_one_read_of_the_index_of_its_order(
    sort: str, index: str, is_descending: bool, is_deep: bool, large: TargetGroup
) -> None:
    everybody = Membership.objects.filter(target_group=large).order_by(f"sort_{sort}")
    after = everybody[PEOPLE * 9 // 10].subscriber_id if is_deep else None
    found = plan(large, sort=sort, is_descending=is_descending, after=after)
    way = "Backward " if is_descending else ""
    # Read in its order and cut at once: nothing is sorted below the limit.
    assert re.search(rf"Limit [^\n]*\n *->  Index Scan {way}using {index}", found), found
    assert "Seq Scan on targetgroups_subscriber" not in found


_EXCLUDED = """
INSERT INTO targetgroups_exclusion
    (bridge_id, target_group_id, remote_id, remote_key, reason, row_count, detail, seen_at, from_run_id)
SELECT %(bridge)s, %(group)s, 'x-' || i, 'x-' || i, reason, 1, '', now(), 1
FROM generate_series(1, %(people)s) i, unnest(ARRAY['do_not_email', 'no_address']) reason
"""


@pytest.mark.parametrize(
    ("after", "sort", "index"),
    [
        ("", "email", "Index Only Scan using membership_by_email"),
        ("m", "-name", "Index Only Scan Backward using membership_by_name"),
        ("x", "email", "Index Scan using exclusion_present_once"),
        ("x", "-email", "Index Scan Backward using exclusion_present_once"),
    ],
)
def test_any_page_of_everybody_in_a_search_is_one_read_of_an_index(
    after: str, sort: str, index: str, large: TargetGroup, sign_in: SignIn
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_EXCLUDED, {"bridge": large.bridge_id, "group": large.pk, "people": PEOPLE})
        cursor.execute("ANALYZE targetgroups_exclusion")
    rows = large.exclusions if after == "x" else large.memberships
    row = rows.order_by("remote_key" if after == "x" else "sort_name")[PEOPLE // 2]
    deep = f"&after={after}{row.pk if after == 'x' else row.subscriber_id}" if after else ""
    asked = statements(sign_in(), f"/target-groups/{large.pk}/in-search/?sort={sort}{deep}")
    page = next(sql for sql in asked if "LIMIT 51" in sql)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {page}")
        found = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(rf"Limit [^\n]*\n *->  {index}", found), found


@pytest.mark.parametrize("asked_for", ["after", "before"])
@pytest.mark.parametrize("sort", ["remote_id", "-remote_id"])
def test_a_deep_page_of_the_excluded_is_one_read_of_an_index_either_way(
    asked_for: str, sort: str, large: TargetGroup, sign_in: SignIn
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_EXCLUDED, {"bridge": large.bridge_id, "group": large.pk, "people": PEOPLE})
        cursor.execute("ANALYZE targetgroups_exclusion")
    row = large.exclusions.order_by("reason", "remote_key")[PEOPLE // 2]
    asked = statements(sign_in(), f"/target-groups/{large.pk}/excluded/?sort={sort}&{asked_for}={row.pk}")
    page = next(sql for sql in asked if "LIMIT 51" in sql)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {page}")
        found = "\n".join(line for (line,) in cursor.fetchall())
    way = "Backward " if (asked_for == "before") != sort.startswith("-") else ""
    assert re.search(rf"Limit [^\n]*\n *->  Index Scan {way}using exclusion_present_once", found), found


_OPTED_OUT = """
INSERT INTO targetgroups_suppression (address_key, address, cause, note, suppressed_at)
SELECT address_key, email, 'opt_out', '', now() FROM targetgroups_subscriber WHERE id % 10 > 0
"""


@pytest.mark.parametrize("only", ["receiving", "opt_out"])
@pytest.mark.parametrize("is_counted", [True, False])
def test_a_list_narrowed_to_many_is_a_walk_in_its_order_and_to_few_a_read_of_them(
    is_counted: bool, only: str, large: TargetGroup
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OPTED_OUT)
        cursor.execute("ANALYZE targetgroups_suppression")
    large.member_count = 1_000_000  # one of its true size is walked through in any case
    if is_counted:
        receiving.count(large.pk)
    found = plan(large, only=only, forbidden=())
    is_walk = re.search(r"Index Scan using membership_by_email on targetgroups_membership[^\n]*\n *Index Cond", found)
    assert bool(is_walk) == (only == "opt_out"), found
    assert ("Sort Key: targetgroups_membership" in found) == (only == "receiving"), found
    page = reading.people_page(
        reading.found_people(large, "", only), sort="email", is_descending=False, size=50, after=None, before=None
    )
    members = (
        Membership.objects.filter(target_group=large).order_by("sort_email").values_list("subscriber_id", flat=True)
    )
    wanted = [person for person in members if (person % 10 > 0) == (only == "opt_out")]
    assert [person.subscriber_id for person in page.rows] == wanted[:50]


def test_a_search_reads_the_trigram_index_and_two_letters_the_sort_indexes(large: TargetGroup) -> None:
    one_by_one = ("seqscan", "indexscan", "indexonlyscan")  # what pays only for so few people
    assert "subscriber_search" in plan(large, text="p2999@", forbidden=one_by_one, statement=f"LIMIT {MOST_FEW + 1}")
    beginnings = plan(large, text="zq", forbidden=one_by_one)
    assert "membership_by_email" in beginnings and "membership_by_name" in beginnings
    assert "subscriber_search" not in beginnings


def test_members_found_by_many_are_met_on_the_way_through_the_list(large: TargetGroup) -> None:
    found = plan(large, text="lamps", forbidden=())
    assert re.search(r"Limit [^\n]*\n *->  Index Scan using membership_by_email", found), found


def counts_of_people(asked: list[str]) -> list[str]:
    """Return what counts people or runs; those seen as Do Not Email elsewhere are few, and next to each other."""
    tables = ("membership", "subscriber", "exclusion", "outcome", "syncrun")
    counts = [sql for sql in asked if "COUNT(" in sql.upper() and any(table in sql for table in tables)]
    return [sql for sql in counts if "\"sort_email\" = ''" not in sql]


@pytest.mark.parametrize("part", ["", "counts/", "subscribers/", "excluded/", "in-search/", "history/"])
def test_r15_no_part_of_info_counts_people(part: str, large: TargetGroup, sign_in: SignIn) -> None:
    assert not counts_of_people(statements(sign_in(), f"/target-groups/{large.pk}/{part}"))


def test_r15_neither_lists_nor_searches_count_people(large: TargetGroup, rows: Rows, sign_in: SignIn) -> None:
    client, run = sign_in(), rows.run(large)
    people = f"/target-groups/{large.pk}/subscribers/"
    asked = statements(client, "", lambda: client.post(people, {"q": "lamps"}))
    run_page = f"/sync-activity/{run.pk}/"
    for address in ("/target-groups/", "/sync-activity/", run_page, f"{run_page}added/"):
        asked += statements(client, address)
    assert not counts_of_people(asked)


def test_a_cursor_is_an_id_and_never_an_address(large: TargetGroup, sign_in: SignIn) -> None:
    client = sign_in()
    page = client.get(f"/target-groups/{large.pk}/subscribers/?sort=name").content.decode()
    addresses = re.findall(r'(?:href|action|hx-get|hx-post)="([^"]*)"', page)
    assert any(re.search(r"[?&;]after=\d+(&|$)", address) for address in addresses)
    assert not [address for address in addresses if "lamps" in address or "ada" in address.lower()]


# Session, person, permissions, the menu's count of alerts; then the group, its run, the people of the page and so on. A
# number that grows is a query that one more line of a page costs every request.
@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/target-groups/", 10),
        ("/target-groups/{group}/", 7),
        ("/target-groups/{group}/subscribers/", 7),
        ("/target-groups/{group}/subscribers/?only=opt_out", 9),
        ("/target-groups/{group}/excluded/", 7),
        ("/target-groups/{group}/in-search/", 8),
        ("/target-groups/{group}/history/", 9),
        ("/sync-activity/", 7),
        ("/sync-activity/{run}/added/", 6),
        ("/subscribers/", 10),
        ("/", 20),
    ],
)
def test_a_page_asks_no_more_often_than_it_must(
    address: str, most: int, large: TargetGroup, rows: Rows, sign_in: SignIn
) -> None:
    run = rows.run(large)
    Membership.objects.filter(target_group=large, subscriber__remote_id__endswith="7").update(added_run_id=run.pk)
    asked = statements(sign_in("Subscribers"), address.format(group=large.pk, run=run.pk))
    assert len(asked) <= most, "\n".join(asked)


def test_a_search_with_one_page_of_hits_is_not_asked_for_their_number(large: TargetGroup, sign_in: SignIn) -> None:
    client, people = sign_in(), f"/target-groups/{large.pk}/subscribers/"
    few = statements(client, "", lambda: client.post(people, {"q": "p2999@"}))
    many = statements(client, "", lambda: client.post(people, {"q": "lamps"}))
    assert [sum("LIMIT 1001" in sql for sql in asked) for asked in (few, many)] == [0, 1]
    assert [sum(f"LIMIT {MOST_FEW + 1}" in sql for sql in asked) for asked in (few, many)] == [1, 1]


def test_where_many_are_expected_nobody_looks_for_a_few_first(
    large: TargetGroup, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, people = sign_in(), f"/target-groups/{large.pk}/subscribers/"
    expected = client.post(people, {"q": "lamps"}).content.decode()
    monkeypatch.setattr(querysets, "SURELY_MANY", 100)
    asked = statements(client, "", lambda: client.post(people, {"q": "lamps"}))
    assert sum(f"LIMIT {MOST_FEW + 1}" in sql for sql in asked) == 0
    found = client.post(people, {"q": "lamps"}).content.decode()
    links = re.compile(r"/subscribers/\d+/")
    assert links.findall(found) == links.findall(expected) != []
