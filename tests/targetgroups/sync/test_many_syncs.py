"""Syncs one after the other, and many at once: nothing is written in vain, piles up or stands in the way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.db.models import F

from targetgroups import enqueue
from targetgroups.choices import Trigger
from targetgroups.models import RunOutcome, SyncRun, TargetGroup
from targetgroups.sync import retention
from tests.support import truth
from tests.support.engine import perform_beside, raw_connection

if TYPE_CHECKING:
    from tests.support.engine import Engine

NAME = "Current members"
BULK = ("subscriber", "membership", "exclusion", "runoutcome")
# What syncs that change one person each may add to those tables and their indexes, room to be used again included.
MOST_GROWTH = {30: 512 << 10, 1000: 4 << 20}
# A vacuum leaves those whose end another connection may not have seen yet.
MOST_DEAD = 100


def test_an_unchanged_sync_writes_no_row_of_a_subscriber_member_or_exclusion(engine: Engine) -> None:
    engine.sync(NAME)
    before = _written()
    assert before["subscriber"] > 0
    run = engine.sync(NAME)
    assert (run.status, run.figures["unchanged"]) == ("completed", run.figures["members_after"])
    assert _written() == before

    engine.standin.change({"FirstName": "Renamed"}, ids=[sorted(engine.members(NAME))[0]])
    engine.sync(NAME)
    after = _written()
    assert {table: after[table] - before[table] for table in BULK} == {
        "subscriber": 1,
        "membership": 1,
        "exclusion": 0,
        "runoutcome": 1,
    }


@pytest.mark.parametrize("syncs", [30, pytest.param(1000, marks=pytest.mark.soak)])
def test_dead_rows_stages_and_outcomes_do_not_pile_up(engine: Engine, syncs: int) -> None:
    with connection.cursor() as cursor:  # no room that rows of earlier tests left may be filled unseen
        cursor.execute("TRUNCATE " + ", ".join(f"targetgroups_{table}" for table in BULK) + " CASCADE")
    engine.sync(NAME)
    person = sorted(engine.members(NAME))[0]
    before, catalog = _size(), _catalog_size()
    for number in range(syncs):
        engine.standin.change({"LastName": f"Round {number}"}, ids=[person])
        assert engine.sync(NAME).figures["changed"] == 1
    assert RunOutcome.objects.count() == syncs
    assert truth.stages(raw_connection()) == []
    # The nightly clean-up, 90 days on; then what autovacuum does, so that the figures don't hang on its clock.
    RunOutcome.objects.update(recorded_at=F("recorded_at") - timedelta(days=91))
    retention.clean_up()
    assert RunOutcome.objects.count() == 0
    with connection.cursor() as cursor:
        # What this connection deleted is told now, or it would be counted on top of what the vacuum leaves.
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("VACUUM " + ", ".join(f"targetgroups_{table}" for table in BULK))
    grown, catalog_grown, dead = _size() - before, _catalog_size() - catalog, _dead()
    print(f"{syncs} syncs: {grown:,} bytes more, catalog {catalog_grown:,} bytes more, {dead} dead rows")
    assert grown <= MOST_GROWTH[syncs]
    assert catalog_grown <= 64 << 20
    assert dead <= MOST_DEAD
    assert engine.complaints(NAME) == []


def test_ten_groups_of_one_bridge_sync_at_once_though_they_share_people(engine: Engine) -> None:
    engine.refresh()
    groups = [group for group in TargetGroup.objects.order_by("pk") if group.is_runnable and not group.is_limited][:10]
    assert len(groups) == 10
    for _ in range(2):
        runs = _sync_at_once(groups)
        assert [(run.target_group.name, run.status) for run in runs if run.status != "completed"] == []
        engine.standin.change({"LastName": "Shared {n}"}, percent=30)
        engine.standin.flip_do_not_email(percent=5, to=True)
    _sync_at_once(groups)
    for group in groups:
        assert engine.complaints(group) == [], group.name


def _sync_at_once(groups: list[TargetGroup]) -> list[SyncRun]:
    runs = [enqueue.request_sync(group, Trigger.SCHEDULE) for group in groups]
    threads = [perform_beside(run) for run in runs]
    for thread in threads:
        thread.join(60)
    return list(SyncRun.objects.filter(pk__in=[run.pk for run in runs]).select_related("target_group"))


def _written() -> dict[str, int]:
    """Give the rows inserted, updated and deleted so far, by table, by PostgreSQL's own statistics."""
    return {table: ins + upd + gone for table, ins, upd, gone, _ in _statistics()}


def _dead() -> int:
    return sum(dead for *_, dead in _statistics())


def _statistics() -> list[tuple[str, int, int, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")  # the sync's statements were this connection's
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT replace(relname, 'targetgroups_', ''), n_tup_ins, n_tup_upd, n_tup_del, n_dead_tup"
            " FROM pg_stat_user_tables WHERE relname = ANY(%s)",
            [[f"targetgroups_{table}" for table in BULK]],
        )
        return list(cursor.fetchall())


def _size() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(name::regclass))::bigint FROM unnest(%s::text[]) AS name",
            [[f"targetgroups_{table}" for table in BULK]],
        )
        (size,) = cursor.fetchone()
    return int(size)


def _catalog_size() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
            " WHERE relname IN ('pg_class', 'pg_attribute', 'pg_type', 'pg_depend', 'pg_index', 'pg_statistic')"
        )
        (size,) = cursor.fetchone()
    return int(size)
