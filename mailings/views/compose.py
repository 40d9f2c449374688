"""Set-Up and Message: who sends what to which groups, and about how many people that is."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import CREATE_MAILING, VIEW_MAILINGS
from accounts.views.asking import is_part, person
from targetgroups.models import TargetGroup

from .. import enqueue, message
from ..choices import EDITABLE
from ..exceptions import NotAllowedNow
from ..forms import MailingForm
from ..letterbox import BEGINNINGS, beginning
from ..models import Mailing
from . import reading
from .estimate import Estimate, estimate
from .parts import show, the_mailing

MOST_GROUPS = 1000
MOST_TYPED = 200_000


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
    is_kept_alone = is_part(request, "saved")
    if not form.is_valid() or not version.isdigit():
        if is_kept_alone:
            return _kept(request, mailing, version=version, form=form)
        return _show(request, mailing, form, to, not_to, status=422, version=version)
    try:
        enqueue.save_mailing(
            mailing,
            form.cleaned_data,
            list(to),
            person(request),
            version=int(version),
            not_to_ids=list(not_to),
            by_itself=is_kept_alone,
        )
    except NotAllowedNow as error:
        if is_kept_alone:
            return _kept(request, mailing, version=version, refusal=error.sentence)
        return _show(request, the_mailing(mailing_id), form, to, not_to, status=409, refusal=error.sentence)
    if is_kept_alone:
        return _kept(request, mailing, version=mailing.version, kept_at=timezone.now())
    messages.success(request, gettext("The mailing was saved."))
    return redirect("mailings:send" if "next" in request.POST else "mailings:compose", mailing_id)


@requires(CREATE_MAILING)
@require_POST
def begin(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Begin the message of a mailing that has none with one of those in the box."""
    start = beginning(request.POST.get("letter", ""))
    if start is None:
        raise Http404
    try:
        enqueue.begin_message(the_mailing(mailing_id), start, person(request))
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
    return redirect(reverse("mailings:compose", args=[mailing_id]) + "#message")


@requires(CREATE_MAILING)
@require_POST
def check(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Say what is wrong with a message as it is typed: posted, since nothing typed may stand in an address."""
    mailing = the_mailing(mailing_id)
    typed = {part: request.POST.get(part, "")[:MOST_TYPED].replace("\r\n", "\n") for part in message.PARTS}
    groups = [line.group for line in reading.choices(_chosen(request.POST, "to"), set()) if line.is_to]
    return render(request, "mailings/_findings.html", _checked(typed, groups) | {"mailing": mailing})


@requires(VIEW_MAILINGS)
@require_GET
def estimated(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Say about how many people the groups ticked at this moment would reach; the address holds their IDs."""
    mailing = the_mailing(mailing_id)
    lines = reading.choices(_chosen(request.GET, "to"), _chosen(request.GET, "not_to"))
    return render(request, "mailings/_estimate.html", {"mailing": mailing, "estimate": _estimate(mailing, lines)})


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
    everything: dict[str, Any] = {"form": form, "choices": lines, "estimate": _estimate(mailing, lines)}
    groups = [line.group for line in lines if line.is_to]
    everything |= _checked({part: str(form[part].value() or "") for part in message.PARTS}, groups)
    is_empty = not mailing.html and not mailing.text and not form.is_bound
    everything |= {"beginnings": BEGINNINGS if is_empty else ()}
    everything |= {"has_not_to": sum(line.is_not_to for line in lines), "version": mailing.version, **context}
    return show(request, mailing, "compose", status=status, **everything)


def _kept(request: HttpRequest, mailing: Mailing, **context: Any) -> HttpResponse:
    """Answer the page that keeps a draft while it is written: saved when, or why not."""
    return render(request, "mailings/_saved.html", {"mailing": mailing, **context})


def _checked(typed: dict[str, str], groups: list[TargetGroup]) -> dict[str, Any]:
    fields = message.fields_of(groups)
    found = message.findings(typed, fields)
    return {
        "findings": [(message.LABELS[each.part], each) for each in found],
        "is_unwritten": not typed["html"].strip() and not typed["text"].strip(),
        "has_errors": any(each.is_error for each in found),
        "fields": [(name, message.example_of(name)) for name in fields],
        "condition": "{% if first_name %} … {% endif %}",
    }


def _estimate(mailing: Mailing, lines: list[reading.Choice]) -> Estimate:
    return estimate(
        [line.group for line in lines if line.is_to and not line.is_not_to],
        [line.group for line in lines if line.is_not_to],
        len(mailing.not_to_addresses),
    )


def _chosen(values: QueryDict, name: str) -> set[int]:
    words = values.getlist(name)[:MOST_GROUPS]
    return {int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19}
