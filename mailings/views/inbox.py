"""The demo's inbox: every message that the mail sink took. There is no such page where mail reaches people."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.decorators import requires
from targetgroups.views.asking import is_part, whole
from thrive_sync.stack.mailbox import NEWEST_KEPT, Letter, Mailbox

from . import reading

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
    found = _mailbox().read(number)
    if found is None:
        raise Http404
    first = [(name, value) for name, value in found.headers if name in SHOWN_FIRST]
    rest = [(name, value) for name, value in found.headers if name not in SHOWN_FIRST]
    context = {"letter": found, "first": first, "rest": rest, "opt_out_link": _opt_out_link(found)}
    return render(request, "mailings/letter.html", context)


def _mailbox() -> Mailbox:
    if not settings.MAIL_SINK_DIR:
        raise Http404
    return Mailbox(Path(settings.MAIL_SINK_DIR))


def _opt_out_link(found: Letter) -> str:
    link = LINK.search(dict(found.headers).get("List-Unsubscribe", ""))
    return link[1] if link else ""
