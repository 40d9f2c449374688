"""Set-Up and Message: who sends what to which groups, and about how many people that is."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import CREATE_MAILING, VIEW_MAILINGS
from targetgroups.views.asking import person

from .. import enqueue
from ..choices import EDITABLE
from ..exceptions import NotAllowedNow
from ..forms import MailingForm
from ..models import Mailing
from . import reading
from .estimate import Estimate, estimate
from .parts import show, the_mailing

MOST_GROUPS = 1000


@requires(VIEW_MAILINGS)
@require_GET
def compose(request: HttpRequest, mailing_id: int) -> HttpResponse:
    mailing = the_mailing(mailing_id)
    return _show(request, mailing, MailingForm.of(mailing), *reading.chosen_in(mailing))


@requires(CREATE_MAILING)
@require_POST
def save(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Store what was typed; whatever is refused stays on the page."""
    mailing, form = the_mailing(mailing_id), MailingForm(request.POST)
    to, not_to = _chosen(request.POST, "to"), _chosen(request.POST, "not_to")
    version = request.POST.get("version", "")
    if not form.is_valid() or not version.isdigit():
        return _show(request, mailing, form, to, not_to, status=422, version=version)
    try:
        enqueue.save_mailing(
            mailing, form.cleaned_data, list(to), person(request), version=int(version), not_to_ids=list(not_to)
        )
    except NotAllowedNow as error:
        return _show(request, the_mailing(mailing_id), form, to, not_to, status=409, refusal=error.sentence)
    messages.success(request, "The mailing was saved.")
    return redirect("mailings:send" if "next" in request.POST else "mailings:compose", mailing_id)


@requires(VIEW_MAILINGS)
@require_GET
def estimated(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Say about how many people the groups ticked at this moment would reach; the address holds their IDs."""
    the_mailing(mailing_id)
    lines = reading.choices(_chosen(request.GET, "to"), _chosen(request.GET, "not_to"))
    return render(request, "mailings/_estimate.html", {"estimate": _estimate(lines)})


def _show(
    request: HttpRequest,
    mailing: Mailing,
    form: MailingForm,
    to: set[int],
    not_to: set[int],
    *,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    lines = reading.choices(to, not_to)
    if mailing.status not in EDITABLE or not person(request).may(CREATE_MAILING):
        lines = [line for line in lines if line.is_to or line.is_not_to]  # nothing can be chosen any more
    everything: dict[str, Any] = {"form": form, "choices": lines, "estimate": _estimate(lines)}
    everything |= {"has_not_to": sum(line.is_not_to for line in lines), "version": mailing.version, **context}
    return show(request, mailing, "compose", status=status, **everything)


def _estimate(lines: list[reading.Choice]) -> Estimate:
    return estimate(
        [line.group for line in lines if line.is_to and not line.is_not_to],
        [line.group for line in lines if line.is_not_to],
    )


def _chosen(values: QueryDict, name: str) -> set[int]:
    words = values.getlist(name)[:MOST_GROUPS]
    return {int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19}
