"""Any page of a list of people is one walk along an index, however deep it lies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from targetgroups.models import Membership, Subscriber
from tests.api.conftest import Programs, Rows

pytestmark = pytest.mark.django_db
PEOPLE = 2000


@pytest.mark.parametrize(
    ("address", "index"),
    [("groups/{group}/members", "targetgroups_membership_pkey"), ("subscribers", "subscriber_remote_id_once")],
)
def test_a_deep_page_of_people_is_read_along_an_index(address: str, index: str, program: Programs, rows: Rows) -> None:
    group = rows.group(member_count=PEOPLE)
    first = rows.member(group, "first@lamps.example")
    now, numbers = first.seen_at, range(PEOPLE)
    people = Subscriber.objects.bulk_create(
        Subscriber(
            bridge=rows.bridge, remote_id=f"P-{n:05}", remote_key=f"p-{n:05}", email=f"p{n}@lamps.example",
            address_key=f"p{n}@lamps.example", seen_at=now, created_at=now, changed_at=now,
        )
        for n in numbers
    )  # fmt: skip
    Membership.objects.bulk_create(
        Membership(target_group=one, subscriber=person, added_run_id=1, subscribed_at=now)
        for one in (group, *(rows.group() for _ in range(4)))
        for person in people
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE targetgroups_membership, targetgroups_subscriber")
    one, whole = program(), address.format(group=group.pk)
    cursor_of_page = one.get(whole, limit=250).json()["next_cursor"]
    with CaptureQueriesContext(connection) as asked:
        one.get(whole, limit=250, cursor=cursor_of_page)
    (page,) = [query["sql"] for query in asked if "LIMIT 251" in query["sql"]]
    assert index in _indexes(page) and "Sort" not in json.dumps(_plan(page))


def _plan(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        return cursor.fetchone()[0]


def _indexes(sql: str) -> str:
    return " ".join(part["Index Name"] for part in _nodes(_plan(sql)[0]["Plan"]) if "Index Name" in part)


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(inner for child in node.get("Plans", []) for inner in _nodes(child))]
