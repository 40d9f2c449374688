"""How many people a mailing would reach, from figures that syncs have stored: plain values in, plain value out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from targetgroups.models import TargetGroup


@dataclass(frozen=True)
class Estimate:
    """Between `least` and `most` people; who is in several groups is known only once the recipients are fixed."""

    least: int
    most: int
    counted_at: datetime | None  # the oldest of the figures
    has_groups: bool
    uncounted: tuple[str, ...]  # names of groups without any figure

    @property
    def is_known(self) -> bool:
        return self.has_groups and not self.uncounted

    @property
    def is_exact(self) -> bool:
        return self.least == self.most


def estimate(to: Iterable[TargetGroup], not_to: Iterable[TargetGroup] = ()) -> Estimate:
    """Add up what is known: at most everybody in one copy each, at least the largest group less whom to leave out."""
    groups, left_out = list(to), list(not_to)
    counted = [group for group in groups if group.member_count is not None]
    reached = [reached_by(group) for group in counted]
    most = sum(most for _, most in reached)
    taken = sum(reached_by(group)[1] for group in left_out if group.member_count is not None)
    least = max((least for least, _ in reached), default=0)
    return Estimate(
        least=max(least - taken, 0),
        most=most,
        counted_at=min((group.counted_at for group in counted if group.counted_at), default=None),
        has_groups=bool(groups),
        uncounted=tuple(group.name for group in groups if group.member_count is None),
    )


def reached_by(group: TargetGroup) -> tuple[int, int]:
    """Return at least and at most how many of a counted group's members a mailing reaches."""
    count = getattr(group, "receiving", None)
    if count is not None and count.counted_run_id == group.counted_run_id:
        return count.receiving_count, count.receiving_count
    return 0, group.member_count or 0
