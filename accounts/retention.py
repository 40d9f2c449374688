"""What nobody needs any more: sessions that ended, old letters, wrong passwords whose time is over."""

from __future__ import annotations

from django.utils import timezone

from accounts import letters, lockout
from accounts.models import Session


def clean_up() -> None:
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    letters.forget_old()
    lockout.forget_old()
