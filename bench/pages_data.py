"""People for the pages: one group of everybody and one of one in a hundred, made inside PostgreSQL in seconds.

Rows are exactly what a sync would have left; indexes are made after them, as fast as PostgreSQL can.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.utils import timezone

from targetgroups.choices import ExclusionReason, RunKind, RunStatus, Trigger
from targetgroups.models import Bridge, Folder, SyncRun, TargetGroup

FIRST_NAME = "Fatima"  # of one person in ten
RUNS = 500  # of the large group's history
EXCLUDED_IN = 10  # one exclusion for so many members
_FIRST_NAMES = ("Ana", "Brian", "Chloe", "Dmitri", "Eve", FIRST_NAME, "George", "Hana", "Igor", "Jo")
# i is the person's number; all three are what any contestant's table gets.
EMAIL = "substr(md5((i * 7)::text), 1, 6) || i || '@example' || mod(i, 997) || '.org'"
FIRST = f"(ARRAY{list(_FIRST_NAMES)})[1 + mod(i * 2654435761, 10)]"
LAST = "initcap(substr(md5(mod(i, 20011)::text), 1, 7))"

_SUBSCRIBERS = f"""
INSERT INTO targetgroups_subscriber (bridge_id, remote_id, remote_key, local_id, email, first_name, last_name,
    address_key, attributes, sort_email, sort_name, seen_at, created_at, changed_at)
SELECT %(bridge)s, id, id, i, email, first, last, email,
    jsonb_build_object('Organization', 'Association ' || mod(i, 5000), 'Title', 'Member'),
    email, lower(last || ' ' || first), now(), now(), now()
FROM (SELECT i, md5(i::text) || '-' || i AS id, {EMAIL} AS email, {FIRST} AS first, {LAST} AS last
      FROM generate_series(1, %(people)s::bigint) i) people
"""
_MEMBERSHIPS = """
INSERT INTO targetgroups_membership (target_group_id, subscriber_id, sort_email, sort_name, added_run_id, subscribed_at)
SELECT %(group)s, id, sort_email, sort_name, %(run)s, created_at FROM targetgroups_subscriber
WHERE mod(local_id, %(one_in)s) = 0
"""
_EXCLUSIONS = """
INSERT INTO targetgroups_exclusion (bridge_id, target_group_id, remote_id, remote_key, reason, row_count, detail,
    seen_at, from_run_id)
SELECT %(bridge)s, %(group)s, id, id, (%(reasons)s::text[])[1 + mod(i, 4)], 1, '', now(), %(run)s
FROM (SELECT i, 'x' || md5(i::text) AS id FROM generate_series(1, %(count)s::bigint) i) people
"""
_OUTCOMES = """
INSERT INTO targetgroups_runoutcome (bridge_id, run_id, kind, remote_id, remote_key, reason, changes, recorded_at)
SELECT %(bridge)s, %(run)s, 'changed', remote_id, remote_key, '', '{"last_name": ["Before", "After"]}', now()
FROM targetgroups_subscriber WHERE mod(local_id, 20) = 0
"""
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename = ANY(%s) AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""
_TABLES = ["targetgroups_subscriber", "targetgroups_membership"]


@dataclass(frozen=True)
class Population:
    everybody: TargetGroup
    one_in_hundred: TargetGroup
    run: SyncRun  # of the large group, whose people its page lists


def fill(connection: psycopg.Connection[Any], people: int) -> Population:
    """Make the groups, their history, and who is left out; the connection commits each statement."""
    bridge = Bridge.objects.create(name="Bench")
    everybody, some = _group(bridge, "Everybody", people), _group(bridge, "One in a hundred", people // 100)
    run = _history(everybody, people)
    with _without_indexes(connection):
        connection.execute(_SUBSCRIBERS, {"bridge": bridge.pk, "people": people})
        for group, one_in in ((everybody, 1), (some, 100)):
            connection.execute(_MEMBERSHIPS, {"group": group.pk, "run": run.pk, "one_in": one_in})
    given = {"bridge": bridge.pk, "group": everybody.pk, "run": run.pk, "count": people // EXCLUDED_IN}
    reasons = [str(reason) for reason in ExclusionReason]
    connection.execute(_EXCLUSIONS, given | {"reasons": reasons})
    connection.execute(_OUTCOMES, given)
    connection.execute("VACUUM ANALYZE")
    return Population(everybody, some, run)


def _group(bridge: Bridge, name: str, members: int) -> TargetGroup:
    counted = {"member_count": members, "search_count": members, "counted_at": timezone.now()}
    return TargetGroup.objects.create(
        bridge=bridge,
        folder=Folder.objects.get(name=Folder.MEMBERSUITE),
        search_id=name,
        search_key=name.lower(),
        name=name,
        attribute_names=["Organization", "Title"],
        **counted,
    )


def _history(group: TargetGroup, members: int) -> SyncRun:
    now = timezone.now()
    figures = {"members_before": members, "members_after": members, "added": 0, "changed": members // 20, "removed": 0}
    run = SyncRun(
        bridge=group.bridge,
        kind=RunKind.GROUP,
        target_group=group,
        trigger=Trigger.INFO,
        status=RunStatus.COMPLETED,
        started_at=now,
        finished_at=now,
        figures=figures,
    )
    runs = SyncRun.objects.bulk_create([_copy(run) for _ in range(RUNS)])
    TargetGroup.objects.filter(pk=group.pk).update(counted_run=runs[-1])
    return runs[-1]


def _copy(run: SyncRun) -> SyncRun:
    fields = {field.attname: getattr(run, field.attname) for field in SyncRun._meta.concrete_fields}
    return SyncRun(**fields)


@contextmanager
def _without_indexes(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Take the indexes and the checks of references away, and make the indexes again over what is there then."""
    indexes = connection.execute(_INDEXES, (_TABLES,)).fetchall()
    for table in _TABLES:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    yield
    connection.execute("SET maintenance_work_mem = '512MB'")
    for _, definition in indexes:
        connection.execute(definition)
    for table in _TABLES:
        connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
