"""The removal guard's arithmetic (R6) and a reading's sums (R15)."""

from __future__ import annotations

import pytest

from targetgroups.sync.plan import Applied, Limits, Plan, Sums

USUAL = Limits(percent=20, people=25)


@pytest.mark.parametrize(
    ("members", "candidates", "approved", "is_held"),
    [
        (100, 0, 0, False),
        (100, 25, 0, False),  # over 20 %, but not over 25 people
        (1000, 200, 0, False),  # exactly 20 %
        (1000, 201, 0, True),
        (130, 26, 0, False),  # over 25 people, but just 20 %
        (129, 26, 0, True),
        (3, 3, 0, True),  # everybody
        (1, 1, 0, True),
        (0, 0, 0, False),
        (1000, 201, 201, False),  # all of them approved
        (1000, 1000, 1000, False),
        (1000, 500, 300, False),  # beyond the approved: exactly the limit
        (1000, 501, 300, True),
        (10, 10, 9, True),  # everybody, and one was not shown
    ],
)
def test_r6_a_plan_is_held_over_both_limits_or_for_everybody(
    members: int, candidates: int, approved: int, is_held: bool
) -> None:
    assert Plan(members, candidates, approved).exceeds(USUAL) is is_held


def test_r15_a_readings_sums_add_up() -> None:
    sums = Sums(10, {"do_not_email": 5, "duplicate_row": 2, "unreadable_row": 1})
    assert (sums.in_search, sums.rejected) == (18, 1)
    assert sums.as_figures()["no_address"] == 0


def test_r15_an_applys_figures_add_up() -> None:
    applied = Applied(8, 9, 3, 2, {"record_deleted": 2}, Sums(9, {}))
    assert (applied.removed, applied.as_figures()["unchanged"]) == (2, 4)
