"""The address that says whether this process serves requests."""

from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer without the database: a database that is away must not get every web process restarted."""
    return HttpResponse("ok\n", content_type="text/plain")
