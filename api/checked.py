"""What programs send, checked: an unknown name is a mistake and is told, not passed over."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from .paging import DEFAULT_LIMIT, MOST

LARGEST_ID = 2**63 - 1


class Checked(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            raise serializers.ValidationError({str(name)[:100]: ["There is no such name."] for name in sorted(unknown)})
        return super().to_internal_value(data)


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


def body(request: Request, kind: type[Checked]) -> dict[str, Any]:
    return _valid(kind(data=request.data))


def _valid(checked: Checked) -> dict[str, Any]:
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)
