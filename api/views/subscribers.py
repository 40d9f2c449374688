"""Subscribers: the list, a search that is posted, and one person."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import EXPORT, VIEW_SUBSCRIBERS
from accounts.scopes import READ_PEOPLE
from targetgroups.models import Bridge, Subscriber
from targetgroups.views import person_state, reading
from targetgroups.views.people_lists import SHOWS
from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.paging import KeysetPage, key_of, keyset_page

from .. import checked, paging
from ..access import Need
from ..people import reasons_for
from ..resources.groups import Person
from ..resources.subscribers import (
    MOST_FOUND,
    Found,
    OneSubscriber,
    PersonPage,
    SubscriberQuery,
    SubscriberSearch,
)
from .base import ApiView, record_export

# A Remote ID stays with its record, so that no change of a person moves them in the list (R2).
ORDER = ["remote_key"]


class Subscribers(ApiView):
    needs = {"GET": Need((READ_PEOPLE,), (VIEW_SUBSCRIBERS, EXPORT))}

    @extend_schema(operation_id="list_subscribers", parameters=[SubscriberQuery], responses=PersonPage)
    def get(self, request: Request) -> Response:
        """List everybody of an association. The first page is recorded as an export."""
        asked = checked.query(request, SubscriberQuery)
        bridge = _bridge(asked["bridge"])
        if paging.is_first(asked):
            record_export(request, bridge, list=asked["show"])
        people = SHOWS[asked["show"]].rows(bridge, "", "")

        def read(after: int | None, size: int) -> KeysetPage[Subscriber]:
            return keyset_page(people, ORDER, size=size, after=key_of(Subscriber.objects.all(), ORDER, after))

        return paging.page(request, asked, read, _show)


class SearchSubscribers(ApiView):
    needs = {"POST": Need((READ_PEOPLE,), (VIEW_SUBSCRIBERS,))}

    @extend_schema(operation_id="search_subscribers", request=SubscriberSearch, responses=Found)
    def post(self, request: Request) -> Response:
        """Find people by address, name or Remote ID. Starts nothing and changes nothing."""
        asked = checked.body(request, SubscriberSearch)
        found = list(_matching(_bridge(asked.get("bridge")), asked).order_by(*ORDER)[: MOST_FOUND + 1])
        return Response({"results": _show(found[:MOST_FOUND]), "has_more": len(found) > MOST_FOUND})


class OneSubscriberView(ApiView):
    needs = {"GET": Need((READ_PEOPLE,), (VIEW_SUBSCRIBERS,))}

    @extend_schema(operation_id="get_subscriber", responses=OneSubscriber)
    def get(self, request: Request, subscriber_id: int) -> Response:
        """Read one person: whether they can be mailed and why not, and what they are in each group, and why."""
        person = get_object_or_404(Subscriber.objects.select_related("bridge"), pk=subscriber_id)
        lines, suppressions = person_state.group_lines(person), person_state.in_force(person)
        in_count = sum(line.is_in for line in lines)
        against = person_state.reasons_against(person, suppressions, in_count)
        context = {"reasons": reasons_for([person]), "lines": lines, "against": against}
        return Response(OneSubscriber(person, context=context).data)


def _bridge(bridge_id: int | None) -> Bridge:
    bridges = reading.bridges()
    found = bridges[:1] if bridge_id is None else [one for one in bridges if one.pk == bridge_id]
    if not found:
        raise serializers.ValidationError({"bridge": [gettext("There is no such association.")]})
    return found[0]


def _matching(bridge: Bridge, asked: dict[str, Any]) -> QuerySet[Subscriber]:
    people = Subscriber.objects.filter(bridge=bridge)
    if "email" in asked:
        return people.filter(address_key=address_key(asked["email"]), address_key__gt="")
    if "remote_id" in asked:
        return people.filter(remote_key=asked["remote_id"].lower())
    return people.containing_or_numbered(asked["text"])


def _show(people: list[Subscriber]) -> Any:
    return Person(people, many=True, context={"reasons": reasons_for(people)}).data
