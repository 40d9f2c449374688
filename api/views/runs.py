"""Runs: the list, one and how far it is, start, cancel; apply or discard a held one."""

from __future__ import annotations

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import APPLY_HELD_RUN, SYNC, VIEW_GROUPS
from accounts.scopes import APPLY, READ_GROUPS, START_SYNCS
from targetgroups import enqueue
from targetgroups.choices import RunKind, Trigger
from targetgroups.models import Bridge, SyncRun, TargetGroup
from targetgroups.views import decision, reading, run_filters
from targetgroups.views.run_lists import run_or_404
from thrive_sync.lib.paging import KeysetPage

from .. import checked, paging
from ..access import Need, user_of
from ..idempotency import once
from ..problems import Conflict
from ..resources.runs import ApplyRun, OneRun, Run, RunPage, RunQuery, StartRun
from .base import ApiView


class Runs(ApiView):
    needs = {
        "GET": Need((READ_GROUPS,), (VIEW_GROUPS,)),
        "POST": Need((START_SYNCS,), (VIEW_GROUPS, SYNC)),
    }

    @extend_schema(operation_id="list_runs", parameters=[RunQuery], responses=RunPage)
    def get(self, request: Request) -> Response:
        """List runs, the newest first."""
        asked = checked.query(request, RunQuery)
        group = TargetGroup.objects.filter(pk=asked["group"]).first() if asked["group"] else None
        if asked["group"] and group is None:
            raise serializers.ValidationError({"group": [gettext("There is no such group.")]})
        filters = run_filters.RunFilters(
            group=group,
            kind=asked["kind"],
            trigger=asked["trigger"],
            outcome=asked["status"],
            since=asked["since"],
            until=asked["until"],
        )

        def read(after: int | None, size: int) -> KeysetPage[SyncRun]:
            return run_filters.page_of_runs(filters, size=size, after=after, before=None)

        return paging.page(request, asked, read, lambda rows: Run(rows, many=True).data)

    @extend_schema(operation_id="start_run", request=StartRun, responses={202: Run})
    @once
    def post(self, request: Request) -> Response:
        """Start a sync, a preview or a list refresh, or join the one under way. Follow the run that is answered."""
        asked = checked.body(request, StartRun)
        if asked["kind"] == RunKind.LIST:
            return started(enqueue.request_list_refresh(_bridge(asked.get("bridge")), Trigger.API, user_of(request)))
        group = runnable(asked["group"])
        if asked["kind"] == RunKind.PREVIEW:
            return started(enqueue.request_preview(group, user_of(request), Trigger.API))
        return started(enqueue.request_sync(group, Trigger.API, user_of(request)))


class OneRunView(ApiView):
    needs = {"GET": Need((READ_GROUPS,), (VIEW_GROUPS,))}

    @extend_schema(operation_id="get_run", responses=OneRun)
    def get(self, request: Request, run_id: int) -> Response:
        """Read how a run stands: its phase, the rows so far, its figures. `ask_again_seconds` says when to look."""
        return Response(OneRun(run_or_404(run_id)).data)


class CancelRun(ApiView):
    needs = {"POST": Need((START_SYNCS,), (VIEW_GROUPS, SYNC))}

    @extend_schema(operation_id="cancel_run", request=None, responses={202: OneRun})
    @once
    def post(self, request: Request, run_id: int) -> Response:
        """Wish that a run should stop. A waiting one is cancelled at once, a running one by its worker in seconds."""
        run = run_or_404(run_id)
        enqueue.request_cancel(run, user_of(request))
        return Response(OneRun(run_or_404(run_id)).data, status=202)


class ApplyHeldRun(ApiView):
    needs = {"POST": Need((APPLY,), (VIEW_GROUPS, APPLY_HELD_RUN))}

    @extend_schema(operation_id="apply_run", request=ApplyRun, responses={202: Run})
    @once
    def post(self, request: Request, run_id: int) -> Response:
        """Queue a run that may remove the people whom a held run shows, and nobody else beyond the limit (R6)."""
        run, asked = run_or_404(run_id), checked.body(request, ApplyRun)
        if run.is_held and asked["confirmed"] != decision.going_count(run):
            said = gettext("The run names another number. Look at it again. Nothing was started.")
            raise Conflict(said, "other_number")
        return started(enqueue.request_apply(run, user_of(request)))


class DiscardHeldRun(ApiView):
    needs = {"POST": Need((APPLY,), (VIEW_GROUPS, APPLY_HELD_RUN))}

    @extend_schema(operation_id="discard_run", request=None, responses={200: OneRun})
    @once
    def post(self, request: Request, run_id: int) -> Response:
        """Close a held run without applying it."""
        enqueue.request_discard(run_or_404(run_id), user_of(request))
        return Response(OneRun(run_or_404(run_id)).data)


def started(run: SyncRun) -> Response:
    """Answer with a run that was asked for, and where to follow it."""
    headers = {"Location": reverse("api:run", args=[run.pk])}
    return Response(Run(run_or_404(run.pk)).data, status=202, headers=headers)


def runnable(group_id: int) -> TargetGroup:
    """Return a group that can be synced; refuse another in words."""
    group = TargetGroup.objects.present().select_related("bridge", "folder").filter(pk=group_id).first()
    if group is None:
        raise Http404
    if not group.is_runnable:
        gone = gettext("Its search is no longer in MemberSuite. Nothing was started.")
        elsewhere = gettext("Its search can't be run from here. Nothing was started.")
        raise Conflict(gone if group.is_gone else elsewhere, "not_runnable")
    return group


def _bridge(bridge_id: int | None) -> Bridge:
    bridges = reading.bridges()
    if bridge_id is None and len(bridges) == 1:
        return bridges[0]
    found = next((one for one in bridges if one.pk == bridge_id), None)
    if found is None:
        raise serializers.ValidationError({"bridge": [gettext("Say which association, by its number.")]})
    return found
