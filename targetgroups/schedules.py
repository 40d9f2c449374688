"""What people do with schedules: make, change, switch, run, delete. Each is recorded (R16)."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext

import audit

from .choices import ScheduleKind
from .exceptions import NotAllowedNow
from .models import Bridge, Schedule, ScheduleFiring
from .models.schedule import zone
from .rhythm import next_after
from .sync import firing
from .sync.clock import database_clock
from .sync.firing import MAILED_DAYS, NEW_DAYS

__all__ = ["MAILED_DAYS", "NEW_DAYS", "USUAL", "add_usual", "delete", "run_now", "save", "switch"]

Actor = AbstractBaseUser | str
# What a new bridge has: new searches are there in the morning, and the counts of what is mailed are of the night.
USUAL: tuple[dict[str, Any], ...] = (
    {"kind": ScheduleKind.LIST, "at_time": time(2, 0)},
    {"kind": ScheduleKind.GROUPS, "at_time": time(3, 0), "is_only_in_use": True, "spread_minutes": 120},
)
# As they are kept in the audit log.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TOLD = ("kind", "is_only_in_use", "every_minutes", "at_time", "weekdays", "spread_minutes", "is_on")


@transaction.atomic
def add_usual(bridge: Bridge, user: Actor) -> list[Schedule]:
    """Give a bridge the schedules that most need: the list every night, and after it the groups in use."""
    return [save(Schedule(bridge=bridge, **fields), user) for fields in USUAL]


@transaction.atomic
def save(schedule: Schedule, user: Actor) -> Schedule:
    """Store a new or a changed schedule; its next time is reckoned anew from now."""
    before = None
    if schedule.pk:
        before = _picture(Schedule.objects.select_for_update(no_key=True).get(pk=schedule.pk))
    schedule.next_at = next_after(schedule.rhythm, database_clock(), zone()) if schedule.is_on else None
    schedule.save()
    audit.record(user, "schedule.changed" if before else "schedule.created", schedule, before, _picture(schedule))
    return schedule


@transaction.atomic
def switch(schedule_id: int, user: Actor, *, is_on: bool) -> Schedule:
    """Switch a schedule on or off. What passed while it was off is not caught up."""
    schedule = Schedule.objects.select_for_update(no_key=True).get(pk=schedule_id)
    if schedule.is_on != is_on:
        schedule.is_on = is_on
        schedule.next_at = next_after(schedule.rhythm, database_clock(), zone()) if is_on else None
        schedule.save(update_fields=["is_on", "next_at"])
        audit.record(user, f"schedule.switched_{'on' if is_on else 'off'}", schedule)
    return schedule


@transaction.atomic
def run_now(schedule_id: int, user: AbstractBaseUser) -> ScheduleFiring:
    """Let a schedule fire now, also one that is off; its next time stays. Raises NotAllowedNow, with the reason."""
    rows = Schedule.objects.select_related("bridge", "folder", "target_group")
    schedule = rows.select_for_update(no_key=True, of=("self",)).get(pk=schedule_id)
    if firing.is_going(schedule):
        raise NotAllowedNow(gettext("Its last time is still going. Nothing more was asked for."))
    now = database_clock()
    return firing.begin(schedule, now, user=user, due_at=now)


@transaction.atomic
def delete(schedule_id: int, user: Actor) -> None:
    """Delete a schedule. Runs that it asked for go on."""
    schedule = Schedule.objects.select_for_update().get(pk=schedule_id)
    audit.record(user, "schedule.deleted", schedule, _picture(schedule), None)
    schedule.delete()


def _picture(schedule: Schedule) -> dict[str, Any]:
    """Give what an audit entry keeps of a schedule."""
    picture: dict[str, Any] = {name: getattr(schedule, name) for name in _TOLD}
    picture["at_time"] = f"{schedule.at_time:%H:%M}" if schedule.at_time else None
    picture["weekdays"] = [_WEEKDAYS[int(day)] for day in schedule.weekdays]
    picture["folder"] = schedule.folder.name if schedule.folder else None
    picture["target_group"] = schedule.target_group.name if schedule.target_group else None
    return picture
