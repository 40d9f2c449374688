"""What rooms above this one add to its pages and its work: this room asks them, and needs to know none of them (I1).

Each says what it has in one `Room`, when Django starts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from thrive_sync.lib.words import Words

if TYPE_CHECKING:
    from .models import Subscriber


@dataclass(frozen=True)
class Hit:
    """One thing that search found. `address` leads to it; empty: it has no page."""

    label: str
    address: str
    icon: str
    note: str = ""


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


def _none(*_asked: object) -> tuple[()]:
    return ()


@dataclass(frozen=True)
class Room:
    """What one room adds. Each function gets what is asked for and, where there may be many, how many at most.

    Attributes:
        name: of the room, in code and in what is recorded.
        label: what search finds in it, as a heading.
        right: who may find in it and see its alarms, by permission codename.
        find: things like a text; must be quick with a million rows.
        alarms: what needs a person, most urgent first.
        events: the newest of a person's timeline, in any order.
        uses: of groups, by ID, those that must stay, and what uses them in words ('the mailing "News" (Draft)').
        mailings: the pages of mailings, by ID; those that are not there any more are left out.
        unplaced: sentences for the suppression list, of what was told and is about nobody here.
        erase: empties what it keeps of a person, in the caller's transaction; returns how many rows it changed.
        mailed: those of some groups, by ID, that a mailing went to since a time.
        hold: keeps what waits from being sent by itself, after a restore; says what, in plain words for an operator.
        actions: what it records in the audit log, by its word there: (family, words).
    """

    name: str
    label: Words
    right: str
    find: Callable[[str, int], Sequence[Hit]] = _none
    alarms: Callable[[int], Sequence[Alarm]] = _none
    events: Callable[[Subscriber, int], Iterable[Event]] = _none
    uses: Callable[[Collection[int]], Mapping[int, Sequence[str]]] = lambda _group_ids: {}
    mailings: Callable[[Collection[int]], Mapping[int, Link]] = lambda _ids: {}
    unplaced: Callable[[], Sequence[str]] = _none
    erase: Callable[[Subscriber], int] = lambda _person: 0
    mailed: Callable[[Collection[int], datetime], Collection[int]] = lambda _group_ids, _since: ()
    hold: Callable[[], Sequence[str]] = _none
    actions: Mapping[str, tuple[str, Words]] = field(default_factory=dict)


_rooms: dict[str, Room] = {}


def add(room: Room) -> None:
    _rooms[room.name] = room


def above() -> list[Room]:
    return list(_rooms.values())


def uses_of(group_ids: Collection[int]) -> dict[int, list[str]]:
    """Return what uses these groups and would miss them; groups that nothing uses are left out."""
    uses: defaultdict[int, list[str]] = defaultdict(list)
    for room in above():
        for group_id, words in room.uses(group_ids).items():
            uses[group_id].extend(words)
    return dict(uses)


def events_of(person: Subscriber, most: int) -> list[Event]:
    return [event for room in above() for event in room.events(person, most)]


def mailings(ids: Collection[int]) -> dict[int, Link]:
    """Return the pages of mailings; without any to look for, nobody is asked."""
    return {pk: link for room in above() for pk, link in room.mailings(ids).items()} if ids else {}


def hold() -> list[str]:
    return [sentence for room in above() for sentence in room.hold()]


def unplaced() -> list[str]:
    return [sentence for room in above() for sentence in room.unplaced()]


def mailed(group_ids: Collection[int], since: datetime) -> set[int]:
    """Return those of these groups that a mailing went to since a time."""
    return {group_id for room in above() for group_id in room.mailed(group_ids, since)}


def actions() -> dict[str, tuple[str, Words]]:
    """Return what every room records, by its word in the audit log: (family, words)."""
    return {word: told for room in above() for word, told in room.actions.items()}


def erase(person: Subscriber) -> dict[str, int]:
    """Let every room erase; return how many rows each changed."""
    return {room.name: room.erase(person) for room in above()}
