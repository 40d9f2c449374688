"""What nobody needs any more: ended sessions, old letters and audit entries, passed lock-outs, dead tokens."""

from __future__ import annotations

from django.utils import timezone

from accounts import letters, lockout, tokens
from accounts.models import Session
from audit import retention as audit_retention


def clean_up() -> None:
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    letters.forget_old()
    lockout.forget_old()
    tokens.forget_old()
    audit_retention.forget_old()
