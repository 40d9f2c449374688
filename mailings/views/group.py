"""Info > Active Mailings: the mailings that use a target group. A tab of Info that this room brings."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import VIEW_GROUPS, VIEW_MAILINGS, VIEW_SUBSCRIBERS
from accounts.views.asking import is_part, person, whole
from targetgroups.models import TargetGroup
from targetgroups.views import info
from targetgroups.views.deleted_group import or_what_became_of_it
from targetgroups.views.groups import live_context

from . import reading
from .overview import estimate_of


@requires(VIEW_GROUPS)
@require_GET
@or_what_became_of_it
def group_mailings(request: HttpRequest, group_id: int) -> HttpResponse:
    """List the mailings of a group; who may neither write nor send any sees their names and states alone."""
    groups = TargetGroup.objects.present().with_same_name_flags().select_related("folder", "bridge", "counted_run")
    group, user = get_object_or_404(groups, pk=group_id), person(request)
    page = reading.mailings_of(group, after=whole(request, "after"), before=whole(request, "before"))
    mailings = [use.mailing for use in page.rows]
    hidden = () if user.may(VIEW_SUBSCRIBERS) else ("subscribers", "excluded")
    context = live_context(request, group) | {
        "tab": "mailings",
        "tabs": [tab for tab in info.TABS if tab[0] not in hidden],
        "tab_template": "mailings/_group_mailings.html",
        "page": page,
        "counts": reading.recipient_counts(mailings),
        "estimates": {mailing.pk: estimate_of(mailing) for mailing in mailings if not mailing.is_frozen},
        "sees_mailings": user.may(VIEW_MAILINGS),
    }
    is_alone = not is_part(request, "info", "sheet-body")
    return render(request, "targetgroups/info.html" if is_alone else "targetgroups/_info.html", context)
