"""What stands at the addresses of a target group that somebody deleted, or that never was."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.permissions import EDIT_GROUPS
from accounts.views.asking import person
from audit.models import AuditEntry

from ..models import TargetGroup

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, int, P], HttpResponseBase]


def or_what_became_of_it(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Let a view of one group say what became of it, where there is nothing else to show. Rights are asked before."""

    @functools.wraps(view)
    def told(request: HttpRequest, group_id: int, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, group_id, *args, **kwargs)
        except Http404:
            group = TargetGroup.objects.select_related("folder").filter(pk=group_id).first()
            if group and not group.deleted_at:  # something else of the address is missing
                raise
            return _answer(request, group_id, group)

    return told


def _answer(request: HttpRequest, group_id: int, group: TargetGroup | None) -> HttpResponse:
    if getattr(request, "htmx", False):  # no part of a page can say it: the whole page goes there
        return HttpResponse(status=404, headers={"HX-Redirect": reverse("targetgroups:info", args=[group_id])})
    if group is None:
        back = {"back": reverse("targetgroups:target_groups"), "back_label": gettext("Go to Target Groups")}
        return render(request, "404.html", back, status=404)
    deleted = AuditEntry.objects.filter(
        object_type="targetgroups.targetgroup", object_id=str(group.pk), action="target_group.deleted"
    )
    entry = deleted.order_by("-at").first()
    context = {
        "group": group,
        "deleted_by": entry.actor_label if entry else "",
        "may_undelete": person(request).may(EDIT_GROUPS),
    }
    return render(request, "targetgroups/deleted_group.html", context, status=404)
