"""Admin > Schedules: what is done by the clock, when next, and what became of the last time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import EDIT_BRIDGE, SYNC, VIEW_BRIDGE, VIEW_GROUPS
from accounts.views.asking import is_part, person, whole
from thrive_sync.lib.words import number

from .. import schedules
from ..choices import ACTIVE, GOOD, RunStatus, runs_that_are
from ..exceptions import NotAllowedNow
from ..forms import ScheduleForm
from ..models import Bridge, Schedule, ScheduleFiring, TargetGroup
from ..models.schedule import zone
from . import reading

FIRINGS_SHOWN = 20


@dataclass(frozen=True)
class Line:
    schedule: Schedule
    last: Told | None


@dataclass(frozen=True)
class Told:
    """A firing with what became of its runs, in words: (status, words), each above 0."""

    firing: ScheduleFiring
    outcomes: list[tuple[RunStatus, str]]
    address: str

    @property
    def is_going(self) -> bool:
        return self.firing.finished_at is None


@requires(VIEW_BRIDGE)
@require_GET
def schedule_list(request: HttpRequest) -> HttpResponse:
    part = "targetgroups/_schedules.html"
    template = part if is_part(request, "schedules") else "targetgroups/schedules.html"
    return render(request, template, _list_context(request))


@requires(VIEW_BRIDGE, EDIT_BRIDGE)
@require_http_methods(["GET", "POST"])
def new_schedule(request: HttpRequest) -> HttpResponse:
    """Make a schedule; the address may name the group that it is for."""
    group = TargetGroup.objects.present().filter(pk=whole(request, "group") or 0).first()
    bridge = group.bridge if group else reading.chosen(reading.bridges(), whole(request, "bridge"))
    if bridge is None:
        messages.info(request, gettext("Set up the bridge first: a schedule is for one association."))
        return redirect("targetgroups:bridge_configuration")
    return _edit(request, Schedule(bridge=bridge, target_group=group), gettext("The schedule was made."))


@requires(VIEW_BRIDGE)
@require_http_methods(["GET", "POST"])
def one_schedule(request: HttpRequest, schedule_id: int) -> HttpResponseBase:
    """Show a schedule with its last times; POST changes it."""
    schedule = get_object_or_404(_schedules(), pk=schedule_id)
    if request.method == "POST":
        return _change(request, schedule)
    return _page(request, schedule, ScheduleForm(schedule=schedule))


@requires(VIEW_BRIDGE, EDIT_BRIDGE)
def _change(request: HttpRequest, schedule: Schedule) -> HttpResponse:
    return _edit(request, schedule, gettext("The schedule was saved."))


@requires(VIEW_BRIDGE, EDIT_BRIDGE)
@require_POST
def switch_schedule(request: HttpRequest, schedule_id: int) -> HttpResponse:
    schedule = get_object_or_404(Schedule, pk=schedule_id)
    schedule = schedules.switch(schedule.pk, person(request), is_on=request.POST.get("is_on") == "yes")
    said = gettext("“%(schedule)s” is switched on.") if schedule.is_on else gettext("“%(schedule)s” is switched off.")
    messages.success(request, said % {"schedule": schedule})
    return redirect("targetgroups:schedules")


@requires(VIEW_BRIDGE, SYNC)
@require_POST
def run_schedule(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """Let a schedule fire now. The click waits for nobody (R8)."""
    schedule = get_object_or_404(Schedule, pk=schedule_id)
    try:
        fired = schedules.run_now(schedule.pk, person(request))
    except NotAllowedNow as error:
        messages.warning(request, error.sentence)
        return redirect("targetgroups:schedules")
    if fired.run_count:
        said = ngettext("%(count)s run was asked for.", "%(count)s runs were asked for.", fired.run_count)
        messages.success(request, said % {"count": number(fired.run_count)})
    else:
        messages.warning(request, f"{gettext('Nothing was asked for.')} {fired.note}")
    return redirect("targetgroups:schedules")


@requires(VIEW_BRIDGE, EDIT_BRIDGE)
@require_POST
def delete_schedule(request: HttpRequest, schedule_id: int) -> HttpResponse:
    schedule = get_object_or_404(_schedules(), pk=schedule_id)
    said = gettext("“%(schedule)s” is deleted. Runs that it asked for go on.") % {"schedule": schedule}
    schedules.delete(schedule.pk, person(request))
    messages.success(request, said)
    return redirect("targetgroups:schedules")


@requires(VIEW_BRIDGE, EDIT_BRIDGE)
@require_POST
def add_usual_schedules(request: HttpRequest) -> HttpResponse:
    """Give an association that has none the two schedules that a new one has."""
    chosen = whole_of(request.POST.get("bridge", ""))
    bridge = get_object_or_404(Bridge, pk=chosen)
    if not bridge.schedules.exists():
        schedules.add_usual(bridge, person(request))
        messages.success(request, gettext("Two schedules were made: the list every night, then the groups in use."))
    return redirect("targetgroups:schedules")


def whole_of(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _edit(request: HttpRequest, schedule: Schedule, said: str) -> HttpResponse:
    is_new = schedule.pk is None
    form = ScheduleForm(request.POST if request.method == "POST" else None, schedule=schedule)
    if request.method == "POST" and form.is_valid():
        form.save_by(person(request))
        messages.success(request, said)
        return redirect("targetgroups:schedules")
    stored = None if is_new else get_object_or_404(_schedules(), pk=schedule.pk)  # the form has changed the one given
    return _page(request, stored, form, status=422 if form.errors else 200)


def _page(request: HttpRequest, schedule: Schedule | None, form: ScheduleForm, status: int = 200) -> HttpResponse:
    firings = schedule.firings.select_related("user").order_by("-pk")[:FIRINGS_SHOWN] if schedule else ()
    user = person(request)
    context = {
        "schedule": schedule,
        "form": form,
        "bridges": reading.bridges(),
        "times": [_told(firing) for firing in firings],
        "zone": zone(),
        "may_edit": user.may(EDIT_BRIDGE),
        "may_see_runs": user.may(VIEW_GROUPS),
    }
    return render(request, "targetgroups/schedule.html", context, status=status)


def _list_context(request: HttpRequest) -> dict[str, Any]:
    user, lines = person(request), _lines()
    bridges = reading.bridges()
    with_some = {line.schedule.bridge_id for line in lines}
    return {
        "lines": lines,
        "bridges": bridges,
        "without": [bridge for bridge in bridges if bridge.pk not in with_some],
        "zone": zone(),
        "usual": [Schedule(**fields) for fields in schedules.USUAL],
        "may_edit": user.may(EDIT_BRIDGE),
        "may_run": user.may(SYNC),
        "may_see_runs": user.may(VIEW_GROUPS),
        "poll_seconds": 5 if any(line.last and line.last.is_going for line in lines) else None,
    }


def _schedules() -> Any:
    return Schedule.objects.select_related("bridge", "folder", "target_group")


def _lines() -> list[Line]:
    newest = ScheduleFiring.objects.filter(schedule=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    rows = list(_schedules().annotate(newest=Subquery(newest)).order_by("bridge__name", "bridge_id", "-kind", "pk"))
    firings = ScheduleFiring.objects.select_related("user").in_bulk([row.newest for row in rows if row.newest])
    return [Line(row, _told(firings[row.newest]) if row.newest in firings else None) for row in rows]


def _told(firing: ScheduleFiring) -> Told:
    counts = firing.outcome_counts
    told = [(status, runs_that_are(status, counts[status])) for status in RunStatus if counts.get(status)]
    told.sort(key=lambda pair: (pair[0] in ACTIVE, pair[0] not in GOOD))
    return Told(firing, told, f"{reverse('targetgroups:sync_activity')}?firing={firing.pk}")
