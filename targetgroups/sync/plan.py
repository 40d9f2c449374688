"""What a run is about to do, as a plain value: the guard and the sentences read it, nothing writes it."""

from dataclasses import dataclass, field

from ..choices import ExclusionReason


@dataclass(frozen=True)
class Limits:
    """The removal guard's limits (R6): over `percent` *and* over `people` is too many."""

    percent: int
    people: int


@dataclass(frozen=True)
class Plan:
    """The removals that a reading asks for.

    Attributes:
        member_count: members before the run.
        candidate_count: members whom the reading does not show as eligible.
        approved_count: how many of those a person has approved by Apply.
    """

    member_count: int
    candidate_count: int
    approved_count: int = 0

    @property
    def unapproved_count(self) -> int:
        return self.candidate_count - self.approved_count

    def exceeds(self, limits: Limits) -> bool:
        """Say whether more people would go than may go without a person's decision."""
        too_many = self.unapproved_count
        if not too_many:
            return False
        if self.candidate_count == self.member_count:
            return True
        return too_many > limits.people and too_many * 100 > limits.percent * self.member_count


@dataclass(frozen=True)
class Sums:
    """How a reading adds up: in the search = eligible + each exclusion (product section 2)."""

    eligible: int
    excluded: dict[str, int] = field(default_factory=dict)
    is_do_not_email_calculated: bool = False

    @property
    def in_search(self) -> int:
        return self.eligible + sum(self.excluded.values())

    @property
    def rejected(self) -> int:
        return self.excluded.get(ExclusionReason.UNREADABLE_ROW, 0)

    def as_figures(self) -> dict[str, int | bool]:
        """Give the run's figures by their words, a 0 for each reason that did not occur."""
        by_reason = {str(reason): self.excluded.get(reason, 0) for reason in ExclusionReason}
        return {
            "in_search": self.in_search,
            "eligible": self.eligible,
            **by_reason,
            "is_do_not_email_calculated": self.is_do_not_email_calculated,
        }


@dataclass(frozen=True)
class Applied:
    """What an apply changed: members before + added - removed = members after."""

    members_before: int
    members_after: int
    added: int
    changed: int
    removed_by_reason: dict[str, int]
    sums: Sums
    newly_excluded: int = 0

    @property
    def kept(self) -> int:
        """Members whom the reading does not show as eligible, and whom doubt keeps (R5)."""
        return self.members_after - self.sums.eligible

    @property
    def removed(self) -> int:
        return sum(self.removed_by_reason.values())

    def as_figures(self) -> dict[str, object]:
        return {
            **self.sums.as_figures(),
            "members_before": self.members_before,
            "members_after": self.members_after,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.sums.eligible - self.added - self.changed,
            "removed": self.removed,
            "removed_by_reason": self.removed_by_reason,
            "kept": self.kept,
        }
