"""Named reads: whatever is asked for twice."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Value, When
from django.utils import timezone

from thrive_sync.lib.sorting import sort_key

from .choices import ACTIVE, GOOD, RunStatus

if TYPE_CHECKING:
    from .models import Bridge, Membership, SyncRun, TargetGroup  # noqa: F401 - one is named in a base class alone


class SearchText(Func):
    """The text that a search in a group looks through: the trigram index is on exactly this expression."""

    template = "(%(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = models.TextField()


class TargetGroupQuerySet(models.QuerySet["TargetGroup"]):
    def present(self) -> Self:
        """Leave out what somebody deleted here."""
        return self.filter(deleted_at__isnull=True)

    def with_states(self) -> Self:
        """Add `state_rank`, the Count column's order: errors, unavailable, not yet counted, counted."""
        return self.annotate(
            state_rank=Case(
                When(~Q(error_code=""), then=Value(0)),
                When(Q(gone_at__isnull=False) | ~Q(not_runnable_code=""), then=Value(1)),
                When(member_count__isnull=True, then=Value(2)),
                default=Value(3),
            )
        )

    def with_same_name_flags(self) -> Self:
        """Add `has_same_name`: another present group of the bridge bears the name."""
        twins = self.model._default_manager.filter(
            bridge=OuterRef("bridge"), name=OuterRef("name"), deleted_at__isnull=True
        ).exclude(pk=OuterRef("pk"))
        return self.annotate(has_same_name=Exists(twins))

    def by_count(self, *, descending: bool = False) -> Self:
        """Sort by count: groups with errors first, then not yet counted, then numbers, in either direction."""
        count = F("member_count").desc(nulls_last=True) if descending else F("member_count").asc(nulls_last=True)
        return self.with_states().order_by("state_rank", count, "name", "pk")


class MembershipQuerySet(models.QuerySet["Membership"]):
    def now_do_not_email(self) -> Self:
        """Members whom another group's sync has shown as Do Not Email since (R4): their sort keys are erased."""
        return self.filter(sort_email="")

    def containing(self, term: str) -> Self:
        """Find a term inside address or name; one or two characters, which have no trigram, at the start of either."""
        key = sort_key(term.strip())
        if len(key) < 3:
            return self.filter(Q(sort_email__startswith=key) | Q(sort_name__startswith=key))
        return self.alias(search_text=SearchText("sort_email", "sort_name")).filter(search_text__contains=key)


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def active(self) -> Self:
        return self.filter(status__in=ACTIVE)

    def good(self) -> Self:
        return self.filter(status__in=GOOD)

    def waiting_and_due(self) -> Self:
        return self.filter(Q(due_at__isnull=True) | Q(due_at__lte=timezone.now()), status=RunStatus.WAITING)

    def for_list(self) -> Self:
        """Fetch what a row of Sync Activity shows."""
        return self.select_related("bridge", "target_group", "progress").prefetch_related("requests__user")

    def newest(self, *, target_group: "TargetGroup | None" = None, bridge: "Bridge | None" = None) -> "SyncRun | None":
        """Give the newest run of a group or, without one, of a bridge."""
        runs = self.filter(target_group=target_group) if target_group else self.filter(bridge=bridge)
        return runs.select_related("progress").order_by("-id").first()
