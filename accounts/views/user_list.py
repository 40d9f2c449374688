"""Admin > Users as a table of chosen columns, and as a file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

import audit
from accounts import listing
from accounts.columns import TABLES, USERS
from accounts.decorators import requires
from accounts.permissions import MANAGE_USERS, ROLES
from accounts.views.asking import is_part, person, whole
from accounts.views.tables import Ordering, choose, ordering, page_size
from thrive_sync.lib.csv_export import csv_response


@sensitive_post_parameters("q")
@requires(MANAGE_USERS)
@require_http_methods(["GET", "POST"])
def users(request: HttpRequest) -> HttpResponse:
    """List people. A search is posted: a name or address stands in no address of a page."""
    asked, order = _asked(request)
    columns, size, page = USERS.shown_to(person(request)), page_size(request, USERS), whole(request, "page") or 1
    lines, has_more = listing.page_of(asked, columns, min(page, listing.MOST_PAGES), size)
    if not lines and page > 1:  # an address of when there were more
        page = 1
        lines, has_more = listing.page_of(asked, columns, page, size)
    context = {
        "asked": asked,
        "text": asked.text,
        "lines": lines,
        "table": USERS,
        "columns": columns,
        "all_columns": USERS.columns,
        "has_roles": listing.has(columns, "roles"),
        "order": order,
        "size": size,
        "page_number": page,
        "roles": ROLES,
        "states": listing.FILTERED,
        "has_more": has_more,
        "may_export": True,  # whoever sees the list
    }
    return render(request, f"accounts/{'_users' if is_part(request, 'people') else 'users'}.html", context)


@sensitive_post_parameters("q")
@requires(MANAGE_USERS)
@require_POST
def users_csv(request: HttpRequest) -> HttpResponseBase:
    """Export whom the list shows, every page of it, with its columns."""
    user, (asked, _) = person(request), _asked(request)
    columns = USERS.shown_to(user)
    what = {"role": asked.role, "state": asked.state, "columns": [column.key for column in columns]}
    audit.record(user, "users.exported", user, None, what | {"is_searched": bool(asked.text)})
    zone = timezone.get_current_timezone()  # the person's own, which is another's by the time that lines go out
    return csv_response("users", [column.label for column in columns], listing.cells(asked, columns, zone))


@requires(MANAGE_USERS)
@require_POST
def choose_columns(request: HttpRequest, name: str) -> HttpResponse:
    """Remember which columns in which order and how many rows this person wants, and go back to the list."""
    return choose(request, TABLES, name, "accounts:users")


def _asked(request: HttpRequest) -> tuple[listing.Wanted, Ordering]:
    order = ordering(request, USERS, "name")
    return listing.wanted(request.GET, request.POST.get("q", ""), order.sort, order.is_descending), order
