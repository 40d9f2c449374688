"""The order of a mailing's steps, and how it ends: resync, compare, freeze, send (R12-R14). No SQL here.

Whatever a step needs is in the database: a worker may die anywhere, and the next one goes on from there. A message
delivered twice does nothing: a living worker has the turn, or there is nothing to do.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.db.models import F, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext, gettext_lazy, ngettext
from kombu.exceptions import OperationalError as BrokerError

import audit
from thrive_sync.lib import logs
from thrive_sync.lib.claims import claim
from thrive_sync.lib.steps import Step
from thrive_sync.lib.words import number

from ..choices import MailingStatus, NoticeState, Outcome, StopCode
from ..exceptions import StopMailing, TurnLost
from ..models import Mailing
from . import compare, deliver, freeze, lease, notice, resync
from .turn import Turn

log = logging.getLogger(__name__)

ADVANCE_TASK = "mailings.tasks.advance_mailing"
QUEUE = "mailings"
# A step sends for this long, then lets other mailings have their turn.
_STEP_SECONDS = 5.0
# Where no other waits, the connections are kept for longer; a worker that is told to end waits as long.
_LONE_STEP_SECONDS = 15.0
# How long to leave a mail server alone that will not talk to us; after the last of these the mailing pauses.
_SERVER_WAITS = (5, 15, 60, 180, 600)
_ACTOR = "sending"
_TOO_LATE = gettext_lazy(
    "No worker was running when it was to go out. Nothing was sent. Send it now anyway, choose another time, "
    "or cancel it."
)
_WAKE_EXPIRES = 300  # seconds


# --- who advances what -------------------------------------------------------------------------------------------


def wake(mailing_id: int) -> None:
    """Let a worker look at a mailing. A broker that is away loses nothing: the sweep wakes whatever wants work."""
    try:
        # Without any worker the sweep would fill the queue; what has expired it sends again.
        current_app.send_task(ADVANCE_TASK, args=[mailing_id], queue=QUEUE, retry=False, expires=_WAKE_EXPIRES)
    except (BrokerError, ConnectionError, OSError) as error:
        log.warning("mailing %s waits for the sweep: the broker did not take it (%s)", mailing_id, type(error).__name__)


def sweep() -> int:
    """Wake every mailing that wants work and has no worker; return how many."""
    close_old_connections()
    ids = list(Mailing.objects.wanting_work().values_list("pk", flat=True))
    for mailing_id in ids:
        wake(mailing_id)
    return len(ids)


def advance(mailing_id: int) -> Step:
    """Do the next step of a mailing, if it wants one and no living worker does it."""
    close_old_connections()
    turn = Turn(mailing_id)
    if not turn.take():
        return Step.DONE
    with turn, logs.about(mailing_id=mailing_id):
        step = _take_step(Mailing.objects.get(pk=mailing_id), turn)
        turn.release()
    # What woke this mailing meanwhile found it taken.
    is_wanted = Mailing.objects.wanting_work().filter(pk=mailing_id).exists()
    return Step.AGAIN if is_wanted else step


def _take_step(mailing: Mailing, turn: Turn) -> Step:
    """Do the step of the present status, and give it its end, whatever happens: the one catch-all, and it records."""
    try:
        with _unless_lost(mailing):
            return _STEPS[MailingStatus(mailing.status)](mailing, turn)
    except StopMailing as stop:
        _stop(mailing, turn, stop.code, stop.sentence, **stop.values)
    except deliver.ServerAway as away:
        _wait_for_server(mailing, turn, away.sentence)
    except (OperationalError, InterfaceError):
        # The database went away: nothing can be recorded now. Silent, the mailing is taken up when it is back.
        log.exception("mailing %s lost the database", mailing.pk)
        raise
    except Exception:
        log.exception("mailing %s failed unexpectedly", mailing.pk)
        sentence = gettext("Something went wrong in this program; its log says what. Try again.")
        _stop(mailing, turn, StopCode.UNEXPECTED, sentence)
    return Step.DONE


# --- the steps ---------------------------------------------------------------------------------------------------


def _begin(mailing: Mailing, turn: Turn) -> Step:
    """The moment has come: from here on, only runs that begin later count (R7).

    A moment that was over long before anybody saw it (the machine was off) is not made up for by itself.
    """
    late = Now() - Value(timedelta(seconds=settings.MAILING_LATE_SECONDS))
    moment = Coalesce("scheduled_for", "requested_at")
    if Mailing.objects.alias(moment=moment).filter(pk=mailing.pk, moment__lt=late).exists():
        raise StopMailing(StopCode.TOO_LATE, str(_TOO_LATE))
    turn.change(MailingStatus.SCHEDULED, status=MailingStatus.RESYNCING, moment_at=Now())
    return Step.AGAIN


def _resync_compare_and_freeze(mailing: Mailing, turn: Turn) -> Step:
    # First put off, then look: a run that ends after the look sets the time to now again.
    turn.put_off(_from_now(settings.SYNC_SWEEP_SECONDS))
    resync.ask(mailing)
    if not resync.is_over(mailing):
        return Step.WAIT
    count = freeze.freeze(mailing, turn, partial(compare.approve, mailing))
    log.info("mailing %s is frozen: %s recipients", mailing.pk, count)
    audit.record(_ACTOR, "mailing.frozen", mailing, None, {"recipients": count})
    return Step.AGAIN


def _send(mailing: Mailing, turn: Turn) -> Step:
    Mailing.objects.filter(pk=mailing.pk, started_at__isnull=True).update(started_at=Now())
    is_waited_for = Mailing.objects.wanting_work().exclude(pk=mailing.pk).exists()
    deliver.deliver(mailing, turn, seconds=_STEP_SECONDS if is_waited_for else max(_STEP_SECONDS, _LONE_STEP_SECONDS))
    if mailing.server_tries:
        turn.change(MailingStatus.SENDING, server_tries=0, stop_code="", stop_text="")
    with transaction.atomic():
        # Whoever decides that the unknown ones are sent again has this lock, too: that is before this, or after it.
        Mailing.objects.select_for_update(no_key=True).get(pk=mailing.pk)
        due_at = lease.due_at(mailing.pk)
        if due_at is not None:
            turn.put_off(due_at)
            return Step.WAIT
        status = _final_status(mailing)
        turn.change(MailingStatus.SENDING, status=status, finished_at=Now())
        audit.record(_ACTOR, "mailing.finished", mailing, None, {"status": status})
    log.info("mailing %s ended: %s", mailing.pk, status)
    return Step.DONE


def _end_cancelled(mailing: Mailing, turn: Turn) -> Step:
    """Settle who was not sent a cancelled mailing. What is in flight is its own worker's, or becomes unknown."""
    lease.recover(mailing.pk)
    while lease.cancel_rest(mailing.pk):
        pass
    due_at = lease.due_at(mailing.pk)
    if due_at is not None:
        turn.put_off(due_at)
        return Step.WAIT
    turn.change(MailingStatus.CANCELLED, finished_at=Now())
    return Step.DONE


def _tell(mailing: Mailing, turn: Turn) -> Step:
    """Tell the author of a stop. The try is written down first: a worker killed here is followed by one more."""
    told = notice.LOST
    if mailing.notice_tries < notice.MOST_TRIES:
        turn.change(mailing.status, notice_tries=F("notice_tries") + 1)
        told = notice.tell(mailing)
    turn.change(mailing.status, notice=told.state, notice_text=str(told.sentence))
    return Step.DONE


_STEPS = {
    MailingStatus.SCHEDULED: _begin,
    MailingStatus.RESYNCING: _resync_compare_and_freeze,
    MailingStatus.SENDING: _send,
    MailingStatus.CANCELLED: _end_cancelled,
    MailingStatus.STOPPED: _tell,
    MailingStatus.PAUSED: _tell,
}


# --- ends --------------------------------------------------------------------------------------------------------


def reopen(mailing_id: int) -> None:
    """Bring a mailing's status level with its recipients, after a person decided about the unknown ones (R13)."""
    mailing = Mailing.objects.get(pk=mailing_id)
    over = Mailing.objects.filter(
        pk=mailing_id, status__in=(MailingStatus.SENT, MailingStatus.SENT_WITH_ERRORS, MailingStatus.FAILED)
    )
    if lease.due_at(mailing_id) is not None:
        claim(over, status=MailingStatus.SENDING, finished_at=None, due_at=None)
        # One that waits for those put off has somebody to send to at once.
        Mailing.objects.filter(pk=mailing_id, status=MailingStatus.SENDING).update(due_at=None)
    else:
        claim(over, status=_final_status(mailing))


def _final_status(mailing: Mailing) -> MailingStatus:
    found = set(mailing.tallies.filter(people_count__gt=0).values_list("kind", flat=True))
    if not found & {Outcome.FAILED, Outcome.BOUNCED, Outcome.UNKNOWN}:
        return MailingStatus.SENT
    if not found & {Outcome.SENT, Outcome.UNKNOWN}:
        return MailingStatus.FAILED
    return MailingStatus.SENT_WITH_ERRORS


def _stop(mailing: Mailing, turn: Turn, code: str, sentence: str, **values: Any) -> None:
    """Stop a mailing that is not frozen yet, so that it can be changed; pause one that is."""
    if mailing.status == MailingStatus.CANCELLED:
        turn.put_off(_from_now(_SERVER_WAITS[-1]))  # it stays cancelled; settling the rest is tried again
        return
    if mailing.status in (MailingStatus.STOPPED, MailingStatus.PAUSED):  # telling of it failed, which stops nothing
        with _unless_lost(mailing):
            sentence = gettext("The e-mail about it could not be sent.")
            turn.change(mailing.status, notice=NoticeState.FAILED, notice_text=sentence)
        return
    status = MailingStatus.PAUSED if mailing.status == MailingStatus.SENDING else MailingStatus.STOPPED
    with _unless_lost(mailing), transaction.atomic():
        values |= {"notice": NoticeState.DUE, "notice_tries": 0, "notice_text": ""}
        values |= {"status": status, "stop_code": code, "stop_text": sentence, "stopped_at": Now()}
        turn.change(mailing.status, **values)
        audit.record(_ACTOR, "mailing.stopped", mailing, None, {"code": code})
        log.warning("mailing %s stopped: %s", mailing.pk, code)


def _wait_for_server(mailing: Mailing, turn: Turn, sentence: str) -> None:
    """Leave the mail server alone for a while; after several times in a row pause, and let a person decide."""
    tries = Mailing.objects.values_list("server_tries", flat=True).get(pk=mailing.pk)
    if tries >= len(_SERVER_WAITS):
        # Translators: %(error)s is a sentence, such as "The connection to the mail server was lost."
        text = ngettext(
            "%(error)s It was tried %(count)s time. Nobody was skipped: resume when it works again.",
            "%(error)s It was tried %(count)s times. Nobody was skipped: resume when it works again.",
            tries + 1,
        )
        _stop(mailing, turn, StopCode.MAIL_SERVER, text % {"error": sentence, "count": number(tries + 1)})
        return
    values = {"stop_code": StopCode.MAIL_SERVER, "stop_text": sentence, "server_tries": F("server_tries") + 1}
    with _unless_lost(mailing):
        turn.change(MailingStatus.SENDING, due_at=_from_now(_SERVER_WAITS[tries]), **values)
        log.warning("mailing %s waits %s s for the mail server", mailing.pk, _SERVER_WAITS[tries])


@contextmanager
def _unless_lost(mailing: Mailing) -> Iterator[None]:
    """Leave a mailing as it is when somebody paused or cancelled it, or another worker has it by now."""
    try:
        yield
    except TurnLost:
        log.info("mailing %s was overtaken", mailing.pk)


def _from_now(seconds: float) -> CombinedExpression:
    return Now() + Value(timedelta(seconds=seconds))
