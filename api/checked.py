"""What programs send, checked: an unknown name is a mistake and is told, not passed over."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.request import Request

from .paging import DEFAULT_LIMIT, MOST

LARGEST_ID = 2**63 - 1


class Checked(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            said = gettext("There is no such name.")
            raise serializers.ValidationError({str(name)[:100]: [said] for name in sorted(unknown)})
        return super().to_internal_value(data)


class Body(Checked):
    """What is sent as JSON: there a number is no text and 0 is not false, so nothing is guessed."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            wrong = [name for name, field in self.fields.items() if name in data and not _fits(field, data[name])]
            if wrong:
                said = gettext("This is of the wrong type.")
                raise serializers.ValidationError({name: [said] for name in wrong})
        return super().to_internal_value(data)


def _fits(field: serializers.Field[Any, Any, Any, Any], value: Any) -> bool:
    if value is None:
        return True  # the field itself says whether it may be
    if isinstance(field, serializers.ListField):
        return not isinstance(value, list) or all(_fits(field.child, one) for one in value)
    if isinstance(field, serializers.BooleanField):
        return isinstance(value, bool)
    if isinstance(field, serializers.IntegerField):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)


class ListQuery(Checked):
    """What every list takes."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MOST, default=DEFAULT_LIMIT, help_text="How many rows at most."
    )
    cursor = serializers.CharField(
        max_length=2000, default="", help_text="What the page before gave as `next_cursor`; empty: the first page."
    )


def id_field(**kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=LARGEST_ID, **kwargs)


def query(request: Request, kind: type[Checked]) -> dict[str, Any]:
    """Read the address; of a name that stands there twice the last one counts."""
    return _valid(kind(data=request.GET.dict()))


def body(request: Request, kind: type[Body]) -> dict[str, Any]:
    return _valid(kind(data=request.data))


def _valid(checked: Checked) -> dict[str, Any]:
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)
