"""E-mails about accounts: a row each, so that no click waits for a mail server and none is lost."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from accounts import links
from accounts.models import Letter, User
from thrive_sync.lib.claims import claim

log = logging.getLogger(__name__)
MOST_TRIES = 5
WAIT = timedelta(minutes=2)
# Whoever asks again and again for somebody else's address fills no mailbox.
PAUSE = timedelta(minutes=5)


def is_set_up() -> bool:
    """Say whether e-mail can go out: otherwise links are shown to whoever makes them."""
    return bool(settings.SITE_URL and settings.EMAIL_FROM)


def ask_for(user: User, kind: str) -> Letter:
    """Write down that a letter is to go out, and let a worker look; a link that was not sent yet is sent no more."""
    Letter.objects.filter(user=user, kind=kind, sent_at__isnull=True).delete()
    letter = Letter.objects.create(user=user, kind=kind)
    transaction.on_commit(_nudge)
    return letter


def was_just_asked_for(user: User, kind: str) -> bool:
    return Letter.objects.filter(user=user, kind=kind, asked_at__gt=timezone.now() - PAUSE).exists()


def send_due() -> int:
    """Send what waits, each by one worker; return how many went out."""
    now, sent = timezone.now(), 0
    due = Letter.objects.filter(sent_at__isnull=True, tries__lt=MOST_TRIES, due_at__lte=now)
    for letter in due.select_related("user").order_by("due_at")[:100]:
        mine = Letter.objects.filter(pk=letter.pk, tries=letter.tries, sent_at__isnull=True)
        if claim(mine, tries=letter.tries + 1, due_at=now + WAIT * 2**letter.tries):
            sent += _send(letter)
    return sent


def forget_old() -> int:
    with transaction.atomic():
        return Letter.objects.filter(asked_at__lt=timezone.now() - timedelta(days=90)).delete()[0]


def _nudge() -> None:
    from accounts.tasks import send_letters  # tasks know this module

    try:
        send_letters.delay()
    except BrokerError:
        log.warning("the broker is away: a letter waits for the clock")


def _send(letter: Letter) -> bool:
    message = _message(letter)
    if message is None:  # what it was about is over
        Letter.objects.filter(pk=letter.pk).delete()
        return False
    try:
        message.send()
    except OSError as error:  # whatever SMTP can answer is an OSError, too
        log.warning("letter %s could not be sent (%s)", letter.pk, type(error).__name__)
        Letter.objects.filter(pk=letter.pk).update(problem=type(error).__name__)
        return False
    Letter.objects.filter(pk=letter.pk).update(sent_at=timezone.now(), problem="")
    return True


def _message(letter: Letter) -> EmailMessage | None:
    user = letter.user
    if letter.kind == Letter.Kind.INVITATION:
        if not user.invitation or links.is_expired(user):
            return None
        host = user.invited_by.get_full_name() or str(user.invited_by) if user.invited_by else "An administrator"
        subject, link = "You are invited to thrive-sync", links.invitation_link(user)
        until = links.expires_at(user)
        text = (
            f"{host} invites you to thrive-sync, at {settings.SITE_URL}\n\n"
            f"Choose a password here:\n{settings.SITE_URL}{link}\n\n"
            f"The link works once, until {until:%B %d, %Y}. If you expected no invitation, do nothing.\n"
        )
    else:
        if not user.is_active:
            return None
        subject, link = "Your password at thrive-sync", links.password_link(user)
        text = (
            f"Somebody asked for a new password for {user.username} at {settings.SITE_URL}\n\n"
            f"Choose one here:\n{settings.SITE_URL}{link}\n\n"
            "The link works once, for two hours. If it was not you, do nothing: your password stays as it is.\n"
        )
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, text, settings.EMAIL_FROM, [user.email], headers=headers)
