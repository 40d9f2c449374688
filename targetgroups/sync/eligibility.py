"""Decide from a record's fields whether it may be a member. Pure: values in, values out."""

from thrive_sync.lib.addresses import is_address

from ..choices import ExclusionReason


def exclusion_reason(do_not_email: bool | None, email: str | None) -> ExclusionReason | None:
    """Say why a record can't be a member, or None if it can.

    Args:
        do_not_email: the flag as read; None (missing, unreadable) counts as Yes (R1).
        email: the address, trimmed.
    """
    if do_not_email is not False:
        return ExclusionReason.DO_NOT_EMAIL
    if not email:
        return ExclusionReason.NO_ADDRESS
    return None if is_address(email) else ExclusionReason.MALFORMED_ADDRESS
