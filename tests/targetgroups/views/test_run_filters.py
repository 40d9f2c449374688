"""The filters of Sync Activity: each alone and together, in the address, taken off one by one, and read by indexes."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from targetgroups.models import SyncRequest, SyncRun, TargetGroup
from targetgroups.views.run_filters import RunFilters, page_of_runs
from tests.targetgroups.views.conftest import Rows, SignIn, text_of

RUNS = 4_000


def shown(client: Client, query: str) -> list[int]:
    page = client.get(f"/sync-activity/?{query}").content.decode()
    return [int(run_id) for run_id in re.findall(r'<tr id="run-(\d+)"', page)]


def asked_at(run: SyncRun, *when: int, zone: str = "UTC") -> SyncRun:
    SyncRun.objects.filter(pk=run.pk).update(created_at=datetime(*when, tzinfo=ZoneInfo(zone)))  # type: ignore[misc,arg-type]
    return run


def test_runs_of_a_person_are_all_that_the_person_asked_for_also_by_joining(rows: Rows, sign_in: SignIn) -> None:
    client, dana = sign_in(), User.objects.create_user("dana", first_name="Dana", last_name="Ito")
    begun, joined, other = rows.run(rows.group()), rows.run(rows.group()), rows.run()
    begun.requests.update(user=dana)
    SyncRequest.objects.create(run=joined, trigger="info", user=dana)
    assert shown(client, f"who={dana.pk}") == [joined.pk, begun.pk]
    assert other.pk in shown(client, "who=999999")
    assert "Who: Dana Ito" in text_of(client.get(f"/sync-activity/?who={dana.pk}"))


def test_days_are_those_of_the_reader_and_both_ends_belong_to_the_span(rows: Rows, sign_in: SignIn) -> None:
    client = sign_in("Manager", timezone="America/New_York")
    first = asked_at(rows.run(), 2026, 3, 8, 0, 10, zone="America/New_York")  # summer time begins on this day
    last = asked_at(rows.run(), 2026, 3, 9, 23, 50, zone="America/New_York")
    asked_at(rows.run(), 2026, 3, 10, 0, 5, zone="America/New_York")
    asked_at(rows.run(), 2026, 3, 8, 4, 50)  # the evening before, there
    assert shown(client, "from=2026-03-08&to=2026-03-09") == [last.pk, first.pk]
    assert "Asked for: from Mar 8, 2026" in text_of(client.get("/sync-activity/?from=2026-03-08"))
    assert len(shown(client, "from=2026-13-45&to=yesterday")) == 4


@pytest.mark.parametrize(("when", "count"), [("today", 1), ("7d", 2), ("30d", 3), ("ever", 4)])
def test_a_span_of_days_goes_before_dates(when: str, count: int, rows: Rows, sign_in: SignIn) -> None:
    client, now = sign_in(), datetime.now(ZoneInfo("UTC"))
    for days in (0, 6, 29, 30):
        day = datetime.fromordinal(now.toordinal() - days)
        asked_at(rows.run(), day.year, day.month, day.day)
    assert len(shown(client, f"when={when}" + ("&from=2026-01-01" if when != "ever" else ""))) == count


def test_between_two_times_pages_go_both_ways(rows: Rows, sign_in: SignIn) -> None:
    ids = [asked_at(rows.run(), 2026, 1, 1, 0, minute).pk for minute in range(60)][::-1]
    client, span = sign_in(), "from=2026-01-01&to=2026-01-01"
    client.post("/tables/sync_activity/columns/", {"size": "25"})
    assert shown(client, f"{span}&after={ids[24]}") == ids[25:50]
    assert shown(client, f"{span}&before={ids[25]}") == ids[:25]


def test_each_chip_takes_off_its_own_filter_and_keeps_the_others(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("Members & friends")
    rows.run(group, "failed")
    page = sign_in().get(f"/sync-activity/?group={group.pk}&outcome=failed&when=7d&after=999&kind=").content.decode()
    chips = dict(re.findall(r'chip-off" href="([^"]*)".*?<span class="clip">(.*?)</span>', page))
    assert chips == {
        "/sync-activity/?outcome=failed&amp;when=7d": "Target group: Members &amp; friends",
        f"/sync-activity/?group={group.pk}&amp;when=7d": "Outcome: Failed",
        f"/sync-activity/?group={group.pk}&amp;outcome=failed": "Asked for: in the last 7 days",
    }


def test_an_empty_list_says_which_filters_leave_nothing(rows: Rows, sign_in: SignIn) -> None:
    rows.run(rows.group(), "failed")
    client = sign_in()
    words = text_of(client.get("/sync-activity/?outcome=failed&kind=preview"))
    assert "No run matches all of these filters together" in words
    assert "Kind: Preview without it there are runs" in words
    assert "Outcome: Failed without it" not in words
    assert "Taking off one alone is not enough" in text_of(client.get("/sync-activity/?outcome=held&kind=preview"))
    assert "No run matches this filter" in text_of(client.get("/sync-activity/?outcome=held"))


def test_a_typed_name_is_the_group_if_there_is_no_doubt_and_else_a_choice(rows: Rows, sign_in: SignIn) -> None:
    first, _ = rows.group("Members 2026"), rows.group("Members 2026 abroad")
    run, _ = rows.run(first), rows.run()
    client = sign_in()
    assert shown(client, "group_name=members+2026") == [run.pk]
    words = text_of(client.get("/sync-activity/?group_name=members&outcome=completed"))
    assert "2 groups are called something like “members”. Which one?" in words
    assert "No target group is called “nobody”" in text_of(client.get("/sync-activity/?group_name=nobody"))


def test_typing_offers_few_of_very_many_groups_each_with_the_other_filters_kept(rows: Rows, sign_in: SignIn) -> None:
    shared = {"bridge": rows.bridge, "folder": rows.folder}
    TargetGroup.objects.bulk_create(
        TargetGroup(name=f"Chapter {n:04}", search_id=f"s{n}", search_key=f"s{n}", **shared) for n in range(1000)
    )
    client = sign_in()
    offered = client.get("/sync-activity/groups/?group_name=chapter&outcome=failed&after=5").content.decode()
    assert offered.count('role="option"') == 21
    assert "type more of the name" in offered
    one = client.get("/sync-activity/groups/?group_name=0042+chap&outcome=failed&after=5").content.decode()
    group = TargetGroup.objects.get(name="Chapter 0042")
    assert f'href="/sync-activity/?outcome=failed&amp;group={group.pk}"' in one
    assert len(client.get("/sync-activity/").content) < 40_000


@pytest.fixture
def many(rows: Rows) -> User:
    """Runs enough for their indexes to be worth reading: one in a hundred failed, one in a thousand previews."""
    group, dana = rows.group("Large"), User.objects.create_user("dana")
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO targetgroups_syncrun (bridge_id, target_group_id, kind, trigger, queue, status, attempt,
                remote_id, created_at, worker, phase_seconds, figures, warnings, sentence, error_code, error_text,
                remote_said)
            SELECT %s, %s, CASE WHEN i %% 1000 = 0 THEN 'preview' ELSE 'group' END,
                CASE WHEN i %% 500 = 0 THEN 'mailing' ELSE 'schedule' END, 'scheduled',
                CASE WHEN i %% 100 = 0 THEN 'failed' ELSE 'completed' END, 1, '', now() - (%s - i) * interval '1 min',
                '', '{}', '{}', '[]', '', '', '', '' FROM generate_series(1, %s) i""",
            [rows.bridge.pk, group.pk, RUNS, RUNS],
        )
        cursor.execute(
            """INSERT INTO targetgroups_syncrequest (run_id, trigger, user_id, requested_at)
            SELECT id, trigger, CASE WHEN id %% 400 = 0 THEN %s END, created_at FROM targetgroups_syncrun""",
            [dana.pk],
        )
        cursor.execute("ANALYZE targetgroups_syncrun, targetgroups_syncrequest")
    return dana


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({"kind": "preview"}, "run_by_any_kind"),
        ({"trigger": "mailing"}, "run_by_trigger"),
        ({"outcome": "held"}, "run_by_status"),
        ({"until": "2020-01-01"}, "run_by_time"),
        ({"who": "dana"}, "request_by_user"),
    ],
)
def test_each_filter_reads_its_own_index(
    wanted: dict[str, object], index: str, many: User, django_assert_num_queries: object
) -> None:
    from datetime import date

    given = {name: value for name, value in wanted.items() if name not in ("until", "who")}
    if "until" in wanted:
        given["until"] = date(2020, 1, 1)
    if "who" in wanted:
        given["who"] = many
    filters = RunFilters(**given)  # type: ignore[arg-type]
    assert page_of_runs(filters, size=50, after=None, before=None).rows is not None
    order = ["-created_at", "-id"] if filters.has_time else ["-id"]
    plan = filters.runs(date(2026, 1, 1)).order_by(*order)[:51].explain()
    assert index in plan, plan
    assert "Seq Scan on targetgroups_syncrun" not in plan
