"""Suppressions: the list, a search that is posted, to add some and to lift some."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import EDIT_SUBSCRIBERS, EXPORT, VIEW_SUBSCRIBERS
from accounts.scopes import READ_PEOPLE, SUPPRESS
from accounts.views.tables import Ordering
from targetgroups import by_hand, models
from targetgroups.choices import SuppressionCause
from targetgroups.views import suppression_list
from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.paging import KeysetPage

from .. import checked, paging
from ..access import Need, user_of
from ..idempotency import once
from ..resources.suppressions import (
    Lift,
    Lifted,
    Suppress,
    Suppressed,
    SuppressionPage,
    SuppressionQuery,
    SuppressionSearch,
    SuppressionsFound,
    shown,
)
from .base import ApiView, record_export

MOST_FOUND = 100
_CHANGE = Need((SUPPRESS,), (VIEW_SUBSCRIBERS, EDIT_SUBSCRIBERS))


class Suppressions(ApiView):
    needs = {"GET": Need((READ_PEOPLE,), (VIEW_SUBSCRIBERS, EXPORT)), "POST": _CHANGE}

    @extend_schema(operation_id="list_suppressions", parameters=[SuppressionQuery], responses=SuppressionPage)
    def get(self, request: Request) -> Response:
        """List suppressions, the newest first; or what was lifted, the last lifted first. The first page is recorded as
        an export."""
        asked = checked.query(request, SuppressionQuery)
        listing = suppression_list.LISTINGS[asked["show"]]
        if paging.is_first(asked):
            record_export(request, user_of(request), "suppressions.exported", list=listing.word, cause=asked["cause"])
        rows = suppression_list.found(listing, asked["cause"], "")
        order = Ordering(listing.default_order.removeprefix("-"), is_descending=True)

        def read(after: int | None, size: int) -> KeysetPage[models.Suppression]:
            return suppression_list.page_of(listing, rows, order=order, size=size, after=after, before=None)

        return paging.page(request, asked, read, shown)

    @extend_schema(operation_id="suppress", request=Suppress, responses={201: Suppressed})
    @once
    def post(self, request: Request) -> Response:
        """Keep addresses from being mailed, at once and in all groups."""
        asked = checked.body(request, Suppress)
        cause, user = SuppressionCause(asked["cause"]), user_of(request)
        added = by_hand.suppress(asked["addresses"], cause, asked["note"], user)
        told = {"added": [row.pk for row in added], "already_count": len(asked["addresses"]) - len(added)}
        return Response(told, status=201)


class LiftSuppressions(ApiView):
    needs = {"POST": _CHANGE}

    @extend_schema(operation_id="lift_suppressions", request=Lift, responses=Lifted)
    @once
    def post(self, request: Request) -> Response:
        """End suppressions, with a reason. An opt-out or a complaint ends only when the people ask for it (R11), an
        erasure never; what is not in force any more is passed over."""
        asked = checked.body(request, Lift)
        ids, is_asked_for = asked["suppressions"], asked["is_asked_for"]
        rows = by_hand.lift(ids, asked["reason"], user_of(request), is_asked_for=is_asked_for)
        return Response({"lifted": [row.pk for row in rows], "still_kept_count": by_hand.still_kept(rows)})


class SearchSuppressions(ApiView):
    needs = {"POST": Need((READ_PEOPLE,), (VIEW_SUBSCRIBERS,))}

    @extend_schema(operation_id="search_suppressions", request=SuppressionSearch, responses=SuppressionsFound)
    def post(self, request: Request) -> Response:
        """Find what keeps an address from being mailed now. Starts nothing and changes nothing."""
        key = address_key(checked.body(request, SuppressionSearch)["address"])
        rows = models.Suppression.objects.in_force().filter(address_key=key).order_by("address_key", "pk")
        return Response({"results": shown(list(rows[:MOST_FOUND]))})
