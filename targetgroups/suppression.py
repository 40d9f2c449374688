"""The one list of addresses that are not to be mailed: sync and send both obey it (R11).

Whatever changes it marks the counts of the groups that the address is in as outdated (R15).
"""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from thrive_sync.lib.addresses import address_key

from .choices import SuppressionCause
from .models import Bridge, Membership, ReceivingCount, Suppression


def suppress(address: str, cause: SuppressionCause, note: str = "") -> Suppression:
    """Keep an address from being mailed; the second call for one cause returns the first one's row."""
    key = address_key(address)
    try:
        with transaction.atomic():
            suppression = Suppression.objects.create(address_key=key, address=address, cause=cause, note=note)
            transaction.on_commit(lambda: mark_outdated([key]))
            return suppression
    except IntegrityError:
        return in_force(address).get(cause=cause)


def lift(address: str, cause: SuppressionCause) -> bool:
    """End a suppression; say whether there was one."""
    with transaction.atomic():
        is_lifted = in_force(address).filter(cause=cause).update(lifted_at=timezone.now()) > 0
        if is_lifted:
            transaction.on_commit(lambda: mark_outdated([address_key(address)]))
    return is_lifted


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
