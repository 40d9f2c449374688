"""The order of a run's stages, and how it ends. No SQL here: stages meet in the database.

Reading -> Checking (totals, guard, look-up of candidates) -> Comparing -> Writing -> Done.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, InternalError, OperationalError, close_old_connections, transaction
from django.utils.translation import gettext

import audit
from thrive_sync.lib import logs
from thrive_sync.lib.words import number

from ..choices import Phase, RunKind, RunStatus
from ..exceptions import Cancelled, Fenced, GroupDeleted, Held, SyncError
from ..models import SyncRun, TargetGroup
from ..remote import MemberSuiteError, ReadingStopped, SearchGone, connect
from . import (
    apply,
    bridge_check,
    checking,
    compare,
    contact,
    counts,
    diff,
    discovery,
    guard,
    person_check,
    reading,
    receiving,
    single_flight,
)
from .attempt import Attempt
from .clock import TickingClock
from .plan import Applied
from .single_flight import Heartbeat
from .stage import Stage

log = logging.getLogger(__name__)

_LOCK_EVERY = 0.05  # seconds between two tries for the bridge's lock


def perform(run_id: int) -> None:
    """Do a run, if it is this worker's to do. Delivered twice, it does nothing the second time (R9)."""
    close_old_connections()
    run = single_flight.take(run_id)
    if run is None:
        return
    log.info("run %s (%s) attempt %s begins", run.pk, run.kind, run.attempt)
    with Heartbeat(run) as heart, logs.about(run_id=run.pk):
        _conclude(run, heart, _WORK[RunKind(run.kind)])


def _conclude(run: SyncRun, heart: Heartbeat, work: Callable[[SyncRun, Heartbeat], None]) -> None:
    """Do the work and give the run its end, whatever happens: the one catch-all, and it records."""
    try:
        try:
            work(run, heart)
        except ReadingStopped:
            heart.check()
            raise
    except Fenced:
        log.warning("run %s: attempt %s was overtaken", run.pk, run.attempt)
    except Cancelled as error:
        _end(run, heart, RunStatus.CANCELLED, error)
    except MemberSuiteError as error:
        contact.note_failed(run.bridge, error)
        if isinstance(error, SearchGone) and run.target_group_id:
            discovery.mark_gone(run.target_group_id)
        _end(run, heart, RunStatus.FAILED, error)
    except SyncError as error:
        _end(run, heart, RunStatus.FAILED, error)
    except (OperationalError, InterfaceError, InternalError):
        # The database went away, or ended our connection because we were frozen: nothing can be recorded now.
        # Silent, the run is taken over (R9).
        log.exception("run %s lost the database and waits to be taken over", run.pk)
        raise
    except Exception:
        log.exception("run %s failed unexpectedly", run.pk)
        _end(run, heart, RunStatus.FAILED, SyncError(code="unexpected"))
        raise


def _end(run: SyncRun, heart: Heartbeat, status: RunStatus, error: SyncError | MemberSuiteError) -> None:
    """End a run that changed nothing, with its reason on the run and, if it failed, beside the group's count."""
    # What passes by itself was asked for again before it became an error: the run's page tells how often.
    asked_again = error.retries if isinstance(error, MemberSuiteError) else 0
    values: dict[str, Any] = {"figures": {"asked_again": asked_again}} if asked_again else {}
    try:
        with transaction.atomic():
            single_flight.end(run, status, error=error, phase_seconds=heart.closing_phase_seconds(), **values)
            if run.kind == RunKind.GROUP and status == RunStatus.FAILED and run.target_group_id:
                counts.write_error(run.target_group_id, error.code, error.sentence)
    except Fenced:
        log.warning("run %s: attempt %s was overtaken", run.pk, run.attempt)


# --- one group ---------------------------------------------------------------------------------------------------


def _sync_group(run: SyncRun, heart: Heartbeat) -> None:
    _read_and(run, heart, _apply, _hold)


def _preview_group(run: SyncRun, heart: Heartbeat) -> None:
    _read_and(run, heart, _keep_preview, _keep_preview)


def _read_and(
    run: SyncRun, heart: Heartbeat, then: Callable[[Attempt], None], when_held: Callable[[Attempt, Held], None]
) -> None:
    """Read the group's search into a stage, settle who must go, and hand over. The stage never outlives the attempt."""
    group = run.target_group
    if group is None:
        raise SyncError(code="no_target_group")
    _refuse_deleted(group)
    heart.enter(Phase.READING)
    clock, stage = TickingClock(), Stage(run)
    with connect(run.bridge, clock=clock, stop=heart.stop) as client:
        search = reading.get_runnable_search(client, group.search_id)
        stage.create()
        try:
            attempt = Attempt(run, heart, stage, client, search, group, read_at=clock())
            reading.read_everything(attempt)
            contact.note_good(run.bridge)
            heart.enter(Phase.CHECKING)
            try:
                checking.settle(attempt)
            except Held as held:
                when_held(attempt, held)
            else:
                heart.enter(Phase.COMPARING)
                then(attempt)
        finally:
            compare.forget()
            stage.drop()


def _hold(attempt: Attempt, held: Held) -> None:
    """End the run as held, with the people who would go (R6)."""
    run, heart = attempt.run, attempt.heart
    limits = guard.limits_of(attempt.group)
    with transaction.atomic():
        single_flight.lock_for_writing(run)
        would_remove = diff.record_would_remove(run, attempt.stage)
        diff.record_few_who_stay(run, attempt.stage, attempt.members_before, would_remove)
        figures = {
            **checking.sums(attempt).as_figures(),
            "members_before": attempt.members_before,
            "would_remove": would_remove,
            "would_remove_by_reason": diff.would_remove_by_reason(run),
            "limit_percent": limits.percent,
            "limit_people": limits.people,
        }
        single_flight.finish(
            run,
            RunStatus.HELD,
            sentence=held.sentence,
            figures=figures,
            warnings=attempt.warnings,
            phase_seconds=heart.closing_phase_seconds(),
        )


def _apply(attempt: Attempt) -> None:
    """Write the group in one transaction under the bridge's lock: members, counts and the run's end (R4, R9)."""
    run, heart = attempt.run, attempt.heart
    try:
        with transaction.atomic():
            _wait_for_lock(run, heart)
            heart.enter(Phase.WRITING)
            single_flight.lock_for_writing(run)
            _refuse_deleted(attempt.group)
            applied = _write(attempt)
            counts.write(attempt, applied.sums, applied.members_after)
            single_flight.supersede_held(run)
            single_flight.finish(
                run,
                reading.status_of(applied.sums.rejected),
                sentence=_sentence(applied),
                figures=applied.as_figures(),
                warnings=attempt.warnings,
                phase_seconds=heart.closing_phase_seconds(),
            )
    except Held as held:  # newer knowledge came while waiting for the lock, and the guard says too many
        _hold(attempt, held)
    else:
        apply.refresh_statistics(applied.added, applied.newly_excluded)
        receiving.ask(attempt.group.pk)


def _refuse_deleted(group: TargetGroup) -> None:
    """Stop where somebody deleted the group, also since the run began: a deleted group is not synced."""
    if not TargetGroup.objects.present().filter(pk=group.pk).exists():
        raise GroupDeleted


def _write(attempt: Attempt) -> Applied:
    """Do the steps of an apply; the caller's transaction makes them one."""
    run, stage, group = attempt.run, attempt.stage, attempt.group
    members_before = attempt.members_before
    newly_known = diff.exclude_known_do_not_email(stage, group, attempt.read_at)
    apply.note_overtaken(stage, group)
    if newly_known and apply.remove_newly_excluded(stage, group):
        plan = diff.plan(run, stage, diff.removal_count(stage), members_before)
        guard.check(plan, guard.limits_of(group))
    found = checking.comparison_of_now(attempt)
    sums = checking.sums(attempt)
    removals = diff.removal_count(stage) if found.matched != members_before else 0
    if found.known_do_not_email or removals:
        apply.erase_do_not_email(stage, group)
    changed = apply.update_subscribers(run, stage, attempt.columns) if found.changed else 0
    added = apply.add_members(run, stage, group, found)
    removed_by_reason = apply.remove_members(run, stage, group) if removals else {}
    newly_excluded = apply.update_exclusions(run, stage, group)
    members_after = members_before + added - sum(removed_by_reason.values())
    applied = Applied(members_before, members_after, added, changed, removed_by_reason, sums, newly_excluded)
    if applied.kept > 0:
        diff.record_kept(run, stage, group)
    return applied


def _wait_for_lock(run: SyncRun, heart: Heartbeat) -> None:
    """Wait for the bridge's other apply to end; Cancel still works."""
    while not apply.try_lock(run.bridge_id):
        heart.check()
        time.sleep(_LOCK_EVERY)


def _keep_preview(attempt: Attempt, held: Held | None = None) -> None:
    """End a preview: keep what a sync would do now, and change nothing.

    A sync that would be held looks nobody up (R6), so neither does its preview: some reasons are not known then.
    Under the bridge's lock, so that nothing is kept of somebody whom another sync erases at this moment (R1).
    """
    run, heart, stage = attempt.run, attempt.heart, attempt.stage
    with transaction.atomic():
        _wait_for_lock(run, heart)
        single_flight.lock_for_writing(run)
        if diff.exclude_known_do_not_email(stage, attempt.group, attempt.read_at):
            apply.remove_newly_excluded(stage, attempt.group)
        checking.comparison_of_now(attempt)
        added, changed = diff.record_would_add_and_change(run, stage, attempt.columns)
        would_remove = diff.record_would_remove(run, stage)
        figures = {
            **checking.sums(attempt).as_figures(),
            "members_before": attempt.members_before,
            "would_add": added,
            "would_change": changed,
            "would_remove": would_remove,
            "would_remove_by_reason": diff.would_remove_by_reason(run),
            "would_be_held": held is not None,
        }
        told = gettext("A sync now would add %(added)s, change %(changed)s and remove %(removed)s.")
        sentence = told % {"added": number(added), "changed": number(changed), "removed": number(would_remove)}
        single_flight.finish(
            run,
            RunStatus.COMPLETED,
            sentence=f"{sentence} {held.preview_sentence}" if held else sentence,
            figures=figures,
            warnings=attempt.warnings,
            phase_seconds=heart.closing_phase_seconds(),
        )


def _sentence(applied: Applied) -> str:
    told = gettext("%(added)s added, %(changed)s changed, %(removed)s removed; %(members)s members.")
    return told % {
        "added": number(applied.added),
        "changed": number(applied.changed),
        "removed": number(applied.removed),
        "members": number(applied.members_after),
    }


# --- the other kinds ---------------------------------------------------------------------------------------------


def _refresh_list(run: SyncRun, heart: Heartbeat) -> None:
    heart.enter(Phase.READING)
    with connect(run.bridge, clock=TickingClock(), stop=heart.stop) as client:
        searches = client.list_searches()
    contact.note_good(run.bridge)
    heart.enter(Phase.COMPARING)
    with transaction.atomic():
        _wait_for_lock(run, heart)
        try:
            changes = discovery.compare(run, searches)
        except Held as held:
            single_flight.lock_for_writing(run)
            discovery.record_would_mark(run, searches)
            single_flight.finish(
                run, RunStatus.HELD, sentence=held.sentence, phase_seconds=heart.closing_phase_seconds()
            )
            return
        heart.enter(Phase.WRITING)
        single_flight.lock_for_writing(run)
        discovery.apply(run, changes)
        audit.record(f"run {run.pk}", "list.applied", run.bridge, None, changes.as_figures())
        single_flight.supersede_held(run)
        single_flight.finish(
            run,
            RunStatus.COMPLETED,
            sentence=changes.sentence(),
            figures=changes.as_figures(),
            phase_seconds=heart.closing_phase_seconds(),
        )


def _check_bridge(run: SyncRun, heart: Heartbeat) -> None:
    heart.enter(Phase.READING)
    with connect(run.bridge, clock=TickingClock(), stop=heart.stop) as client:
        failed = bridge_check.walk(client, heart)
    steps = {"steps": heart.steps, "phase_seconds": heart.closing_phase_seconds()}
    with transaction.atomic():
        if failed is None:
            contact.note_good(run.bridge)
            status, values = RunStatus.COMPLETED, {"sentence": gettext("The connection works.")}
        else:
            contact.note_step_failed(run.bridge, failed)
            status, values = RunStatus.FAILED, {"error_code": failed.code, "error_text": failed.said}
        single_flight.finish(
            run, status, figures={"steps": steps["steps"]}, phase_seconds=steps["phase_seconds"], **values
        )


def _check_person(run: SyncRun, heart: Heartbeat) -> None:
    """Ask for one person and store what is known now, under the bridge's lock: an apply may have older values."""
    heart.enter(Phase.READING)
    with connect(run.bridge, clock=TickingClock(), stop=heart.stop) as client:
        answer = person_check.ask(client, run.remote_id)
    contact.note_good(run.bridge)
    with transaction.atomic():
        _wait_for_lock(run, heart)
        single_flight.lock_for_writing(run)
        verdict = person_check.store(run, answer)
        single_flight.finish(
            run,
            verdict.status,
            sentence=verdict.sentence,
            figures={"answer": verdict.answer, "changed_fields": verdict.changed_fields},
            phase_seconds=heart.closing_phase_seconds(),
        )


_WORK: dict[RunKind, Callable[[SyncRun, Heartbeat], None]] = {
    RunKind.GROUP: _sync_group,
    RunKind.PREVIEW: _preview_group,
    RunKind.LIST: _refresh_list,
    RunKind.CHECK: _check_bridge,
    RunKind.PERSON: _check_person,
}
