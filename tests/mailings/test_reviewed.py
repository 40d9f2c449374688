"""When a list has moved: both limits passed, in all or in a group, or nobody left."""

from __future__ import annotations

import pytest

from mailings.reviewed import GroupNumber, Limits, Numbers, has_moved

LIMITS = Limits(percent=10, people=25)


def numbers(
    least: int, most: int, *, is_known: bool = True, to: int | None = None, not_to: int | None = None
) -> Numbers:
    return Numbers(least, most, is_known, (GroupNumber(1, "to", to), GroupNumber(2, "not_to", not_to)))


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        (numbers(1000, 1000), numbers(1000, 1000), False),
        (numbers(1000, 1000), numbers(1100, 1100), False),  # 10 %, not more
        (numbers(1000, 1000), numbers(1101, 1101), True),
        (numbers(1000, 1000), numbers(899, 899), True),
        (numbers(100, 100), numbers(75, 75), False),  # 25 %, and 25 people: not more
        (numbers(100, 100), numbers(74, 74), True),
        (numbers(3, 3), numbers(0, 0), True),  # nobody is left
        (numbers(0, 0), numbers(0, 0), False),
        (numbers(0, 0), numbers(26, 26), True),
        (numbers(500, 900), numbers(900, 900), False),  # inside what was reviewed
        (numbers(500, 900), numbers(1000, 1000), True),
        (numbers(0, 0, is_known=False), numbers(5000, 5000), False),  # no number was reviewed
        (numbers(0, 900, to=900), numbers(700, 700, to=700), True),  # a group moved inside the range
        (numbers(0, 900, not_to=400), numbers(900, 900, not_to=0), True),  # nobody is kept out any more
        (numbers(0, 900, to=None), numbers(700, 700, to=700), False),
    ],
)
def test_a_list_has_moved_only_beyond_both_limits_or_to_nobody(before: Numbers, after: Numbers, moved: bool) -> None:
    assert has_moved(before, after, LIMITS) is moved
    assert has_moved(Numbers.of_json(before.as_json()), Numbers.of_json(after.as_json()), LIMITS) is moved
