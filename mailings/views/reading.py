"""What the pages read: bounded, by keyset, never a COUNT over people: every number is in Tally or in a group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Lower
from django.utils.translation import gettext

from accounts.views.tables import Ordering
from targetgroups.models import Membership, Subscriber, SyncRun, TargetGroup
from targetgroups.views.reading import runs_beside
from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.paging import KeysetPage, key_of, keyset_page

from ..choices import UNSETTLED, GroupRole, LeftOutReason, MailingStatus, NoticeState, Outcome
from ..models import LeftOut, Mailing, MailingGroup, Recipient, Tally

PAGE = 50
# What a person calls "still to send"; a worker tells four kinds of it.
TO_SEND_WORD = "to_send"
# What the lists are sorted by, as the words of their addresses say; an index has each of the people's orders.
MAILING_ORDERS = {"created": ["id"], "name": ["lower_name", "id"], "status": ["status", "id"]}
FROZEN_ORDER = "frozen"
PEOPLE_ORDERS = {
    FROZEN_ORDER: ["id"],
    "email": ["address_key"],  # of a mailing's recipients each has another
    "outcome": ["outcome", "id"],
    "reason": ["reason", "id"],
}


# --- mailings -------------------------------------------------------------------------------------------------------


def mailings_page(
    filters: dict[str, Any], text: str, order: Ordering, *, size: int, after: int | None, before: int | None
) -> KeysetPage[Mailing]:
    names, every = MAILING_ORDERS[order.sort], _sortable()
    return keyset_page(
        _with_groups(mailings_matching(filters, text)),
        names,
        size=size,
        after=key_of(every, names, after),
        before=key_of(every, names, before),
        is_descending=order.is_descending,
    )


def mailings_in_order(filters: dict[str, Any], text: str, order: Ordering) -> QuerySet[Mailing]:
    """Return every mailing that the pages of the list show, in the list's order, with its groups."""
    return _with_groups(in_order(mailings_matching(filters, text), MAILING_ORDERS[order.sort], order))


def mailings_matching(filters: dict[str, Any], text: str) -> QuerySet[Mailing]:
    """Return the mailings of a status whose name or subject holds a text."""
    mailings = _sortable().filter(**filters)
    return mailings.filter(Q(name__icontains=text) | Q(subject__icontains=text)) if text else mailings


def in_order(rows: QuerySet[Any], names: Sequence[str], order: Ordering) -> QuerySet[Any]:
    return rows.order_by(*(f"-{name}" if order.is_descending else name for name in names))


def _sortable() -> QuerySet[Mailing]:
    return Mailing.objects.annotate(lower_name=Lower("name"))


def mailings_of(group: TargetGroup, *, after: int | None, before: int | None) -> KeysetPage[MailingGroup]:
    """Return the mailings that use a group, newest first."""
    uses = MailingGroup.objects.filter(target_group=group)
    return keyset_page(
        uses.prefetch_related(Prefetch("mailing", _with_groups(Mailing.objects.all()))),
        ["id"],
        size=PAGE,
        after=_key(after),
        before=_key(before),
        is_descending=True,
    )


def recipient_counts(mailings: Iterable[Mailing]) -> dict[int, dict[str, int]]:
    """Return how many recipients of each frozen mailing there are, and how many of them got it."""
    frozen = [mailing.pk for mailing in mailings if mailing.is_frozen]
    recipients = Tally.objects.filter(mailing__in=frozen).exclude(kind=Tally.LEFT_OUT)
    rows = recipients.values("mailing_id").annotate(
        total=Sum("people_count"), sent=Sum("people_count", filter=Q(kind=Outcome.SENT), default=0)
    )
    return {row["mailing_id"]: {"total": row["total"], "sent": row["sent"]} for row in rows}


def is_mail_going_out() -> bool:
    """Say whether messages are on their way, or will be within moments."""
    under_way = Mailing.objects.filter(status__in=(MailingStatus.RESYNCING, MailingStatus.SENDING))
    return under_way.exists() or Mailing.objects.wanting_work().exists()


def poll_seconds(mailing: Mailing, now: datetime) -> int | None:
    """Say how often to ask again how a mailing stands; never for one with which nothing happens by itself."""
    if mailing.status in (MailingStatus.RESYNCING, MailingStatus.SENDING):
        return 1
    if mailing.status == MailingStatus.SCHEDULED:
        waits = (mailing.scheduled_for - now) if mailing.scheduled_for else timedelta()
        return 1 if waits < timedelta(seconds=30) else 20
    if mailing.status == MailingStatus.PAUSED or mailing.notice == NoticeState.DUE:
        return 5
    is_ending = mailing.status == MailingStatus.CANCELLED and mailing.finished_at is None
    return 1 if is_ending else None


def groups_of(mailing: Mailing) -> list[MailingGroup]:
    """Return the mailing's groups with the runs that it waits for."""
    return list(mailing.groups.select_related("target_group__receiving", "run", "run__progress", "run__bridge"))


def _with_groups(mailings: QuerySet[Mailing]) -> QuerySet[Mailing]:
    groups = MailingGroup.objects.select_related("target_group__receiving")
    return mailings.select_related("created_by", "sent_by").prefetch_related(Prefetch("groups", groups))


# --- choosing groups ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """A line of the groups chooser."""

    group: TargetGroup
    run: SyncRun | None  # under way, or held
    is_to: bool
    is_not_to: bool

    @property
    def warning(self) -> str:
        """Why a mailing to this group would stop, or may; "" when nothing is known against it."""
        if self.group.deleted_at:
            return gettext("Deleted: a mailing to it stops.")
        if self.group.is_gone:
            return gettext("No longer in MemberSuite: a mailing to it stops.")
        if self.group.not_runnable_code:
            return gettext("Can't be synced: a mailing to it stops.")
        if self.run is not None and self.run.is_held:
            return gettext("Its sync is held: decide first, or the mailing may stop.")
        if self.group.error_code:
            return gettext("Its last sync failed; the mailing syncs it again and stops if that fails too.")
        return ""


def choices(to: set[int], not_to: set[int]) -> list[Choice]:
    """Return every group that can be chosen, and the chosen ones whatever became of them; those first."""
    chosen = to | not_to
    groups = TargetGroup.objects.filter(Q(deleted_at__isnull=True) | Q(pk__in=chosen)).with_same_name_flags()
    found = list(groups.select_related("receiving").order_by(Lower("name"), "pk"))
    beside = runs_beside(found)
    lines = [Choice(group, beside.get(group.pk), group.pk in to, group.pk in not_to) for group in found]
    return sorted(lines, key=lambda line: line.group.pk not in chosen)


def chosen_in(mailing: Mailing) -> tuple[set[int], set[int]]:
    """Return the IDs of the groups that a mailing goes to, and of those it does not go to."""
    found = {(group.role, group.target_group_id) for group in mailing.groups.all()}
    return ({pk for role, pk in found if role == GroupRole.TO}, {pk for role, pk in found if role == GroupRole.NOT_TO})


# --- who reads a preview --------------------------------------------------------------------------------------------

MOST_FOUND = 10
MOST_TESTED = 2000


def member_of(mailing: Mailing, subscriber_id: int | None) -> Subscriber | None:
    """Find a member of the groups that a mailing goes to: the one asked for, or the first by address.

    A recipient whom the mailing was fixed for may have left the groups since.
    """
    members = Membership.objects.filter(target_group__in=chosen_in(mailing)[0]).filter(sort_email__gt="")
    if subscriber_id is not None:
        member = members.filter(subscriber=subscriber_id)
        fixed = Recipient.objects.filter(mailing=mailing, subscriber=subscriber_id)
        return Subscriber.objects.filter(
            Q(pk__in=member.values("subscriber")) | Q(pk__in=fixed.values("subscriber"))
        ).first()
    for group in sorted(chosen_in(mailing)[0]):  # one after the other: each is one look into an index
        first = members.filter(target_group=group).select_related("subscriber")
        if found := first.order_by("sort_email", "subscriber_id").first():
            return found.subscriber
    return None


def some_recipients(mailing: Mailing) -> tuple[list[Subscriber], bool]:
    """Read members of a mailing's groups who would get it now, by address, and say whether there are more of them."""
    found: dict[int, Subscriber] = {}
    to, not_to = chosen_in(mailing)
    # By address, as the freeze does: who shares one with somebody barred gets nothing either.
    barred = Membership.objects.filter(
        target_group__in=not_to, subscriber__address_key=OuterRef("subscriber__address_key")
    )
    for group in sorted(to):
        members = Membership.objects.filter(target_group=group, sort_email__gt="").mailable()
        members = members.exclude(subscriber__address_key__in=mailing.not_to_addresses)
        if not_to:
            members = members.filter(~Exists(barred))
        ordered = members.select_related("subscriber").order_by("sort_email", "subscriber_id")
        for member in ordered[: MOST_TESTED + 1]:
            found.setdefault(member.subscriber_id, member.subscriber)
    return list(found.values())[:MOST_TESTED], len(found) > MOST_TESTED


def members_of(mailing: Mailing, text: str) -> list[Subscriber]:
    """Find some members of the groups that a mailing goes to by name or address."""
    found: dict[int, Subscriber] = {}
    for group in TargetGroup.objects.filter(pk__in=chosen_in(mailing)[0]).order_by("pk"):
        members = (
            Membership.objects.filter(target_group=group).filter(sort_email__gt="").containing(text, group.bridge_id)
        )
        for member in members.select_related("subscriber").order_by("sort_email", "subscriber_id")[:MOST_FOUND]:
            found.setdefault(member.subscriber_id, member.subscriber)
    return list(found.values())[:MOST_FOUND]


# --- people ---------------------------------------------------------------------------------------------------------


def recipients(mailing: Mailing, *, outcome: str, reason: str, text: str) -> QuerySet[Recipient]:
    rows = Recipient.objects.filter(mailing=mailing)
    if outcome == TO_SEND_WORD:
        rows = rows.filter(outcome__in=UNSETTLED)
    elif outcome in Outcome.values:
        rows = rows.filter(outcome=outcome)
    if reason:
        rows = rows.filter(reason=reason)
    return _containing(rows, text)


def left_out(mailing: Mailing, *, reason: str, text: str) -> QuerySet[LeftOut]:
    rows = LeftOut.objects.filter(mailing=mailing).select_related("subscriber", "target_group")
    if reason in LeftOutReason.values:
        rows = rows.filter(reason=reason)
    for word in text.split():
        names = Q(subscriber__first_name__icontains=word) | Q(subscriber__last_name__icontains=word)
        rows = rows.filter(names | Q(subscriber__email__icontains=word) | Q(remote_id__iexact=word))
    return rows


def people_page(
    rows: QuerySet[Any], order: Ordering, *, size: int, after: int | None, before: int | None
) -> KeysetPage[Any]:
    """Read one page of recipients or of people left out, each with their bridge's `record_address`."""
    names, every = PEOPLE_ORDERS[order.sort], rows.model._default_manager.all()
    return keyset_page(
        rows.annotate(record_address=F("target_group__bridge__record_address")),
        names,
        size=size,
        after=key_of(every, names, after),
        before=key_of(every, names, before),
        is_descending=order.is_descending,
    )


def _containing(rows: QuerySet[Recipient], text: str) -> QuerySet[Recipient]:
    if "@" in text and rows.filter(address_key=address_key(text)).exists():  # a whole address: one index read
        return rows.filter(address_key=address_key(text))
    for word in text.split():
        names = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        rows = rows.filter(names | Q(email__icontains=word) | Q(remote_id__iexact=word))
    return rows


def _key(row_id: int | None) -> tuple[int] | None:
    return None if row_id is None else (row_id,)
