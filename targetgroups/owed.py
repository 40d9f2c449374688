"""What MemberSuite is owed: Do Not Email of records, queued in the transaction that suppressed or freed an address.

Here and not in the room of the mailings: opt-outs are made on this room's pages too, and their rows must stand or fall
with the suppression. A suppression is of an address, so every record of a bridge that has the address is written.
Nothing here talks to MemberSuite; `writeback` does.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from thrive_sync.lib.messages import hand_over

from .choices import Queue, WritebackCause, WritebackState
from .models import Bridge, Outbox, Subscriber, Suppression, Writeback
from .querysets import writeback_causes

WRITE_TASK = "targetgroups.tasks.write_back"
_STEP = 500

# A wish begins anew as this.
_FRESH = {
    "state": WritebackState.PENDING,
    "attempts": 0,
    "reason_code": "",
    "reason": "",
    "remote_said": "",
    "finished_at": None,
    "overtaken_at": None,
    "queued_at": Now(),
    "due_at": Now(),
}


def lock(bridge_id: int) -> Outbox:
    """Lock the bridge's outbox until the transaction ends: what queues and what writes come one after the other."""
    Outbox.objects.get_or_create(bridge_id=bridge_id)
    return Outbox.objects.select_for_update(no_key=True).get(pk=bridge_id)


def wake(bridge_id: int) -> None:
    """Let a worker look at the outbox after the commit; without this the sweep does."""
    transaction.on_commit(lambda: hand_over(WRITE_TASK, bridge_id, Queue.SCHEDULED))


# --- what happened here --------------------------------------------------------------------------------------------


def owe_opt_outs(suppressions: Sequence[Suppression]) -> None:
    """Queue Yes for every record with these addresses, in the bridges that write such causes back."""
    if not {one.cause for one in suppressions} & set(WritebackCause.values):
        return
    # By ID: two transactions that lock several outboxes do so in one order.
    bridges = [one for one in _writing() if {each.cause for each in suppressions} & set(writeback_causes(one))]
    for bridge in bridges:
        lock(bridge.pk)
    for bridge in bridges:
        for one in suppressions:
            if one.cause in writeback_causes(bridge):
                people = Subscriber.objects.filter(
                    bridge=bridge, address_key=one.address_key, do_not_email_at__isnull=True, erased_at__isnull=True
                )
                _owe(bridge.pk, list(people), one)


def owe_opt_ins(address_keys: Collection[str]) -> None:
    """Take back the Yes that we wrote for addresses, once nothing here keeps them from being mailed.

    A Yes of somebody else's stays; an opt-out that MemberSuite was not told of yet is not told any more.
    """
    kept = Suppression.objects.in_force().filter(address_key__in=address_keys).values("address_key")
    written = Writeback.objects.filter(suppression__address_key__in=address_keys, do_not_email=True)
    written = written.exclude(suppression__address_key__in=kept)
    bridge_ids = sorted(set(written.values_list("bridge_id", flat=True)))
    for bridge_id in bridge_ids:
        lock(bridge_id)
    for bridge_id in bridge_ids:
        here = written.filter(bridge=bridge_id)
        ours = list(here.filter(is_ours=True, overtaken_at__isnull=True).select_related("suppression"))
        here.filter(is_ours=False).exclude(state=WritebackState.COMPLETED).delete()
        for row in ours:
            # A pending Yes may have been written by now; the No that takes its place is right in either case.
            Writeback.objects.pending().filter(bridge=bridge_id, remote_key=row.remote_key).delete()
            _put(bridge_id, [(row.remote_id, row.remote_key, row.suppression_id)], WritebackCause.OPT_IN, is_ours=True)
        here.filter(is_ours=True, state=WritebackState.FAILED).delete()
        if ours:
            wake(bridge_id)


def owe_still_mailable(bridge: Bridge) -> int:
    """Queue Yes for whoever opted out here and is still mailable there; return how many. In steps that each commit."""
    queued = last = 0
    while True:
        with transaction.atomic():
            lock(bridge.pk)
            people = list(Subscriber.objects.still_mailable(bridge).filter(pk__gt=last).order_by("pk")[:_STEP])
            for cause in writeback_causes(bridge):
                queued += _owe_by_cause(bridge, people, cause)
        if len(people) < _STEP:
            return queued
        last = people[-1].pk


def owe_again(bridge_id: int, writeback_id: int | None = None) -> int:
    """Queue what failed once more, one or all of it; return how many."""
    with transaction.atomic():
        outbox = lock(bridge_id)
        failed = Writeback.objects.filter(bridge=bridge_id, state=WritebackState.FAILED)
        if writeback_id is not None:
            failed = failed.filter(pk=writeback_id)
        queued = failed.update(**_FRESH)
        if queued:
            resume(outbox)
    return queued


def resume(outbox: Outbox) -> None:
    """End a pause, under the lock: somebody has mended something, or wants to know."""
    Outbox.objects.filter(pk=outbox.pk).update(paused_until=None, trouble_count=0, trouble_code="", trouble_text="")
    wake(outbox.pk)


def _owe_by_cause(bridge: Bridge, people: Sequence[Subscriber], cause: str) -> int:
    """Queue those of these people whose strongest written cause this is."""
    rows = Suppression.objects.in_force().filter(address_key__in={one.address_key for one in people})
    stronger = writeback_causes(bridge)[: writeback_causes(bridge).index(cause)]
    told = set(rows.filter(cause__in=stronger).values_list("address_key", flat=True))
    ids = {key: pk for key, pk in rows.filter(cause=cause).values_list("address_key", "pk") if key not in told}
    owed = [(one.remote_id, one.remote_key, ids[one.address_key]) for one in people if one.address_key in ids]
    _put(bridge.pk, owed, WritebackCause(cause))
    if owed:
        wake(bridge.pk)
    return len(owed)


# --- what is known of a record -------------------------------------------------------------------------------------


def our_yes(person: Subscriber) -> Writeback | None:
    """Return what made this person Do Not Email in MemberSuite, if that was an opt-out here that still stands."""
    rows = Writeback.objects.holding_yes().filter(bridge=person.bridge_id, remote_key=person.remote_key, is_ours=True)
    return rows.filter(suppression__lifted_at__isnull=True).select_related("suppression").order_by("-id").first()


def is_any_held(bridge_id: int) -> bool:
    """Say whether MemberSuite has confirmed any Yes of ours that a reading might overtake."""
    return Writeback.objects.holding_yes().filter(bridge=bridge_id).exists()


def note_mailable(bridge_id: int, remote_key: str, asked_at: datetime) -> None:
    """Note that MemberSuite says No of a record: a Yes that was confirmed before no longer stands."""
    rows = Writeback.objects.holding_yes().filter(bridge=bridge_id, remote_key=remote_key)
    rows.filter(finished_at__lt=asked_at).update(overtaken_at=asked_at)


# --- rows ------------------------------------------------------------------------------------------------------------


def _writing() -> Iterable[Bridge]:
    return Bridge.objects.filter(is_active=True, writes_back=True).order_by("pk")


def _owe(bridge_id: int, people: Collection[Subscriber], suppression: Suppression) -> None:
    """Queue Yes for these records, unless MemberSuite has confirmed it or is about to be told."""
    open_rows = Writeback.objects.filter(bridge=bridge_id, remote_key__in={one.remote_key for one in people})
    takes_back = open_rows.exclude(state=WritebackState.COMPLETED).filter(do_not_email=False)
    # A No that undoes our Yes may or may not have been written by now: the Yes is written again, and stays ours.
    undone = set(takes_back.values_list("remote_key", flat=True))
    takes_back.delete()
    held = Writeback.objects.holding_yes(pending=True).filter(bridge=bridge_id)
    known = set(held.filter(remote_key__in={one.remote_key for one in people}).values_list("remote_key", flat=True))
    cause, records = (
        WritebackCause(suppression.cause),
        [(one.remote_id, one.remote_key, suppression.pk) for one in people],
    )
    _put(bridge_id, [one for one in records if one[1] in undone], cause, is_ours=True)
    _put(bridge_id, [one for one in records if one[1] not in undone | known], cause)
    if people:
        wake(bridge_id)


def _put(
    bridge_id: int, owed: Sequence[tuple[str, str, int | None]], cause: WritebackCause, *, is_ours: bool = False
) -> None:
    """Queue one wish for each of these records (Remote ID, its key, suppression). One that had ended begins anew.

    A record has one wish at a time: what had failed before is no longer tried.
    """
    word = "no" if cause == WritebackCause.OPT_IN else "yes"
    again = Q()
    for _, remote_key, suppression_id in owed:
        again |= Q(remote_key=remote_key, key=f"{word}:{suppression_id}")
    if not owed:
        return
    records = Writeback.objects.filter(bridge=bridge_id, remote_key__in={key for _, key, _ in owed})
    records.filter(state=WritebackState.FAILED).exclude(again).delete()
    Writeback.objects.filter(again, bridge=bridge_id).exclude(state=WritebackState.PENDING).update(
        **_FRESH, is_ours=is_ours
    )
    Writeback.objects.bulk_create(
        [
            Writeback(
                bridge_id=bridge_id,
                remote_id=remote_id,
                remote_key=remote_key,
                do_not_email=word == "yes",
                cause=cause,
                suppression_id=suppression_id,
                key=f"{word}:{suppression_id}",
                is_ours=is_ours,
            )
            for remote_id, remote_key, suppression_id in owed
        ],
        ignore_conflicts=True,
    )


def latest_of(person: Subscriber) -> Writeback | None:
    """Return the newest wish for a person's record."""
    rows = Writeback.objects.filter(bridge=person.bridge_id, remote_key=person.remote_key)
    return rows.order_by("-queued_at", "-id").first()
