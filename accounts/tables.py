"""Tables whose columns, order and page size each person chooses: what the rooms' own lists are made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from accounts.models import User
from thrive_sync.lib.words import Words

ATTRIBUTE = "attribute:"


@dataclass(frozen=True)
class Column:
    key: str
    label: Words
    sort: str = ""  # the word in the address; empty: cannot be sorted by
    is_default: bool = True
    is_fixed: bool = False  # names the row, so it cannot be switched off
    is_number: bool = False
    is_roomy: bool = False  # left out where there is no room: on a phone

    @property
    def attribute(self) -> str:
        """The extra field of a search that the column shows; empty: it shows none."""
        return self.key.removeprefix(ATTRIBUTE) if self.key.startswith(ATTRIBUTE) else ""


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    page_sizes: tuple[int, ...] = (25, 50, 100, 250)
    default_page_size: int = 50
    chooser: str = field(kw_only=True)  # the page that remembers what somebody chose

    @property
    def sorts(self) -> frozenset[str]:
        """The words of the address that this table can be sorted by."""
        return frozenset(column.sort for column in self.columns if column.sort)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(column.key for column in self.columns)

    def shown_to(self, user: User, extra: Iterable[Column] = ()) -> list[Column]:
        """Return the columns this person sees, in their order: their choice, or the defaults if they made none."""
        chosen = self.chosen_by(user)
        every = {column.key: column for column in (*self.columns, *extra)}
        if chosen is None:
            return [column for column in every.values() if column.is_default or column.is_fixed]
        fixed = [column for column in self.columns if column.is_fixed and column.key not in chosen]
        return [*fixed, *(every[key] for key in chosen if key in every)]

    def chosen_by(self, user: User) -> list[str] | None:
        """Return the keys that this person chose, some perhaps of columns that are not there now; None: no choice."""
        chosen = user.table_preference(self.name).get("columns")
        return list(dict.fromkeys(map(str, chosen))) if isinstance(chosen, list) else None

    def page_size_for(self, user: User) -> int:
        size = user.table_preference(self.name).get("page_size")
        return size if size in self.page_sizes else self.default_page_size


def merged(chosen: Sequence[str], offered: Collection[str], before: Sequence[str]) -> list[str]:
    """Return a choice together with the earlier one of attributes that were not offered: other groups have them.

    Each of these stays behind the column that it stood behind.
    """
    result = list(chosen)
    for place, key in enumerate(before):
        if key in offered or key in result or not key.startswith(ATTRIBUTE):
            continue
        ahead = next((other for other in reversed(before[:place]) if other in result), None)
        result.insert(0 if ahead is None else result.index(ahead) + 1, key)
    return result
