"""Mailings: the list, one, its report, its recipients; to send one, to pause, resume and cancel it."""

from __future__ import annotations

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import EXPORT, SEND_MAILING, VIEW_MAILINGS, VIEW_SUBSCRIBERS
from accounts.scopes import READ_MAILINGS, READ_PEOPLE, SEND
from accounts.views.tables import Ordering
from mailings import enqueue
from mailings.models import Mailing, Recipient
from mailings.views import reading
from thrive_sync.lib.paging import KeysetPage

from .. import checked, paging
from ..access import Need, user_of
from ..idempotency import once
from ..resources.mailings import (
    MailingPage,
    MailingQuery,
    MailingShown,
    OneMailing,
    RecipientPage,
    RecipientQuery,
    RecipientShown,
    Report,
    SendMailing,
    report_of,
)
from .base import ApiView, record_export

_NEWEST_FIRST = Ordering("created", is_descending=True)
_AS_FROZEN = Ordering(reading.FROZEN_ORDER, is_descending=False)
_READ = Need((READ_MAILINGS,), (VIEW_MAILINGS,))
_SEND = Need((SEND,), (VIEW_MAILINGS, SEND_MAILING))


class Mailings(ApiView):
    needs = {"GET": _READ}

    @extend_schema(operation_id="list_mailings", parameters=[MailingQuery], responses=MailingPage)
    def get(self, request: Request) -> Response:
        """List mailings, the newest first."""
        asked = checked.query(request, MailingQuery)
        filters = {"status": asked["status"]} if asked["status"] else {}

        def read(after: int | None, size: int) -> KeysetPage[Mailing]:
            return reading.mailings_page(filters, "", _NEWEST_FIRST, size=size, after=after, before=None)

        return paging.page(request, asked, read, lambda rows: MailingShown(rows, many=True).data)


class OneMailingView(ApiView):
    needs = {"GET": _READ}

    @extend_schema(operation_id="get_mailing", responses=OneMailing)
    def get(self, request: Request, mailing_id: int) -> Response:
        """Read one mailing: where it stands, how many would receive it, and what it lacks."""
        return Response(OneMailing(the_mailing(mailing_id)).data)


class MailingReport(ApiView):
    needs = {"GET": _READ}

    @extend_schema(operation_id="get_report", responses=Report)
    def get(self, request: Request, mailing_id: int) -> Response:
        """Read the figures of the report."""
        return Response(report_of(the_mailing(mailing_id)))


class Recipients(ApiView):
    needs = {"GET": Need((READ_MAILINGS, READ_PEOPLE), (VIEW_MAILINGS, VIEW_SUBSCRIBERS, EXPORT))}

    @extend_schema(operation_id="list_recipients", parameters=[RecipientQuery], responses=RecipientPage)
    def get(self, request: Request, mailing_id: int) -> Response:
        """List who receives a mailing, as frozen. The first page is recorded as an export."""
        mailing, asked = the_mailing(mailing_id), checked.query(request, RecipientQuery)
        if paging.is_first(asked):
            record_export(request, mailing, "mailing.exported", list="recipients", outcome=asked["outcome"])
        rows = reading.recipients(mailing, outcome=asked["outcome"], reason="", text="")

        def read(after: int | None, size: int) -> KeysetPage[Recipient]:
            return reading.people_page(rows, _AS_FROZEN, size=size, after=after, before=None)

        return paging.page(request, asked, read, lambda found: RecipientShown(found, many=True).data)


class Send(ApiView):
    needs = {"POST": _SEND}

    @extend_schema(operation_id="send_mailing", request=SendMailing, responses={202: OneMailing})
    @once
    def post(self, request: Request, mailing_id: int) -> Response:
        """Ask for a mailing to be sent, now or at a time: its groups are synced first, as from its page (R12). Only
        what was looked at is sent: name its `version`."""
        mailing, asked = the_mailing(mailing_id), checked.body(request, SendMailing)
        at, seen = asked.get("at"), asked.get("seen", "")
        enqueue.request_send(
            mailing, user_of(request), at=at, time_zone="UTC" if at else "", version=asked["version"], seen=seen
        )
        return _under_way(mailing_id)


class Pause(ApiView):
    needs = {"POST": _SEND}

    @extend_schema(operation_id="pause_mailing", request=None, responses={202: OneMailing})
    @once
    def post(self, request: Request, mailing_id: int) -> Response:
        """Pause a mailing that is being sent: no more is handed out, what is in flight still goes."""
        enqueue.request_pause(the_mailing(mailing_id), user_of(request))
        return _under_way(mailing_id)


class Resume(ApiView):
    needs = {"POST": _SEND}

    @extend_schema(operation_id="resume_mailing", request=None, responses={202: OneMailing})
    @once
    def post(self, request: Request, mailing_id: int) -> Response:
        """Go on with a paused mailing, where it stands. Nobody gets it twice (R13)."""
        enqueue.request_resume(the_mailing(mailing_id), user_of(request))
        return _under_way(mailing_id)


class Cancel(ApiView):
    needs = {"POST": _SEND}

    @extend_schema(operation_id="cancel_mailing", request=None, responses={202: OneMailing})
    @once
    def post(self, request: Request, mailing_id: int) -> Response:
        """End a mailing for good, whether it waits, is being sent or is paused: who did not get it yet never will."""
        enqueue.request_cancel(the_mailing(mailing_id), user_of(request))
        return _under_way(mailing_id)


def _under_way(mailing_id: int) -> Response:
    """Answer with a mailing as it stands after a wish, and where to follow it: workers do the rest."""
    headers = {"Location": reverse("api:mailing", args=[mailing_id])}
    return Response(OneMailing(the_mailing(mailing_id)).data, status=202, headers=headers)


def the_mailing(mailing_id: int) -> Mailing:
    mailings = Mailing.objects.select_related("created_by", "sent_by").prefetch_related("groups__target_group")
    found = mailings.filter(pk=mailing_id).first()
    if found is None:
        raise Http404
    return found
