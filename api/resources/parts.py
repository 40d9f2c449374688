"""What stands inside of several answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class Shown(serializers.Serializer[Any]):
    """An answer: written, never read."""


class Named(Shown):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()


class Failure(Shown):
    code = serializers.CharField()
    text = serializers.CharField()


class Problem(Shown):
    """RFC 9457."""

    class Fault(Shown):
        field = serializers.CharField()
        detail = serializers.CharField()

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="For programs: it stays the same when the sentence changes.")
    detail = serializers.CharField(help_text="For people.")
    errors = Fault(many=True, required=False)  # type: ignore[assignment]  # a field, not what a form has


def page_of(item: type[Shown], **beside: serializers.Field[Any, Any, Any, Any]) -> type[Shown]:
    """Describe a page of a list; `beside` is what else stands in it."""
    fields = {
        **beside,
        "results": item(many=True),
        "next": serializers.URLField(
            allow_null=True, help_text="The address of the next page; null: this is the last."
        ),
        "next_cursor": serializers.CharField(allow_null=True),
    }
    return type(f"{item.__name__}Page", (Shown,), fields)
