"""What nobody needs any more: sessions that ended, old letters, wrong passwords whose time is over, dead tokens."""

from __future__ import annotations

from django.utils import timezone

from accounts import letters, lockout, tokens
from accounts.models import Session


def clean_up() -> None:
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    letters.forget_old()
    lockout.forget_old()
    tokens.forget_old()
