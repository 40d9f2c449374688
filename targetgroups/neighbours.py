"""What rooms that lean on this one add to a person: events of the timeline, and what they erase of the person.

They register here when the program starts, so that this room needs to know none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .models import Subscriber


@dataclass(frozen=True)
class Link:
    """A page by its URL name and its one argument, and the right it asks for; without a page its words stand alone."""

    words: str
    page: str = ""
    page_id: int = 0
    right: str = ""


@dataclass(frozen=True)
class Event:
    """One line of a person's timeline.

    Attributes:
        icon: of the sprite; it says nothing that `what` does not.
        detail: what else is known, such as a reason; may hold the person's data, as the page does.
        who: the person or program that did it; empty where nobody is noted.
    """

    at: datetime
    icon: str
    what: str
    detail: str = ""
    who: str = ""
    link: Link | None = None
    changes: dict[str, Any] | None = None


# Gets the person and how many events are wanted at most; returns the newest ones, in any order.
EventSource = Callable[["Subscriber", int], Iterable[Event]]
# Erases what a room keeps of the person, inside the caller's transaction; returns how many rows it changed.
Eraser = Callable[["Subscriber"], int]

_sources: dict[str, EventSource] = {}
_erasers: dict[str, Eraser] = {}


def add_events(room: str, source: EventSource) -> None:
    """Show a room's events in every person's timeline."""
    _sources[room] = source


def add_eraser(room: str, eraser: Eraser) -> None:
    """Let a room erase what it keeps of a person who is erased on request."""
    _erasers[room] = eraser


def events_of(person: Subscriber, most: int) -> list[Event]:
    return [event for source in _sources.values() for event in source(person, most)]


def erase(person: Subscriber) -> dict[str, int]:
    """Let every room erase; return how many rows each changed."""
    return {room: eraser(person) for room, eraser in _erasers.items()}
