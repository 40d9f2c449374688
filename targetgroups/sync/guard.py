"""May this plan be applied: go, or hold (R6)."""

from ..exceptions import Held
from ..models import TargetGroup
from .plan import Limits, Plan

DEFAULT_GONE_PERCENT = 20
DEFAULT_GONE_GROUPS = 5


def limits_of(group: TargetGroup) -> Limits:
    """Give the group's own limits or, where it has none, its bridge's."""
    percent, people = group.guard_percent, group.guard_people
    return Limits(
        percent=group.bridge.guard_percent if percent is None else percent,
        people=group.bridge.guard_people if people is None else people,
    )


def check(plan: Plan, limits: Limits) -> None:
    """Let a plan pass. Raises Held with the sentence that a marketer reads."""
    if not plan.exceeds(limits):
        return
    everybody = plan.candidate_count == plan.member_count
    whom = "everybody" if everybody else f"{plan.candidate_count:,} of {plan.member_count:,} people"
    beyond = f" ({plan.unapproved_count:,} of them were not among those you approved)" if plan.approved_count else ""
    raise Held(
        f"This sync would remove {whom} from the group{beyond}, more than its limit allows. Nothing was changed. "
        "Look at who would go, then Apply or Discard.",
        f"This sync would be held: removing {whom} is more than the group's limit allows, so nothing would change "
        "until a person applies it.",
    )


def check_gone(present_count: int, gone_count: int, approved_count: int) -> None:
    """Let a list refresh mark groups as gone, or hold it (R10)."""
    plan = Plan(present_count, gone_count, approved_count)
    if not plan.exceeds(Limits(DEFAULT_GONE_PERCENT, DEFAULT_GONE_GROUPS)):
        return
    whom = "all groups" if gone_count == present_count else f"{gone_count:,} of {present_count:,} groups"
    raise Held(
        f"This refresh would mark {whom} as no longer in MemberSuite, more than is usual. Nothing was changed. "
        "Look at which ones, then Apply or Discard."
    )
