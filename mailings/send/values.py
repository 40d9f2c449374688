"""What a mailing may say of its recipients: names as frozen, and the extra columns of their searches."""

from __future__ import annotations

from collections.abc import Sequence

from ..models import Mailing, Recipient
from ..personal import is_personal, values_of


def values_for(mailing: Mailing, pks: Sequence[int]) -> dict[int, dict[str, str]]:
    """Give the values of some recipients, by their ID; none of a message that says the same to everybody."""
    if not is_personal(mailing.subject, mailing.preheader, mailing.html, mailing.text):
        return {}
    rows = Recipient.objects.filter(pk__in=pks).values_list(
        "pk", "first_name", "last_name", "email", "remote_id", "subscriber__attributes"
    )
    return {
        pk: values_of(first, last, email, remote_id, attributes)
        for pk, first, last, email, remote_id, attributes in rows
    }
