"""Who uses target groups, as far as this room can't know: the rooms above tell, this room asks (I1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

# Takes IDs of groups; returns, of those that must stay, what uses them in words ('the mailing "News" (Draft)').
UsesReader = Callable[[Collection[int]], Mapping[int, Sequence[str]]]

_readers: list[UsesReader] = []


def tells_uses(reader: UsesReader) -> UsesReader:
    """Register a reader; a decorator for what a room does when it is ready."""
    if reader not in _readers:
        _readers.append(reader)
    return reader


def uses_of(group_ids: Collection[int]) -> dict[int, list[str]]:
    """Return what uses these groups and would miss them; groups that nothing uses are left out."""
    uses: defaultdict[int, list[str]] = defaultdict(list)
    for reader in _readers:
        for group_id, words in reader(group_ids).items():
            uses[group_id].extend(words)
    return dict(uses)
