"""Drive the sync as a worker does, in the test's own process: real database, real HTTP to the stand-in."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
from django.db import connection, connections

from targetgroups import enqueue
from targetgroups.choices import Trigger
from targetgroups.models import Bridge, Exclusion, Membership, SyncRun, TargetGroup
from targetgroups.sync import pipeline
from tests.support import truth

if TYPE_CHECKING:
    from django.db.models import Model

    from memberSuite.standin.server import StandIn


class Engine:
    """A bridge to a stand-in, and verbs for what people and workers do."""

    def __init__(self, standin: StandIn, bridge: Bridge) -> None:
        self.standin = standin
        self.bridge = bridge

    def work(self, run: SyncRun) -> SyncRun:
        """Do a run as a worker would, and return it as it ended."""
        pipeline.perform(run.pk)
        return SyncRun.objects.get(pk=run.pk)

    def refresh(self, trigger: Trigger = Trigger.REFRESH) -> SyncRun:
        return self.work(enqueue.request_list_refresh(self.bridge, trigger))

    def sync(self, group: TargetGroup | str, trigger: Trigger = Trigger.RESYNC_NOW) -> SyncRun:
        return self.work(enqueue.request_sync(self.group(group), trigger))

    def preview(self, group: TargetGroup | str) -> SyncRun:
        return self.work(enqueue.request_preview(self.group(group)))

    def group(self, group: TargetGroup | str) -> TargetGroup:
        """Find a group by name; the list is read if it was not yet."""
        if isinstance(group, TargetGroup):
            return TargetGroup.objects.get(pk=group.pk)
        if not TargetGroup.objects.filter(bridge=self.bridge).exists():
            assert self.refresh().status == "completed"
        return TargetGroup.objects.select_related("bridge").filter(name=group).order_by("pk")[0]

    def complaints(self, group: TargetGroup | str) -> list[str]:
        """Compare with the truth; what is wrong, in words."""
        return truth.complaints(raw_connection(), self.standin.url, self.group(group).pk)

    def members(self, group: TargetGroup | str) -> set[str]:
        """Give the Remote IDs of a group's members."""
        found = Membership.objects.filter(target_group=self.group(group)).values_list(
            "subscriber__remote_key", flat=True
        )
        return set(found)

    def excluded(self, group: TargetGroup | str, reason: str) -> set[str]:
        present = Exclusion.objects.filter(target_group=self.group(group), reason=reason, until_run_id__isnull=True)
        return set(present.values_list("remote_key", flat=True))


def raw_connection() -> psycopg.Connection:
    connection.ensure_connection()
    return connection.connection


def snapshot(*models: type[Model]) -> list[list[dict[str, object]]]:
    """Give every row of some tables, to see whether anything changed."""
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def perform_beside(run: SyncRun) -> threading.Thread:
    """Do a run on another thread, as a worker beside this test does."""

    def perform() -> None:
        try:
            pipeline.perform(run.pk)
        finally:
            connections.close_all()

    thread = threading.Thread(target=perform, name=f"worker-of-run-{run.pk}")
    thread.start()
    return thread
