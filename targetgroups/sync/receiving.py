"""Whom a mailing to a group would reach, counted in the background: no page and no sync waits for it (R15)."""

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce

from thrive_sync.lib.claims import claim
from thrive_sync.lib.messages import hand_over

from ..choices import NotReceiving, Queue
from ..models import Membership, ReceivingCount, TargetGroup
from .clock import database_clock

COUNT_TASK = "targetgroups.tasks.count_receiving"


def count(group_id: int) -> None:
    """Count one group's members by whether a mailing reaches them; one statement reads, so the numbers add up.

    What changes meanwhile marks the numbers as outdated again, or belongs to a later run: both come before the read.
    """
    ReceivingCount.objects.filter(pk=group_id, is_outdated=True).update(is_outdated=False)
    at = database_clock()
    run_id = TargetGroup.objects.values_list("counted_run_id", flat=True).get(pk=group_id)
    members = Membership.objects.filter(target_group=group_id).with_reasons().order_by()
    counted = members.values("not_receiving").annotate(  # type: ignore[misc]  # an annotation, not a field
        people=Count("subscriber_id"), addresses=Count("subscriber__address_key", distinct=True)
    )
    by_reason = {str(reason): 0 for reason in NotReceiving}
    receiving = 0
    for row in counted:
        if row["not_receiving"]:
            by_reason[row["not_receiving"]] = row["people"]
        else:
            receiving = row["addresses"]
            by_reason[NotReceiving.SHARED_ADDRESS] = row["people"] - receiving
    numbers = {"receiving_count": receiving, "not_receiving_counts": by_reason}
    values = {**numbers, "counted_run_id": run_id, "counted_at": at}
    if not claim(ReceivingCount.objects.filter(pk=group_id, counted_at__lte=at), **values):
        # The first count; or a younger one, which wins.
        ReceivingCount.objects.bulk_create([ReceivingCount(target_group_id=group_id, **values)], ignore_conflicts=True)


def count_outdated() -> int:
    """Count the groups whose numbers are no longer those of now, one after the other; return how many."""
    group_ids = list(outdated().values_list("pk", flat=True))
    for group_id in group_ids:
        count(group_id)
    return len(group_ids)


def ask(group_id: int) -> None:
    """Let a worker count a group now; without this, the next `count_outdated` does."""
    hand_over(COUNT_TASK, group_id, Queue.INTERACTIVE)


def outdated() -> QuerySet[TargetGroup]:
    """Give the groups that were synced, or had members suppressed or erased elsewhere, since they were counted."""
    erased = Membership.objects.filter(target_group=OuterRef("pk")).now_do_not_email().order_by()
    erased_count = erased.values("target_group").annotate(people=Count("subscriber_id")).values("people")
    counted = Cast(F("receiving__not_receiving_counts__do_not_email"), IntegerField())
    groups = TargetGroup.objects.present().filter(member_count__isnull=False)
    run_ids = {"run_id": Coalesce("counted_run_id", 0), "told_run_id": Coalesce("receiving__counted_run_id", 0)}
    return groups.annotate(**run_ids, erased_count=Coalesce(Subquery(erased_count), 0)).filter(
        Q(receiving__isnull=True)
        | ~Q(told_run_id=F("run_id"))
        | Q(receiving__is_outdated=True)
        | ~Q(erased_count=counted)
    )
