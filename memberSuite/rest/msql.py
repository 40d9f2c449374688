"""MSQL statements made of fixed words, numbers and record ids: how MSQL quotes text is not known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from memberSuite.exceptions import LookUpUnsupported
from memberSuite.words import gettext

_COLUMN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

FLAG_IS_FALSE = "DoNotEmail = 0"
FLAG_IS_NOT_FALSE = "(DoNotEmail <> 0 OR DoNotEmail IS NULL)"
KEY_IS_BLANK = "LocalID IS NULL"


def select(
    columns: Sequence[str], record_type: str, conditions: Iterable[str], order: str, most: int | None = None
) -> str:
    """Put a statement together."""
    top = f"TOP {most} " if most is not None else ""
    where = " AND ".join(conditions)
    chosen = ", ".join(columns)
    return f"SELECT {top}{chosen} FROM {record_type}{' WHERE ' + where if where else ''} ORDER BY {order}"  # noqa: S608


def key_between(low: int | None, high: int | None, *, is_open: bool = False) -> list[str]:
    """Bound the LocalID, half open; `is_open` leaves the lower bound itself out."""
    bounds = []
    if low is not None:
        bounds.append(f"LocalID {'>' if is_open else '>='} {int(low)}")
    if high is not None:
        bounds.append(f"LocalID < {int(high)}")
    return bounds


def id_is_one_of(remote_ids: Iterable[str]) -> str:
    """Match records by id, or raise LookUpUnsupported for an id that is none."""
    return "({})".format(" OR ".join(f"ID = '{guid(remote_id)}'" for remote_id in remote_ids))


def id_after(remote_id: str) -> str:
    return f"ID > '{guid(remote_id)}'"


def guid(remote_id: str) -> str:
    """Return an id that may stand in a statement; one left out would look like a deleted record."""
    if not _GUID.fullmatch(remote_id):
        raise LookUpUnsupported(gettext("An id is not in the form MemberSuite gives it."))
    return remote_id


def is_column(name: str) -> bool:
    """Say whether a name may stand in a statement as it is."""
    return _COLUMN.fullmatch(name) is not None
