"""Who would get a mailing now, and who would be left out and why: read before its recipients are fixed.

Found by a walk along the addresses, some people at a time, of whom the statement of the freeze is asked: a page costs
what is on it, not what the groups hold. Where those for one reason are few, the walk goes along them alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from targetgroups.choices import SuppressionCause
from targetgroups.models import Membership, Subscriber, Suppression, TargetGroup
from targetgroups.querysets import SubscriberQuerySet, few
from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.paging import KeysetPage

from ..choices import EDITABLE, LeftOutReason, MailingStatus
from ..models import Mailing
from ..taking import Roles, judged

RECEIVING = ""
# Why somebody can be left out before anything is sent: the other reasons come only later.
REASONS = [one for one in LeftOutReason if one not in (LeftOutReason.LEFT_GROUP, LeftOutReason.CANCELLED)]
# So many people are asked about at once; a page that is not full after so many rounds says so and goes on from there.
_STEP, _LONGER_STEP, _MOST_ROUNDS = 100, 2_000, 6
# So many people of one reason are counted; of more a page says "or more".
_MOST_COUNTED = 100
_MOST_ADDRESSES = 10_000
_KEY = ("address_key", "id")
Key = tuple[str, int]


def is_before(mailing: Mailing) -> bool:
    """Say whether it is still open who gets it."""
    waiting = (*EDITABLE, MailingStatus.SCHEDULED, MailingStatus.RESYNCING)
    return not mailing.is_frozen and mailing.status in waiting


@dataclass(frozen=True)
class Walk(KeysetPage[Any]):
    """A page, and how far it has looked: a page that is not full has not seen everybody yet where there is a next."""

    after: int | None = None
    before: int | None = None


def page(mailing: Mailing, why: str, text: str, *, size: int, after: int | None, before: int | None) -> Walk:
    """Read one page of those with whom this would happen, in the order of their addresses."""
    backwards = before is not None and after is None
    start = _key_of(before if backwards else after)
    rows: list[Any] = []
    walked: Key | None = start
    is_over, step = False, max(size + 1, _STEP)
    roles = Roles.of(mailing)
    people = _people(mailing, roles, why, text)
    for _ in range(_MOST_ROUNDS):
        window = _window(people, roles, walked, step, backwards)
        found = _with_groups(_those(judged(mailing, roles, window), window, why))
        rows += found
        is_over = len(window) < step
        walked = (window[-1].address_key, window[-1].pk) if window else walked
        if is_over or len(rows) > size:
            break
        step = _LONGER_STEP
    has_more = len(rows) > size or not is_over
    end = rows[size - 1].pk if len(rows) > size else (walked[1] if walked else None)
    rows = rows[:size]
    if backwards:
        rows.reverse()
        return Walk(rows, has_previous=has_more, has_next=True, after=before, before=end)
    first = rows[0].pk if rows else after
    return Walk(rows, has_previous=start is not None, has_next=has_more, after=end, before=first)


def everybody(mailing: Mailing, why: str, text: str) -> Iterator[Any]:
    """Give all of those with whom this would happen, in order, some at a time: for a file."""
    roles, walked = Roles.of(mailing), None
    people = _people(mailing, roles, why, text)
    while window := _window(people, roles, walked, _LONGER_STEP, False):
        walked = (window[-1].address_key, window[-1].pk)
        yield from _with_groups(_those(judged(mailing, roles, window), window, why))


@dataclass(frozen=True)
class Reason:
    """A reason for which somebody would be left out now; `count` is the least there are where `is_more`."""

    word: str
    label: str
    count: int
    is_more: bool


def reasons(mailing: Mailing) -> list[Reason]:
    """Return the reasons for which somebody would be left out, each with how many as far as that is quickly told."""
    roles, found = Roles.of(mailing), []
    for why in REASONS:
        window = _window(_people(mailing, roles, why, ""), roles, None, _MOST_COUNTED, False)
        count = len(_those(judged(mailing, roles, window), window, why))
        if count or len(window) == _MOST_COUNTED:
            found.append(Reason(why.value, str(why.label), count, len(window) == _MOST_COUNTED))
    return found


def _people(mailing: Mailing, roles: Roles, why: str, text: str) -> SubscriberQuerySet:
    """Those among whom such people are: members of the groups, and of them as few as an index can name."""
    people = Subscriber.objects.filter(
        Exists(Membership.objects.filter(subscriber=OuterRef("pk"), target_group__in=roles.to))
    )
    people = people.filter(_where(mailing, roles, why))
    return _containing(people, roles, text) if text else people


def _where(mailing: Mailing, roles: Roles, why: str) -> Q:
    if why in (LeftOutReason.DO_NOT_EMAIL, LeftOutReason.NO_ADDRESS):
        return Q(address_key="", do_not_email_at__isnull=why == LeftOutReason.NO_ADDRESS)
    if why == RECEIVING:
        return Q(address_key__gt="")
    if why in SuppressionCause.values:
        return Q(address_key__in=Suppression.objects.in_force().filter(cause=why).values("address_key"))
    if why == LeftOutReason.NOT_TO_ADDRESS:
        return Q(address_key__in=mailing.not_to_addresses)
    if why == LeftOutReason.NOT_TO_GROUP:
        barred = Subscriber.objects.filter(memberships__target_group__in=roles.not_to, address_key__gt="")
        return Q(address_key__in=barred.values("address_key"))
    if len(roles.bridges) == 1:
        shared = few(
            Subscriber.objects.filter(bridge=roles.bridges[0]).shared_addresses(), "address_key", _MOST_ADDRESSES
        )
        if shared is not None:
            return Q(address_key__in=shared)
    return Q(address_key__gt="")


def _containing(people: SubscriberQuerySet, roles: Roles, text: str) -> SubscriberQuerySet:
    if "@" in text and not text.strip().startswith("@"):
        whole = people.filter(bridge__in=roles.bridges, address_key=address_key(text))
        if whole.exists():
            return whole
    found = Subscriber.objects.filter(bridge__in=roles.bridges).containing_or_numbered(text)
    ids = found.few("pk")
    return people.filter(pk__in=ids) if ids is not None else people.containing_or_numbered(text)


def _window(
    people: SubscriberQuerySet, roles: Roles, start: Key | None, size: int, backwards: bool
) -> list[Subscriber]:
    """Read the next people by address: each bridge's along its own index, then the first of all."""
    if start is not None:
        compare = TupleLessThan if backwards else TupleGreaterThan
        people = people.filter(compare(Tuple(F("address_key"), F("id")), start))
    people = people.order_by(*(f"-{name}" if backwards else name for name in _KEY)).only(*_KEY)
    parts = [list(people.filter(bridge=bridge)[:size]) for bridge in roles.bridges]
    return list(merge(*parts, key=lambda one: (one.address_key, one.pk), reverse=backwards))[:size]


def _those(found: dict[int, Any], window: list[Subscriber], why: str) -> list[Any]:
    return [found[one.pk] for one in window if one.pk in found and found[one.pk].why == why]


def _with_groups(rows: list[Any]) -> list[Any]:
    groups = TargetGroup.objects.select_related("bridge").in_bulk({row.target_group_id for row in rows})
    for row in rows:
        row.target_group = groups[row.target_group_id]
        row.record_address = row.target_group.bridge.record_address
        row.reason_label = str(LeftOutReason(row.why).label) if row.why else ""
    return rows


def _key_of(pk: int | None) -> Key | None:
    return None if pk is None else Subscriber.objects.filter(pk=pk).values_list(*_KEY).first()
