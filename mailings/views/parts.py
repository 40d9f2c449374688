"""What every page of one mailing shares: the mailing itself, its head and its tabs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy

from accounts.permissions import CREATE_MAILING, SEND_MAILING, SEND_STALE_MAILING, VIEW_SUBSCRIBERS
from accounts.views.asking import person

from ..choices import EDITABLE, MailingStatus
from ..models import Mailing

TABS = (
    ("compose", gettext_lazy("Set-Up and Message"), "mailings:compose"),
    ("preview", gettext_lazy("Preview"), "mailings:preview"),
    ("send", gettext_lazy("Send"), "mailings:send"),
    ("report", gettext_lazy("Report"), "mailings:report"),
)


def the_mailing(mailing_id: int) -> Mailing:
    return get_object_or_404(Mailing.objects.select_related("created_by", "sent_by"), pk=mailing_id)


def show(request: HttpRequest, mailing: Mailing, tab: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render a tab of a mailing's page."""
    return render(request, "mailings/mailing.html", shared(request, mailing, tab) | context, status=status)


def shared(request: HttpRequest, mailing: Mailing, tab: str) -> dict[str, Any]:
    user = person(request)
    may_write = user.may(CREATE_MAILING)
    return {
        "mailing": mailing,
        "tab": tab,
        "tabs": TABS,
        "body": f"mailings/_{tab}.html",
        "may_write": may_write,
        "may_change": may_write and mailing.status in EDITABLE,
        "may_delete": may_write and mailing.status == MailingStatus.DRAFT,
        "may_send": user.may(SEND_MAILING),
        "may_send_stale": user.may(SEND_MAILING) and user.may(SEND_STALE_MAILING),
        "sees_people": user.may(VIEW_SUBSCRIBERS),
    }
