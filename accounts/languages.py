"""Which language a person is spoken to in."""

from __future__ import annotations

from django.conf import settings

from accounts.models import User


def chosen_by(user: User) -> str:
    """Return the language a person chose; none if they chose none, or it is offered no longer."""
    return user.language if user.language in dict(settings.LANGUAGES) else ""


def language_of(user: User) -> str:
    """Return the language for what is written to a person when they are not there, such as an e-mail."""
    return chosen_by(user) or settings.LANGUAGE_CODE
