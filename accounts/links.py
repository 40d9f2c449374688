"""The links by which people set a password: signed, of use once, and not for long."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import User

SALT = "accounts.invitation"


def invitation_link(user: User) -> str:
    """Return the path of the page where an invited person sets name and password."""
    return reverse("accounts:invitation", args=[signing.dumps([user.pk, user.invitation], salt=SALT)])


def invited_by_token(token: str) -> User | None:
    """Return who was invited by this link, even if its time is over; None for a used, withdrawn or made-up one."""
    try:
        user_id, word = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(pk=user_id).exclude(invitation="").first()
    return user if user and constant_time_compare(user.invitation, str(word)) else None


def expires_at(user: User) -> datetime | None:
    """Return when an invitation's link ends; None for whoever is not invited."""
    if not user.invitation or user.invited_at is None:
        return None
    return user.invited_at + timedelta(days=settings.INVITATION_DAYS)


def is_expired(user: User) -> bool:
    end = expires_at(user)
    return end is not None and end <= timezone.now()


def password_link(user: User) -> str:
    """Return the path of the page where a person sets a new password; it ends with its use, and after two hours."""
    return reverse("accounts:set_password", args=[user.pk, default_token_generator.make_token(user)])


def asks_for_password(user_id: int, token: str) -> User | None:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return user if user and default_token_generator.check_token(user, token) else None
