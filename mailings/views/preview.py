"""Preview: the message as one subscriber of its groups would get it. Nothing of it is sent."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp, csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods

from accounts.decorators import requires
from accounts.permissions import VIEW_MAILINGS, VIEW_SUBSCRIBERS
from accounts.views.asking import is_part, person, whole
from targetgroups.models import Subscriber

from .. import message, testing
from ..exceptions import MailingError
from ..forms import TestForm
from ..models import Mailing
from . import reading
from .parts import show, the_mailing

VIEWS = (("desktop", gettext_lazy("Desktop")), ("mobile", gettext_lazy("Mobile")), ("text", gettext_lazy("Text")))
LONGEST_SEARCH = 200


@requires(VIEW_MAILINGS)
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # typed for views without arguments; the frame is ours
@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Show the stored message. A search for a subscriber is posted; the one chosen is named by ID in the address."""
    return page(request, the_mailing(mailing_id))


def page(request: HttpRequest, mailing: Mailing, *, status: int = 200, **more: Any) -> HttpResponse:
    """Render the tab, with what a form on it was answered."""
    sees_people = person(request).may(VIEW_SUBSCRIBERS)
    text = request.POST.get("q", "")[:LONGEST_SEARCH].strip()
    context: dict[str, Any] = {
        "who": (who := chosen(request, mailing)),
        "views": VIEWS,
        "view": request.GET.get("view", ""),
        "text": text,
        "found": reading.members_of(mailing, text) if text and sees_people else [],
        "most": reading.MOST_FOUND,
    }
    if context["view"] not in dict(VIEWS):
        context["view"] = "desktop"
    if is_part(request, "preview-found"):
        return render(request, "mailings/_preview_found.html", {"mailing": mailing, **context})
    tested = _tested(mailing) if sees_people and "test" in request.GET else {}
    context |= {**tested, **_written(mailing, who), **test_card(request, mailing), **more}
    return show(request, mailing, "preview", status=status, **context)


@requires(VIEW_MAILINGS)
@csp(  # type: ignore[arg-type]
    {
        "default-src": [NONE],
        # The message's own pictures and the styles in its tags; nothing that runs, loads or leads elsewhere.
        "img-src": ["https:", "http:"],
        "style-src": ["'unsafe-inline'"],
        "form-action": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [SELF],
        "sandbox": [],
    }
)
@xframe_options_sameorigin
@never_cache
@require_GET
def preview_page(request: HttpRequest, mailing_id: int) -> HttpResponse:
    """Give the HTML part alone, for the frame."""
    mailing = the_mailing(mailing_id)
    written = _written(mailing, chosen(request, mailing)).get("message")
    # In a frame that may open nothing, a link that wants a new window does nothing.
    page = written.html.replace("<head>", '<head><base target="_blank">', 1) if written else ""
    response = HttpResponse(page or format_html("<!doctype html><title>{}</title>", gettext("No HTML")))
    response["Referrer-Policy"] = "no-referrer"
    return response


def test_card(request: HttpRequest, mailing: Mailing) -> dict[str, Any]:
    """Give what Send Test shows: its form, and the newest tests with what became of them."""
    tests = testing.tests_of(mailing)
    typed = "\n".join(testing.addresses_for(mailing, person(request)))
    return {
        "test_form": TestForm(initial={"addresses": typed}),
        "sent_tests": tests,
        "test_poll_seconds": 1 if testing.are_under_way(tests) else None,
    }


def chosen(request: HttpRequest, mailing: Mailing) -> Subscriber | None:
    """Find the subscriber named in the address, or the first one; nobody for who may not see people."""
    if not person(request).may(VIEW_SUBSCRIBERS):
        return None
    return reading.member_of(mailing, whole(request, "as"))


def _tested(mailing: Mailing) -> dict[str, Any]:
    """Personalization Test: which fields of the message are empty, for how many of whom."""
    people, has_more = reading.some_recipients(mailing)
    return {"is_tested": True, "tests": message.try_fields(mailing, people), "people": people, "has_more": has_more}


def _written(mailing: Mailing, who: Subscriber | None) -> dict[str, Any]:
    try:
        found = message.preview(mailing, who, postal_address=settings.MAIL_POSTAL_ADDRESS, site=settings.SITE_URL)
    except MailingError as error:
        return {"trouble": error.sentence}
    return {"message": found}
