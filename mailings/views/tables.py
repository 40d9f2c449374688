"""The column chooser and page size of the tables of mailings."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from accounts.decorators import requires
from accounts.permissions import VIEW_MAILINGS
from accounts.views.tables import choose

from ..columns import TABLES


@requires(VIEW_MAILINGS)
@require_POST
def choose_columns(request: HttpRequest, name: str) -> HttpResponse:
    """Remember which columns in which order and how many rows this person wants, and go back to the list."""
    return choose(request, TABLES, name, "mailings:mailings")
