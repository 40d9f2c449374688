"""E-mails about alerts: a row each, written with the alert; what waits for a person goes in one message.

A message says what, about which group or mailing, and where to look: nothing that could hold a subscriber's data.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext, override

from accounts.languages import language_of
from accounts.models import User
from thrive_sync.lib.words import number

from . import audience
from .choices import TELLS, AlertKind
from .models import AlertLetter

log = logging.getLogger(__name__)
MOST_TRIES = 6
WAIT = timedelta(minutes=10)
# Older ones are no news any more: the page has them.
MOST_AGE = timedelta(days=1)
MOST_LINES = 20
_RESTORED = "restored"


def is_set_up() -> bool:
    return bool(settings.SITE_URL and settings.EMAIL_FROM)


def send_due() -> int:
    """Send what waits, each by one worker; return how many messages went out."""
    if not is_set_up():
        return 0
    now = timezone.now()
    due = AlertLetter.objects.filter(sent_at__isnull=True, tries__lt=MOST_TRIES, due_at__lte=now)
    due = due.filter(asked_at__gt=now - MOST_AGE)
    people = list(due.order_by().values_list("user_id", flat=True).distinct()[:200])
    sent = 0
    for user_id in people:
        batch = uuid.uuid4()
        if due.filter(user_id=user_id).update(batch=batch, tries=F("tries") + 1, due_at=now + WAIT):
            sent += _send(batch)
    return sent


def hold_waiting() -> int:
    """Let what waits go out no more, in a database that was restored: it may have gone since. Return how many."""
    waiting = AlertLetter.objects.filter(sent_at__isnull=True, tries__lt=MOST_TRIES)
    return waiting.update(tries=MOST_TRIES, problem=_RESTORED)


def forget_old(now: datetime) -> None:
    AlertLetter.objects.filter(asked_at__lt=now - timedelta(days=90)).delete()


def _send(batch: uuid.UUID) -> bool:
    mine = AlertLetter.objects.filter(batch=batch, sent_at__isnull=True)
    letters = list(mine.select_related("user", "alert").order_by("alert_id", "is_recovery"))
    # What a person may see can have changed since.
    letters = [each for each in letters if AlertKind(each.alert.kind) in audience.kinds_for(each.user)]
    if not letters or not letters[0].user.is_active or not letters[0].user.email:
        mine.delete()
        return False
    try:
        message(letters).send()
    except OSError as error:  # whatever SMTP can answer is an OSError, too
        log.warning("an e-mail of %s alerts could not be sent (%s)", len(letters), type(error).__name__)
        mine.update(problem=type(error).__name__)
        return False
    mine.update(sent_at=timezone.now(), problem="")
    return True


def message(letters: Sequence[AlertLetter]) -> EmailMessage:
    """Put what waits for one person in one message, in their language; what an alert is about is in the site's."""
    user = letters[0].user
    with override(language_of(user)):
        subject, text = _subject(letters), _text(letters, user)
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, text, settings.EMAIL_FROM, [user.email], headers=headers)


def _subject(letters: Sequence[AlertLetter]) -> str:
    first = _title(letters[0])
    more = len(letters) - 1
    if not more:
        return first
    # Translators: %(first)s is the first of some alerts, as "Failed: Members".
    said = ngettext("%(first)s, and %(count)s more", "%(first)s, and %(count)s more", more)
    return said % {"first": first, "count": number(more)}


def _text(letters: Sequence[AlertLetter], user: User) -> str:
    parts = [_part(letter, user) for letter in letters[:MOST_LINES]]
    more = len(letters) - len(parts)
    if more:
        parts.append(ngettext("And %(count)s more.", "And %(count)s more.", more) % {"count": number(more)})
    page, choices = settings.SITE_URL + reverse("alerts:alerts"), settings.SITE_URL + reverse("alerts:preferences")
    parts += [gettext("All alerts:") + f"\n{page}", gettext("Choose what you are told of:") + f"\n{choices}"]
    return "\n\n".join(parts) + "\n"


def _title(letter: AlertLetter) -> str:
    about = " ".join(letter.alert.about.split())
    if letter.is_recovery:
        return gettext("Good again: %(about)s") % {"about": about}
    # Translators: a kind of alert and what it is about, as "Failed: Members".
    return gettext("%(kind)s: %(about)s") % {"kind": letter.alert.get_kind_display(), "about": about}


def _part(letter: AlertLetter, user: User) -> str:
    kind = AlertKind(letter.alert.kind)
    what = gettext("It was: %(kind)s.") % {"kind": kind.label} if letter.is_recovery else TELLS[kind]
    link = letter.alert.link if audience.may_follow(user, kind) else reverse("alerts:alerts")
    return f"{_title(letter)}\n{what}\n{settings.SITE_URL}{link}"
