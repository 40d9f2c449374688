"""Signatures as the Standard Webhooks describe them: HMAC-SHA256 over ID, time and body. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

MARK = "whsec_"


def new_secret() -> str:
    return MARK + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(message_id: str, at: datetime, body: bytes, keys: Iterable[str]) -> dict[str, str]:
    """Return what proves that a message is ours and when it was sent; each valid secret signs."""
    seconds = str(int(at.timestamp()))
    signatures = [signature(message_id, seconds, body, key) for key in keys]
    return {"webhook-id": message_id, "webhook-timestamp": seconds, "webhook-signature": " ".join(signatures)}


def signature(message_id: str, seconds: str, body: bytes, key: str) -> str:
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    digest = hmac.new(base64.b64decode(key.removeprefix(MARK)), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
