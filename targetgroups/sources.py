"""What rooms above this one add to its pages: what the search box finds, and what Home says needs attention.

They lean on this room, never the other way round: each registers its sources when Django starts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Hit:
    """One thing that search found. `address` leads to it; empty: it has no page."""

    label: str
    address: str
    icon: str
    note: str = ""


@dataclass(frozen=True)
class SearchSource:
    """Something that can be searched.

    Attributes:
        label: what it holds, as a heading.
        right: who may find in it, by permission codename; empty is everybody who is signed in.
        find: gets what was typed and how many hits are wanted at most; must be quick with a million rows.
    """

    label: str
    right: str
    find: Callable[[str, int], Sequence[Hit]]


@dataclass(frozen=True)
class Alarm:
    """Something that needs a person: what it is, what to do, and where. Without an address it says whom to ask."""

    tone: str  # "bad" or "warn"
    icon: str
    word: str
    about: str
    text: str
    address: str
    action: str
    at: datetime | None = None


@dataclass(frozen=True)
class AlarmSource:
    """Where alarms come from; `find` gets how many are wanted at most and returns them, most urgent first."""

    right: str
    find: Callable[[int], Sequence[Alarm]]


SEARCH_SOURCES: list[SearchSource] = []
ALARM_SOURCES: list[AlarmSource] = []


def add_search(source: SearchSource) -> None:
    if source not in SEARCH_SOURCES:
        SEARCH_SOURCES.append(source)


def add_alarms(source: AlarmSource) -> None:
    if source not in ALARM_SOURCES:
        ALARM_SOURCES.append(source)
