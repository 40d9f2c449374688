"""The suppression list by hand: addresses added and suppressions lifted, each with its reason, and recorded (R16)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

import audit

from . import suppression
from .choices import SuppressionCause
from .exceptions import NotAllowedNow
from .models import Suppression

LONGEST_REASON = 300
MOST_ADDRESSES = 1_000
MOST_LIFTED = 250
# What a person can know of an address, also from another system. The others are counted or follow from erasing.
ADDABLE = (
    SuppressionCause.MANUAL,
    SuppressionCause.OPT_OUT,
    SuppressionCause.HARD_BOUNCE,
    SuppressionCause.COMPLAINT,
)
# The word of the people themselves: it holds until they say otherwise (R11).
THEIR_WORD = (SuppressionCause.OPT_OUT, SuppressionCause.COMPLAINT)
_TRIES = 3


def suppress(
    addresses: Mapping[str, str], cause: SuppressionCause, note: str, user: AbstractBaseUser
) -> list[Suppression]:
    """Keep addresses, by their keys, from being mailed; return those that this cause did not keep already."""
    for _ in range(_TRIES):  # somebody else may add one of them at the same time
        try:
            with transaction.atomic():
                rows = suppression.add_many(addresses, cause, note, by=str(user))
                for row in rows:  # the note and, below, the reason may name people: they stand beside the suppression
                    audit.record(user, "suppressed", row, None, {"cause": row.cause})
                return rows
        except IntegrityError as error:
            refusal = error
    raise refusal


def liftable(ids: Collection[int]) -> list[Suppression]:
    """Return those of these that are in force and can be taken back: an erasure asks for silence for good."""
    rows = Suppression.objects.in_force().filter(pk__in=ids).exclude(cause=SuppressionCause.ERASED)
    return list(rows.order_by("address_key", "pk"))


def is_their_word(rows: Collection[Suppression]) -> bool:
    """Say whether any of these is what the person at the address said."""
    return any(row.cause in THEIR_WORD for row in rows)


def lift(ids: Collection[int], reason: str, user: AbstractBaseUser, *, is_asked_for: bool = False) -> list[Suppression]:
    """End suppressions; return them. Raises NotAllowedNow without a reason, or where only the people may ask for it.

    Args:
        is_asked_for: the user says that the people themselves asked to be mailed again.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise NotAllowedNow(gettext("Say why these may be mailed again. Nothing was changed."))
    with transaction.atomic():
        # Two who lift the same one come one after the other, and the second finds it lifted.
        locked = Suppression.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
        rows = liftable(list(locked.values_list("pk", flat=True)))
        if is_their_word(rows) and not is_asked_for:
            raise NotAllowedNow(
                gettext("Opt-outs and complaints end only when the people themselves ask. Nothing was changed.")
            )
        suppression.lift_all(Suppression.objects.filter(pk__in=[row.pk for row in rows]), by=str(user), because=reason)
        for row in rows:
            audit.record(user, "suppression.lifted", row, {"cause": row.cause})
    return rows


def still_kept(rows: Collection[Suppression]) -> int:
    """Count the addresses of these that another cause keeps from being mailed."""
    keys = Suppression.objects.in_force().filter(address_key__in={row.address_key for row in rows})
    return len(set(keys.values_list("address_key", flat=True)))
