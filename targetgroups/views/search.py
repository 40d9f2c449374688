"""The search box: groups, subscribers, runs, pages, and what other rooms have.

What is typed may be a person's name or address, so it is posted: no address and no log ever holds it.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.views.asking import is_part, person

from . import found
from .site_map import places_for

IN_BOX, ON_PAGE = 5, 20
LONGEST = 200


@sensitive_post_parameters("q")
@login_required
@require_http_methods(["GET", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Show the page, or what was found: beside the box while somebody types, or on the page without JavaScript."""
    text, is_box = request.POST.get("q", "").strip()[:LONGEST], is_part(request, "search-hits")
    context = {
        "text": text,
        "findings": found.everywhere(person(request), text, IN_BOX if is_box else ON_PAGE) if text else [],
        "places": [] if is_box else places_for(person(request)),
    }
    return render(request, "targetgroups/_search_hits.html" if is_box else "targetgroups/search.html", context)
