"""Target groups: the list, one, its members; sync and preview."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import EXPORT, SYNC, VIEW_GROUPS, VIEW_SUBSCRIBERS
from accounts.scopes import READ_GROUPS, READ_PEOPLE, START_SYNCS
from targetgroups import enqueue
from targetgroups.choices import GroupState, Trigger
from targetgroups.models import Membership, TargetGroup
from thrive_sync.lib.paging import KeysetPage, keyset_page

from .. import checked, paging
from ..access import Need, user_of
from ..idempotency import once
from ..people import reasons_for
from ..resources.groups import Count, GroupPage, GroupQuery, Member, MemberPage, OneGroup, show_groups
from ..resources.runs import Run
from .base import ApiView, record_export
from .runs import runnable, started

# As TargetGroup.state decides, in its order.
_STATES = {
    GroupState.ERROR: ~Q(error_code=""),
    GroupState.UNAVAILABLE: Q(error_code="") & (Q(gone_at__isnull=False) | ~Q(not_runnable_code="")),
    GroupState.NOT_COUNTED: Q(error_code="", gone_at__isnull=True, not_runnable_code="", member_count__isnull=True),
    GroupState.COUNTED: Q(error_code="", gone_at__isnull=True, not_runnable_code="", member_count__isnull=False),
}


class Groups(ApiView):
    needs = {"GET": Need((READ_GROUPS,), (VIEW_GROUPS,))}

    @extend_schema(operation_id="list_groups", parameters=[GroupQuery], responses=GroupPage)
    def get(self, request: Request) -> Response:
        """List the target groups, in the order in which they came to be."""
        asked = checked.query(request, GroupQuery)
        groups = _present()
        if asked["bridge"]:
            groups = groups.filter(bridge=asked["bridge"])
        if asked["folder"]:
            groups = groups.filter(folder=asked["folder"])
        if asked["name"]:
            groups = groups.filter(name__icontains=asked["name"])
        if asked["state"]:
            groups = groups.filter(_STATES[asked["state"]])
        return paging.page(request, asked, lambda after, size: _by_id(groups, after, size), show_groups)


class OneGroupView(ApiView):
    needs = {"GET": Need((READ_GROUPS,), (VIEW_GROUPS,))}

    @extend_schema(operation_id="get_group", responses=OneGroup)
    def get(self, request: Request, group_id: int) -> Response:
        """Read one target group, with how many of its members a mailing reaches."""
        return Response(show_groups([_group(group_id)], OneGroup)[0])


class Members(ApiView):
    needs = {"GET": Need((READ_PEOPLE,), (VIEW_GROUPS, VIEW_SUBSCRIBERS, EXPORT))}

    @extend_schema(operation_id="list_members", parameters=[checked.ListQuery], responses=MemberPage)
    def get(self, request: Request, group_id: int) -> Response:
        """List the people in a group. Its count stands beside them and is of its last sync. The first page is recorded
        as an export."""
        group, asked = _group(group_id), checked.query(request, checked.ListQuery)
        if paging.is_first(asked):
            record_export(request, group, list="members")
        members = Membership.objects.filter(target_group=group).select_related("subscriber")

        def read(after: int | None, size: int) -> KeysetPage[Membership]:
            key = None if after is None else (after,)
            return keyset_page(members, ["subscriber_id"], size=size, after=key)

        beside = {"group": group.pk, "count": Count(group).data}
        return paging.page(request, asked, read, _show_members, lambda row: int(row.subscriber_id), **beside)


class StartSync(ApiView):
    needs = {"POST": Need((START_SYNCS,), (VIEW_GROUPS, SYNC))}

    @extend_schema(operation_id="sync_group", request=None, responses={202: Run})
    @once
    def post(self, request: Request, group_id: int) -> Response:
        """Ask for a sync, as Resync Now does; a sync under way is joined. Follow the run that is answered."""
        return started(enqueue.request_sync(runnable(group_id), Trigger.API, user_of(request)))


class StartPreview(ApiView):
    needs = {"POST": Need((START_SYNCS,), (VIEW_GROUPS, SYNC))}

    @extend_schema(operation_id="preview_group", request=None, responses={202: Run})
    @once
    def post(self, request: Request, group_id: int) -> Response:
        """Ask what a sync would change now, without changing it."""
        return started(enqueue.request_preview(runnable(group_id), user_of(request), Trigger.API))


def _present() -> QuerySet[TargetGroup]:
    return TargetGroup.objects.present().select_related("bridge", "folder")


def _by_id(groups: QuerySet[TargetGroup], after: int | None, size: int) -> KeysetPage[TargetGroup]:
    return keyset_page(groups, ["id"], size=size, after=None if after is None else (after,))


def _group(group_id: int) -> TargetGroup:
    group = _present().filter(pk=group_id).first()
    if group is None:
        raise Http404
    return group


def _show_members(rows: list[Membership]) -> Any:
    people = [row.subscriber for row in rows]
    context = {"reasons": reasons_for(people), "since": {row.subscriber_id: row.subscribed_at for row in rows}}
    return Member(people, many=True, context=context).data
