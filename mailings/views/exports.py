"""Lists as CSV. Posted: it is recorded who took people out of here (R16), and what was searched for is private."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_POST

import audit
from accounts.decorators import requires
from accounts.permissions import EXPORT, VIEW_MAILINGS, VIEW_SUBSCRIBERS
from targetgroups.views.asking import person
from thrive_sync.lib.csv_export import csv_response, in_steps

from ..models import Mailing
from ..templatetags.mailing_words import why_left_out
from . import reading
from .parts import the_mailing

RECIPIENTS = ("E-mail", "First name", "Last name", "Remote ID", "Outcome", "Reason", "Mail server said", "When")
LEFT_OUT = ("Remote ID", "Reason", "E-mail", "First name", "Last name", "Target group")
ERASED = "erased: Do Not Email"


@requires(VIEW_MAILINGS, VIEW_SUBSCRIBERS, EXPORT)
@require_POST
def recipients_csv(request: HttpRequest, mailing_id: int) -> HttpResponseBase:
    """Export the recipients, narrowed as their page is."""
    mailing, text = the_mailing(mailing_id), request.POST.get("q", "").strip()
    outcome, reason = request.GET.get("outcome", ""), request.GET.get("reason", "")
    rows = reading.recipients(mailing, outcome=outcome, reason=reason, text=text).order_by("pk")
    _record(request, mailing, list="recipients", outcome=outcome, reason=reason, is_searched=bool(text))
    zone = timezone.get_current_timezone()

    def lines() -> Iterator[list[object]]:
        for row in (row for step in in_steps(rows) for row in step):
            reasons = why_left_out(row.reason)
            at = row.settled_at.astimezone(zone).isoformat(timespec="seconds") if row.settled_at else ""
            names = [row.email, row.first_name, row.last_name, row.remote_id]
            yield [*names, row.get_outcome_display(), reasons, row.said, at]

    return csv_response(f"mailing-{mailing.pk}-recipients-{outcome}", RECIPIENTS, lines())


@requires(VIEW_MAILINGS, VIEW_SUBSCRIBERS, EXPORT)
@require_POST
def left_out_csv(request: HttpRequest, mailing_id: int) -> HttpResponseBase:
    """Export who was left out, narrowed as the page is."""
    mailing, text = the_mailing(mailing_id), request.POST.get("q", "").strip()
    reason = request.GET.get("reason", "")
    rows = reading.left_out(mailing, reason=reason, text=text).order_by("pk")
    _record(request, mailing, list="left_out", reason=reason, is_searched=bool(text))

    def lines() -> Iterator[list[object]]:
        for row in (row for step in in_steps(rows) for row in step):
            someone = row.subscriber
            names = [ERASED if someone.do_not_email_at else someone.email, someone.first_name, someone.last_name]
            yield [row.remote_id, row.get_reason_display(), *names, row.target_group.name]

    return csv_response(f"mailing-{mailing.pk}-removed-{reason}", LEFT_OUT, lines())


def _record(request: HttpRequest, mailing: Mailing, **what: object) -> None:
    audit.record(person(request), "mailing.exported", mailing, None, what)
