"""Start work or join it: the only thing that views, commands and beat call. Nothing here waits for MemberSuite (R8)."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext, override

import audit
from thrive_sync.lib.claims import claim
from thrive_sync.lib.messages import hand_over

from . import owed
from .choices import ACTIVE, STATUS_WITHIN, Queue, RunKind, RunStatus, Trigger
from .exceptions import NotAllowedNow
from .models import Bridge, CancelWish, Subscriber, SyncRun, TargetGroup
from .sync import single_flight

_QUEUE_TASK, _CHECK_TASK = "targetgroups.tasks.queue_still_mailable", "targetgroups.tasks.check_opt_outs"

Actor = AbstractBaseUser | None

_INTERACTIVE = frozenset(
    {
        Trigger.INFO,
        Trigger.RESYNC_NOW,
        Trigger.REFRESH,
        Trigger.COMMAND,
        Trigger.APPLY,
        Trigger.MAILING,
        Trigger.TEST_CONNECTION,
        Trigger.PREVIEW,
        Trigger.CHECK_AGAIN,
    }
)


def request_sync(target_group: TargetGroup, trigger: Trigger, user: Actor = None) -> SyncRun:
    """Ask for a group to be brought level with its search; join a run that will do (R7).

    A mailing joins only a run that has not begun: its first page must be asked for after the mailing's moment.
    """
    joinable = (RunStatus.WAITING,) if trigger == Trigger.MAILING else ACTIVE
    return _request(target_group.bridge, RunKind.GROUP, trigger, user, target_group=target_group, joinable=joinable)


def request_preview(target_group: TargetGroup, user: Actor = None, trigger: Trigger = Trigger.PREVIEW) -> SyncRun:
    """Ask what a sync would do now, without doing it."""
    return _request(target_group.bridge, RunKind.PREVIEW, trigger, user, target_group=target_group)


def request_list_refresh(bridge: Bridge, trigger: Trigger = Trigger.REFRESH, user: Actor = None) -> SyncRun:
    """Ask for the list of searches to be read again."""
    return _request(bridge, RunKind.LIST, trigger, user)


def request_check(bridge: Bridge, user: Actor = None, trigger: Trigger = Trigger.COMMAND) -> SyncRun:
    """Ask for the connection to be tested."""
    return _request(bridge, RunKind.CHECK, trigger, user)


def request_person_check(person: Subscriber, user: Actor = None, trigger: Trigger = Trigger.CHECK_AGAIN) -> SyncRun:
    """Ask what MemberSuite says now of one person."""
    return _request(person.bridge, RunKind.PERSON, trigger, user, remote_id=person.remote_id)


def request_cancel(run: SyncRun, user: Actor = None) -> None:
    """Wish that a run should stop: a waiting one is cancelled here, a running one by its worker.

    Raises NotAllowedNow if the run is over.
    """
    with transaction.atomic():
        if not single_flight.cancel_waiting(run):
            run.refresh_from_db(fields=["status"])
            if run.status != RunStatus.RUNNING:
                said = gettext("This run can't be cancelled: it is %(status)s already.")
                raise NotAllowedNow(said % {"status": STATUS_WITHIN[RunStatus(run.status)]})
            CancelWish.objects.create(run=run, user=_known(user))
        audit.record(_actor(user, Trigger.COMMAND), "run.cancel_wished", run)


def request_apply(run: SyncRun, user: Actor) -> SyncRun:
    """Approve what a held run showed: a new run reads again and may remove at most those people (R6).

    Raises NotAllowedNow if the run is not held any more, or its group was deleted.
    """
    if run.target_group and run.target_group.deleted_at:
        raise NotAllowedNow(gettext("This target group was deleted here. Undelete it before you apply anything to it."))
    with transaction.atomic():
        _decide(run, user, "apply")
        new_run = _request(
            run.bridge,
            RunKind(run.kind),
            Trigger.APPLY,
            user,
            target_group=run.target_group,
            joinable=(RunStatus.WAITING,),
            applies=run,
        )
        SyncRun.objects.filter(pk=new_run.pk, status=RunStatus.WAITING, applies__isnull=True).update(applies=run)
    return new_run


def request_discard(run: SyncRun, user: Actor) -> None:
    """Close a held run without applying it. Raises NotAllowedNow if it is not held any more."""
    with transaction.atomic():
        _decide(run, user, "discard")
        held = SyncRun.objects.filter(pk=run.pk, status=RunStatus.HELD)
        with override(settings.LANGUAGE_CODE):  # it stays with the run, for everybody
            claim(held, status=RunStatus.CANCELLED, error_text=gettext("Discarded: nothing was changed."))


# --- writeback -------------------------------------------------------------------------------------------------------


def request_write_again(bridge: Bridge, user: Actor, writeback_id: int | None = None) -> int:
    """Queue what failed once more, one record or all; return how many. Raises NotAllowedNow if writeback is off."""
    _refuse_off(bridge)
    with transaction.atomic():
        queued = owed.owe_again(bridge.pk, writeback_id)
        what = {"queued": queued} | ({} if writeback_id is None else {"writeback": writeback_id})
        audit.record(_actor(user, Trigger.COMMAND), "writeback.retried", bridge, None, what)
    return queued


def request_still_mailable(bridge: Bridge, user: Actor) -> None:
    """Ask for whoever opted out here and is still mailable there to be queued. Raises NotAllowedNow if it is off."""
    _refuse_off(bridge)
    with transaction.atomic():
        outbox = owed.lock(bridge.pk)
        what = {"still_mailable": outbox.still_mailable_count, "checked_at": str(outbox.checked_at)}
        audit.record(_actor(user, Trigger.COMMAND), "writeback.queued_still_mailable", bridge, None, what)
        transaction.on_commit(lambda: hand_over(_QUEUE_TASK, bridge.pk, Queue.INTERACTIVE))


def request_opt_out_check(bridge: Bridge, user: Actor) -> None:
    """Ask for the daily check now."""
    audit.record(_actor(user, Trigger.COMMAND), "writeback.check_requested", bridge)
    transaction.on_commit(lambda: hand_over(_CHECK_TASK, bridge.pk, Queue.INTERACTIVE))


def resume_writing(bridge: Bridge) -> None:
    """End the pause that trouble with the connection brought."""
    with transaction.atomic():
        owed.resume(owed.lock(bridge.pk))


def _refuse_off(bridge: Bridge) -> None:
    if not bridge.writes_back:
        raise NotAllowedNow(gettext("Writeback is off for this association: switch it on in the bridge's form first."))


def _decide(run: SyncRun, user: Actor, decision: str) -> None:
    held = SyncRun.objects.filter(pk=run.pk, status=RunStatus.HELD)
    if not claim(held, decided_by=_known(user), decided_at=Now()):
        run.refresh_from_db(fields=["status"])
        said = (
            gettext("There is nothing to apply: this run is %(status)s.")
            if decision == "apply"
            else gettext("There is nothing to discard: this run is %(status)s.")
        )
        raise NotAllowedNow(said % {"status": STATUS_WITHIN[RunStatus(run.status)]})
    audit.record(_actor(user, Trigger.COMMAND), f"run.{decision}", run)


def _request(
    bridge: Bridge,
    kind: RunKind,
    trigger: Trigger,
    user: Actor,
    *,
    target_group: TargetGroup | None = None,
    remote_id: str = "",
    joinable: tuple[RunStatus, ...] = ACTIVE,
    **fields: Any,
) -> SyncRun:
    queue = Queue.INTERACTIVE if trigger in _INTERACTIVE else Queue.SCHEDULED
    slot = {"bridge": bridge, "kind": kind, "target_group": target_group, "remote_id": remote_id}
    with transaction.atomic():
        run, is_new = single_flight.start_or_attach(slot, joinable=joinable, trigger=trigger, queue=queue, **fields)
        single_flight.request(run, trigger, _known(user))
        if not is_new and queue == Queue.INTERACTIVE:
            is_new = single_flight.hurry(run, queue)
        audit.record(
            user or trigger, f"{kind}.requested", target_group or bridge, None, {"run": run.pk, "trigger": trigger}
        )
        if is_new:
            transaction.on_commit(lambda: single_flight.send(run.pk, queue))
    return run


def _actor(user: Actor, trigger: Trigger) -> Any:
    return _known(user) or str(trigger)


def _known(user: Actor) -> Any:
    """Requests keep people, not the anonymous."""
    return user if user is not None and user.is_authenticated else None
