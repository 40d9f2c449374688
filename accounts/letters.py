"""E-mails about accounts: a row each, so that no click waits for a mail server and none is lost."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, override
from kombu.exceptions import OperationalError as BrokerError

from accounts import links
from accounts.languages import language_of
from accounts.models import Letter, User
from thrive_sync.lib.claims import claim
from thrive_sync.lib.words import day

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


def hold_waiting() -> int:
    """Let what waits go out no more, in a database that was restored: it may have gone since. Return how many."""
    waiting = Letter.objects.filter(sent_at__isnull=True, tries__lt=MOST_TRIES)
    return waiting.update(tries=MOST_TRIES, problem=Letter.RESTORED)


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
    """Write a letter in the language of whom it is for; None: what it was about is over."""
    user = letter.user
    with override(language_of(user)):
        written = _invitation(user) if letter.kind == Letter.Kind.INVITATION else _new_password(user)
    if written is None:
        return None
    subject, parts = written
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, "\n\n".join(parts) + "\n", settings.EMAIL_FROM, [user.email], headers=headers)


def _invitation(user: User) -> tuple[str, list[str]] | None:
    until = links.expires_at(user)
    if until is None or links.is_expired(user):
        return None
    site = settings.SITE_URL
    if user.invited_by:
        host = user.invited_by.get_full_name() or str(user.invited_by)
        who = gettext("%(host)s invites you to thrive-sync, at %(site)s") % {"host": host, "site": site}
    else:
        who = gettext("An administrator invites you to thrive-sync, at %(site)s") % {"site": site}
    last = gettext("The link works once, until %(day)s. If you expected no invitation, do nothing.")
    parts = [
        who,
        gettext("Choose a password here:") + f"\n{site}{links.invitation_link(user)}",
        last % {"day": day(until)},
    ]
    return gettext("You are invited to thrive-sync"), parts


def _new_password(user: User) -> tuple[str, list[str]] | None:
    if not user.is_active:
        return None
    site = settings.SITE_URL
    who = gettext("Somebody asked for a new password for %(name)s at %(site)s")
    parts = [
        who % {"name": user.username, "site": site},
        gettext("Choose one here:") + f"\n{site}{links.password_link(user)}",
        gettext("The link works once, for two hours. If it was not you, do nothing: your password stays as it is."),
    ]
    return gettext("Your password at thrive-sync"), parts
