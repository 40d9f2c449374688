"""What a page's address asks for. Old or mistyped words fall back to the default: a shared address always opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest

from accounts.models import User

from ..columns import Table


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


@dataclass(frozen=True)
class Ordering:
    sort: str
    is_descending: bool

    @property
    def word(self) -> str:
        return f"-{self.sort}" if self.is_descending else self.sort

    @property
    def direction(self) -> str:
        """The word of aria-sort."""
        return "descending" if self.is_descending else "ascending"


def ordering(request: HttpRequest, table: Table, default: str) -> Ordering:
    """Return the order that the address asks for, or the default: a word of the address, perhaps none of a column."""
    word = request.GET.get("sort", default)
    if word.removeprefix("-") not in table.sorts:
        word = default
    return Ordering(word.removeprefix("-"), word.startswith("-"))


def page_size(request: HttpRequest, table: Table) -> int:
    """Return the page size that the address asks for, or the one this person chose last."""
    user = person(request)
    size = whole(request, "size")
    if size not in table.page_sizes:
        return table.page_size_for(user)
    return size
