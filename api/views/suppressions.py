"""Suppressions: the list, and a search that is posted."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import EXPORT, VIEW_SUBSCRIBERS
from accounts.scopes import READ_PEOPLE
from targetgroups import models
from targetgroups.views import suppression_list
from targetgroups.views.asking import Ordering
from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.paging import KeysetPage

from .. import checked, paging
from ..access import Need, user_of
from ..resources.suppressions import (
    SuppressionPage,
    SuppressionQuery,
    SuppressionSearch,
    SuppressionsFound,
    shown,
)
from .base import ApiView, record_export

MOST_FOUND = 100


class Suppressions(ApiView):
    needs = {"GET": Need((READ_PEOPLE,), (VIEW_SUBSCRIBERS, EXPORT))}

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


class SearchSuppressions(ApiView):
    needs = {"POST": Need((READ_PEOPLE,), (VIEW_SUBSCRIBERS,))}

    @extend_schema(operation_id="search_suppressions", request=SuppressionSearch, responses=SuppressionsFound)
    def post(self, request: Request) -> Response:
        """Find what keeps an address from being mailed now. Starts nothing and changes nothing."""
        key = address_key(checked.body(request, SuppressionSearch)["address"])
        rows = models.Suppression.objects.in_force().filter(address_key=key).order_by("address_key", "pk")
        return Response({"results": shown(list(rows[:MOST_FOUND]))})
