"""How many people a mailing would reach, from figures that syncs have stored: plain values in, plain value out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from targetgroups.models import TargetGroup

from ..reviewed import bounds


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


def estimate(to: Iterable[TargetGroup], not_to: Iterable[TargetGroup] = (), named: int = 0) -> Estimate:
    """Add up what is known: at most everybody in one copy each, at least the largest group less whom to leave out."""
    groups = list(to)
    least, most = bounds(groups, not_to, named)
    counted = [group for group in groups if group.member_count is not None]
    return Estimate(
        least=least,
        most=most,
        counted_at=min((group.counted_at for group in counted if group.counted_at), default=None),
        has_groups=bool(groups),
        uncounted=tuple(group.name for group in groups if group.member_count is None),
    )
