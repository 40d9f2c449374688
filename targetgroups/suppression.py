"""The one list of addresses that are not to be mailed: sync and send both obey it (R11).

Whatever changes it marks the counts of the groups that the address is in as outdated (R15), and queues in the same
transaction what MemberSuite is to be told of it.
"""

from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from thrive_sync.lib.addresses import address_key

from . import owed
from .choices import SuppressionCause
from .models import Bridge, Membership, ReceivingCount, Suppression

LONGEST_NOTE = 500
LONGEST_NAME = 150


def suppress(address: str, cause: SuppressionCause, note: str = "", *, by: str = "") -> Suppression:
    """Keep an address from being mailed; the second call for one cause returns the first one's row."""
    return add(address, cause, note, by=by) or in_force(address).get(cause=cause)


def add(
    address: str,
    cause: SuppressionCause,
    note: str = "",
    *,
    by: str = "",
    said: str = "",
    mailing_id: int | None = None,
) -> Suppression | None:
    """Keep an address from being mailed; None: this cause keeps it already.

    Args:
        by: the person or program that does it, by name.
        said: the words of the mail server, or of the provider.
        mailing_id: of the mailing that brought it about.
    """
    suppression = Suppression(
        address_key=address_key(address),
        address=address,
        cause=cause,
        note=note[:LONGEST_NOTE],
        added_by=by[:LONGEST_NAME],
        said=said,
        mailing_id=mailing_id,
    )
    with transaction.atomic():
        try:
            with transaction.atomic():
                suppression.save(force_insert=True)
        except IntegrityError:
            return None
        owed.owe_opt_outs([suppression])
        transaction.on_commit(lambda: mark_outdated([suppression.address_key]))
    return suppression


def add_many(addresses: Mapping[str, str], cause: SuppressionCause, note: str, *, by: str) -> list[Suppression]:
    """Keep addresses, by their keys, from being mailed; return the new ones. Raises IntegrityError in a race."""
    with transaction.atomic():
        known = Suppression.objects.in_force().filter(cause=cause, address_key__in=list(addresses))
        fresh = addresses.keys() - set(known.values_list("address_key", flat=True))
        rows = [
            Suppression(address_key=key, address=addresses[key], cause=cause, note=note[:LONGEST_NOTE], added_by=by)
            for key in sorted(fresh)
        ]
        Suppression.objects.bulk_create(rows)
        owed.owe_opt_outs(rows)
        transaction.on_commit(lambda: mark_outdated(fresh))
    return rows


def lift(address: str, cause: SuppressionCause, *, by: str = "", because: str = "") -> bool:
    """End a suppression; say whether there was one."""
    return lift_all(in_force(address).filter(cause=cause), by=by, because=because) > 0


def lift_all(rows: QuerySet[Suppression], *, by: str, because: str) -> int:
    """End suppressions that are in force; return how many."""
    with transaction.atomic():
        keys = list(rows.values_list("address_key", flat=True))
        count = rows.update(lifted_at=timezone.now(), lifted_by=by[:LONGEST_NAME], lifted_because=because)
        if count:
            owed.owe_opt_ins(keys)
            transaction.on_commit(lambda: mark_outdated(keys))
    return count


def is_suppressed(address: str) -> bool:
    return in_force(address).exists()


def in_force(address: str) -> QuerySet[Suppression]:
    """Give the causes that keep an address from being mailed now."""
    return Suppression.objects.in_force().filter(address_key=address_key(address))


def mark_outdated(address_keys: Iterable[str]) -> int:
    """Have the groups with members at these addresses counted again; return how many were not marked yet.

    Call it after the commit: a count that began before it would miss what it marks.
    """
    here = Membership.objects.filter(
        subscriber__bridge__in=Bridge.objects.all(), subscriber__address_key__in=list(address_keys)
    )
    counted = ReceivingCount.objects.filter(target_group__in=here.values("target_group"), is_outdated=False)
    return counted.update(is_outdated=True)
