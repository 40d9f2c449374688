"""The address that gives scripts the words of a language. The language stands in it, so that whoever keeps the answer
keeps the right one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from django.views.i18n import JavaScriptCatalog

ROOMS = ["accounts", "targetgroups", "mailings", "alerts"]
HOUR = 60 * 60


@method_decorator([cache_control(public=True, max_age=HOUR), conditional_page], name="dispatch")
class Catalogue(JavaScriptCatalog):
    """Django's own catalogue of our rooms' messages, for anybody: it says nothing of people."""

    packages = ROOMS

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if kwargs["language"] not in dict(settings.LANGUAGES):
            raise Http404
        with translation.override(kwargs["language"]):
            return super().dispatch(request, *args, **kwargs)
