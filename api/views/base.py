"""What every call has in common. A view checks, reads or asks a service, and answers: the rules are the rooms'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

import audit

from ..access import Need, token_of, user_of
from ..limits import TokenThrottle, refuse_large, refuse_more_without_token


class ApiView(APIView):
    needs: Mapping[str, Need] = {}
    http_method_names = ["get", "head", "post"]
    throttle: TokenThrottle | None = None

    def need_for(self, method: str | None) -> Need:
        return self.needs.get("GET" if method == "HEAD" else method or "", Need())

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with timezone.override("UTC"):  # times of the API are in UTC, whoever asks
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        try:
            super().initial(request, *args, **kwargs)
        except (AuthenticationFailed, NotAuthenticated):
            refuse_more_without_token(request)
            raise
        refuse_large(request)
        if request.method == "POST" and hasattr(self, "post"):
            _ = request._request.body  # read once, for the fingerprint and for the parser
            _ = request.data  # what can't be read is refused before anything is done

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        for name, value in (self.throttle.headers if self.throttle else {}).items():
            answer[name] = value
        return answer


def record_export(request: Request, obj: models.Model, action: str = "people.exported", **what: Any) -> None:
    """Record that somebody takes a list of people out of here, as the CSV exports do: once, at its first page (R16)."""
    audit.record(user_of(request), action, obj, None, {**what, "by": f"API, {token_of(request).name}"})
