"""Hand messages to one of Django's e-mail backends, window by window: the road where no SMTP server is."""

from __future__ import annotations

import logging
import re
import smtplib
import time
from typing import TYPE_CHECKING, Any

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.utils.translation import gettext

from .. import optout
from ..choices import Outcome, StopCode
from ..exceptions import StopMailing
from ..models import Mailing
from . import lease
from .doubt import Doubt
from .lease import BACK, ServerAway, Verdict, with_patience
from .letter import Letter, letter
from .pace import Pace
from .render import NotAnAddress, render
from .tally import Moved
from .values import values_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .turn import Turn

log = logging.getLogger(__name__)

# Looked up at once, and at most so many in flight (R13).
_BATCH = 100
_MOST_IN_FLIGHT = 10
# A window shall be over within this many seconds, so that Pause and Cancel act within one.
_WINDOW_SECONDS = 0.5
_LONGEST_SAID = 500
_TOO_MUCH = 421
# What a mail provider answers by HTTP: who we are is not accepted; we ask too often; it is its own fault.
_NOT_US, _TOO_OFTEN, _ITS_FAULT = (401, 403), 429, 500
_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"',;]+")


def send(mailing: Mailing, turn: Turn, until: float) -> None:
    """Send to recipients that are due until none is left, the time is up, or the mailing is no longer being sent.

    Raises ServerAway, with everything given back that was not handed over, if the backend will not have it now.
    """
    server = Server()
    pace, doubt = Pace(settings.MAIL_RATE), Doubt(mailing)
    try:
        while time.monotonic() < until and (ids := lease.next_due(mailing.pk, 0, _BATCH)):
            if not _send_batch(mailing, turn, server, ids, until, pace, doubt):
                break
    finally:
        server.close()
        if kept := doubt.kept():
            lease.settle(mailing.pk, turn.token, kept)


def _send_batch(
    mailing: Mailing, turn: Turn, server: Server, ids: list[int], until: float, pace: Pace, doubt: Doubt
) -> bool:
    """Send to some; say whether to go on."""
    while ids:
        server.open()
        size = pace.take(server.window_size())
        if not size:
            time.sleep(pace.wait())
            if time.monotonic() > until:
                return False
            continue
        window, ids = ids[:size], ids[size:]
        moved = lease.into_flight(mailing.pk, turn.token, window)
        if not moved:  # paused, cancelled, or not ours any more
            return False
        flying = [recipient for recipient in moved if recipient.outcome == Outcome.IN_FLIGHT]
        if flying:
            _send_window(mailing, turn, server, flying, doubt)
        if time.monotonic() > until or not turn.is_in_time:
            return False
    return True


def _send_window(mailing: Mailing, turn: Turn, server: Server, flying: list[Moved], doubt: Doubt) -> None:
    """Hand over a window and settle it, whatever happens but the death of this process, but what `doubt` keeps back."""
    verdicts = {recipient.pk: BACK for recipient in flying}
    try:
        for pk, message in list(_messages(mailing, flying)):
            if isinstance(message, Verdict):
                verdicts[pk] = message
                continue
            if not turn.is_in_time:
                break
            verdicts[pk] = Verdict(Outcome.UNKNOWN)  # unless the server's answer tells
            verdicts[pk] = server.hand_over(message)
            if server.is_cut:
                break
    finally:
        attempts = {recipient.pk: recipient.attempts for recipient in flying}
        told = [(pk, with_patience(verdict, attempts[pk])) for pk, verdict in verdicts.items()]
        if known := doubt.sift(told, attempts):
            lease.settle(mailing.pk, turn.token, known)
    if doubt.is_everybody:
        raise doubt.stop()
    if server.defect:
        raise _stop(server.defect)
    if server.is_useless:
        raise ServerAway(server.trouble)


def _messages(mailing: Mailing, flying: list[Moved]) -> Iterator[tuple[int, Letter | Verdict]]:
    values = values_for(mailing, [recipient.pk for recipient in flying])
    for recipient in flying:
        try:
            yield recipient.pk, _message(mailing, recipient, values.get(recipient.pk))
        except NotAnAddress as error:
            yield recipient.pk, Verdict(Outcome.FAILED, "address", str(error))


def _message(mailing: Mailing, recipient: Moved, values: dict[str, str] | None) -> Letter:
    return letter(
        render(
            mailing,
            pk=recipient.pk,
            email=recipient.email,
            name=f"{recipient.first_name} {recipient.last_name}",
            opt_out_link=optout.link_with(optout.token_of(recipient.pk)),
            postal_address=settings.MAIL_POSTAL_ADDRESS,
            site=settings.SITE_URL,
            values=values,
        )
    )


class Server:
    """The connection to the mail server: opened when needed, given up when it breaks off."""

    def __init__(self) -> None:
        self._backend: Any = None
        self._handed_over_count = 0  # on this connection
        self._seconds_a_message = _WINDOW_SECONDS
        self.is_cut = False
        self.trouble = ""
        self.defect = ""  # what no waiting mends, in the words of the backend

    @property
    def is_useless(self) -> bool:
        """Say whether the connection broke off before it took anything: another one would do no better now."""
        return self.is_cut and not self._handed_over_count

    def open(self) -> None:
        """Connect, unless that is done. Raises ServerAway; StopMailing if the backend can't be used at all."""
        if self._backend is not None and not self.is_cut:
            return
        try:
            self._backend, self._handed_over_count, self.is_cut = get_connection(), 0, False
            self._backend.open()
        except smtplib.SMTPAuthenticationError:
            raise ServerAway(gettext("The mail server does not accept this program's user name or password.")) from None
        except smtplib.SMTPResponseException as error:
            said = gettext('The mail server said: "%(words)s".') % {"words": _words(error.smtp_error)}
            raise ServerAway(said) from None
        except OSError as error:  # an SMTPException is one, too
            sentence = gettext("The mail server can't be reached (%(error)s).")
            raise ServerAway(sentence % {"error": error.strerror or type(error).__name__}) from None
        except Exception as error:  # whatever library the backend is of
            raise _stop(_of_library(error)) from error

    def window_size(self) -> int:
        """Say how many messages may be in flight: fewer where the server is slow."""
        return max(1, min(_MOST_IN_FLIGHT, int(_WINDOW_SECONDS / self._seconds_a_message)))

    def hand_over(self, message: Letter) -> Verdict:
        """Send one message and tell what became of it. After it, `is_cut` says whether the connection is over."""
        began = time.monotonic()
        try:
            self._backend.send_messages([message])
        except AnymailError as error:  # some of these are an OSError, too
            return self._told_by_provider(error)
        except smtplib.SMTPException as error:
            return self._refused(error)
        except OSError as error:
            return self._broken(error)
        except ImproperlyConfigured as error:
            self.defect = _of_library(error)
            return self._cut(self.defect)
        except Exception as error:  # whatever library the backend is of: nobody knows how far it came (R13)
            log.exception("the e-mail backend failed")
            self.defect = _of_library(error)
            self._cut(self.defect)
            return Verdict(Outcome.UNKNOWN)
        self._handed_over_count += 1
        self._seconds_a_message = max(time.monotonic() - began, 1e-6)
        return Verdict(Outcome.SENT)

    def _refused(self, error: smtplib.SMTPException) -> Verdict:
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            [(code, words)] = error.recipients.values()
            return self._not_taken(code, words)
        if isinstance(error, smtplib.SMTPSenderRefused):
            sentence = (
                gettext('The mail server has had enough for now: "%(words)s".')
                if error.smtp_code == _TOO_MUCH
                else gettext('The mail server refuses the sender: "%(words)s".')
            )
            return self._cut(sentence % {"words": _words(error.smtp_error)})
        if isinstance(error, smtplib.SMTPDataError):
            return self._not_taken(error.smtp_code, error.smtp_error)
        return self._broken(error)

    def _told_by_provider(self, error: AnymailError) -> Verdict:
        """Judge by what a mail provider answered, or by why it was not asked."""
        if isinstance(error, AnymailRecipientsRefused):
            self._handed_over_count += 1
            return Verdict(Outcome.FAILED, "refused", _words(str(error)))
        sentence = _of_library(error)
        if not isinstance(
            error, AnymailAPIError
        ):  # the message or a setting is none it can use: nothing was handed over
            self.defect = sentence
            return self._cut(sentence)
        code = error.status_code
        if code is None or code >= _ITS_FAULT:
            log.warning("the mail provider did not answer (%s)", code)
            self._cut(sentence)
            return Verdict(Outcome.UNKNOWN)
        if code in _NOT_US:
            self.defect = sentence
        if code in _NOT_US or code == _TOO_OFTEN:
            return self._cut(sentence)
        self._handed_over_count += 1  # it talks to us: the refusal is about this recipient
        return Verdict(Outcome.FAILED, str(code), _words(str(error)))

    def _not_taken(self, code: int, words: bytes | str) -> Verdict:
        """Judge by the server's reply: it says that it has not taken the message."""
        if code == _TOO_MUCH:
            sentence = gettext('The mail server closed the connection: "%(words)s".')
            return self._cut(sentence % {"words": _words(words)})
        self._handed_over_count += 1  # it talks to us: the refusal is about this recipient
        outcome = Outcome.DEFERRED if 400 <= code < 500 else Outcome.FAILED
        return Verdict(outcome, str(code), _words(words))

    def _broken(self, error: Exception) -> Verdict:
        """Judge a connection that was lost: nobody knows what became of the message (R13)."""
        log.warning("the connection to the mail server was lost (%s)", type(error).__name__)
        self._cut(gettext("The connection to the mail server was lost."))
        return Verdict(Outcome.UNKNOWN)

    def _cut(self, trouble: str) -> Verdict:
        self.is_cut, self.trouble = True, trouble
        self.close()
        return BACK

    def close(self) -> None:
        if self._backend is None:
            return
        try:
            self._backend.close()
        except (smtplib.SMTPException, OSError) as error:
            # Every message has its answer already.
            log.info("the mail server did not say goodbye (%s)", type(error).__name__)


def _stop(sentence: str) -> StopMailing:
    # Translators: %(error)s is a sentence, such as 'The e-mail backend said: "Invalid key".'
    words = gettext("%(error)s Nobody was skipped: resume when that is mended.")
    return StopMailing(StopCode.MAIL_SERVER, words % {"error": sentence})


def _of_library(error: Exception) -> str:
    """Tell an error of a backend in its own words, without any recipient's address."""
    words = without_addresses(str(error))
    return gettext('The e-mail backend said: "%(words)s".') % {"words": words or type(error).__name__}


def _words(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:_LONGEST_SAID]


def without_addresses(said: str) -> str:
    """Return words that anybody may read who sees the mailing: of whom they are is left out."""
    return _ADDRESS.sub(lambda _: gettext("(an address)"), _words(said))
