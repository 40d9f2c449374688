"""The first page of every list of the product, through the real site: no goals and no peers, one number each.

What the lists of a site in use hold besides people is made here, after what is compared with others is measured.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import psycopg
from django.utils import timezone

from bench.goals import Figure, Scale
from bench.pages_data import FIRST_NAME, Population
from bench.site import Visitor
from targetgroups.choices import NotReceiving, RunKind, RunStatus, SuppressionCause, Trigger
from targetgroups.models import Folder, Subscriber, SyncRun, TargetGroup
from targetgroups.sync import receiving

TABLE = "every list, its first page through HTTP"
MORE_GROUPS = 300
TRIES = 3  # after one that is not counted
SLOW = 0.3  # seconds
_SUPPRESSED = """
INSERT INTO targetgroups_suppression (address_key, address, cause, note, suppressed_at)
SELECT address_key, email, %(cause)s, '', now() FROM targetgroups_subscriber WHERE mod(local_id, %(one_in)s) = %(rest)s
"""
# A cause that is nobody's reason, since each of its addresses has a stronger one too; and a hundred who share one.
_CAUSES = (
    (SuppressionCause.OPT_OUT, 20, 1),
    (SuppressionCause.HARD_BOUNCE, 100, 3),
    (SuppressionCause.COMPLAINT, 100, 1),
)
_SHARERS = 100
_SHARED = """
UPDATE targetgroups_subscriber later SET address_key = first.address_key FROM targetgroups_subscriber first
WHERE mod(later.local_id, %(one_in)s) = 6 AND first.local_id = later.local_id - 1
"""
_WOULD = """
INSERT INTO targetgroups_runoutcome (bridge_id, run_id, kind, remote_id, remote_key, reason, changes, recorded_at)
SELECT bridge_id, %(run)s, %(kind)s, remote_id, remote_key, '', %(changes)s::jsonb, now()
FROM targetgroups_subscriber WHERE mod(local_id, %(one_in)s) = 2
"""
_CHANGES = '{"last_name": ["Before", "After"]}'
Address = tuple[str, str]  # and what is posted to it as a search


def figures(raw: psycopg.Connection[Any], population: Population, scale: Scale, visitor: Visitor) -> list[Figure]:
    held = _fill(raw, population, scale.people)
    found = []
    for name, address in _pages(population, held).items():
        first = _seconds(visitor, address)  # plans, caches; of what is slow it tells enough
        times = [first] if first > SLOW else [_seconds(visitor, address) for _ in range(1 if scale.is_small else TRIES)]
        found.append(Figure("pages", "first page", name, median(times) * 1000, "ms", TABLE))
    return found


def _pages(population: Population, held: SyncRun) -> dict[str, Address]:
    person = Subscriber.objects.get(local_id=21)  # changed by a run, and suppressed
    info, run, would = (
        f"/target-groups/{population.everybody.pk}",
        f"/sync-activity/{population.run.pk}",
        f"/sync-activity/{held.pk}",
    )
    only = {f"Info > Subscribers, only {word}": f"{info}/subscribers/?only={word}" for word in NotReceiving.values}
    pages = {
        "Home": "/",
        "Target Groups": "/target-groups/",
        "Target Groups by count": "/target-groups/?sort=-count",
        "Info > Overview": f"{info}/",
        "Info > Counts": f"{info}/counts/",
        "Info > Subscribers": f"{info}/subscribers/",
        "Info > Subscribers, only receiving": f"{info}/subscribers/?only=receiving",
        **only,
        "Info > Excluded": f"{info}/excluded/",
        "Info > Excluded, one reason": f"{info}/excluded/?reason=no_address",
        "Info > History": f"{info}/history/",
        "Info > Active Mailings": f"{info}/mailings/",
        "Manage Subscribers, all": "/subscribers/",
        "Manage Subscribers, all by name": "/subscribers/?sort=name",
        "Manage Subscribers, active": "/subscribers/?show=active",
        "Manage Subscribers, opted out": "/subscribers/?show=opted_out",
        "Manage Subscribers, bounced": "/subscribers/?show=bounced",
        "Manage Subscribers, excluded": "/subscribers/?show=excluded",
        "a person": f"/subscribers/{person.pk}/",
        "Sync Activity": "/sync-activity/",
        "Sync Activity, completed": "/sync-activity/?outcome=completed",
        "a run": f"{run}/",
        "a run's added": f"{run}/added/",
        "a run's changed": f"{run}/changed/",
        "a run's removed": f"{run}/removed/",
        "a run's excluded": f"{run}/excluded/",
        "a held run": f"{would}/",
        "a held run's would be changed": f"{would}/would_change/",
        "a held run's would be removed": f"{would}/would_remove/",
        "a held run's would stay": f"{would}/would_stay/",
    }
    searches = {
        "search box, a name of one in ten": ("/search/", FIRST_NAME),
        "search box, one person": ("/search/", person.email),
        "search box, two characters": ("/search/", person.email[:2]),
        "Manage Subscribers, a name of one in ten": ("/subscribers/", FIRST_NAME),
        "Manage Subscribers, one person": ("/subscribers/", person.email),
        "Manage Subscribers, opted out, one in ten": ("/subscribers/?show=opted_out", FIRST_NAME),
        "Info > Excluded, one in ten": (f"{info}/excluded/", FIRST_NAME),
        "a run's changed, one in ten": (f"{run}/changed/", FIRST_NAME),
    }
    return {name: (address, "") for name, address in pages.items()} | searches


def _fill(raw: psycopg.Connection[Any], population: Population, people: int) -> SyncRun:
    """Make suppressed and shared addresses, more groups and a held run; return that."""
    for cause, one_in, rest in _CAUSES:
        raw.execute(_SUPPRESSED, {"cause": str(cause), "one_in": one_in, "rest": rest})
    raw.execute(_SHARED, {"one_in": max(people // _SHARERS, 7)})
    now, bridge = timezone.now(), population.everybody.bridge
    folder = Folder.objects.get(name=Folder.MEMBERSUITE)
    TargetGroup.objects.bulk_create(
        TargetGroup(
            bridge=bridge, folder=folder, search_id=f"more-{number}", search_key=f"more-{number}",
            name=f"Group {number}", member_count=number, search_count=number, counted_at=now,
        )
        for number in range(MORE_GROUPS)
    )  # fmt: skip
    would = {"would_change": people // 20, "would_remove": people // 4, "members_before": people}
    held = SyncRun.objects.create(
        bridge=bridge, kind=RunKind.GROUP, target_group=population.everybody, trigger=Trigger.INFO,
        status=RunStatus.HELD, started_at=now, finished_at=now, figures=would,
    )  # fmt: skip
    for kind, one_in, changes in (("would_change", 20, _CHANGES), ("would_remove", 4, None)):
        raw.execute(_WOULD, {"run": held.pk, "kind": kind, "one_in": one_in, "changes": changes})
    raw.execute("VACUUM ANALYZE")
    receiving.count(population.everybody.pk)
    return held


def _seconds(visitor: Visitor, address: Address) -> float:
    path, text = address
    began = time.perf_counter()
    if text:
        visitor.post(path, q=text)
    else:
        visitor.get(path)
    return time.perf_counter() - began
