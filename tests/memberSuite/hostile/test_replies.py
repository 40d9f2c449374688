"""A hostile remote: whatever it answers, a client gives right people or one of its own errors, and comes to an end."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

import memberSuite.concierge.searches
import memberSuite.pages
import memberSuite.rest.searches
from memberSuite.standin.server import StandIn
from tests.memberSuite.hostile.genuine import Genuine
from tests.memberSuite.hostile.play import Case, Verdict, play
from tests.memberSuite.hostile.server import HostileServer
from tests.memberSuite.hostile.truth import Truth

AT_ONCE = 12  # most of a case is waiting


@dataclass(frozen=True)
class Stage:
    server: HostileServer
    truths: dict[str, Truth]

    def play(self, seed: str, cases: int) -> list[Verdict]:
        drawn = [Case.draw(f"{seed}-{number}") for number in range(cases)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda case: play(case, self.server, self.truths), drawn))


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Stage]:
    """What never ends is given up sooner here than for millions of people."""
    monkeypatch.setattr(memberSuite.pages, "MOST_CALLS", 200)
    monkeypatch.setattr(memberSuite.pages, "MOST_ROWS", 3_000)
    for module in (memberSuite.rest.searches, memberSuite.concierge.searches):
        monkeypatch.setattr(module, "MOST_SEARCHES", 2_000)
    caplog.set_level(logging.ERROR, logger="memberSuite")
    with StandIn(people=120, seed=3) as standin, HostileServer(Genuine(standin)) as server:
        yield Stage(server, {transport: Truth.of(standin, transport) for transport in ("concierge", "rest")})


def complaints(verdicts: list[Verdict]) -> list[str]:
    return [complaint for verdict in verdicts for complaint in verdict.complaints]


def test_r1_r5_no_hostile_reply_makes_a_wrong_person_or_an_error_that_is_not_ours(stage: Stage) -> None:
    verdicts = stage.play("slice", 150)
    assert complaints(verdicts) == []
    ended = Counter(verdict.ended for verdict in verdicts)
    assert ended["well"] and ended["unreadable_reply"], "some are seen through, and some are survived"
    assert sum(1 for verdict in verdicts if verdict.struck) > len(verdicts) / 2


@pytest.mark.soak
@pytest.mark.parametrize("seed", ["first", "second"])
def test_r1_r5_ten_thousand_hostile_replies_make_no_wrong_person(stage: Stage, seed: str) -> None:
    assert complaints(stage.play(seed, 5_000)) == []
