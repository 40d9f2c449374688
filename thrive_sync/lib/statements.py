"""Querysets whose SQL Django writes once: writing it takes several times as long as PostgreSQL takes to answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
_PLACE = -(2**62)  # stands for the value while the SQL is written; no row has such an ID


class ById(Generic[Row]):
    """Rows that are found by one ID.

    `make` gets the ID and returns the queryset; it must do the same for every ID, and may not `select_related`, since
    a raw query knows no joined rows. Annotations come along.
    """

    def __init__(self, make: Callable[[int], QuerySet[Row]]) -> None:
        self._make = make

    def rows(self, row_id: int) -> list[Row]:
        sql, values = self._written
        model, given = self._model, tuple(row_id if value == _PLACE else value for value in values)
        return list(model._default_manager.raw(sql, given))

    @cached_property
    def _written(self) -> tuple[str, tuple[Any, ...]]:
        queryset = self._make(_PLACE)
        self._model: type[Row] = queryset.model
        return queryset.query.sql_with_params()
