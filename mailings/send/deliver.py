"""In flight, outcome: keep the books while a mailing's messages go to the mail server (R13, R14)."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext

from ..choices import MailingStatus, Outcome, StopCode
from ..exceptions import StopMailing
from ..models import Mailing
from . import backend, lease
from .doubt import Doubt
from .fleet import Fleet
from .lease import BACK, ServerAway, Verdict, with_patience
from .line import Parcel
from .pace import Pace
from .press import Press
from .render import NotAnAddress
from .smtp import Account

if TYPE_CHECKING:
    from .tally import Moved
    from .turn import Turn

    Told = tuple[int, Verdict]

__all__ = ["BACK", "SMTP", "ServerAway", "Verdict", "account", "deliver"]

SMTP = "django.core.mail.backends.smtp.EmailBackend"
# Looked up at once; more are looked up before these run out.
_BATCH = 500
_LOW = 100
# Answers are written down when a third of what is in flight has one (PostgreSQL works then while the connections
# still have the rest to send), or after this many seconds.
_PART = 3
_SETTLE_SECONDS = 0.25
# How often it is asked whether somebody paused or cancelled, when nothing else tells.
_LOOK_SECONDS = 0.5
_LEAST_SECONDS = 1.0


def deliver(mailing: Mailing, turn: Turn, *, seconds: float) -> None:
    """Send to recipients that are due until none is left, the time is up, or the mailing is no longer being sent.

    Raises ServerAway, with everything given back that was not handed over, if the mail server will not have it now.
    """
    until = time.monotonic() + seconds
    lease.recover(mailing.pk)
    if settings.EMAIL_BACKEND != SMTP:
        backend.send(mailing, turn, until)
        return
    if due := lease.next_due(mailing.pk, 0, _BATCH):
        press = _press(mailing)
        with Fleet(account(), settings.MAIL_CONNECTIONS, is_in_time=lambda: turn.is_in_time) as fleet:
            _Books(mailing, turn, fleet, press, due).keep(until)


def _press(mailing: Mailing) -> Press:
    """Make the mailing's press. Raises StopMailing if it can't be sent from its addresses."""
    try:
        return Press(mailing)
    except NotAnAddress as error:
        sentence = gettext("The from or the reply-to address can't be used. %(error)s")
        raise StopMailing(StopCode.MAIL_SERVER, sentence % {"error": error}) from None


def account() -> Account:
    return Account(
        host=settings.EMAIL_HOST,
        port=settings.EMAIL_PORT,
        user=settings.EMAIL_HOST_USER,
        password=settings.EMAIL_HOST_PASSWORD,
        has_starttls=settings.EMAIL_USE_TLS,
        has_tls=settings.EMAIL_USE_SSL,
        seconds=settings.EMAIL_TIMEOUT or 30,
        certificate=settings.EMAIL_SSL_CERTFILE,
        key=settings.EMAIL_SSL_KEYFILE,
    )


def _end_of(due: list[int]) -> int:
    """Say behind whom to look next: 0, from the beginning, if those were all."""
    return due[-1] if len(due) == _BATCH else 0


class _Books:
    """Who is next and who is in flight, until the end of a step."""

    def __init__(self, mailing: Mailing, turn: Turn, fleet: Fleet, press: Press, due: list[int]) -> None:
        self._mailing, self._turn, self._fleet, self._press = mailing, turn, fleet, press
        self._next = deque(due)
        self._after = _end_of(due)
        self._attempts: dict[int, int] = {}  # of those in flight
        self._unwritten: list[Told] = []  # what is being written down
        self._doubt = Doubt(mailing)
        self._pace = Pace(settings.MAIL_RATE)
        self._is_empty = self._is_stopped = False
        self._looked_at = time.monotonic()

    def keep(self, until: float) -> None:
        try:
            until = self._first_connection(until)
            while self._wants_more(until) or self._attempts:
                answers = self._fleet.wait(*self._patience(until))
                self._is_stopped = self._is_stopped or self._fleet.is_late
                if self._fleet.trouble or not self._wants_more(until):
                    self._settle(answers)
                else:
                    self._launch(answers)
                    self._refill()
                if self._fleet.trouble:
                    break
                self._look()
        finally:
            rest = self._told(self._fleet.close())
            self._write([*self._unwritten, *rest, *self._doubt.kept()])
        if self._doubt.is_everybody:
            raise self._doubt.stop()
        if self._fleet.trouble:
            raise ServerAway(self._fleet.trouble)

    def _first_connection(self, until: float) -> float:
        """Wait for it as long as it takes: a step that ended before would never learn that the server is away.

        Return until when to send: a server that lets us in slowly is sent something, too.
        """
        while not (self._fleet.room or self._fleet.trouble or self._is_stopped):
            self._fleet.wait(1, _SETTLE_SECONDS)
            self._look()
        return max(until, time.monotonic() + _LEAST_SECONDS)

    def _wants_more(self, until: float) -> bool:
        return not self._is_stopped and time.monotonic() < until and bool(self._next or not self._is_empty)

    def _patience(self, until: float) -> tuple[int, float]:
        """Say how many answers to wait for, and how long."""
        flying = len(self._attempts)
        seconds = _SETTLE_SECONDS
        if self._next and flying < self._fleet.room and self._wants_more(until):  # it is the rate that we wait for
            seconds = min(seconds, self._pace.wait())
        return max(1, flying // _PART), seconds

    def _launch(self, answers: list[Told]) -> None:
        """Say what became of some and who is in flight next, commit that, and only then hand the messages over."""
        told = self._told(answers)
        room = 0 if self._is_stopped else self._fleet.room - len(self._attempts)
        size = self._pace.take(min(room, len(self._next))) if room > 0 else 0
        window = [self._next.popleft() for _ in range(size)]
        if not window:
            self._write(told)
            return
        self._looked_at = time.monotonic()
        self._unwritten = told
        moved = lease.exchange(self._mailing.pk, self._turn.token, told, window)
        self._unwritten = []
        if not moved:  # paused, cancelled, or not ours any more
            self._stop()
            return
        self._hand_over([recipient for recipient in moved if recipient.outcome == Outcome.IN_FLIGHT])

    def _refill(self) -> None:
        """Look up more, before those at hand run out, while the connections are busy."""
        if len(self._next) >= _LOW or self._is_empty or self._is_stopped:
            return
        if not self._after and self._next:  # those are all; who came back meanwhile is looked for behind them
            return
        more = lease.next_due(self._mailing.pk, self._after, _BATCH)
        self._next.extend(more)
        self._is_empty = not more and not self._after
        self._after = _end_of(more)

    def _hand_over(self, flying: list[Moved]) -> None:
        self._attempts |= {recipient.pk: recipient.attempts for recipient in flying}
        try:
            addressed = list(self._press.parcels(flying))
        except BaseException:
            self._settle([(recipient.pk, BACK) for recipient in flying])
            raise
        self._settle([(pk, parcel) for pk, parcel in addressed if isinstance(parcel, Verdict)])
        self._fleet.send([parcel for _, parcel in addressed if isinstance(parcel, Parcel)], len(self._next))

    def _settle(self, answers: list[Told]) -> None:
        self._write(self._told(answers))

    def _told(self, answers: list[Told]) -> list[Told]:
        """Take those who have an answer off the list of those in flight; return what can be written down now."""
        attempts = {pk: self._attempts.pop(pk) for pk, _ in answers}
        told = [(pk, with_patience(verdict, attempts[pk])) for pk, verdict in answers]
        if any(verdict is BACK for _, verdict in told):
            self._is_empty = False
        told = self._doubt.sift(told, attempts)
        if self._doubt.is_everybody and not self._is_stopped:
            self._stop()
        return told

    def _write(self, told: list[Told]) -> None:
        if told:
            self._unwritten = told
            lease.settle(self._mailing.pk, self._turn.token, told)
            self._unwritten = []

    def _look(self) -> None:
        """Notice a pause while the mail server is slow."""
        if self._is_stopped or time.monotonic() - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        ours = Mailing.objects.filter(pk=self._mailing.pk, status=MailingStatus.SENDING, worker=self._turn.token)
        if not ours.exists():
            self._stop()

    def _stop(self) -> None:
        self._is_stopped = True
        self._fleet.recall()
