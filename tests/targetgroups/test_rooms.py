"""What rooms above add: each by name, once, and only as much as it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import User
from accounts.permissions import VIEW_MAILINGS
from targetgroups import rooms
from targetgroups.models import Subscriber
from targetgroups.rooms import Alarm, Event, Hit, Room
from targetgroups.views import attention, found

AT = timezone.now()
LIBRARY = Room(
    "library",
    "Books",
    VIEW_MAILINGS,
    find=lambda text, most: [Hit(f"On {text}", "", "book")] * most,
    alarms=lambda most: [Alarm("bad", "book", "Lost", "A book", "Look for it.", "", "")],
    events=lambda person, most: [Event(AT, "book", f"Lent to {person.pk}")],
    uses=lambda group_ids: {group_id: ["a shelf"] for group_id in group_ids if group_id > 1},
    erase=lambda person: person.pk,
)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but what a test adds stands above."""
    monkeypatch.setattr(rooms, "_rooms", {})


def test_a_room_that_is_added_twice_is_there_once() -> None:
    rooms.add(LIBRARY)
    rooms.add(replace(LIBRARY))
    assert rooms.above() == [LIBRARY]


def test_every_room_is_asked_and_one_that_adds_nothing_adds_nothing() -> None:
    rooms.add(Room("cellar", "Cellar", VIEW_MAILINGS))
    rooms.add(LIBRARY)
    rooms.add(replace(LIBRARY, name="archive", uses=lambda _: {2: ["a box"]}))
    person = Subscriber(pk=7)
    assert rooms.uses_of([1, 2]) == {2: ["a shelf", "a box"]}
    assert [event.what for event in rooms.events_of(person, 5)] == ["Lent to 7", "Lent to 7"]
    assert rooms.erase(person) == {"cellar": 0, "library": 7, "archive": 7}


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "is_seen"), [("Reporter", True), ("Subscribers", False)])
def test_what_is_found_and_what_needs_a_person_is_for_those_with_the_right(role: str, is_seen: bool) -> None:
    rooms.add(LIBRARY)
    user = User.objects.create_user("someone")
    user.groups.add(Group.objects.get(name=role))
    labels = [finding.label for finding in found.everywhere(user, "lamps", 3)]
    assert ("Books" in labels) == is_seen
    assert ("Lost" in [alarm.word for alarm in attention.alarms(user)]) == is_seen
