"""People as programs see them: can this person be mailed, and by which groups."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from targetgroups.models import Subscriber
from targetgroups.views import person_state

from ..checked import Body, ListQuery, id_field
from .groups import Person
from .parts import Named, Shown, page_of

MOST_FOUND = 50


class SubscriberQuery(ListQuery):
    bridge = id_field(default=None, allow_null=True, help_text="With one association it need not be named.")
    show = serializers.ChoiceField(
        [("all", "Everybody"), ("active", "Whom a mailing may reach")], default="all", help_text="As on the page."
    )


class SubscriberSearch(Body):
    """Posted, since what is looked for may not stand in an address. Only one of the three."""

    bridge = id_field(required=False, help_text="With one association it need not be named.")
    text = serializers.CharField(
        max_length=200, required=False, help_text="In address or name; or the beginning of a Remote ID."
    )
    email = serializers.CharField(max_length=320, required=False, help_text="The whole address, in any spelling.")
    remote_id = serializers.CharField(max_length=100, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in ("text", "email", "remote_id")) != 1:
            raise serializers.ValidationError(gettext("Give one of text, email and remote_id."))
        return attrs


class Found(Shown):
    results = Person(many=True)
    has_more = serializers.BooleanField(help_text=f"There are more than {MOST_FOUND}: look for something narrower.")


class Why(Shown):
    what = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    remedy = serializers.CharField()
    note = serializers.CharField()


class GroupOfPerson(Shown):
    group = Named()
    state = serializers.ChoiceField([(word, word) for word in ("in", "left_out", "left")])
    why = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)


class OneSubscriber(Person):
    can_be_mailed = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField(help_text="Every reason why not, the strongest first.")
    groups = serializers.SerializerMethodField()
    shares_address_with = serializers.SerializerMethodField(help_text="IDs of people who have the same address.")
    attributes = serializers.DictField()
    fields_read_at = serializers.SerializerMethodField(help_text="How old the fields are.")
    do_not_email_at = serializers.DateTimeField(allow_null=True)
    erased_at = serializers.DateTimeField(allow_null=True)

    def get_can_be_mailed(self, person: Subscriber) -> bool:
        return not self.context["against"]

    @extend_schema_field(Why(many=True))
    def get_reasons(self, person: Subscriber) -> Any:
        return Why(self.context["against"], many=True).data

    @extend_schema_field(GroupOfPerson(many=True))
    def get_groups(self, person: Subscriber) -> Any:
        lines = [
            {"group": line.group, "state": line.state, "why": line.why, "since": line.since}
            for line in self.context["lines"]
        ]
        return GroupOfPerson(lines, many=True).data

    def get_shares_address_with(self, person: Subscriber) -> list[int]:
        return [other.pk for other in person_state.others_at_address(person)]

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_fields_read_at(self, person: Subscriber) -> Any:
        at = person_state.read_at(self.context["lines"])
        return serializers.DateTimeField().to_representation(at) if at else None


PersonPage = page_of(Person)
