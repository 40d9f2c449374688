"""The site's addresses, and one page that can't be made."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from thrive_sync.urls import urlpatterns as every


def fault(request: HttpRequest) -> HttpResponse:
    raise LookupError("This page is broken on purpose.")


urlpatterns = [path("fault/", fault), *every]
