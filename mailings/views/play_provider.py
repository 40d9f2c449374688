"""What a mail provider would tell of a message of the demo: signed, and posted to the webhook that hears real ones."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy

from thrive_sync.stack.mailbox import Letter

from ..webhooks import provider_of
from .mail_events import mail_events

# It is played because it gives a message the name that its sender gave it, as the demo's mail sink does.
PROVIDER = "mailgun"
_EVENTS: dict[str, dict[str, Any]] = {
    "bounce": {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "delivery-status": {"code": 550, "message": "550 5.1.1 No such user here"},
    },
    "complaint": {"event": "complained"},
}
SENTENCES = {
    "bounce": gettext_lazy("The webhook was told that this message bounced."),
    "complaint": gettext_lazy("The webhook was told that the person called this message spam."),
}


def is_there() -> bool:
    return provider_of(PROVIDER) is not None


def tell(letter: Letter, kind: str) -> bool:
    """Tell something of a message, a key of SENTENCES; say whether the webhook kept it. Told twice it is one event."""
    told = {
        "id": f"demo-{letter.number}-{kind}",
        "timestamp": time.time(),
        "recipient": letter.to,
        "message": {"headers": {"message-id": dict(letter.headers).get("Message-ID", "").strip("<>")}},
        **_EVENTS[kind],
    }
    body = json.dumps({"signature": _signature(), "event-data": told}).encode()
    asked = WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": reverse("mailings:mail_events", args=[PROVIDER]),
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
        }
    )
    return mail_events(asked, PROVIDER).status_code == 200


def _signature() -> dict[str, str]:
    key, at, token = str(settings.ANYMAIL["MAILGUN_WEBHOOK_SIGNING_KEY"]), str(int(time.time())), secrets.token_hex(25)
    return {
        "timestamp": at,
        "token": token,
        "signature": hmac.new(key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest(),
    }
