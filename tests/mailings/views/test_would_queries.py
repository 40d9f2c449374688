"""Before sending: what a page of those receiving or removed reads is bounded by the page, however large the group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailings.choices import LeftOutReason
from mailings.views import would
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Subscriber, TargetGroup
from tests.mailings.views.conftest import Desk
from tests.targetgroups.views.test_page_queries import MEMBERS

SIZE = 50
# So many that PostgreSQL itself finds reading all of them dear.
PEOPLE = 30_000
PEOPLE_TABLES = ("targetgroups_subscriber", "targetgroups_membership")
# A page asks of a hundred people at first, and of each in a handful of ways.
MOST_READ = PEOPLE // 10


@pytest.fixture
def large(desk: Desk) -> TargetGroup:
    group = desk.rows.group("Large", member_count=PEOPLE)
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, {"bridge": group.bridge_id, "group": group.pk, "people": PEOPLE})
    return group


def plans(ask: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each statement about people, with how PostgreSQL runs it."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    asked = [query["sql"] for query in captured.captured_queries]
    with connection.cursor() as cursor:
        for sql in asked:
            if any(table in sql for table in PEOPLE_TABLES):
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
                found = cursor.fetchone()[0]
                yield sql, (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def read_of(plan: dict[str, Any]) -> int:
    """Count the rows of people that were read, those that a filter then left out too."""
    scans = [node for node in nodes(plan) if node.get("Relation Name") in PEOPLE_TABLES]
    return sum((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in scans)


@pytest.mark.parametrize("is_deep", [False, True], ids=["first", "deep"])
@pytest.mark.parametrize(
    "why", [would.RECEIVING, LeftOutReason.OPT_OUT, LeftOutReason.NOT_TO_ADDRESS, LeftOutReason.NOT_TO_GROUP]
)
def test_any_page_reads_people_by_an_index_and_no_more_than_it_asks_of(
    why: str, is_deep: bool, large: TargetGroup, desk: Desk
) -> None:
    for number in range(0, PEOPLE, 300):
        suppression.suppress(f"p{number}@lamps.example", SuppressionCause.OPT_OUT)
    named = [f"p{number}@lamps.example" for number in range(1, PEOPLE, 300)]
    barred = desk.rows.group("Barred")
    mailing = desk.mailing(large, not_to_addresses=named)
    mailing.groups.create(target_group=barred, role="not_to")
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO targetgroups_membership (target_group_id, subscriber_id, sort_email, sort_name,
                added_run_id, subscribed_at) SELECT %s, id, sort_email, sort_name, 1, now()
            FROM targetgroups_subscriber WHERE address_key LIKE '%%77@lamps.example'""",
            [barred.pk],
        )
        cursor.execute("ANALYZE targetgroups_membership, targetgroups_subscriber, targetgroups_suppression")
    middle = Subscriber.objects.order_by("address_key")[PEOPLE // 4].pk if is_deep else None
    rows: list[Any] = []
    for sql, plan in plans(
        lambda: rows.extend(would.page(mailing, why, "", size=SIZE, after=middle, before=None).rows)
    ):
        kinds = {(node["Node Type"], node.get("Relation Name")) for node in nodes(plan)}
        assert not kinds & {("Seq Scan", table) for table in PEOPLE_TABLES}, sql
        assert read_of(plan) < MOST_READ, json.dumps(plan)
    assert rows
