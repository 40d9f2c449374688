"""Pages by keyset behind a cursor that says nothing to anybody: it is signed, and holds an ID and no person's data.

Lists of the API are in an order that nothing changes, so that whoever reads them to the end gets each row once,
whatever happens meanwhile. A cursor works for the list, the filters and the user it was made for, and for a day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from thrive_sync.lib.paging import KeysetPage

SALT = "api.cursor"
LIFE_SECONDS = 24 * 60 * 60
DEFAULT_LIMIT, MOST = 50, 250

Read = Callable[[int | None, int], KeysetPage[Any]]


def page(
    request: Request,
    asked: Mapping[str, Any],
    read: Read,
    show: Callable[[list[Any]], Any],
    key_of: Callable[[Any], int] = lambda row: int(row.pk),
    **beside: Any,
) -> Response:
    """Answer with one page of a list.

    Args:
        asked: the checked query; `read` gets the ID that the page follows and the limit, `show` turns rows into data.
        beside: what else stands in the answer.
    """
    found = read(after(request, asked), asked["limit"])
    cursor = None
    if found.has_next:
        cursor = signing.dumps([*_place(request, asked), key_of(found.rows[-1])], salt=SALT)
    link = None
    if cursor:
        query = request.GET.copy()
        query["cursor"] = cursor
        link = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return Response({**beside, "results": show(found.rows), "next": link, "next_cursor": cursor})


def is_first(asked: Mapping[str, Any]) -> bool:
    return not asked["cursor"]


def after(request: Request, asked: Mapping[str, Any]) -> int | None:
    """Return the ID that the cursor holds; None: the list begins. Raises ValidationError if it is of another list."""
    if is_first(asked):
        return None
    try:
        *place, row_id = signing.loads(asked["cursor"], salt=SALT, max_age=LIFE_SECONDS)
    except (signing.BadSignature, ValueError):
        place, row_id = [], None
    if place != _place(request, asked):
        said = gettext("It is not of this list, or too old. Begin without it.")
        raise serializers.ValidationError({"cursor": [said]})
    return int(row_id)


def _place(request: Request, asked: Mapping[str, Any]) -> list[Any]:
    filters = sorted((name, str(value)) for name, value in asked.items() if name not in ("cursor", "limit"))
    return [request.user.pk, request.path, urlencode(filters)]
