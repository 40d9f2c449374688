"""Every refusal as application/problem+json (RFC 9457): a code for programs, a sentence for people."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy, gettext_noop, ngettext
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from mailings.exceptions import MailingError, NotReady
from targetgroups.exceptions import NotAllowedNow
from thrive_sync.lib.words import Words, number

CONTENT_TYPE = "application/problem+json"
PREFIX = "/api/"
SENTENCES: dict[int, Words] = {
    401: gettext_lazy(
        "Send a token that works: “Authorization: Bearer thrive_…”. Tokens are made under Preferences > API tokens."
    ),
    404: gettext_lazy("There is nothing at this address."),
    406: gettext_lazy("Answers are application/json; accept it."),
    413: gettext_lazy("The body is too large."),
    415: gettext_lazy("Send the body as application/json."),
    500: gettext_lazy("Something went wrong in this program. It has been logged."),
}
# What Python calls the statuses that we answer with; `body` looks them up.
_TITLES = (
    *(gettext_noop("Bad Request"), gettext_noop("Unauthorized"), gettext_noop("Forbidden"), gettext_noop("Not Found")),
    *(gettext_noop("Method Not Allowed"), gettext_noop("Not Acceptable"), gettext_noop("Conflict")),
    *(gettext_noop("Unsupported Media Type"), gettext_noop("Too Many Requests"), gettext_noop("Internal Server Error")),
    # Two that newer versions of Python call otherwise.
    *(gettext_noop("Request Entity Too Large"), gettext_noop("Content Too Large")),
    *(gettext_noop("Unprocessable Entity"), gettext_noop("Unprocessable Content")),
)


class Conflict(exceptions.APIException):
    """The request is right, but things are not as it takes them to be."""

    status_code = 409
    default_code = "not_allowed_now"


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = SENTENCES[413]


class KeyReused(exceptions.APIException):
    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = gettext_lazy(
        "This Idempotency-Key came with another request before. Use a new key for each thing to be done."
    )


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn a refusal into an answer; anything else goes on to Django, which logs it and asks `server_error`."""
    if isinstance(error, NotReady):
        problem = Conflict(error.sentence, "not_ready")
        return _as_problem(problem, exception_handler(problem, context), _by_field(error.problems))
    if isinstance(error, (NotAllowedNow, MailingError)):
        error = Conflict(error.sentence)
    return _as_problem(error, exception_handler(error, context))


def _as_problem(
    error: Exception, answer: Response | None, errors: list[dict[str, str]] | None = None
) -> Response | None:
    if answer is None:
        return None
    status, detail, code = answer.status_code, "", HTTPStatus(answer.status_code).name.lower()
    if isinstance(error, exceptions.ValidationError):
        errors, code = _errors(error.detail), "invalid"
        detail = gettext("The request does not fit; “errors” says where.")
    elif isinstance(error, exceptions.Throttled):
        detail, code = _wait(round(getattr(error, "wait", None) or 1)), "too_many_requests"
    elif isinstance(error, exceptions.APIException):
        detail = str(error.detail)
        code = str(getattr(error.detail, "code", code))
    elif isinstance(error, PermissionDenied):
        detail = str(error)
    elif isinstance(error, Http404):
        detail = gettext("There is no such thing here, or no more.")
    if status == 401 or (status in SENTENCES and code == "error"):
        detail = str(SENTENCES[status])
    answer.data = body(status, detail or str(SENTENCES.get(status, "")), code, errors)
    answer.content_type = CONTENT_TYPE
    return answer


def _wait(seconds: int) -> str:
    said = ngettext(
        "Too many requests. Wait %(seconds)s second.", "Too many requests. Wait %(seconds)s seconds.", seconds
    )
    return said % {"seconds": number(seconds)}


def body(status: int, detail: str, code: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": gettext(HTTPStatus(status).phrase),
        "status": status,
        "code": code,
        "detail": detail,
    }
    return problem | ({"errors": errors} if errors is not None else {})


def _errors(detail: Any, field: str = "") -> list[dict[str, str]]:
    """Flatten what serializers say: one entry a field and sentence."""
    if isinstance(detail, dict):
        pairs = [(f"{field}.{name}" if field else str(name), inner) for name, inner in detail.items()]
        return [entry for name, inner in pairs for entry in _errors(inner, name)]
    if isinstance(detail, list):
        return [entry for inner in detail for entry in _errors(inner, field)]
    return [{"field": field.removeprefix("non_field_errors"), "detail": str(detail)}]


def _by_field(problems: dict[str, str]) -> list[dict[str, str]]:
    return [{"field": field, "detail": sentence} for field, sentence in problems.items()]


# --- what Django itself answers: no such address, a broken request, a fault ------------------------------------------


def _plain(status: int) -> HttpResponse:
    detail = str(SENTENCES.get(status) or gettext("The request could not be understood."))
    problem = body(status, detail, HTTPStatus(status).name.lower())
    return HttpResponse(json.dumps(problem), status=status, content_type=CONTENT_TYPE)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith(PREFIX)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain(400) if _is_api(request) else defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain(404) if _is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    return _plain(500) if _is_api(request) else defaults.server_error(request)
