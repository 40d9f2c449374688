"""Claim rows by a conditional UPDATE: never read a status and save it later."""

from typing import Any

from django.db.models import QuerySet


def claim(queryset: QuerySet[Any], **values: Any) -> bool:
    """Change the rows that still match, and say whether this caller won them."""
    return queryset.update(**values) > 0
