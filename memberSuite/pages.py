"""The rules by which a search is read page by page while its rows shift; pure, no threads and no network."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

from memberSuite.exceptions import MemberSuiteError, PagingIgnored, ServerTrouble, TimedOut
from memberSuite.records import Person, RejectedRow

SMALLEST_PAGE = 25
PAGES_TO_GROW = 10
PAGES_A_RANGE = 8
# What no association has: whoever gives more, or asks for more calls, never stops.
MOST_ROWS = 10_000_000
MOST_CALLS = 200_000
MOST_OF_ONE_KEY = 20_000  # rows of one person

Order = Literal["key", "key_down", "id", "stored"]
Row = Person | RejectedRow


@dataclass(frozen=True)
class Ask:
    """What one request asks for; `low` and `high` bound the LocalID, half open."""

    order: Order
    low: int | None = None
    high: int | None = None
    only_without_key: bool = False
    start: int = 0


class Rows(Protocol):
    """The rows of one page; a reader needs their keys at once, the people can be made later on another thread."""

    def __len__(self) -> int: ...

    def keys(self) -> list[int | None]: ...

    def read(self) -> list[Row]: ...


@dataclass(frozen=True)
class Answer:
    """One page as received, the server's own total, and how many rows were asked for."""

    rows: Rows
    total: int | None
    asked_at: datetime
    size: int
    skipped: int = 0  # rows at its beginning that were given before

    def __len__(self) -> int:
        return len(self.rows) - self.skipped

    def read(self) -> list[Row]:
        rows = self.rows.read()
        return rows[self.skipped :] if self.skipped else rows


Fetch = Callable[[Ask], Answer]


class StartOver(Exception):  # not an error: the reading goes on in another way
    """The server ignored a criterion or a sort of ours (rule 4): read again by offset."""


@dataclass
class PageSize:
    """How many rows to ask for: half after trouble that a large page may cause, then slowly back."""

    most: int
    now: int = 0
    _good: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.now = self.most

    def shrink(self, error: MemberSuiteError) -> None:
        if isinstance(error, TimedOut | ServerTrouble):
            with self._lock:
                self.now = min(self.most, max(SMALLEST_PAGE, self.now // 2))
                self._good = 0

    def succeeded(self) -> None:
        if self.now == self.most:
            return
        with self._lock:
            self._good += 1
            if self._good >= PAGES_TO_GROW:
                self._good = 0
                self.now = min(self.most, self.now * 2)


def split_range(first: int, last: int, *, pages: int, readers: int) -> list[tuple[int, int | None]]:
    """Cut the keys into half-open ranges: from 0, and open at the end, so that no new person falls outside."""
    wanted = max(1, min(pages // 2, readers))
    if pages >= 2 * PAGES_A_RANGE * readers:
        wanted = readers * min(8, pages // (PAGES_A_RANGE * readers))
    wanted = min(wanted, max(1, last - first + 1))
    width = (last - first + 1) / wanted
    bounds = [0, *sorted({first + int(width * number) for number in range(1, wanted)})]
    return [(low, bounds[place + 1] if place + 1 < len(bounds) else None) for place, low in enumerate(bounds)]


def keyed(fetch: Fetch, low: int, high: int | None) -> Iterator[Answer]:
    """Read one range by key, sorted by LocalID (rules 1 and 3); yield only rows not given before.

    Of the rows at the page's key, as many are dropped as were already received, so that a person with several rows
    survives a page edge. A page that is all one key goes on by offset within that key.
    """
    key, seen, start, largest, given = low, 0, 0, 0, 0
    for _ in range(MOST_CALLS):
        answer = fetch(Ask("key", key, high, start=start))
        keys = _checked_keys(answer.rows.keys(), key, high)
        at_key = bisect_right(keys, key)
        known = min(max(0, seen - start), at_key)
        given += len(keys) - known
        if given > MOST_ROWS:
            break
        if known < len(keys):
            yield replace(answer, skipped=known)
        if at_key < len(keys):
            key, start = keys[-1], 0
            seen = len(keys) - bisect_left(keys, key)
        else:
            # A server may cap its pages: nothing new is the end only if it has shown that it gives larger ones.
            if known == len(keys) and len(keys) < max(1, min(largest, answer.size)):
                return
            seen = max(seen, start + at_key)
            start += at_key
            if start > MOST_OF_ONE_KEY:
                break
        largest = max(largest, len(keys))
    raise PagingIgnored


def _checked_keys(keys: list[int | None], low: int, high: int | None) -> list[int]:
    """Return the rows' keys, or start over: a key outside what was asked for says the criterion was ignored."""
    present = [key for key in keys if key is not None]
    if len(present) < len(keys) or present != sorted(present):
        raise StartOver
    if present and (present[0] < low or (high is not None and present[-1] >= high)):
        raise StartOver
    return present


def without_key(fetch: Fetch) -> Iterator[Answer]:
    """Read the rows that have no LocalID, by offset (rule 6)."""
    for answer in _by_offset(fetch, Ask("id", only_without_key=True), limit=None):
        if any(key is not None for key in answer.rows.keys()):  # noqa: SIM118  # not a dict
            raise StartOver
        if len(answer):
            yield answer


def by_offset(fetch: Fetch, order: Order, limit: int | None = None) -> Iterator[Answer]:
    """Read the whole search by offset until a page is empty, or until `limit` rows; the first page is always given."""
    for place, answer in enumerate(_by_offset(fetch, Ask(order), limit)):
        if len(answer) or not place:
            yield answer


def _by_offset(fetch: Fetch, ask: Ask, limit: int | None) -> Iterator[Answer]:
    start, expected = 0, 0
    for _ in range(MOST_CALLS):
        if limit is not None and start >= limit:
            return
        answer = fetch(replace(ask, start=start))
        start += len(answer.rows)
        expected = max(expected, answer.total or 0)
        if answer.total is not None and start > 2 * (expected + answer.size):
            break  # twice as many rows as there are: the start of the page is not looked at
        if start > MOST_ROWS:
            break
        yield answer
        if not len(answer.rows):
            return
    raise PagingIgnored
