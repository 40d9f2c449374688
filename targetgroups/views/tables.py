"""The column chooser and page size of every table, remembered per person."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.decorators import requires
from accounts.permissions import VIEW_GROUPS
from accounts.preferences import remember_table

from ..columns import TABLES
from .asking import person

LONGEST_KEY = 200
MOST_COLUMNS = 60


@requires(VIEW_GROUPS)
@require_POST
def choose_columns(request: HttpRequest, name: str) -> HttpResponse:
    """Remember which columns and how many rows this person wants, and go back to the list."""
    table = TABLES.get(name)
    if table is None:
        raise Http404
    columns = [key[:LONGEST_KEY] for key in request.POST.getlist("columns")[:MOST_COLUMNS]]
    size = request.POST.get("size", "")
    choices = {"page_size": int(size)} if size in map(str, table.page_sizes) else {}
    remember_table(person(request), name, columns=None if "reset" in request.POST else columns, **choices)
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if is_ours and back.startswith("/") else "targetgroups:target_groups")
