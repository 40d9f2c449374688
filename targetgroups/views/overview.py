"""What Home tells beside what needs attention: the first steps, last syncs, and the numbers of today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, Q, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils import timezone

from ..choices import GOOD, RunKind, RunStatus
from ..models import Bridge, SyncRun, TargetGroup
from . import reading

LAST_SYNCS = 8
MOST_TO_CHOOSE_FROM = 500


@dataclass(frozen=True)
class FirstSteps:
    """How far the way from nothing to the first synced group has been walked."""

    bridge: Bridge | None
    check: SyncRun | None
    refresh: SyncRun | None
    sync: SyncRun | None
    groups: list[TargetGroup]

    @property
    def is_connected(self) -> bool:
        return self.bridge is not None and self.bridge.is_connected

    @property
    def has_groups(self) -> bool:
        return bool(self.groups)

    @property
    def is_busy(self) -> bool:
        return any(run and run.is_active for run in (self.check, self.refresh, self.sync))


def first_steps() -> FirstSteps | None:
    """Return the first steps as long as no group was ever counted."""
    if TargetGroup.objects.filter(member_count__isnull=False).exists():
        return None
    bridge = reading.chosen(reading.bridges(), None)
    groups = TargetGroup.objects.present().filter(gone_at__isnull=True, not_runnable_code="")
    return FirstSteps(
        bridge=bridge,
        check=reading.newest_run(bridge, RunKind.CHECK),
        refresh=reading.newest_run(bridge, RunKind.LIST),
        sync=_newest_sync(),
        groups=list(groups.order_by("name", "pk")[:MOST_TO_CHOOSE_FROM]),
    )


def only_counted_group() -> TargetGroup | None:
    """Return the group that was synced, as long as it is the only one: then the next steps are still told."""
    counted = list(TargetGroup.objects.present().filter(member_count__isnull=False).order_by()[:2])
    return counted[0] if len(counted) == 1 else None


def last_syncs() -> list[SyncRun]:
    syncs = SyncRun.objects.filter(kind=RunKind.GROUP).select_related("target_group", "progress")
    return list(syncs.order_by("-id")[:LAST_SYNCS])


def numbers_of_today() -> dict[str, Any]:
    """Return how the runs asked for today (the reader's day) ended, and whom the syncs among them added and removed."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    wrote = Q(kind=RunKind.GROUP, status__in=GOOD)
    return SyncRun.objects.filter(created_at__gte=midnight).aggregate(
        runs=Count("pk"),
        syncs=Count("pk", filter=wrote),
        failed=Count("pk", filter=Q(status=RunStatus.FAILED)),
        held=Count("pk", filter=Q(status=RunStatus.HELD)),
        added=Sum(_figure("added"), filter=wrote, default=0),
        changed=Sum(_figure("changed"), filter=wrote, default=0),
        removed=Sum(_figure("removed"), filter=wrote, default=0),
    )


def _newest_sync() -> SyncRun | None:
    runs = SyncRun.objects.filter(kind=RunKind.GROUP).select_related("progress", "target_group")
    return runs.order_by("-id").first()


def _figure(word: str) -> Cast:
    return Cast(KeyTextTransform(word, "figures"), IntegerField())
