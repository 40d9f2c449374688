"""Target groups as programs see them: the figures of the list and of Info's Overview."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from targetgroups.choices import GroupState, NotReceiving
from targetgroups.models import TargetGroup
from targetgroups.views import reading

from ..checked import ListQuery, id_field
from .parts import Failure, Named, Shown, page_of


class GroupQuery(ListQuery):
    bridge = id_field(default=None, allow_null=True)
    folder = id_field(default=None, allow_null=True)
    name = serializers.CharField(max_length=200, default="", help_text="A part of the name.")
    state = serializers.ChoiceField(GroupState.choices, default=None, allow_null=True)


class Count(Shown):
    """Never a false 0: null where nobody has counted."""

    members = serializers.IntegerField(source="member_count", allow_null=True)
    in_search = serializers.IntegerField(source="search_count", allow_null=True)
    excluded = serializers.DictField(source="exclusion_counts", child=serializers.IntegerField())
    counted_at = serializers.DateTimeField(allow_null=True)
    run = serializers.IntegerField(source="counted_run_id", allow_null=True)


class Receiving(Shown):
    receiving = serializers.IntegerField(source="receiving_count")
    not_receiving = serializers.DictField(source="not_receiving_counts", child=serializers.IntegerField())
    counted_at = serializers.DateTimeField()
    is_outdated = serializers.BooleanField()


class RunBeside(Shown):
    id = serializers.IntegerField(source="pk")
    status = serializers.CharField()


class Group(Shown):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    description = serializers.CharField()
    type = serializers.CharField(source="search_type")
    search_id = serializers.CharField()
    bridge = Named()
    folder = Named()
    state = serializers.ChoiceField(GroupState.choices)
    count = Count(source="*")
    read_at = serializers.DateTimeField(allow_null=True, help_text="Since then its members are confirmed.")
    first_seen_at = serializers.DateTimeField()
    gone_at = serializers.DateTimeField(allow_null=True, help_text="No longer in MemberSuite since.")
    not_runnable_code = serializers.CharField()
    attributes = serializers.ListField(source="attribute_names", child=serializers.CharField())
    error = serializers.SerializerMethodField()
    run = serializers.SerializerMethodField(help_text="The run under way, or held.")

    @extend_schema_field(Failure(allow_null=True))
    def get_error(self, group: TargetGroup) -> Any:
        failure = {"code": group.error_code, "text": group.error_text}
        return Failure(failure).data if group.error_code else None

    @extend_schema_field(RunBeside(allow_null=True))
    def get_run(self, group: TargetGroup) -> Any:
        run = self.context["runs"].get(group.pk)
        return RunBeside(run).data if run else None


class OneGroup(Group):
    receiving = serializers.SerializerMethodField(help_text="How many a mailing reaches; null: not counted yet.")

    @extend_schema_field(Receiving(allow_null=True))
    def get_receiving(self, group: TargetGroup) -> Any:
        counted = reading.receiving_count(group)
        return Receiving(counted).data if counted else None


class Person(Shown):
    id = serializers.IntegerField(source="pk")
    bridge = serializers.IntegerField(source="bridge_id")
    remote_id = serializers.CharField()
    local_id = serializers.IntegerField(allow_null=True)
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    changed_at = serializers.DateTimeField()
    not_receiving = serializers.SerializerMethodField(help_text="Why no mailing reaches the person; null: one may.")

    def get_not_receiving(self, person: Any) -> NotReceiving | None:
        return self.context["reasons"].get(person.pk)


class Member(Person):
    subscribed_at = serializers.SerializerMethodField()
    attributes = serializers.DictField()

    @extend_schema_field(serializers.DateTimeField())
    def get_subscribed_at(self, person: Any) -> Any:
        return serializers.DateTimeField().to_representation(self.context["since"][person.pk])


GroupPage = page_of(Group)
MemberPage = page_of(Member, group=serializers.IntegerField(), count=Count())


def show_groups(groups: list[TargetGroup], one: type[Group] = Group) -> Any:
    return one(groups, many=True, context={"runs": reading.runs_beside(groups)}).data
