"""Do a thing once, however often a program asks for it with one Idempotency-Key, also at the same moment."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from .access import token_of
from .models import IdempotentAnswer
from .problems import Conflict, KeyReused

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
LONGEST = 255

Handler = Callable[..., Response]


def once(handler: Handler) -> Handler:
    """Run an action in one transaction with the memory of its answer.

    A refused request leaves nothing behind, neither work nor memory: a repeat tries again.
    """

    @functools.wraps(handler)
    def remembered(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            key = _key(request)
            if key is None:
                return handler(view, request, *args, **kwargs)
            row = IdempotentAnswer(token=token_of(request), key=key, fingerprint=_fingerprint(request))
            try:
                with transaction.atomic():
                    row.save(force_insert=True)  # waits for whoever has the key and is not done
            except IntegrityError:
                return _again(row)
            answer = handler(view, request, *args, **kwargs)
            row.status_code, row.location = answer.status_code, answer.get("Location", "")
            row.body = JSONRenderer().render(answer.data).decode()
            row.save(update_fields=["status_code", "body", "location"])
            return answer

    remembered.is_once = True  # type: ignore[attr-defined]  # the document of the API says so
    return remembered


def forget_old() -> None:
    IdempotentAnswer.objects.filter(answered_at__lt=timezone.now() - KEPT).delete()


def _again(row: IdempotentAnswer) -> Response:
    kept = IdempotentAnswer.objects.filter(token=row.token, key=row.key).first()
    if kept is None:
        said = gettext("What was answered under this Idempotency-Key has just been forgotten. Send it again.")
        raise Conflict(said)
    if kept.fingerprint != row.fingerprint:
        raise KeyReused
    headers = {"Idempotency-Replayed": "true"} | ({"Location": kept.location} if kept.location else {})
    return Response(json.loads(kept.body), status=kept.status_code, headers=headers)


def _key(request: Request) -> str | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
        said = gettext("1 to %(most)s printable ASCII characters.") % {"most": LONGEST}
        raise serializers.ValidationError({HEADER: [said]})
    return key


def _fingerprint(request: Request) -> str:
    said = [request.method or "", request.get_full_path(), request._request.body.decode("latin-1")]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
