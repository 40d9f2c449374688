"""Erase one person on request: every copy of their data here, in one transaction (R1)."""

import time

from django.utils.translation import gettext

from .. import rooms
from ..exceptions import NotAllowedNow
from ..models import Subscriber
from . import apply
from .clock import database_clock

# A click waits no longer for a sync that is just writing: it may take minutes.
_PATIENCE = 1.0  # seconds
_LOCK_EVERY = 0.05


def lock(bridge_id: int) -> None:
    """Keep syncs from writing until this transaction ends: they would bring back what they read before.

    Raises NotAllowedNow if one is writing now.
    """
    until = time.monotonic() + _PATIENCE
    while not apply.try_lock(bridge_id):
        if time.monotonic() > until:
            raise NotAllowedNow(
                gettext("A sync is writing just now. Nothing was erased; please try again in a minute.")
            )
        time.sleep(_LOCK_EVERY)


def erase(person: Subscriber) -> dict[str, int]:
    """Erase the person in all groups and rooms, under the lock; return how many rows other rooms changed.

    Remote ID and time stay, so that no sync stores the person again.
    """
    elsewhere = rooms.erase(person)
    apply.erase_on_request(person, database_clock())
    return elsewhere
