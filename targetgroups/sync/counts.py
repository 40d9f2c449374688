"""The only writer of counts, each with its time (R3, R15)."""

from django.db import connection
from django.utils import timezone

from ..choices import ExclusionReason
from ..models import TargetGroup
from .attempt import Attempt
from .clock import ClockTimestamp
from .plan import Sums


def member_count(group: TargetGroup) -> int:
    """Count a group's members as they are now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM targetgroups_membership WHERE target_group_id = %s", [group.pk])
        (count,) = cursor.fetchone()
    return int(count)


def write(attempt: Attempt, sums: Sums, members: int) -> None:
    """Write a group's numbers with the time of the run that counted them; its error, if it had one, is over."""
    TargetGroup.objects.filter(pk=attempt.group.pk).update(
        member_count=members,
        search_count=sums.in_search,
        exclusion_counts={str(reason): sums.excluded.get(reason, 0) for reason in ExclusionReason},
        is_do_not_email_calculated=sums.is_do_not_email_calculated,
        counted_at=ClockTimestamp(),
        counted_run=attempt.run,
        read_at=attempt.read_at,
        attribute_names=attempt.columns,
        is_limited=attempt.search.is_limited,
        error_code="",
        error_text="",
        error_at=None,
    )


def write_error(group_id: int, code: str, sentence: str) -> None:
    """Say beside the count that the newest sync failed; the numbers and their time stay (R4)."""
    TargetGroup.objects.filter(pk=group_id).update(error_code=code, error_text=sentence, error_at=timezone.now())
