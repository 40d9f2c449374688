"""Between reading and writing: count, ask the guard, and ask for every candidate again before anybody goes (R5, R6)."""

from ..choices import ExclusionReason
from ..remote import LookUpUnsupported
from . import counts, diff, guard, reading
from .attempt import Attempt
from .plan import Sums
from .stage import LOOK_UP

# IDs handed to the client at a time; it asks for 200 a call and has several calls under way.
_BATCH = 8_000


def settle(attempt: Attempt) -> None:
    """Leave in the removal table only those who must go, each with a reason that MemberSuite has just confirmed.

    Raises Held before any look-up if too many would go; any error of a look-up fails the run.
    """
    stage = attempt.stage
    stage.settle_statistics()
    stage.mark_duplicates()
    diff.exclude_known_do_not_email(stage, attempt.group, attempt.read_at)
    candidate_count = diff.find_candidates(stage, attempt.group)
    plan = diff.plan(attempt.run, stage, candidate_count, counts.member_count(attempt.group))
    guard.check(plan, guard.limits_of(attempt.group))
    if candidate_count:
        _look_up(attempt)


def sums(attempt: Attempt) -> Sums:
    """Add up what is staged."""
    by_reason = attempt.stage.counts_by_reason()
    eligible = by_reason.pop("", 0)
    is_calculated = attempt.calculated_do_not_email is not None
    if attempt.calculated_do_not_email is not None:
        listed = by_reason.get(ExclusionReason.DO_NOT_EMAIL, 0)
        by_reason[str(ExclusionReason.DO_NOT_EMAIL)] = max(listed, attempt.calculated_do_not_email)
    return Sums(eligible, by_reason, is_calculated)


def _look_up(attempt: Attempt) -> None:
    stage, client = attempt.stage, attempt.client
    try:
        for remote_ids in stage.removal_ids(_BATCH):
            for page in client.look_up(attempt.search, remote_ids):
                attempt.heart.check()
                stage.add_page(page, LOOK_UP)
        stage.prefer_look_up()
    except LookUpUnsupported:
        reading.read_again(attempt)
    stage.mark_duplicates()
    if not diff.settle_candidates(stage):
        return
    for remote_ids in stage.removal_ids(_BATCH, unexplained_only=True):
        attempt.heart.check()
        diff.settle_unmatched(stage, remote_ids, client.look_up_records(remote_ids))
