"""Who may call: the signature of a Concierge request."""

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha1

from memberSuite.standin import data


def signature(action: str, association_id: str, session_id: str | None, secret: str = data.SECRET_ACCESS_KEY) -> str:
    """Return the signature of a call; no session, nothing appended."""
    text = f"{action}{association_id}{session_id or ''}"
    return base64.b64encode(hmac.digest(base64.b64decode(secret), text.encode(), sha1)).decode()


def is_signed(action: str, header: Mapping[str, str | None]) -> bool:
    """Tell whether a header holds the right key, association and signature."""
    association = (header.get("AssociationId") or "").strip()
    session = (header.get("SessionId") or "").strip()
    expected = signature(action, association, session)
    return (
        (header.get("AccessKeyId") or "").strip() == data.ACCESS_KEY_ID
        and association.lower() == data.ASSOCIATION_ID
        and hmac.compare_digest(expected.encode(), (header.get("Signature") or "").strip().encode())
    )
