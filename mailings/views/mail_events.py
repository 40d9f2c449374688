"""Where mail providers tell of bounces and complaints. No session and no CSRF token: each request is signed."""

from __future__ import annotations

import logging

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from .. import bounces, webhooks

log = logging.getLogger(__name__)

LARGEST_BODY = 2 * 1024 * 1024


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def mail_events(request: HttpRequest, provider: str) -> HttpResponse:
    """Keep what a provider tells. What can't be read is told in words; what can be is kept all the same."""
    found = webhooks.provider_of(provider)
    if found is None:
        return _said(404, "No webhook is set up here for such a provider.")
    if request.method == "HEAD":  # some ask so whether there is something
        return _said(200, "")
    if (trouble := _trouble(request)) is not None:
        return trouble
    try:
        reports, unreadable_count = webhooks.read(found, request)
    except webhooks.NotSigned:
        bounces.count_refused(found.word)
        refusal = _said(401, "The signature, or the user name and password, is missing or wrong.")
        refusal["WWW-Authenticate"] = 'Basic realm="mail events"'
        return refusal
    except webhooks.NotReadable:
        return _said(400, f"This is nothing that {found.label} sends: it can't be read. Nothing was kept.")
    if unreadable_count:
        log.warning("%s of the events that %s told could not be read", unreadable_count, found.label)
    bounces.keep(found.word, reports)
    return _said(200, "Kept.")


def _trouble(request: HttpRequest) -> HttpResponse | None:
    """Read the body, and say why it can't be."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > LARGEST_BODY:
        return _said(413, f"The body is larger than {LARGEST_BODY // 1024 // 1024} MB.")
    try:
        body = request.body
    except RequestDataTooBig:
        return _said(413, "The body is too large.")
    except UnreadablePostError:
        return _said(400, "The body broke off.")
    return None if body else _said(400, "There is no body.")


def _said(status: int, words: str) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")
