"""Tokens of the API: made, shown once, found again by what a program sends, and revoked; each change recorded (R16)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string
from django.utils.translation import gettext

import audit
from accounts.exceptions import NotAllowedNow
from accounts.models import ApiToken, User
from thrive_sync.lib.claims import claim

MOST_LIVE = 20  # of one person
# Dead ones stay in the lists for so long.
KEPT = timedelta(days=90)
# Using one writes no more often than this.
STEP = timedelta(minutes=1)
# The beginning of every token: whoever finds one in a file knows what it is, and so do the scanners of code hosts.
MARK = "thrive"
_SHAPE = re.compile(rf"({MARK}_[A-Za-z0-9]{{8}})_[A-Za-z0-9]{{40}}")


@transaction.atomic
def create(user: User, name: str, scopes: Sequence[str], days: int) -> tuple[ApiToken, str]:
    """Make a token and return it with the text that nobody can ever read again. Raises NotAllowedNow at MOST_LIVE."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once are counted one after the other
    if len(live(user)) >= MOST_LIVE:
        said = gettext("You have %(count)s tokens. Revoke one that is not needed any more first.")
        raise NotAllowedNow(said % {"count": MOST_LIVE})
    prefix = f"{MARK}_{get_random_string(8)}"
    text = f"{prefix}_{get_random_string(40)}"
    expires_at = timezone.now() + timedelta(days=days)
    token = ApiToken.objects.create(
        user=user, name=name, prefix=prefix, digest=_digest(text), scopes=list(scopes), expires_at=expires_at
    )
    audit.record(user, "api_token.created", token, None, _told(token))
    return token, text


@transaction.atomic
def revoke(actor: User, token: ApiToken) -> bool:
    """End a token for good; return whether it was alive."""
    live_one = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True)
    if not claim(live_one, revoked_at=timezone.now(), revoked_by=str(actor)[:150]):
        return False
    audit.record(actor, "api_token.revoked", token, _told(token), None)
    return True


def find(text: str) -> ApiToken | None:
    """Return the token that this text is, with its user; None: there is none, or it is dead, or its user is."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=shape[1]).first()
    if token is None or not constant_time_compare(token.digest, _digest(text)):
        return None
    return token if token.user.is_active and token.is_live(timezone.now()) else None


def mark_used(token: ApiToken, now: datetime) -> None:
    """Write down that a token is in use; of many requests within a minute, one does."""
    if token.last_used_at is None or now - token.last_used_at >= STEP:
        claim(ApiToken.objects.filter(pk=token.pk, last_used_at=token.last_used_at), last_used_at=now)


def live(user: User) -> list[ApiToken]:
    return [token for token in user.api_tokens.all() if token.is_live(timezone.now())]


def forget_old() -> None:
    long_ago = timezone.now() - KEPT
    ApiToken.objects.filter(Q(expires_at__lt=long_ago) | Q(revoked_at__lt=long_ago)).delete()


def _digest(text: str) -> str:
    # As much chance as a key has: nothing that a slow hash would make harder to guess.
    return hashlib.sha256(text.encode()).hexdigest()


def _told(token: ApiToken) -> dict[str, object]:
    return {"name": token.name, "scopes": token.scopes, "of": str(token.user), "expires_at": token.expires_at}
