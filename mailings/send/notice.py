"""Tell the author and whoever said Send, by e-mail, that a mailing does not go on by itself.

The e-mail says which mailing, the kind of stop, and where to look: nothing that could hold a recipient's data.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy

from accounts.languages import language_of
from thrive_sync.lib.words import Words

from ..choices import MailingStatus, NoticeState
from ..models import Mailing
from .backend import without_addresses
from .render import ascii_address, tame

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)

# A worker that dies while it hands the notice over is followed by one more try.
MOST_TRIES = 2
_NAMESPACE = uuid.UUID("0c7a1f0e-6f39-4a2f-9a43-6a1f4f0c9d55")


@dataclass(frozen=True)
class Told:
    """What became of a notice, with a sentence for the page."""

    state: NoticeState
    sentence: Words


LOST = Told(
    NoticeState.FAILED,
    gettext_lazy("It is not known whether the author was told by e-mail: a worker ended meanwhile."),
)


def tell(mailing: Mailing) -> Told:
    """Send the notice. Whatever the mail server says, nothing stops for it."""
    people = _people(mailing)
    if not people:
        return Told(
            NoticeState.NOBODY,
            gettext("Nobody was told by e-mail: neither author nor sender has given an address in Preferences."),
        )
    names = ", ".join(map(str, people.values()))
    try:
        sender = ascii_address(mailing.from_email)
        get_connection().send_messages([_message(mailing, sender, address, user) for address, user in people.items()])
    except Exception as error:  # any backend may be set, and each has errors of its own
        log.warning("mailing %s: the notice could not be sent (%s)", mailing.pk, type(error).__name__)
        said = without_addresses(str(error)) or type(error).__name__
        sentence = gettext("The e-mail to %(names)s could not be sent: %(error)s")
        return Told(NoticeState.FAILED, sentence % {"names": names, "error": said})
    return Told(NoticeState.SENT, gettext("Told by e-mail: %(names)s.") % {"names": names})


def _people(mailing: Mailing) -> dict[str, User]:
    """Return whom to tell, by address: those who still sign in here."""
    users = [user for user in (mailing.created_by, mailing.sent_by) if user is not None and user.is_active]
    return {user.email: user for user in users if user.email}


def _message(mailing: Mailing, sender: str, address: str, reader: User) -> EmailMessage:
    link = settings.SITE_URL + reverse("mailings:send", args=[mailing.pk])
    with translation.override(language_of(reader)):
        subject, text = _words(mailing, link)
    # The same on a second try, so that a mail program shows one.
    number = uuid.uuid5(_NAMESPACE, f"{link} {mailing.stopped_at} {address}")
    headers = {"Message-ID": f"<{number}@{sender.rpartition('@')[2]}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, text, sender, [address], headers=headers)


def _words(mailing: Mailing, link: str) -> tuple[str, str]:
    names = {"name": tame(mailing.name), "why": mailing.get_stop_code_display(), "link": link}
    if mailing.status == MailingStatus.PAUSED:
        subject = gettext("Paused: %(name)s")
        what = gettext("The mailing “%(name)s” has paused by itself. Who has not got it yet waits.")
    else:
        subject = gettext("Stopped: %(name)s")
        what = gettext("The mailing “%(name)s” has stopped by itself. Nothing was sent.")
    parts = (what, gettext("Why: %(why)s."), gettext("Look and decide:") + "\n%(link)s\n")
    return subject % names, "\n\n".join(parts) % names
