"""Runs as programs see them: how each stands, how far it is, and what it found."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from targetgroups.choices import Phase, RunKind, RunStatus, Trigger
from targetgroups.models import SyncRun
from targetgroups.views import decision, reading

from ..checked import Body, ListQuery, id_field
from .parts import Named, Shown, page_of

KINDS = [(RunKind.LIST.value, RunKind.LIST.label), (RunKind.GROUP.value, RunKind.GROUP.label)]
KINDS += [(RunKind.PREVIEW.value, RunKind.PREVIEW.label)]


class RunQuery(ListQuery):
    group = id_field(default=None, allow_null=True)
    kind = serializers.ChoiceField(RunKind.choices, default="")
    trigger = serializers.ChoiceField(Trigger.choices, default="")
    status = serializers.ChoiceField(RunStatus.choices, default="")
    since = serializers.DateField(default=None, allow_null=True, help_text="Asked for on this day or later, in UTC.")
    until = serializers.DateField(default=None, allow_null=True, help_text="Asked for on this day or earlier, in UTC.")

    def validate_since(self, day: Any) -> Any:
        return _within_reason(day)

    def validate_until(self, day: Any) -> Any:
        return _within_reason(day)


def _within_reason(day: Any) -> Any:
    if day and not 2000 <= day.year <= 2100:
        raise serializers.ValidationError(gettext("Days from 2000 to 2100."))
    return day


class StartRun(Body):
    kind = serializers.ChoiceField(KINDS)
    group = id_field(required=False, help_text="Of a sync or a preview.")
    bridge = id_field(required=False, help_text="Of a list refresh; with one association it need not be named.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_list = attrs["kind"] == RunKind.LIST
        if is_list and "group" in attrs:
            raise serializers.ValidationError({"group": [gettext("A list refresh is of no group.")]})
        if not is_list and "bridge" in attrs:
            raise serializers.ValidationError({"bridge": [gettext("The group says which.")]})
        if not is_list and "group" not in attrs:
            raise serializers.ValidationError({"group": [gettext("Say which group.")]})
        return attrs


class ApplyRun(Body):
    confirmed = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, help_text="How many would go: the run's `going_count`, as it was looked at."
    )


class Progress(Shown):
    phase = serializers.ChoiceField(Phase.choices)
    rows_read = serializers.IntegerField()
    rows_total = serializers.IntegerField(allow_null=True)
    rows_per_second = serializers.FloatField(allow_null=True)
    seconds_left = serializers.FloatField(allow_null=True)
    beat_at = serializers.DateTimeField()


class RunFailure(Shown):
    code = serializers.CharField(source="error_code")
    text = serializers.CharField(source="error_text")
    remote_said = serializers.CharField()


class Run(Shown):
    id = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(RunKind.choices)
    trigger = serializers.ChoiceField(Trigger.choices)
    status = serializers.ChoiceField(RunStatus.choices)
    is_stalled = serializers.SerializerMethodField()
    bridge = Named()
    group = Named(source="target_group", allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    progress = serializers.SerializerMethodField()
    figures = serializers.DictField(help_text="By the words of the run's page.")
    sentence = serializers.CharField()
    error = serializers.SerializerMethodField()
    applies = serializers.IntegerField(source="applies_id", allow_null=True, help_text="The held run it applies.")

    def get_is_stalled(self, run: SyncRun) -> bool:
        return run.is_stalled(timezone.now())

    @extend_schema_field(Progress(allow_null=True))
    def get_progress(self, run: SyncRun) -> Any:
        progress = getattr(run, "progress", None)
        return Progress(progress).data if progress else None

    @extend_schema_field(RunFailure(allow_null=True))
    def get_error(self, run: SyncRun) -> Any:
        return RunFailure(run).data if run.error_code else None


class RunRequest(Shown):
    trigger = serializers.ChoiceField(Trigger.choices)
    user = serializers.CharField(allow_null=True)
    requested_at = serializers.DateTimeField()


class OneRun(Run):
    is_cancelling = serializers.SerializerMethodField()
    ask_again_seconds = serializers.SerializerMethodField(
        help_text="When to ask again how it stands; null: it is over."
    )
    going_count = serializers.SerializerMethodField(help_text="Of a held run: how many would go if it were applied.")
    requests = serializers.SerializerMethodField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)

    def get_is_cancelling(self, run: SyncRun) -> bool:
        return run.is_active and run.cancel_wishes.exists()

    def get_ask_again_seconds(self, run: SyncRun) -> int | None:
        return reading.poll_seconds(run, timezone.now())

    def get_going_count(self, run: SyncRun) -> int | None:
        return decision.going_count(run) if run.is_held else None

    @extend_schema_field(RunRequest(many=True))
    def get_requests(self, run: SyncRun) -> Any:
        return RunRequest(reading.requests_of(run)[:50], many=True).data


RunPage = page_of(Run)
