"""The place where runs are started, joined, taken, kept alive, taken over and ended (R7, R9).

Every change of state is one conditional UPDATE or one unique constraint: the database is the lock.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, close_old_connections, connection, transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Now
from django.utils.translation import gettext, override

from thrive_sync.lib.claims import claim
from thrive_sync.lib.messages import hand_over

from ..choices import ACTIVE, Phase, RunKind, RunStatus, Trigger
from ..exceptions import Cancelled, Fenced, WorkerLost
from ..models import CancelWish, RunProgress, SyncRequest, SyncRun
from ..signals import sync_finished
from .clock import ClockTimestamp, database_clock, limit_idleness

log = logging.getLogger(__name__)

RUN_TASK = "targetgroups.tasks.run_sync"
MOST_ATTEMPTS = 5
# How often a running run looks for a cancel wish and tells its progress, in seconds (Cancel works within two).
_LOOK_EVERY = 0.5


_TAKE_NEW = """
UPDATE targetgroups_syncrun SET status = 'running', attempt = 1, started_at = clock_timestamp(), worker = %(worker)s
WHERE id = %(run)s AND status = 'waiting' AND due_at IS NULL AND started_at IS NULL RETURNING id
"""

# --- start or join -----------------------------------------------------------------------------------------------


def start_or_attach(slot: Mapping[str, Any], *, joinable: tuple[RunStatus, ...], **fields: Any) -> tuple[SyncRun, bool]:
    """Return (run, created): a second caller joins a run already under way.

    Args:
        slot: bridge, kind, target_group, remote_id.
        joinable: the states in which a run may be joined; a mailing passes only waiting (R7).
        fields: of the run, if this caller creates it.
    """
    refusal = IntegrityError("no try was made")
    for _ in range(5):  # the run we lost to may end before we read it
        if run := SyncRun.objects.filter(**slot, status__in=joinable).order_by("id").first():
            return run, False
        try:
            with transaction.atomic():
                return SyncRun.objects.create(**slot, **fields), True
        except IntegrityError as error:
            refusal = error
    raise refusal


def start_or_attach_many(
    bridge_id: int, due_at: Mapping[int, datetime | None], **fields: Any
) -> tuple[list[SyncRun], set[int]]:
    """Start or join a group sync for each of these groups; return the runs, and the IDs of those that are new.

    Set-based, and in one order, so that two who ask for the same groups never wait for each other both ways.

    Args:
        due_at: when each group's run may begin, by the group's ID; None: at once.
    """
    slots = {"bridge_id": bridge_id, "kind": RunKind.GROUP, "remote_id": ""}
    found: dict[int, SyncRun] = {}
    new: set[int] = set()
    for turn in range(5):  # a run that we lost to, or meant to join, may end before we read it
        missing = sorted(due_at.keys() - found.keys())
        for run in SyncRun.objects.filter(**slots, target_group__in=missing, status__in=ACTIVE).order_by("-id"):
            found[run.target_group_id or 0] = run
            new |= {run.pk} if turn else set()
        missing = [group_id for group_id in missing if group_id not in found]
        if not missing:
            break
        SyncRun.objects.bulk_create(
            (SyncRun(**slots, target_group_id=one, due_at=due_at[one], **fields) for one in missing),
            ignore_conflicts=True,
        )
    return list(found.values()), new


def hurry(run: SyncRun, queue: str) -> bool:
    """Let a waiting run that is put off, or in the slower queue, go now; say whether it was so."""
    put_off = SyncRun.objects.filter(pk=run.pk, status=RunStatus.WAITING).exclude(due_at__isnull=True, queue=queue)
    return claim(put_off, due_at=None, queue=queue)


def send(run_id: int, queue: str) -> None:
    """Hand a run to a worker. A broker that is away loses nothing: the sweep sends every waiting run again (R9)."""
    hand_over(RUN_TASK, run_id, queue)


def cancel_waiting(run: SyncRun) -> bool:
    """Cancel a run that no worker has taken yet; say whether it was so."""
    waiting = SyncRun.objects.filter(pk=run.pk, status=RunStatus.WAITING)
    with override(settings.LANGUAGE_CODE):  # it stays with the run, for everybody
        sentence = gettext(Cancelled.sentence)
    return claim(waiting, status=RunStatus.CANCELLED, finished_at=Now(), error_code=Cancelled.code, sentence=sentence)


# --- take --------------------------------------------------------------------------------------------------------


def take(run_id: int) -> SyncRun | None:
    """Claim a run for this worker: a waiting one that is due, or a running one whose worker has fallen silent.

    Returns None when there is nothing to do: the run is over, alive elsewhere or not due, or its slot is busy.
    """
    try:
        attempt = _take_new(run_id) or _take_other(run_id)
    except IntegrityError:  # run_one_running: the slot's other run still works, and sends this one when it ends
        return None
    # Asked for by its number: a worker that froze since it took the run finds another's attempt by now.
    mine = SyncRun.objects.filter(pk=run_id, attempt=attempt, status=RunStatus.RUNNING)
    run = mine.select_related("bridge", "target_group__bridge", "applies").first() if attempt else None
    if run and run.attempt > MOST_ATTEMPTS:
        end(run, RunStatus.FAILED, error=WorkerLost())
        return None
    return run


def _take_new(run_id: int) -> int:
    """Take a run as a click leaves it: not put off, and no worker had it yet. Return the attempt's number, or 0."""
    # Somebody waits to see it running, and the ORM takes five times as long to write this one statement.
    if not list(SyncRun.objects.raw(_TAKE_NEW, {"run": run_id, "worker": _worker()})):
        return 0
    _begin_progress(run_id, 1)
    return 1


def _take_other(run_id: int) -> int:
    """Take a run that was put off or begun before, and let it look alive in the same transaction; return as above."""
    takeable = SyncRun.objects.filter(Q(pk=run_id) & (_due() | _silent()))
    with transaction.atomic():
        limit_idleness(settings.SYNC_SILENCE_SECONDS)
        run = takeable.select_for_update(no_key=True, of=("self",), skip_locked=True).first()
        # Asked once more under the lock: another taker may have been here since this statement's snapshot.
        if run is None or not takeable.exists():
            return 0
        run.attempt += 1
        run.status = RunStatus.RUNNING
        run.started_at = run.started_at or database_clock()
        run.worker = _worker()
        run.save(update_fields=["attempt", "status", "started_at", "worker"])
        _begin_progress(run_id, run.attempt)
    return run.attempt


def _begin_progress(run_id: int, attempt: int) -> None:
    """Let a run look alive. The first attempt does so beside its claim and may be late: a later one's row stays."""
    told = {
        "attempt": attempt,
        "beat_at": ClockTimestamp(),
        "phase": Phase.WAITING,
        "phase_started_at": ClockTimestamp(),
        "rows_read": 0,
        "rows_total": None,
        "rows_per_second": None,
        "steps": [],
    }
    if attempt == 1:
        RunProgress.objects.bulk_create([RunProgress(run_id=run_id, **told)], ignore_conflicts=True)
    else:
        RunProgress.objects.bulk_create(
            [RunProgress(run_id=run_id, **told)], update_conflicts=True, unique_fields=["run"], update_fields=[*told]
        )


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _due() -> Q:
    return Q(status=RunStatus.WAITING) & (Q(due_at__isnull=True) | Q(due_at__lte=Now()))


def _silent() -> Q:
    since = Now() - Value(timedelta(seconds=settings.SYNC_SILENCE_SECONDS))
    # Without progress: its worker took it and died in the next moment.
    has_no_beat = Q(progress__isnull=True, started_at__lt=since)
    return Q(status=RunStatus.RUNNING) & (Q(progress__beat_at__lt=since) | has_no_beat)


# --- keep alive --------------------------------------------------------------------------------------------------


class Heartbeat:
    """Tell that a run is alive and how far it is, and hear whether it shall stop, over a connection of its own.

    `stop` is set when somebody cancelled the run or another worker took it over; `check()` raises the reason.
    """

    def __init__(self, run: SyncRun) -> None:
        self.run = run
        self.stop = threading.Event()
        self.rows_read = 0
        self.rows_total: int | None = None
        self.steps: list[dict[str, Any]] = []
        self.phase_seconds: dict[str, float] = dict(run.phase_seconds)
        self.is_cancelled = False
        self.is_lost = False
        self._phase = Phase.WAITING
        self._phase_began = time.monotonic()
        self._tell_now = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_over, name=f"heartbeat-{run.pk}", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._tell_now.set()
        self._thread.join(timeout=5)

    def enter(self, phase: Phase) -> None:
        """Say which phase begins, and stop here if the run shall stop."""
        self.check()
        self._close_phase()
        self._phase = phase
        self._tell_now.set()

    def check(self) -> None:
        """Raise Fenced or Cancelled if the run shall stop."""
        if self.is_lost:
            raise Fenced
        if self.is_cancelled:
            raise Cancelled

    def tell_step(self, step: dict[str, Any]) -> None:
        """Add a finished step of a connection test."""
        self.steps = [*self.steps, step]
        self._tell_now.set()

    def closing_phase_seconds(self) -> dict[str, float]:
        """Give the seconds spent in each phase, the present one included."""
        self._close_phase()
        return {phase: round(seconds, 3) for phase, seconds in self.phase_seconds.items()}

    def _close_phase(self) -> None:
        now = time.monotonic()
        spent = now - self._phase_began
        if self._phase != Phase.WAITING:
            self.phase_seconds[self._phase] = self.phase_seconds.get(self._phase, 0.0) + spent
        self._phase_began = now

    def _beat_until_over(self) -> None:
        told_phase, phase_started_at = self._phase, None
        last_beat = time.monotonic()
        while not self._over.is_set():
            try:
                if self._phase != told_phase or phase_started_at is None:
                    told_phase, phase_started_at = self._phase, database_clock()
                self._beat(told_phase, phase_started_at)
                last_beat = time.monotonic()
            except DatabaseError as error:
                log.warning("run %s: heartbeat failed (%s)", self.run.pk, type(error).__name__)
                connection.close()
                # Silent for this long, another worker may have the run: stop before we can meet it.
                if time.monotonic() - last_beat > settings.SYNC_SILENCE_SECONDS:
                    self._lose()
            if self.stop.is_set():
                break
            self._tell_now.wait(min(_LOOK_EVERY, settings.SYNC_HEARTBEAT_SECONDS))
            self._tell_now.clear()
        connection.close()

    def _beat(self, phase: Phase, phase_started_at: datetime) -> None:
        mine = RunProgress.objects.filter(run_id=self.run.pk, attempt=self.run.attempt)
        reading_for = time.monotonic() - self._phase_began
        rate = self.rows_read / reading_for if phase == Phase.READING and reading_for > 0.5 else None
        values: dict[str, Any] = {
            "beat_at": Now(),
            "phase": phase,
            "phase_started_at": phase_started_at,
            "rows_read": self.rows_read,
            "rows_total": self.rows_total,
            "rows_per_second": rate,
            "steps": self.steps,
        }
        if not claim(mine, **values):
            self._lose()
        elif CancelWish.objects.filter(run_id=self.run.pk).exists():
            self.is_cancelled = True
            self.stop.set()

    def _lose(self) -> None:
        self.is_lost = True
        self.stop.set()


# --- end ---------------------------------------------------------------------------------------------------------


def lock_for_writing(run: SyncRun) -> None:
    """Lock the run's row inside the transaction that applies, and make sure that this worker may still write (R9).

    Raises Fenced if another attempt has the run or it is over, Cancelled if somebody wished so before now.
    """
    # A worker that freezes while it writes would keep the run, and all others of its bridge, waiting for ever.
    limit_idleness(settings.SYNC_SILENCE_SECONDS)
    mine: QuerySet[SyncRun] = SyncRun.objects.filter(pk=run.pk, attempt=run.attempt, status=RunStatus.RUNNING)
    if not mine.select_for_update(no_key=True).exists():
        raise Fenced
    if CancelWish.objects.filter(run=run).exists():
        raise Cancelled


def finish(run: SyncRun, status: RunStatus, **values: Any) -> None:
    """Write a run's final status, if it is still this attempt's. Raises Fenced otherwise.

    Inside the applying transaction this is the last write; the next waiting run of the slot is sent after commit.
    """
    mine = SyncRun.objects.filter(pk=run.pk, attempt=run.attempt, status=RunStatus.RUNNING)
    if not claim(mine, status=status, finished_at=ClockTimestamp(), **values):
        raise Fenced
    RunProgress.objects.filter(run=run, attempt=run.attempt).update(phase=Phase.DONE, beat_at=ClockTimestamp())
    transaction.on_commit(lambda: _after(run, status))


def end(run: SyncRun, status: RunStatus, *, error: Any = None, **values: Any) -> None:
    """Finish a run that changed nothing; `error` has code, sentence and remote_said."""
    if error is not None:
        values |= {"error_code": error.code, "error_text": error.sentence, "remote_said": error.remote_said or ""}
    with transaction.atomic():
        finish(run, status, **values)


def _after(run: SyncRun, status: RunStatus) -> None:
    log.info("run %s (%s) ended: %s", run.pk, run.kind, status)
    slot = {"bridge_id": run.bridge_id, "kind": run.kind, "target_group_id": run.target_group_id}
    for next_run in SyncRun.objects.waiting_and_due().filter(**slot, remote_id=run.remote_id):
        send(next_run.pk, next_run.queue)
    # The run is over and committed: what a receiver gets wrong is logged, and changes nothing about that.
    sync_finished.send_robust(sender=SyncRun, run=run)


def supersede_held(run: SyncRun) -> None:
    """Mark the held runs of this slot that a completed run has overtaken (R6)."""
    SyncRun.objects.filter(
        bridge_id=run.bridge_id,
        kind=run.kind,
        target_group_id=run.target_group_id,
        status=RunStatus.HELD,
        pk__lt=run.pk,
    ).update(status=RunStatus.SUPERSEDED)


# --- sweep -------------------------------------------------------------------------------------------------------


def sweep_stalled() -> int:
    """Send every waiting run that is due and every silent one again; return how many were sent.

    A message too many does nothing (see `take`), so no message need ever be trusted to arrive.
    """
    close_old_connections()
    # Younger ones have a message of their own under way.
    since = Now() - Value(timedelta(seconds=settings.SYNC_SWEEP_SECONDS))
    waiting = Q(created_at__lt=since) & _due()
    runs = list(SyncRun.objects.filter(waiting | _silent()).values_list("pk", "queue"))
    for run_id, queue in runs:
        send(run_id, queue)
    return len(runs)


def request(run: SyncRun, trigger: Trigger | str, user: Any) -> SyncRequest:
    """Keep who asked for a run (R7)."""
    return SyncRequest.objects.create(run=run, trigger=trigger, user=user)
