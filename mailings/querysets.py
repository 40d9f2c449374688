"""Named reads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .choices import SETTLED, MailingStatus, NoticeState, Outcome

if TYPE_CHECKING:
    from .models import MailEvent, Mailing, Recipient  # noqa: F401 - named in base classes alone


MOST_TRIES = 5


class MailingQuerySet(models.QuerySet["Mailing"]):
    def wanting_work(self) -> Self:
        """Mailings that a worker should advance now and none does."""
        is_due = Q(due_at__isnull=True) | Q(due_at__lte=Now())
        has_come = Q(status=MailingStatus.SCHEDULED) & (Q(scheduled_for__isnull=True) | Q(scheduled_for__lte=Now()))
        is_under_way = Q(status__in=(MailingStatus.RESYNCING, MailingStatus.SENDING)) & is_due
        # Cancelled, but not everybody who did not get it is settled yet.
        is_ending = Q(status=MailingStatus.CANCELLED, finished_at__isnull=True) & is_due
        # Stopped or paused by itself, and its author does not know yet.
        is_to_tell = Q(status__in=(MailingStatus.STOPPED, MailingStatus.PAUSED), notice=NoticeState.DUE)
        wanting = self.filter(has_come | is_under_way | is_ending | is_to_tell)
        return wanting.filter(Q(worker_until__isnull=True) | Q(worker_until__lt=Now()))

    def waiting_for(self, run_id: int) -> Self:
        """Mailings that wait for this run to end (R12)."""
        return self.filter(status=MailingStatus.RESYNCING, groups__run=run_id)

    def hurry(self) -> list[int]:
        """Let mailings that are put off be looked at now; return them all."""
        ids = list(self.values_list("pk", flat=True))
        self.model._default_manager.filter(pk__in=ids).update(due_at=None)
        return ids


class RecipientQuerySet(models.QuerySet["Recipient"]):
    def held_by(self, mailing_id: int, lease: str) -> Self:
        """Recipients whom a worker has in flight."""
        return self.filter(mailing=mailing_id, outcome=Outcome.IN_FLIGHT, leased_by=lease)


class MailEventQuerySet(models.QuerySet["MailEvent"]):
    def waiting(self) -> Self:
        """Events still to be applied, those that failed before last; after some tries one is left alone."""
        return self.filter(applied_at__isnull=True, tries__lt=MOST_TRIES).order_by("tries", "id")


def figures_of(mailing: Mailing) -> dict[str, Any]:
    """Say how many of a frozen mailing's people stand where, read from Tally: nothing is counted.

    Returns "outcomes" by Outcome, "skipped" and "left_out" by LeftOutReason (only what is not 0), and the sums "total"
    (recipients), "left_out_total", "settled" and "left" (recipients with whom something will still be done).
    """
    outcomes: Counter[str] = Counter()
    by_reason: dict[str, dict[str, int]] = {Outcome.SKIPPED: {}, "left_out": {}}
    for tally in mailing.tallies.filter(people_count__gt=0).order_by("-people_count", "kind", "reason"):
        if tally.kind != "left_out":
            outcomes[tally.kind] += tally.people_count
        if tally.kind in by_reason:
            by_reason[tally.kind][tally.reason] = tally.people_count
    settled = sum(outcomes[outcome] for outcome in SETTLED)
    return {
        "outcomes": dict(outcomes),
        "skipped": by_reason[Outcome.SKIPPED],
        "left_out": by_reason["left_out"],
        "total": outcomes.total(),
        "left_out_total": sum(by_reason["left_out"].values()),
        "settled": settled,
        "left": outcomes.total() - settled,
    }
