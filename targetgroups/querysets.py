"""Named reads: whatever is asked for twice."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Case, Count, Exists, F, Func, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import Contains, GreaterThan
from django.utils import timezone

from thrive_sync.lib.sorting import sort_key

from .choices import ACTIVE, GOOD, RECEIVING, NotReceiving, RunStatus, SuppressionCause, WritebackState

if TYPE_CHECKING:
    from .models import (
        Bridge,
        Membership,
        Subscriber,
        Suppression,
        SyncRun,
        TargetGroup,
        Writeback,  # noqa: F401  # named by WritebackQuerySet alone
    )


ThereIs = Callable[[models.QuerySet[Any]], Any]  # Exists, or what says the same in another way
MOST_FEW = 2000  # people whose rows are faster fetched one by one than met on the way through a list
SURELY_MANY = 10 * MOST_FEW  # expected by PostgreSQL's statistics, which may be wrong: it only chooses the way
_SHORT_WALK = 10_000  # members of a group that is sooner walked through than the addresses of a bridge
_MOST_ADDRESSES = 10_000  # among which few people are sooner found than in a whole group
_TRIGRAM = 3  # characters; shorter words have no entry in the index


def few(rows: models.QuerySet[Any], field: str, most: int = MOST_FEW) -> list[Any] | None:
    """Return a field of all these rows, if they are few; None: they are many. In no order, so that it can end early."""
    found = list(rows.order_by().values_list(field, flat=True)[: most + 1])
    return found if len(found) <= most else None


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

    def telling(self, cause: str) -> Self:
        """Of one cause, those that are the reason told of their address: no stronger cause is in force there."""
        stronger = self.model._default_manager.in_force().filter(
            address_key=OuterRef("address_key"), cause__in=_stronger_than(cause)
        )
        return self.in_force().filter(~Exists(stronger), cause=cause)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def now_do_not_email(self) -> Self:
        """Members whom another group's sync has shown as Do Not Email since (R4): their sort keys are erased."""
        return self.filter(sort_email="")

    def mailable(self, there_is: ThereIs = Exists) -> Self:
        """Members who may be mailed: not Do Not Email, an address, and no suppression of it in force (R1, R11).

        THE one rule of who receives, for counts, lists and mailings alike. Members who share an address are all
        mailable; one copy goes to each address (R13), see `one_per_address`.
        """
        people = {"subscriber__do_not_email_at__isnull": True, "subscriber__address_key__gt": ""}
        return self.filter(~there_is(_suppressions()), **people)

    def one_per_address(self) -> Self:
        """Of the members at one address keep the one who was known first: who a mailing goes to (R13).

        The result is sorted by address key. Over several groups, give it the members of all of them.
        """
        return self.order_by("subscriber__address_key", "subscriber_id").distinct("subscriber__address_key")

    def receiving(self, there_is: ThereIs = Exists) -> Self:
        """Members of one target group to whom a mailing goes, in no order: who is mailable, one at each address."""
        return self.mailable(there_is).filter(~there_is(self._earlier_at_the_address()))

    def not_receiving(self, reason: str, there_is: ThereIs = Exists) -> Self:
        """Members of one target group whom no mailing reaches, for one reason of NotReceiving."""
        if reason == NotReceiving.SHARED_ADDRESS:
            return self.mailable(there_is).filter(there_is(self._earlier_at_the_address()))
        if reason == NotReceiving.DO_NOT_EMAIL:
            return self.now_do_not_email().filter(subscriber__do_not_email_at__isnull=False)
        members = self.filter(subscriber__do_not_email_at__isnull=True)
        if reason == NotReceiving.NO_ADDRESS:
            return members.filter(sort_email="", subscriber__address_key="")  # next to each other in the index
        return members.filter(there_is(_suppressions([reason])), ~there_is(_suppressions(_stronger_than(reason))))

    def narrowed(self, only: str, group: "TargetGroup") -> Self:
        """Return those of a group's members whom a mailing reaches, or does not for one reason, to be listed.

        `only` is RECEIVING or a word of NotReceiving. Few of a million are found first, in whatever order is quick, and
        fetched by ID; of many a page is full after a short walk along the list's own order, as in a search. The last
        count tells which way to try; the answer is of now either way. A small group is a short walk in any case.
        """
        members = self.filter(target_group=group, subscriber__bridge=group.bridge_id)  # leads to the index on addresses
        if only not in (NotReceiving.DO_NOT_EMAIL, NotReceiving.NO_ADDRESS):
            members = members.filter(sort_email__gt="")  # leads past the erased, who come first
        if (group.member_count or 0) > _SHORT_WALK and _last_count(only, group) <= MOST_FEW:
            found = few(members._among_addresses(only, group.bridge_id)._only(only, Exists), "subscriber_id")
            if found is not None:
                return self.filter(target_group=group, subscriber__in=found or [0])  # an empty list could not be paged
        return members._only(only, _on_the_way)

    def _only(self, only: str, there_is: ThereIs) -> Self:
        return self.receiving(there_is) if only == RECEIVING else self.not_receiving(only, there_is)

    def _among_addresses(self, only: str, bridge_id: int) -> Self:
        """Keep those at the addresses at which alone such members can be, where these are known and not too many."""
        rows: models.QuerySet[Any]
        if only in SuppressionCause.values:
            rows = apps.get_model("targetgroups", "Suppression")._default_manager.telling(only)
        elif only == NotReceiving.SHARED_ADDRESS:
            people = apps.get_model("targetgroups", "Subscriber")._default_manager.filter(bridge=bridge_id)
            rows = people.shared_addresses()
        else:
            return self
        addresses = few(rows, "address_key", _MOST_ADDRESSES)
        return self if addresses is None else self.filter(subscriber__address_key__in=addresses)

    def with_reasons(self) -> Self:
        """Add `not_receiving`: why a member is not mailable, by NotReceiving, or "".

        A shared address is no property of one member; `not_receiving()` tells of those.
        """
        causes = [When(Exists(_suppressions([cause])), then=Value(cause)) for cause in SuppressionCause.values]
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
            subscriber__address_key__gt="",  # leads past the erased
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
        found = people.containing(" ".join(long_words)).few("pk")
        if found is not None:
            return members.filter(subscriber__in=found or [0])  # nobody has it: an empty list could not be paged
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

    def shared_addresses(self) -> models.QuerySet["Subscriber", dict[str, Any]]:
        """Give the addresses that several of one bridge's people have: along the index, none of their rows is read."""
        addresses = self.filter(address_key__gt="").values("address_key")
        return addresses.annotate(people=Count("pk")).filter(people__gt=1)

    def still_mailable(self, bridge: "Bridge") -> Self:
        """Those whose opt-out here MemberSuite does not know of, by the last syncs, and is not being told of.

        With hard bounces where the bridge writes these back.
        """
        causes = writeback_causes(bridge)
        # Named through the registry: the models import this module.
        suppressed = apps.get_model("targetgroups", "Suppression")._default_manager.in_force().filter(cause__in=causes)
        told = apps.get_model("targetgroups", "Writeback")._default_manager.holding_yes(pending=True)
        people = self.filter(bridge=bridge, do_not_email_at__isnull=True, erased_at__isnull=True, address_key__gt="")
        return people.filter(
            ~Exists(told.filter(bridge=OuterRef("bridge"), remote_key=OuterRef("remote_key"))),
            address_key__in=suppressed.values("address_key"),
        )

    def few(self, field: str) -> list[Any] | None:
        """Return a field of all these people, if they are few; None: they are many, or PostgreSQL expects so."""
        # Looking at 2,000 of many takes longer than the page that is filled without them.
        (explained,) = json.loads(self.order_by().values(field).explain(format="json"))
        return None if explained["Plan"]["Plan Rows"] > SURELY_MANY else few(self, field)


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


def _stronger_than(cause: str) -> list[str]:
    """Return the causes that are told before this one, of an address that has several."""
    return SuppressionCause.values[: SuppressionCause.values.index(cause)]


def _last_count(only: str, group: "TargetGroup") -> int:
    """Return how many a list had when they were last counted; 0 where nobody counted."""
    counted = apps.get_model("targetgroups", "ReceivingCount")._default_manager.filter(pk=group.pk).first()
    if counted is None:
        return 0
    return int(counted.receiving_count if only == RECEIVING else counted.not_receiving_counts.get(only, 0))


def _suppressions(causes: Sequence[str] = SuppressionCause.values) -> models.QuerySet["Suppression"]:
    """Give the suppressions in force of a member's address, for one of these causes."""
    # Named through the registry: the models import this module.
    suppressions = apps.get_model("targetgroups", "Suppression")._default_manager.in_force()
    return suppressions.filter(address_key=OuterRef("subscriber__address_key"), cause__in=causes)


def _on_the_way(rows: models.QuerySet[Any]) -> Q:
    """Say what Exists says, of one member after the other.

    Of EXISTS PostgreSQL makes a join, and may then join and sort the whole group for a page of it.
    """
    return Q(GreaterThan(Coalesce(Subquery(rows.values(one=Value(1))[:1]), 0), 0))


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


def writeback_causes(bridge: "Bridge") -> list[str]:
    """Return the causes of which a bridge tells MemberSuite, once it is switched on."""
    bounces = [SuppressionCause.HARD_BOUNCE.value] if bridge.writes_back_bounces else []
    return [SuppressionCause.OPT_OUT.value, *bounces]


class WritebackQuerySet(models.QuerySet["Writeback"]):
    def pending(self) -> Self:
        return self.filter(state=WritebackState.PENDING)

    def holding_yes(self, *, pending: bool = False) -> Self:
        """What MemberSuite has confirmed as Yes and nothing has overtaken; or also, what it is about to be told."""
        stands = Q(state=WritebackState.COMPLETED, overtaken_at__isnull=True)
        return self.filter(stands | Q(state=WritebackState.PENDING) if pending else stands, do_not_email=True)
