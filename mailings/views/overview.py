"""Mailings: the list, and what begins, copies or deletes one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import CREATE_MAILING, EXPORT, VIEW_MAILINGS
from accounts.views.asking import cursor, is_part, person
from accounts.views.tables import ordering, page_size

from .. import enqueue
from ..choices import GroupRole
from ..columns import MAILINGS
from ..exceptions import NotAllowedNow
from ..forms import MailingFilterForm
from ..models import Mailing
from . import reading
from .estimate import Estimate, estimate
from .parts import the_mailing

NEWEST_FIRST = "-created"


@requires(VIEW_MAILINGS)
@require_GET
def mailings(request: HttpRequest) -> HttpResponse:
    form = MailingFilterForm(request.GET)
    filters, text, now = form.chosen(), request.GET.get("q", "").strip(), timezone.now()
    order, size, user = ordering(request, MAILINGS, NEWEST_FIRST), page_size(request, MAILINGS), person(request)
    page = reading.mailings_page(filters, text, order, size=size, **cursor(request))
    waits = [seconds for mailing in page.rows if (seconds := reading.poll_seconds(mailing, now))]
    context = {
        "form": form,
        "filters": filters,
        "text": text,
        "table": MAILINGS,
        "columns": MAILINGS.shown_to(user),
        "order": order,
        "size": size,
        "page": page,
        "counts": reading.recipient_counts(page.rows),
        "estimates": {mailing.pk: estimate_of(mailing) for mailing in page.rows if not mailing.is_frozen},
        "poll_seconds": max(min(waits), 2) if waits else None,
        "may_write": user.may(CREATE_MAILING),
        "may_export": user.may(EXPORT),
    }
    return render(request, f"mailings/{'_list' if is_part(request, 'mailings') else 'mailings'}.html", context)


@requires(CREATE_MAILING)
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    return redirect("mailings:compose", enqueue.create_mailing(person(request)).pk)


@requires(CREATE_MAILING)
@require_POST
def copy(request: HttpRequest, mailing_id: int) -> HttpResponse:
    mailing = the_mailing(mailing_id)
    made = enqueue.copy_mailing(mailing, person(request))
    copied = gettext("This is a copy of “%(name)s”. Nothing of it is sent yet.")
    messages.success(request, copied % {"name": mailing.name})
    return redirect("mailings:compose", made.pk)


@requires(CREATE_MAILING)
@require_POST
def delete(request: HttpRequest, mailing_id: int) -> HttpResponse:
    mailing = the_mailing(mailing_id)
    try:
        enqueue.delete_draft(mailing, person(request))
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
        return redirect("mailings:send", mailing_id)
    messages.success(request, gettext("The draft “%(name)s” was deleted.") % {"name": mailing.name})
    return redirect("mailings:mailings")


def estimate_of(mailing: Mailing) -> Estimate:
    """Estimate a mailing whose groups were fetched with it."""
    groups = list(mailing.groups.all())
    to = [group.target_group for group in groups if group.role == GroupRole.TO]
    not_to = [group.target_group for group in groups if group.role == GroupRole.NOT_TO]
    return estimate(to, not_to, len(mailing.not_to_addresses))
