"""Whoever listens hears of each change of people and searches before any call can see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memberSuite.standin.server import StandIn


def test_each_change_of_people_is_told_with_their_rows(standin: StandIn) -> None:
    told: list[list[str]] = []
    population = standin.world.population

    def listen(rows: Sequence[int]) -> None:
        told.append([population.id_of(row) for row in rows])

    standin.world.on_change.append(listen)
    changed = standin.change({"LastName": "Wyndham"}, count=3)
    flipped = standin.flip_do_not_email(count=2)
    came = standin.insert(2)
    gone = standin.delete(ids=came)
    assert told == [changed, flipped, came, gone]


def test_each_change_of_a_search_is_told(standin: StandIn) -> None:
    told: list[tuple[str, bool]] = []
    standin.world.on_search_change.append(lambda search: told.append((search.name, search.is_public)))
    wanted = standin.search_id("Newsletter readers")
    standin.rename_search(wanted, "Readers")
    standin.hide_search(wanted)
    assert told == [("Readers", True), ("Readers", False)]
