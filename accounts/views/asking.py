"""What a page's address asks for. Old or mistyped words fall back to the default: a shared address always opens."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest

from accounts.models import User


def person(request: HttpRequest) -> User:
    """Return the signed-in person; `requires` has seen to it that there is one."""
    return cast(User, request.user)


def is_part(request: HttpRequest, *targets: str) -> bool:
    """Say whether htmx asks for one of these parts of the page instead of the page."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and htmx.target in targets


def whole(request: HttpRequest, name: str) -> int | None:
    """Read a positive whole number from the address; None when there is none."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def cursor(request: HttpRequest) -> dict[str, int | None]:
    """Return the IDs of the rows that the page follows or precedes."""
    return {name: whole(request, name) for name in ("after", "before")}
