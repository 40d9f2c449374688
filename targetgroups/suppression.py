"""The one list of addresses that are not to be mailed: sync and send both obey it (R11)."""

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from thrive_sync.lib.addresses import address_key

from .choices import SuppressionCause
from .models import Suppression


def suppress(address: str, cause: SuppressionCause, note: str = "") -> Suppression:
    """Keep an address from being mailed; the second call for one cause returns the first one's row."""
    key = address_key(address)
    try:
        with transaction.atomic():
            return Suppression.objects.create(address_key=key, address=address, cause=cause, note=note)
    except IntegrityError:
        return in_force(address).get(cause=cause)


def lift(address: str, cause: SuppressionCause) -> bool:
    """End a suppression; say whether there was one."""
    return in_force(address).filter(cause=cause).update(lifted_at=timezone.now()) > 0


def is_suppressed(address: str) -> bool:
    return in_force(address).exists()


def in_force(address: str) -> QuerySet[Suppression]:
    """Give the causes that keep an address from being mailed now."""
    return Suppression.objects.filter(address_key=address_key(address), lifted_at__isnull=True)
