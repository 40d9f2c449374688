"""What is wished here for one person: opt out, opt in, erase. Each with its reason, and recorded (R11, R16)."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext, override

import audit

from . import owed, suppression
from .choices import SuppressionCause
from .exceptions import NotAllowedNow
from .models import Subscriber, Suppression
from .sync import erasing

LONGEST_REASON = 300
# What a person here may take back. A complaint was made to the mail provider, and an erasure asks for silence.
LIFTABLE = (
    SuppressionCause.OPT_OUT,
    SuppressionCause.MANUAL,
    SuppressionCause.HARD_BOUNCE,
    SuppressionCause.SOFT_BOUNCES,
)


def opt_out(person: Subscriber, user: AbstractBaseUser, reason: str) -> Suppression:
    """Keep the person's address from being mailed. Raises NotAllowedNow if there is none, or no reason is given."""
    reason = _reason(reason)
    if not person.address_key:
        raise NotAllowedNow(
            gettext("There is no address to opt out: nothing is kept of this person but the Remote ID.")
        )
    with transaction.atomic():
        with override(settings.LANGUAGE_CODE):  # it is kept, for everybody
            note = gettext("here: %(reason)s") % {"reason": reason}
        added = suppression.suppress(person.email, SuppressionCause.OPT_OUT, note, by=str(user))
        audit.record(user, "opt_out", added, None, _told(person))
    return added


def opt_in(person: Subscriber, user: AbstractBaseUser, reason: str) -> None:
    """Let the person's address be mailed again: ends what kept it from that. Raises NotAllowedNow, with the reason."""
    reason = _reason(reason)
    address = suppressed_address(person)
    if person.do_not_email_at and not address:
        raise NotAllowedNow(
            gettext(
                "MemberSuite says Do Not Email = Yes for this person, and it decides. Change it there, "
                "then check again."
            )
        )
    with transaction.atomic():
        causes = list(suppression.in_force(address).select_for_update()) if address else []
        for one in causes:
            if one.cause not in LIFTABLE:
                said = gettext("“%(cause)s” can't be taken back here.")
                raise NotAllowedNow(said % {"cause": one.get_cause_display()})
        if not causes:
            raise NotAllowedNow(gettext("Nothing keeps this address from being mailed."))
        for one in causes:
            suppression.lift(address, SuppressionCause(one.cause), by=str(user), because=reason)
            audit.record(user, "opt_in", one, None, _told(person))


def suppressed_address(person: Subscriber) -> str:
    """Return the address whose suppressions are this person's; "" if there is none.

    Of somebody who is Do Not Email nothing is kept but what was suppressed here. It is theirs to take back only if it
    was that opt-out which made MemberSuite say Yes.
    """
    if person.do_not_email_at is None:
        return person.email if person.address_key else ""
    ours = owed.our_yes(person) if person.erased_at is None else None
    return ours.suppression.address if ours and ours.suppression else ""


def erase(person: Subscriber, user: AbstractBaseUser) -> None:
    """Erase the person here for good and keep the address suppressed. Raises NotAllowedNow while a sync writes."""
    with transaction.atomic():
        erasing.lock(person.bridge_id)
        person = Subscriber.objects.select_for_update(no_key=True).get(pk=person.pk)
        if person.erased_at:
            raise NotAllowedNow(gettext("This person was erased already."))
        if person.address_key:
            with override(settings.LANGUAGE_CODE):
                note = gettext("Remote ID %(remote_id)s") % {"remote_id": person.remote_id}
            suppression.suppress(person.email, SuppressionCause.ERASED, note, by=str(user))
        elsewhere = erasing.erase(person)
        audit.record(user, "person.erased", person, None, {"remote_id": person.remote_id, **elsewhere})


def _reason(reason: str) -> str:
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise NotAllowedNow(gettext("Say why: who asked for it, and when. Nothing was changed."))
    return reason


def _told(person: Subscriber) -> dict[str, Any]:
    # The reason may name the person, and an entry stays after an erasure: it stands beside the suppression alone.
    return {"remote_id": person.remote_id}
