"""Send Test: ask for one, and see what became of it."""

from __future__ import annotations

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import CREATE_MAILING, VIEW_MAILINGS
from accounts.views.asking import person

from .. import testing
from ..exceptions import MailingError
from ..forms import TestForm
from . import preview
from .parts import shared, the_mailing


@requires(VIEW_MAILINGS, CREATE_MAILING)
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # typed for views without arguments; the frame is ours
@require_POST
def send_test(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Queue a test as the person named in the address gets it; whatever is refused stays on the page."""
    mailing, form = the_mailing(mailing_id), TestForm(request.POST)
    if not form.is_valid():
        return preview.page(request, mailing, status=422, test_form=form)
    who = preview.chosen(request, mailing)
    try:
        testing.request_test(mailing, person(request), form.cleaned_data["addresses"], who)
    except MailingError as error:
        return preview.page(request, mailing, status=409, test_form=form, test_refusal=error.sentence)
    back = f"{reverse('mailings:preview', args=[mailing_id])}?{request.GET.urlencode()}"
    return redirect(f"{back}#send-test")


@requires(VIEW_MAILINGS)
@require_GET
def tests(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Give the newest tests alone, which the tab asks for while one is under way."""
    mailing = the_mailing(mailing_id)
    context = shared(request, mailing, "preview") | preview.test_card(request, mailing)
    return render(request, "mailings/_tests.html", context)
