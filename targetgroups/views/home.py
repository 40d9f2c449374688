from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.permissions import VIEW_BRIDGE, VIEW_GROUPS

from .asking import person

FIRST_PAGES = ((VIEW_GROUPS, "targetgroups:target_groups"), (VIEW_BRIDGE, "targetgroups:bridge_configuration"))


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the first page that this person may see."""
    for codename, page in FIRST_PAGES:
        if person(request).may(codename):
            return redirect(page)
    raise PermissionDenied("You have no role yet. Ask an administrator to give you one.")
