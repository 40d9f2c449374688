"""May this plan be applied: go, or hold (R6)."""

from django.utils.translation import gettext

from thrive_sync.lib.words import number

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
    counts = {
        "count": number(plan.candidate_count),
        "total": number(plan.member_count),
        "unapproved": number(plan.unapproved_count),
    }
    if plan.candidate_count == plan.member_count:
        told, if_previewed = _of_everybody(plan)
    else:
        told, if_previewed = _of_some(plan)
    raise Held(told % counts, if_previewed % counts)


def _of_everybody(plan: Plan) -> tuple[str, str]:
    """Return the sentence of a held sync, and of its preview."""
    told = (
        gettext(
            "This sync would remove everybody from the group (%(unapproved)s of them were not among those you "
            "approved), more than its limit allows. Nothing was changed. Look at who would go, then Apply or Discard."
        )
        if plan.approved_count
        else gettext(
            "This sync would remove everybody from the group, more than its limit allows. Nothing was changed. "
            "Look at who would go, then Apply or Discard."
        )
    )
    return told, gettext(
        "This sync would be held: removing everybody is more than the group's limit allows, so nothing would change "
        "until a person applies it."
    )


def _of_some(plan: Plan) -> tuple[str, str]:
    told = (
        gettext(
            "This sync would remove %(count)s of %(total)s people from the group (%(unapproved)s of them were not "
            "among those you approved), more than its limit allows. Nothing was changed. "
            "Look at who would go, then Apply or Discard."
        )
        if plan.approved_count
        else gettext(
            "This sync would remove %(count)s of %(total)s people from the group, more than its limit allows. "
            "Nothing was changed. Look at who would go, then Apply or Discard."
        )
    )
    return told, gettext(
        "This sync would be held: removing %(count)s of %(total)s people is more than the group's limit allows, "
        "so nothing would change until a person applies it."
    )


def check_gone(present_count: int, gone_count: int, approved_count: int) -> None:
    """Let a list refresh mark groups as gone, or hold it (R10)."""
    plan = Plan(present_count, gone_count, approved_count)
    if not plan.exceeds(Limits(DEFAULT_GONE_PERCENT, DEFAULT_GONE_GROUPS)):
        return
    told = (
        gettext(
            "This refresh would mark all groups as no longer in MemberSuite, more than is usual. Nothing was changed. "
            "Look at which ones, then Apply or Discard."
        )
        if gone_count == present_count
        else gettext(
            "This refresh would mark %(count)s of %(total)s groups as no longer in MemberSuite, more than is usual. "
            "Nothing was changed. Look at which ones, then Apply or Discard."
        )
    )
    raise Held(told % {"count": number(gone_count), "total": number(present_count)})
