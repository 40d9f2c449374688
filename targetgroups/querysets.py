"""Named reads: whatever is asked for twice."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Value, When
from django.db.models.functions import StrIndex
from django.db.models.lookups import Contains, GreaterThan
from django.utils import timezone

from thrive_sync.lib.sorting import sort_key

from .choices import ACTIVE, GOOD, NotReceiving, RunStatus, SuppressionCause

if TYPE_CHECKING:
    from .models import (  # noqa: F401 - some in base classes alone
        Bridge,
        Membership,
        Subscriber,
        Suppression,
        SyncRun,
        TargetGroup,
    )


MOST_FEW = 2000  # people whose rows are faster fetched one by one than met on the way through a list
_TRIGRAM = 3  # characters; shorter words have no entry in the index


class SearchText(Func):
    """The text of a subscriber that a search looks through: the trigram index is on exactly this expression."""

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


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def in_force(self) -> Self:
        """Leave out what was lifted again."""
        return self.filter(lifted_at__isnull=True)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def now_do_not_email(self) -> Self:
        """Members whom another group's sync has shown as Do Not Email since (R4): their sort keys are erased."""
        return self.filter(sort_email="")

    def mailable(self) -> Self:
        """Members who may be mailed: not Do Not Email, an address, and no suppression of it in force (R1, R11).

        THE one rule of who receives, for counts, lists and mailings alike. Members who share an address are all
        mailable; one copy goes to each address (R13), see `one_per_address`.
        """
        return self.filter(~_suppressed(), subscriber__do_not_email_at__isnull=True).exclude(subscriber__address_key="")

    def one_per_address(self) -> Self:
        """Of the members at one address keep the one who was known first: who a mailing goes to (R13).

        The result is sorted by address key. Over several groups, give it the members of all of them.
        """
        return self.order_by("subscriber__address_key", "subscriber_id").distinct("subscriber__address_key")

    def receiving(self) -> Self:
        """Members of one target group to whom a mailing goes, in no order: who is mailable, one at each address."""
        return self.mailable().filter(~Exists(self._earlier_at_the_address()))

    def not_receiving(self, reason: str) -> Self:
        """Members of one target group whom no mailing reaches, for one reason of NotReceiving."""
        if reason == NotReceiving.SHARED_ADDRESS:
            return self.mailable().filter(Exists(self._earlier_at_the_address()))
        if reason == NotReceiving.DO_NOT_EMAIL:
            return self.now_do_not_email().filter(subscriber__do_not_email_at__isnull=False)
        members = self.filter(subscriber__do_not_email_at__isnull=True)
        if reason == NotReceiving.NO_ADDRESS:
            return members.filter(subscriber__address_key="")
        stronger = SuppressionCause.values[: SuppressionCause.values.index(reason)]
        return members.filter(_suppressed([reason]), ~_suppressed(stronger))

    def with_reasons(self) -> Self:
        """Add `not_receiving`: why a member is not mailable, by NotReceiving, or "".

        A shared address is no property of one member; `not_receiving()` tells of those.
        """
        causes = [When(_suppressed([cause]), then=Value(cause)) for cause in SuppressionCause.values]
        return self.annotate(
            not_receiving=Case(
                When(subscriber__do_not_email_at__isnull=False, then=Value(str(NotReceiving.DO_NOT_EMAIL))),
                When(subscriber__address_key="", then=Value(str(NotReceiving.NO_ADDRESS))),
                *causes,
                default=Value(""),
            )
        )

    def _earlier_at_the_address(self) -> models.QuerySet["Membership"]:
        return self.model._default_manager.filter(
            target_group=OuterRef("target_group"),
            subscriber__bridge=OuterRef("subscriber__bridge"),
            subscriber__address_key=OuterRef("subscriber__address_key"),
            subscriber_id__lt=OuterRef("subscriber_id"),
        )

    def containing(self, text: str, bridge_id: int) -> Self:
        """Find members of one bridge whose address or name holds every word; short words match beginnings.

        The trigram index is the subscribers': a person in ten groups stands in it once. So people are found first, and
        where they are few, their memberships by ID. Of many a page is full after a short walk along the list's own
        order: no statement that did both would know which way is the short one.
        """
        keys = [sort_key(word) for word in text.split()]
        members = self
        for key in (key for key in keys if len(key) < _TRIGRAM):
            members = members.filter(Q(sort_email__startswith=key) | Q(sort_name__startswith=key))
        long_words = [key for key in keys if len(key) >= _TRIGRAM]
        if not long_words:
            return members
        people = apps.get_model("targetgroups", "Subscriber")._default_manager.filter(bridge=bridge_id)
        few = people.containing(" ".join(long_words)).few("pk")
        if few is not None:
            return members.filter(subscriber__in=few or [0])  # nobody has it: an empty list could not be paged
        return members.filter(*(_holds(key) for key in long_words))


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def containing(self, text: str) -> Self:
        """Find people whose address or name holds every word; words too short for a trigram begin either."""
        return self.filter(*map(_contains, text.split()))

    def containing_or_numbered(self, text: str) -> Self:
        """Find people as above, or by the beginning of a Remote ID."""
        words = text.split()
        if len(words) != 1:
            return self.containing(text)
        return self.filter(_contains(words[0]) | Q(remote_key__startswith=words[0].lower()))

    def few(self, field: str) -> list[Any] | None:
        """Return a field of all these people, if they are few; None: they are many."""
        found = list(self.order_by().values_list(field, flat=True)[: MOST_FEW + 1])
        return found if len(found) <= MOST_FEW else None


def _contains(term: str) -> Q:
    key = sort_key(term)
    if len(key) < _TRIGRAM:
        return Q(address_key__startswith=key) | Q(sort_name__startswith=key)
    return Q(Contains(SearchText("sort_email", "sort_name"), key))


def _holds(key: str) -> Q:
    """Say of a membership that its address or name holds a text that many have.

    LIKE would say the same, but PostgreSQL takes a pattern without statistics for one that nearly nobody has, and sorts
    the whole group for a page; of a comparison it expects a third, and walks along the list's own order.
    """
    return Q(GreaterThan(StrIndex(SearchText("sort_email", "sort_name"), Value(key)), 0))


def _suppressed(causes: Sequence[str] = SuppressionCause.values) -> Exists:
    """Say of a member whether a suppression of the address, for one of these causes, is in force."""
    # Named through the registry: the models import this module.
    suppressions = apps.get_model("targetgroups", "Suppression")._default_manager.in_force()
    at_the_address = suppressions.filter(address_key=OuterRef("subscriber__address_key"))
    return Exists(at_the_address.filter(cause__in=causes))


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
