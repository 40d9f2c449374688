"""Numbers, dates and lists as the language of whoever reads them has them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.formats import get_format, number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

    # A text, or one that is looked up in the reader's language when it is shown.
    Words = str | StrPromise
else:
    Words = str | Promise


def number(value: float) -> str:
    """Write a whole number with the separators of the language."""
    return _number(round(value), get_language())


@lru_cache(maxsize=4096)
def _number(value: int, _language: str | None) -> str:
    return number_format(value, use_l10n=True, force_grouping=True)


def day(value: datetime) -> str:
    """Write the day of a time, in the current zone: its month by name, as 3/4 is two days."""
    return format_date(timezone.localtime(value), _day_format(get_language()))


def exact(value: datetime, zone: tzinfo | None = None) -> str:
    """Write a time to the second, with its zone; by default the current one."""
    # The people of one sync share their second, and writing a time is the dearest thing in a row.
    return _exact(value.replace(microsecond=0), zone or timezone.get_current_timezone(), get_language())


@lru_cache(maxsize=2048)
def _exact(value: datetime, zone: tzinfo, language: str | None) -> str:
    local = value.astimezone(zone)
    return f"{format_date(local, _day_format(language))}, {format_date(local, 'H:i:s')} {local.tzname()}"


@lru_cache
def _day_format(language: str | None) -> str:
    """Give the language's way to write a day, with the month cut short so that tables stay narrow."""
    return get_format("DATE_FORMAT", language, use_l10n=True).replace("N", "M").replace("F", "M")


def listed(parts: Iterable[Words]) -> str:
    """Join words as a sentence does: "a, b and c"."""
    *most, last = map(str, parts)
    if not most:
        return last
    # Translators: the end of a list within a sentence; %(most)s is "a, b".
    return gettext("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last}
