"""Schedules fire here: what is due is asked for once, whoever and how many look at the same time (R7, R9)."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext, gettext_noop, override

import audit
from thrive_sync.lib.messages import hand_over

from .. import rooms
from ..choices import ACTIVE, Queue, RunKind, ScheduleKind, Trigger
from ..models import Schedule, ScheduleFiring, SyncRequest, SyncRun, TargetGroup
from ..models.schedule import zone
from ..rhythm import latest, next_after
from . import single_flight
from .clock import database_clock

FIRE_TASK = "targetgroups.tasks.fire_schedule"
MAILED_DAYS, NEW_DAYS = 90, 7
STILL_GOING = gettext_noop("The last time was still going: it is not piled up.")
NOT_SET_UP = gettext_noop("The bridge is not set up.")
NO_GROUP = gettext_noop("There was no group to sync.")
_STEP = 500


def sweep() -> None:
    """Count what became of the runs of each firing that is not over, and let every schedule that is due fire."""
    for firing in ScheduleFiring.objects.filter(finished_at__isnull=True).order_by("pk"):
        tally(firing)
    for schedule_id in _due(database_clock()).order_by("next_at", "pk").values_list("pk", flat=True):
        hand_over(FIRE_TASK, schedule_id, Queue.INTERACTIVE)


def fire(schedule_id: int, now: datetime | None = None) -> ScheduleFiring | None:
    """Fire a schedule that is due. None: it is not, or somebody else fires it at this moment.

    However many of its times have passed, they are caught up once.
    """
    with transaction.atomic():
        now = now or database_clock()
        due = _due(now).filter(pk=schedule_id).select_related("bridge", "folder", "target_group")
        schedule = due.select_for_update(no_key=True, of=("self",), skip_locked=True).first()
        if schedule is None or schedule.next_at is None:
            return None
        due_at, missed = latest(schedule.rhythm, schedule.next_at, now, zone())
        schedule.next_at = next_after(schedule.rhythm, now, zone())
        schedule.save(update_fields=["next_at"])
        return begin(schedule, now, due_at=due_at, missed_count=missed)


def begin(schedule: Schedule, now: datetime, *, user: Any = None, **fields: Any) -> ScheduleFiring:
    """Ask for what a schedule does, in the caller's transaction, which has locked its row.

    The first group begins at once, the others within the schedule's window.
    """
    firing = ScheduleFiring(schedule=schedule, fired_at=now, user=user, **fields)
    if is_going(schedule):
        firing.note = _noted(STILL_GOING)
    elif not (schedule.bridge.is_configured and schedule.bridge.is_active):
        firing.note = _noted(NOT_SET_UP)
    if firing.note:
        firing.finished_at = now
        firing.save()
        return firing
    firing.save()
    runs, new = _start(schedule, now)
    requests = (SyncRequest(run=run, trigger=Trigger.SCHEDULE, user=user, firing=firing) for run in runs)
    SyncRequest.objects.bulk_create(requests, batch_size=_STEP)
    firing.run_count = len(runs)
    firing.note = "" if runs else _noted(NO_GROUP)
    firing.save(update_fields=["run_count", "note"])
    told = {"runs": len(runs), "joined": len(runs) - len(new), "missed": firing.missed_count}
    audit.record(user or Trigger.SCHEDULE.value, "schedule.fired", schedule, None, told)
    tally(firing)
    for run in runs:
        if run.pk in new and run.due_at is None:
            transaction.on_commit(partial(single_flight.send, run.pk, Queue.SCHEDULED))
    return firing


def _noted(note: str) -> str:
    """Put a note in the site's language: it stays, for everybody."""
    with override(settings.LANGUAGE_CODE):
        return gettext(note)


def is_going(schedule: Schedule) -> bool:
    """Say whether a run that an earlier firing asked for is not over."""
    last = schedule.firings.filter(finished_at__isnull=True).order_by("-pk").first()
    return last is not None and SyncRequest.objects.filter(firing=last, run__status__in=ACTIVE).exists()


def tally(firing: ScheduleFiring) -> None:
    """Write how many of a firing's runs stand where; without an active one it is over."""
    asked = SyncRequest.objects.filter(firing=firing).order_by()
    stand = asked.values_list("run__status").annotate(count=Count("run", distinct=True), ended=Max("run__finished_at"))
    counts = {status: (count, ended) for status, count, ended in stand}
    firing.outcome_counts = {status: count for status, (count, _) in counts.items()}
    if not counts.keys() & set(ACTIVE):
        ends = [ended for _, ended in counts.values() if ended]
        # Runs that it joined may have ended before it asked.
        firing.finished_at = max([*ends, firing.fired_at])
    firing.save(update_fields=["outcome_counts", "finished_at"])


def groups_of(schedule: Schedule, now: datetime) -> list[int]:
    """Return the IDs of the groups that a schedule syncs now, those whose counts are oldest first."""
    groups = TargetGroup.objects.present().filter(bridge=schedule.bridge_id, gone_at=None, not_runnable_code="")
    if schedule.folder_id:
        groups = groups.filter(folder=schedule.folder_id)
    if schedule.target_group_id:
        groups = groups.filter(pk=schedule.target_group_id)
    if schedule.is_only_in_use:
        ids = list(groups.values_list("pk", flat=True))
        mailed = rooms.mailed(ids, now - timedelta(days=MAILED_DAYS))
        groups = groups.filter(Q(pk__in=mailed) | Q(first_seen_at__gte=now - timedelta(days=NEW_DAYS)))
    return list(groups.order_by("counted_at", "pk").values_list("pk", flat=True))


def _start(schedule: Schedule, now: datetime) -> tuple[list[SyncRun], set[int]]:
    fields = {"trigger": Trigger.SCHEDULE, "queue": Queue.SCHEDULED}
    if schedule.kind == ScheduleKind.LIST:
        slot = {"bridge": schedule.bridge, "kind": RunKind.LIST, "target_group": None, "remote_id": ""}
        run, is_new = single_flight.start_or_attach(slot, joinable=ACTIVE, **fields)
        return [run], {run.pk} if is_new else set()
    groups = groups_of(schedule, now)
    apart = timedelta(minutes=schedule.spread_minutes) / max(len(groups), 1)
    due_at = {one: now + apart * place if apart and place else None for place, one in enumerate(groups)}
    return single_flight.start_or_attach_many(schedule.bridge_id, due_at, **fields)


def _due(now: datetime) -> QuerySet[Schedule]:
    return Schedule.objects.filter(is_on=True, next_at__lte=now)
