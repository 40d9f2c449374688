"""Mailings as programs see them: where each stands, its figures, who receives it."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mailings import enqueue
from mailings.choices import GroupRole, LeftOutReason, MailingStatus, Outcome, StopCode
from mailings.models import Mailing
from mailings.querysets import figures_of
from mailings.reviewed import Numbers
from mailings.views import reading

from ..checked import Body, ListQuery
from .parts import Shown, page_of


class MailingQuery(ListQuery):
    status = serializers.ChoiceField(MailingStatus.choices, default="")


class RecipientQuery(ListQuery):
    outcome = serializers.ChoiceField([*Outcome.choices, (reading.TO_SEND_WORD, "Still to send")], default="")


class SendMailing(Body):
    version = serializers.IntegerField(
        min_value=1,
        max_value=2**31 - 1,
        help_text="The mailing's `version` that was looked at: no other text goes out.",
    )
    seen = serializers.CharField(
        max_length=2000, required=False, help_text="The mailing's `numbers.seen` that was looked at."
    )
    at = serializers.DateTimeField(
        required=False, allow_null=True, default_timezone=zoneinfo.ZoneInfo("UTC"), help_text="Empty: now."
    )

    def validate_at(self, moment: Any) -> Any:
        if moment and moment < timezone.now():
            raise serializers.ValidationError(gettext("This moment is over. Without one it is sent now."))
        return moment


class GroupOfMailing(Shown):
    id = serializers.IntegerField(source="target_group_id")
    name = serializers.CharField(source="target_group.name")
    role = serializers.ChoiceField(GroupRole.choices)
    members = serializers.IntegerField(source="member_count", allow_null=True, help_text="As frozen.")


class Stop(Shown):
    code = serializers.ChoiceField(StopCode.choices, source="stop_code")
    text = serializers.CharField(source="stop_text")
    at = serializers.DateTimeField(source="stopped_at", allow_null=True)


class MailingShown(Shown):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    status = serializers.ChoiceField(MailingStatus.choices)
    subject = serializers.CharField()
    from_name = serializers.CharField()
    from_email = serializers.CharField()
    reply_to = serializers.CharField()
    version = serializers.IntegerField()
    groups = serializers.SerializerMethodField()
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    sent_by = serializers.CharField(allow_null=True)
    requested_at = serializers.DateTimeField(allow_null=True)
    scheduled_for = serializers.DateTimeField(allow_null=True)
    frozen_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    stop = serializers.SerializerMethodField(help_text="Why it does not go on by itself.")

    @extend_schema_field(GroupOfMailing(many=True))
    def get_groups(self, mailing: Mailing) -> Any:
        return GroupOfMailing(mailing.groups.all(), many=True).data

    @extend_schema_field(Stop(allow_null=True))
    def get_stop(self, mailing: Mailing) -> Any:
        return Stop(mailing).data if mailing.stop_code else None


class Reviewable(Shown):
    least = serializers.IntegerField()
    most = serializers.IntegerField()
    is_known = serializers.BooleanField()
    seen = serializers.CharField(source="fingerprint")


class OneMailing(MailingShown):
    numbers = serializers.SerializerMethodField(help_text="How many would receive it now, by the last counts.")
    lacks = serializers.SerializerMethodField(help_text="What it lacks before it can be sent, by field.")

    @extend_schema_field(Reviewable())
    def get_numbers(self, mailing: Mailing) -> Any:
        numbers = Numbers.of(reading.groups_of(mailing), named=len(mailing.not_to_addresses))
        return Reviewable(numbers).data

    def get_lacks(self, mailing: Mailing) -> dict[str, str]:
        return enqueue.problems(mailing) if mailing.is_editable else {}


class Report(Shown):
    """The numbers add up: total = settled + left. All are null before the recipients are fixed."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(MailingStatus.choices)
    is_frozen = serializers.BooleanField()
    as_of = serializers.DateTimeField()
    total = serializers.IntegerField(allow_null=True, help_text="Recipients.")
    settled = serializers.IntegerField(allow_null=True)
    left = serializers.IntegerField(allow_null=True, help_text="Still to send.")
    outcomes = serializers.DictField(child=serializers.IntegerField(), allow_null=True, help_text="By outcome.")
    skipped = serializers.DictField(child=serializers.IntegerField(), allow_null=True, help_text="By reason.")
    left_out_total = serializers.IntegerField(allow_null=True)
    left_out = serializers.DictField(child=serializers.IntegerField(), allow_null=True, help_text="By reason.")


class RecipientShown(Shown):
    id = serializers.IntegerField(source="pk")
    subscriber = serializers.IntegerField(source="subscriber_id")
    group = serializers.IntegerField(source="target_group_id")
    remote_id = serializers.CharField()
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    outcome = serializers.ChoiceField(Outcome.choices)
    reason = serializers.CharField(help_text=f"Of a skipped one: {', '.join(LeftOutReason.values)}.")
    said = serializers.CharField(help_text="The mail server's words.")
    attempts = serializers.IntegerField()
    settled_at = serializers.DateTimeField(allow_null=True)


MailingPage = page_of(MailingShown)
RecipientPage = page_of(RecipientShown)


def report_of(mailing: Mailing) -> dict[str, Any]:
    names = ("total", "settled", "left", "outcomes", "skipped", "left_out_total", "left_out")
    figures = figures_of(mailing) if mailing.is_frozen else dict.fromkeys(names)
    head = {"id": mailing.pk, "status": mailing.status, "is_frozen": mailing.is_frozen, "as_of": timezone.now()}
    return dict(Report(head | figures).data)
