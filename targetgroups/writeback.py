"""Tell MemberSuite what it is owed: one writer a bridge, small batches, and nothing believed until it is read back.

A step: read the flags -> note what is of our writing -> write -> read back -> end the rows. It may die anywhere: the
value is the same however often it is written, and the next step reads before it writes.
"""

import logging
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import Error as DatabaseError
from django.db import close_old_connections, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_lazy

import audit
from thrive_sync.lib.claims import claim
from thrive_sync.lib.messages import hand_over
from thrive_sync.lib.steps import Step
from thrive_sync.lib.words import Words

from . import owed
from .choices import Queue, WritebackState
from .models import Bridge, Outbox, Subscriber, Writeback
from .querysets import WritebackQuerySet
from .remote import MemberSuiteClient, MemberSuiteError, ReadingStopped, connect
from .sync import contact
from .sync.clock import ClockTimestamp, TickingClock, database_clock

log = logging.getLogger(__name__)

IDS_A_STEP = 50  # as many as one write may name
# A silent writer's turn ends by itself; it gives up before that, so that two never write at once.
_TURN = timedelta(minutes=5)
_GIVE_UP_AFTER = 4.5 * 60
# Asked to wait longer than so many seconds, it does not: the rows wait in the database, and the worker is free.
_LONGEST_WAIT = 20
# A server that asks for more than a day is asked again after one.
_MOST_ASKED_FOR = 24 * 3600.0
# How long to wait after trouble, in seconds; the last one holds for all that follows.
_WAITS = (30, 120, 600, 1800, 3600)
# A write that was confirmed but changed nothing is tried so often: the answer may come from an older copy.
MOST_UNCHANGED = 3
_ACTOR = "writeback"

SO_ALREADY = "so_already"
NOT_CHANGED = "not_changed"
GONE = "record_not_found"
REFUSED = "refused"
SENTENCES: dict[str, Words] = {
    NOT_CHANGED: gettext_lazy(
        "MemberSuite said that it was done, but the record is as it was. Open the record there and change Do "
        "Not Email by hand; if that works, ask MemberSuite whether the API user may change it."
    ),
    GONE: gettext_lazy("MemberSuite has no such record any more, so there is nothing to change."),
    REFUSED: gettext_lazy(
        "MemberSuite refused to change this record. Its own words say why; if they speak of access, give the API "
        "user the right to change individuals, then retry."
    ),
    "timed_out": gettext_lazy("MemberSuite took too long. It is tried again by itself."),
    "unexpected": gettext_lazy("Something went wrong here while MemberSuite was told. It is tried again by itself."),
}


@dataclass(frozen=True)
class Trouble:
    """What kept a whole batch from being written."""

    code: str
    sentence: str
    is_passing: bool
    remote_said: str = ""
    retry_after: float = 0.0

    @classmethod
    def of(cls, error: MemberSuiteError) -> "Trouble":
        return cls(
            error.code,
            error.sentence,
            error.is_transient,
            error.remote_said or "",
            min(error.retry_after or 0.0, _MOST_ASKED_FOR),
        )


class _TurnLost(Exception):
    """Another writer has the turn: this one writes nothing any more."""


# --- who writes when -------------------------------------------------------------------------------------------------


def advance(bridge_id: int) -> Step:
    """Write one batch of what is due, if nobody else writes in this bridge now. Delivered twice, it does no harm."""
    close_old_connections()
    bridge = Bridge.objects.filter(pk=bridge_id, is_active=True, writes_back=True).first()
    writer = uuid4()
    if bridge is None or not _take_turn(bridge_id, writer):
        return Step.DONE
    try:
        batch = _take(bridge_id, writer)
        is_well = bool(batch) and _write(bridge, writer, batch)
    except _TurnLost:
        log.warning("bridge %s: another writer has taken the outbox over", bridge_id)
        return Step.DONE
    finally:
        claim(Outbox.objects.filter(pk=bridge_id, writer=writer), writer=None, writer_until=None)
    return Step.AGAIN if is_well and _due().filter(bridge=bridge_id).exists() else Step.DONE


def sweep() -> int:
    """Hand every outbox in which something is due to a worker; return how many. No message need ever arrive."""
    close_old_connections()
    rows = _due().filter(bridge__is_active=True, bridge__writes_back=True)
    busy = Outbox.objects.filter(Q(paused_until__gt=Now()) | Q(writer_until__gt=Now())).values("pk")
    bridge_ids = list(rows.exclude(bridge__in=busy).order_by().values_list("bridge_id", flat=True).distinct())
    for bridge_id in bridge_ids:
        hand_over(owed.WRITE_TASK, bridge_id, Queue.SCHEDULED)
    return len(bridge_ids)


def _take_turn(bridge_id: int, writer: UUID) -> bool:
    Outbox.objects.get_or_create(bridge_id=bridge_id)
    free = Outbox.objects.filter(Q(writer_until__isnull=True) | Q(writer_until__lt=Now()), pk=bridge_id)
    ready = free.filter(Q(paused_until__isnull=True) | Q(paused_until__lte=Now()))
    return claim(ready, writer=writer, writer_until=Now() + Value(_TURN))


def _due() -> WritebackQuerySet:
    return Writeback.objects.pending().filter(due_at__lte=Now())


def _take(bridge_id: int, writer: UUID) -> list[Writeback]:
    """Take the longest due records that are to have one value."""
    with transaction.atomic():
        _keep_turn(bridge_id, writer)
        rows = _due().filter(bridge=bridge_id).order_by("due_at", "id")
        first = rows.first()
        if first is None:
            return []
        batch = list(rows.filter(do_not_email=first.do_not_email)[:IDS_A_STEP])
        Writeback.objects.filter(pk__in=[row.pk for row in batch]).update(attempts=F("attempts") + 1)
    return batch


def _keep_turn(bridge_id: int, writer: UUID) -> Outbox:
    """Lock the outbox, and make sure that the turn is still this writer's."""
    outbox = owed.lock(bridge_id)
    if outbox.writer != writer:
        raise _TurnLost
    return outbox


# --- one batch -------------------------------------------------------------------------------------------------------


def _write(bridge: Bridge, writer: UUID, batch: Sequence[Writeback]) -> bool:
    """Write a batch and end its rows, whatever happens; say whether all went well enough to go on at once."""
    stop = threading.Event()
    timer = threading.Timer(_GIVE_UP_AFTER, stop.set)
    timer.daemon = True
    timer.start()
    try:
        with connect(bridge, clock=TickingClock(), stop=stop, longest_wait=_LONGEST_WAIT) as client:
            _tell(client, bridge, writer, batch)
    except ReadingStopped:
        _put_off(bridge.pk, writer, batch, Trouble("timed_out", str(SENTENCES["timed_out"]), is_passing=True))
        return False
    except MemberSuiteError as error:
        contact.note_failed(bridge, error)
        _put_off(bridge.pk, writer, batch, Trouble.of(error))
        return False
    except (DatabaseError, _TurnLost):
        raise
    except Exception:
        log.exception("bridge %s: writing back failed unexpectedly", bridge.pk)
        _put_off(bridge.pk, writer, batch, Trouble("unexpected", str(SENTENCES["unexpected"]), is_passing=True))
        raise
    finally:
        timer.cancel()
    contact.note_good(bridge)
    Outbox.objects.filter(pk=bridge.pk, trouble_count__gt=0).update(
        paused_until=None, trouble_count=0, trouble_code="", trouble_text=""
    )
    return True


def _tell(client: MemberSuiteClient, bridge: Bridge, writer: UUID, batch: Sequence[Writeback]) -> None:
    value = batch[0].do_not_email
    flags = {
        person.remote_id.lower(): person.do_not_email
        for page in client.look_up_records([row.remote_id for row in batch])
        for person in page.rows
    }
    so_already = [row for row in batch if flags.get(row.remote_key) is value]
    _end(bridge, writer, so_already, {}, was_written=False)
    rest = [row for row in batch if flags.get(row.remote_key) is not value]
    if value:
        rest = _claim_as_ours(bridge.pk, writer, rest, {key for key, flag in flags.items() if flag is False})
    if not rest:
        return
    result = client.set_do_not_email([row.remote_id for row in rest], value)
    confirmed = {remote_id.lower() for remote_id in result.confirmed}
    refused = {remote_id.lower(): reason for remote_id, reason in result.refused}
    _end(bridge, writer, [row for row in rest if row.remote_key in confirmed], refused, was_written=True)


def _claim_as_ours(bridge_id: int, writer: UUID, rows: Sequence[Writeback], were_no: set[str]) -> list[Writeback]:
    """Note, before anything is written, whose No we are about to change; leave out what was let go of meanwhile."""
    with transaction.atomic():
        _keep_turn(bridge_id, writer)
        still = Writeback.objects.pending().filter(pk__in=[row.pk for row in rows])
        still.filter(remote_key__in=were_no).update(is_ours=True)
        wanted = set(still.values_list("pk", flat=True))
    return [row for row in rows if row.pk in wanted]


# --- how it ends -----------------------------------------------------------------------------------------------------


def _end(
    bridge: Bridge, writer: UUID, confirmed: Sequence[Writeback], refused: Mapping[str, str], *, was_written: bool
) -> None:
    """End what MemberSuite has confirmed, and what it refused. Whatever was let go of meanwhile is no longer there."""
    with transaction.atomic():
        _keep_turn(bridge.pk, writer)
        done = Writeback.objects.pending().filter(pk__in=[row.pk for row in confirmed])
        told = list(done.values_list("remote_id", "remote_key", "do_not_email"))
        done.update(
            state=WritebackState.COMPLETED,
            finished_at=ClockTimestamp(),
            reason_code="" if was_written else SO_ALREADY,
            reason="" if was_written else gettext("MemberSuite said so already, so nothing was written."),
            remote_said="",
        )
        now_no = [key for _, key, value in told if not value]
        Writeback.objects.holding_yes().filter(bridge=bridge, remote_key__in=now_no).update(
            overtaken_at=ClockTimestamp()
        )
        if told and was_written:
            after = {"do_not_email": "Yes" if told[0][2] else "No", "remote_ids": [remote_id for remote_id, *_ in told]}
            audit.record(_ACTOR, "writeback.written", bridge, None, after)
        for remote_key, reason in refused.items():
            _refuse(bridge.pk, remote_key, reason)


def _refuse(bridge_id: int, remote_key: str, reason: str) -> None:
    """End one record that MemberSuite did not change; one that it only seemed to change is tried a few times more."""
    row = Writeback.objects.pending().filter(bridge=bridge_id, remote_key=remote_key).first()
    if row is None:
        return
    known = reason in (NOT_CHANGED, GONE)
    row.reason_code = reason if known else REFUSED
    row.reason, row.remote_said = str(SENTENCES[row.reason_code]), "" if known else reason
    if row.do_not_email:
        row.is_ours = False  # read back, it is not Yes
    if reason == NOT_CHANGED and row.attempts < MOST_UNCHANGED:
        row.due_at = database_clock() + _wait(row.attempts)
    else:
        row.state, row.finished_at = WritebackState.FAILED, database_clock()
    row.save(update_fields=["reason_code", "reason", "remote_said", "is_ours", "due_at", "state", "finished_at"])


def _put_off(bridge_id: int, writer: UUID, batch: Sequence[Writeback], trouble: Trouble) -> None:
    """Leave a batch for later, or end it as failed if waiting would not help; the whole outbox pauses either way."""
    with transaction.atomic():
        outbox = _keep_turn(bridge_id, writer)
        wait = max(_wait(outbox.trouble_count + 1), timedelta(seconds=trouble.retry_after))
        until = database_clock() + wait
        rows = Writeback.objects.pending().filter(pk__in=[row.pk for row in batch])
        said = {"reason_code": trouble.code, "reason": trouble.sentence, "remote_said": trouble.remote_said}
        if trouble.is_passing:
            rows.update(**said, due_at=until)
        else:
            rows.update(**said, state=WritebackState.FAILED, finished_at=ClockTimestamp())
        Outbox.objects.filter(pk=bridge_id).update(
            paused_until=until,
            trouble_count=F("trouble_count") + 1,
            trouble_code=trouble.code,
            trouble_text=trouble.sentence,
        )


def _wait(tries: int) -> timedelta:
    """Say how long to wait after so many tries in a row: longer each time, and never the same for everybody."""
    seconds = _WAITS[min(tries, len(_WAITS)) - 1]
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311  # jitter, not a secret


# --- the daily check -------------------------------------------------------------------------------------------------


def check(bridge_id: int) -> int:
    """Count who opted out here and is still mailable in MemberSuite, by what the last syncs saw."""
    bridge = Bridge.objects.get(pk=bridge_id)
    found = Subscriber.objects.still_mailable(bridge).count()
    Outbox.objects.update_or_create(
        bridge=bridge, defaults={"still_mailable_count": found, "checked_at": database_clock()}
    )
    return found


def check_all() -> None:
    """Check every bridge, one after the other."""
    for bridge_id in Bridge.objects.filter(is_active=True).values_list("pk", flat=True):
        check(bridge_id)


def queue_still_mailable(bridge_id: int) -> int:
    """Queue whoever the check finds now, and count again."""
    bridge = Bridge.objects.get(pk=bridge_id)
    queued = owed.owe_still_mailable(bridge) if bridge.writes_back else 0
    check(bridge_id)
    return queued
