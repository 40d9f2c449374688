"""The demo's inbox: every message that the mail sink took. There is no such page where mail reaches people."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.views.asking import is_part, whole
from targetgroups.models import Subscriber
from thrive_sync.lib.addresses import address_key
from thrive_sync.stack.mailbox import NEWEST_KEPT, Letter, Mailbox

from . import play_provider, reading

PAGE = 50
SHOWN_FIRST = ("From", "Reply-To", "To", "Subject", "Date")
LINK = re.compile(r"<(https?://[^<>\s]+)>")


@requires()
@require_http_methods(["GET", "POST"])
def inbox(request: HttpRequest) -> HttpResponse:
    """List the newest messages. A search is posted: an address may not stand in an address."""
    text = request.POST.get("q", "").strip()
    cursor = {"after": whole(request, "after"), "before": whole(request, "before")}
    letters, has_newer, has_older = _mailbox().newest(size=PAGE, text=text, **cursor)
    context = {
        "letters": letters,
        "has_newer": has_newer,
        "has_older": has_older,
        "text": text,
        "most": NEWEST_KEPT,
        "poll_seconds": 2 if not any(cursor.values()) and reading.is_mail_going_out() else None,
    }
    return render(request, f"mailings/{'_letters' if is_part(request, 'letters') else 'inbox'}.html", context)


@requires()
@require_GET
def letter(request: HttpRequest, number: int) -> HttpResponse:
    found = _letter(number)
    first = [(name, value) for name, value in found.headers if name in SHOWN_FIRST]
    rest = [(name, value) for name, value in found.headers if name not in SHOWN_FIRST]
    context = {
        "letter": found,
        "first": first,
        "rest": rest,
        "opt_out_link": _opt_out_link(found),
        "has_provider": play_provider.is_there(),
        "person": Subscriber.objects.filter(address_key=address_key(found.to)).order_by("bridge", "pk").first(),
    }
    return render(request, "mailings/letter.html", context)


@requires()
@require_POST
def tell(request: HttpRequest, number: int) -> HttpResponse:
    """Have a message bounce, or its reader complain: what a mail provider would tell is told to the webhook."""
    found, kind = _letter(number), request.POST.get("event", "")
    if kind not in play_provider.SENTENCES or not play_provider.is_there():
        raise Http404
    if play_provider.tell(found, kind):
        messages.success(request, str(play_provider.SENTENCES[kind]))
    else:
        messages.error(request, gettext("The webhook did not take it."))
    return redirect("mailings:letter", number)


def _letter(number: int) -> Letter:
    found = _mailbox().read(number)
    if found is None:
        raise Http404
    return found


def _mailbox() -> Mailbox:
    if not settings.MAIL_SINK_DIR:
        raise Http404
    return Mailbox(Path(settings.MAIL_SINK_DIR))


def _opt_out_link(found: Letter) -> str:
    link = LINK.search(dict(found.headers).get("List-Unsubscribe", ""))
    return link[1] if link else ""
