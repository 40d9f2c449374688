"""The demo's own receiver of webhooks: what a program at the other end would do. Not there outside the demo."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires

from .. import signing
from ..models import Webhook

KEPT = 50
MOST_BYTES = 64 * 1024


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take what is signed with a secret of a webhook that leads here."""
    path = _file()
    if not _is_genuine(request):
        return HttpResponse("The signature does not fit.", status=401, content_type="text/plain")
    kept = [*_read(path), {"at": timezone.now().isoformat(), "body": json.loads(request.body)}][-KEPT:]
    fresh = path.with_suffix(".new")
    fresh.write_text("".join(json.dumps(each) + "\n" for each in kept))
    fresh.replace(path)
    return HttpResponse("Thank you.", content_type="text/plain")


@requires()
@require_GET
def received(request: HttpRequest) -> HttpResponse:
    rows = [
        {"at": datetime.fromisoformat(row["at"]), "body": row["body"], "text": json.dumps(row["body"], indent=2)}
        for row in reversed(_read(_file()))
    ]
    return render(request, "alerts/received.html", {"rows": rows})


def _file() -> Path:
    if not settings.MAIL_SINK_DIR:
        raise Http404
    return Path(settings.MAIL_SINK_DIR).parent / "webhooks.jsonl"


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def _is_genuine(request: HttpRequest) -> bool:
    told = request.headers.get("webhook-signature", "").split()
    named, seconds = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
    if len(request.body) > MOST_BYTES:
        return False
    secrets = [hook.secret or "" for hook in Webhook.objects.filter(address__endswith=request.path)]
    return any(signing.signature(named, seconds, request.body, secret) in told for secret in secrets)
