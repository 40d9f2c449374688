"""The numbers that the sender reviewed, and whether the list has moved since: plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from targetgroups.models import TargetGroup
from thrive_sync.lib.words import number

from .choices import GroupRole
from .models import MailingGroup


@dataclass(frozen=True)
class Limits:
    """A number has moved if it changed by more than both."""

    percent: int
    people: int

    def are_passed(self, before: int, after: int) -> bool:
        change = abs(after - before)
        return change > self.people and change * 100 > self.percent * before


@dataclass(frozen=True)
class GroupNumber:
    group_id: int
    role: str
    members: int | None  # None: not counted yet


@dataclass(frozen=True)
class Numbers:
    """Between `least` and `most` people would receive a mailing, out of these groups."""

    least: int
    most: int
    is_known: bool
    groups: tuple[GroupNumber, ...]

    @property
    def fingerprint(self) -> str:
        """Say the numbers in one word, by which a form tells which ones it showed."""
        members = (f"{one.group_id}{one.role[0]}{one.members}" for one in self.groups)
        return "-".join([str(self.least), str(self.most), *members])

    @property
    def words(self) -> str:
        """Write how many people would receive it."""
        if self.least == self.most:
            return number(self.most)
        return gettext("%(least)s to %(most)s") % {"least": number(self.least), "most": number(self.most)}

    @property
    def roles(self) -> set[tuple[int, str]]:
        return {(one.group_id, one.role) for one in self.groups}

    def as_json(self) -> dict[str, Any]:
        groups = [[one.group_id, one.role, one.members] for one in self.groups]
        return {"least": self.least, "most": self.most, "is_known": self.is_known, "groups": groups}

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Numbers:
        groups = tuple(GroupNumber(*one) for one in kept["groups"])
        return cls(kept["least"], kept["most"], kept["is_known"], groups)

    @classmethod
    def of(cls, groups: Iterable[MailingGroup], count: int | None = None, *, named: int = 0) -> Numbers:
        """Take the numbers that syncs have stored.

        Args:
            count: how many will receive it, once that is known exactly.
            named: how many "Do not send to" addresses there are.
        """
        rows = sorted(groups, key=lambda one: one.target_group_id)
        to, not_to = (
            [one.target_group for one in rows if one.role == role] for role in (GroupRole.TO, GroupRole.NOT_TO)
        )
        least, most = bounds(to, not_to, named) if count is None else (count, count)
        is_known = count is not None or (bool(to) and all(group.member_count is not None for group in to))
        numbers = tuple(GroupNumber(one.target_group_id, one.role, one.target_group.member_count) for one in rows)
        return cls(least, most, is_known, numbers)


def has_moved(before: Numbers, after: Numbers, limits: Limits) -> bool:
    """Say whether the sender has to be asked again: in all, or in one group, the number moved beyond the limits.

    `before` may be a range: nothing inside it is a move. A group's own number tells where the range is wide: one that
    more people are in now, or one that keeps fewer of them out.
    """
    if before.is_known and (_has_moved_in_all(before, after.most, limits) or (before.most and not after.most)):
        return True
    return any(limits.are_passed(was, now) for was, now in _pairs(before, after))


def _has_moved_in_all(before: Numbers, count: int, limits: Limits) -> bool:
    nearest = min(max(count, before.least), before.most)
    return limits.are_passed(nearest, count)


def _pairs(before: Numbers, after: Numbers) -> list[tuple[int, int]]:
    was = {(one.group_id, one.role): one.members for one in before.groups}
    pairs = ((was.get((one.group_id, one.role)), one.members) for one in after.groups)
    return [(old, new) for old, new in pairs if old is not None and new is not None]


def bounds(to: Iterable[TargetGroup], not_to: Iterable[TargetGroup], named: int = 0) -> tuple[int, int]:
    """Add up what is known: at most everybody in one copy each, at least the largest group less whom to leave out."""
    reached = [reached_by(group) for group in to if group.member_count is not None]
    taken = named + sum(reached_by(group)[1] for group in not_to if group.member_count is not None)
    least = max((least for least, _ in reached), default=0)
    return max(least - taken, 0), sum(most for _, most in reached)


def reached_by(group: TargetGroup) -> tuple[int, int]:
    """Return at least and at most how many of a counted group's members a mailing reaches."""
    count = getattr(group, "receiving", None)
    if count is not None and count.counted_run_id == group.counted_run_id:
        return count.receiving_count, count.receiving_count
    return 0, group.member_count or 0
