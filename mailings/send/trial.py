"""Send Test: hand a mailing's message to a few typed addresses, as it would be sent, and count nobody.

A copy is handed over once. Whatever is not taken has failed, with the mail server's words; nothing is tried again by
itself, and what a kill cut off in flight becomes unknown (R13).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from copy import copy
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models import Value
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from kombu.exceptions import OperationalError as BrokerError

from targetgroups import suppression
from thrive_sync.lib.claims import claim

from .. import optout
from ..choices import Outcome
from ..exceptions import MailingError
from ..models import Mailing, MailingTest, MailingTestCopy
from ..personal import NotATemplate, values_of
from .backend import Server
from .deliver import SMTP, account
from .fleet import Fleet
from .lease import BACK, ServerAway, Verdict
from .letter import letter
from .press import Press
from .render import NO_ADDRESS, NotAHeader, NotAnAddress, render
from .tally import Moved

log = logging.getLogger(__name__)

TASK = "mailings.tasks.send_test"
# A person waits for it: not behind a mailing to everybody.
QUEUE = "interactive"
_EXPIRES = 300  # seconds
_MOST_TRIES = 3  # of a copy that came back untouched, since its connection was at its end
_LOOK_SECONDS = 0.5
_WRONG = gettext_lazy("Something went wrong in this program; its log says what.")


def wake(test_id: int) -> None:
    """Let a worker send a test. A broker that is away loses nothing: see `sweep`."""
    try:
        current_app.send_task(TASK, args=[test_id], queue=QUEUE, retry=False, expires=_EXPIRES)
    except (BrokerError, ConnectionError, OSError) as error:
        log.warning("test %s waits for the sweep: the broker did not take it (%s)", test_id, type(error).__name__)


def sweep() -> None:
    """Let what dead workers had in flight be unknown, and wake the tests of which something waits."""
    _recover()
    waiting = MailingTestCopy.objects.filter(outcome=Outcome.QUEUED)
    for test_id in sorted(set(waiting.values_list("test_id", flat=True))):
        wake(test_id)


def send(test_id: int) -> None:
    """Send what waits of a test. A second worker takes other copies, or none."""
    close_old_connections()
    test = MailingTest.objects.select_related("mailing", "subscriber").filter(pk=test_id).first()
    if test is None:
        return
    waiting = list(test.copies.filter(outcome=Outcome.QUEUED))
    if not waiting:
        return
    try:
        _check(test)
        with _road(test) as road:
            for each in waiting:
                _send_copy(each, road)
    except (MailingError, ServerAway) as error:
        _fail_rest(test, error.sentence)
    except (NotATemplate, NotAHeader, NotAnAddress) as error:
        _fail_rest(test, gettext("The message can't be written: %(error)s") % {"error": error})
    except (OperationalError, InterfaceError):
        log.exception("test %s lost the database", test_id)
        raise
    except Exception:
        log.exception("test %s failed unexpectedly", test_id)
        _fail_rest(test, str(_WRONG))


def _check(test: MailingTest) -> None:
    if timezone.now() - test.asked_at > timedelta(seconds=settings.MAILING_LATE_SECONDS):
        raise MailingError(gettext("No worker was running when it was asked for. Send the test again."))
    if test.version != test.mailing.version:
        raise MailingError(gettext("The message was changed meanwhile. Send the test again."))
    if test.subscriber is not None and test.subscriber.do_not_email_at is not None:
        raise MailingError(gettext("The person whose values were to fill it is Do Not Email by now. Choose another."))


def _send_copy(each: MailingTestCopy, road: _Road) -> None:
    """Say that a copy is in flight, commit that, and only then hand it over; write what became of it."""
    mine = MailingTestCopy.objects.filter(pk=each.pk, outcome=Outcome.QUEUED)
    if (stopped := suppression.in_force(each.address).order_by("pk").first()) is not None:  # R14
        claim(mine, outcome=Outcome.SKIPPED, reason=stopped.cause, settled_at=Now())
        return
    if not claim(mine, outcome=Outcome.IN_FLIGHT, in_flight_at=Now()):
        return
    verdict = Verdict(Outcome.FAILED, "", str(_WRONG))  # unless it is known what became of it
    try:
        verdict = road.hand_over(each)
    except ServerAway as away:
        verdict = Verdict(Outcome.FAILED, "", away.sentence)
        raise
    finally:
        _settle(each, verdict)


def _settle(each: MailingTestCopy, verdict: Verdict) -> None:
    """Write what became of a copy; one that counts as unknown by now is known after all."""
    outcome = Outcome.FAILED if verdict.outcome == Outcome.DEFERRED else verdict.outcome
    flying = MailingTestCopy.objects.filter(pk=each.pk, outcome__in=(Outcome.IN_FLIGHT, Outcome.UNKNOWN))
    flying.update(outcome=outcome, reason=verdict.reason, said=verdict.said, settled_at=Now())


def _fail_rest(test: MailingTest, sentence: str) -> None:
    waiting = test.copies.filter(outcome=Outcome.QUEUED)
    waiting.update(outcome=Outcome.FAILED, said=sentence, settled_at=Now())


def _recover() -> None:
    silent = Now() - Value(timedelta(seconds=settings.MAILING_SILENCE_SECONDS))
    lost = MailingTestCopy.objects.filter(outcome=Outcome.IN_FLIGHT, in_flight_at__lt=silent)
    lost.update(outcome=Outcome.UNKNOWN, settled_at=Now())


# --- the two roads -----------------------------------------------------------------------------------------------


class _Road(Protocol):
    def hand_over(self, each: MailingTestCopy) -> Verdict: ...


def _road(test: MailingTest) -> AbstractContextManager[_Road]:
    who = test.subscriber
    values = (
        values_of("", "", NO_ADDRESS, "", {})
        if who is None
        else values_of(who.first_name, who.last_name, who.email, who.remote_id, who.attributes)
    )
    mailing = copy(test.mailing)
    # Translators: what an inbox shows of a test.
    mailing.subject = gettext("[Test] %(subject)s") % {"subject": mailing.subject}
    road = _Smtp if settings.EMAIL_BACKEND == SMTP else _Backend
    return road(mailing, values)


def _key(pk: int) -> str:
    """Give what the Message-ID is made of: no recipient's message has the same."""
    return f"test {pk}"


class _Smtp:
    """The mailing's own: the same mould, the same kind of connection."""

    def __init__(self, mailing: Mailing, values: Mapping[str, str]) -> None:
        self._press = Press(mailing, token_of=lambda _: optout.test_token(mailing.pk), key_of=_key)
        self._values = values
        self._fleet = Fleet(account(), 1)

    def __enter__(self) -> Self:
        self._fleet.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fleet.close()

    def hand_over(self, each: MailingTestCopy) -> Verdict:
        """Raises ServerAway if the server took nothing of it."""
        try:
            parcel = self._press.parcel(Moved(each.pk, each.outcome, each.address, "", "", 1), self._values)
        except NotAnAddress as error:
            return Verdict(Outcome.FAILED, "address", str(error))
        for _ in range(_MOST_TRIES):
            self._fleet.send([parcel], 0)
            verdict = self._answer()
            if verdict.outcome != BACK.outcome:
                return verdict
            if self._fleet.trouble:
                break
        raise ServerAway(self._fleet.trouble or gettext("The mail server closed the connection."))

    def _answer(self) -> Verdict:
        answers: list[tuple[int, Verdict]] = []
        while not answers and not self._fleet.trouble:
            answers = self._fleet.wait(1, _LOOK_SECONDS)
        answers = answers or self._fleet.close()
        return answers[0][1]


class _Backend:
    """Any of Django's e-mail backends."""

    def __init__(self, mailing: Mailing, values: Mapping[str, str]) -> None:
        self._mailing, self._values = mailing, values
        self._server = Server()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def hand_over(self, each: MailingTestCopy) -> Verdict:
        """Raises ServerAway if the server took nothing of it."""
        try:
            rendered = render(
                self._mailing,
                pk=_key(each.pk),
                email=each.address,
                name="",
                opt_out_link=optout.test_link(self._mailing.pk),
                postal_address=settings.MAIL_POSTAL_ADDRESS,
                site=settings.SITE_URL,
                values=self._values,
            )
        except NotAnAddress as error:
            return Verdict(Outcome.FAILED, "address", str(error))
        self._server.open()
        verdict = self._server.hand_over(letter(rendered))
        if verdict.outcome == BACK.outcome:
            raise ServerAway(self._server.trouble)
        return verdict
