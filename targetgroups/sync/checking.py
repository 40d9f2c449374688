"""Between reading and writing: count, ask the guard, and ask for every candidate again before anybody goes (R5, R6)."""

from ..choices import ExclusionReason
from ..remote import LookUpUnsupported
from . import compare, counts, diff, guard, reading
from .attempt import Attempt
from .compare import Comparison
from .plan import Sums
from .staged_rows import LOOK_UP

# IDs handed to the client at a time; it asks for 200 a call and has several calls under way.
_BATCH = 8_000


def settle(attempt: Attempt) -> None:
    """Leave in the removal table only those who must go, each with a reason that MemberSuite has just confirmed.

    Raises Held before any look-up if too many would go; any error of a look-up fails the run.
    """
    stage, group = attempt.stage, attempt.group
    stage.settle_statistics()
    stage.mark_duplicates()
    diff.exclude_known_do_not_email(stage, group, attempt.read_at)
    attempt.members_before = counts.member_count(group)
    attempt.comparison = compare.compare(stage, group, attempt.columns)
    if attempt.comparison.matched == attempt.members_before:
        return  # all of them are eligible: nobody has to go
    candidate_count = diff.find_candidates(stage, group)
    guard.check(diff.plan(attempt.run, stage, candidate_count, attempt.members_before), guard.limits_of(group))
    if candidate_count:
        _look_up(attempt)


def comparison_of_now(attempt: Attempt) -> Comparison:
    """Give the comparison, made again if anything came in between. Call it under the bridge's lock."""
    stage, group = attempt.stage, attempt.group
    if attempt.comparison is None or not compare.is_current(attempt.comparison, stage, group):
        attempt.comparison = compare.compare(stage, group, attempt.columns)
    return attempt.comparison


def sums(attempt: Attempt) -> Sums:
    """Add up what is staged, as of the last comparison."""
    by_reason = dict(attempt.comparison.by_reason) if attempt.comparison else {}
    eligible = by_reason.pop("", 0)
    is_calculated = attempt.calculated_do_not_email is not None
    if attempt.calculated_do_not_email is not None:
        listed = by_reason.get(ExclusionReason.DO_NOT_EMAIL, 0)
        by_reason[str(ExclusionReason.DO_NOT_EMAIL)] = max(listed, attempt.calculated_do_not_email)
    return Sums(eligible, by_reason, is_calculated)


def _look_up(attempt: Attempt) -> None:
    stage, client = attempt.stage, attempt.client
    changes = stage.changes
    try:
        for remote_ids in stage.removal_ids(_BATCH):
            for page in client.look_up(attempt.search, remote_ids):
                attempt.heart.check()
                stage.add_page(page, LOOK_UP)
        if stage.changes != changes:
            stage.prefer_look_up()
    except LookUpUnsupported:
        reading.read_again(attempt)
    if stage.changes != changes:
        stage.mark_duplicates()
        diff.settle_candidates(stage)
    for remote_ids in stage.removal_ids(_BATCH, unexplained_only=True):
        attempt.heart.check()
        diff.settle_unmatched(stage, remote_ids, client.look_up_records(remote_ids))
