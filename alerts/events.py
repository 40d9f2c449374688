"""What happened to runs and mailings that webhooks tell of: found by the sweep, so that none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse

from mailings.choices import MailingStatus
from mailings.models import Mailing
from targetgroups.choices import FINAL, RunKind, RunStatus
from targetgroups.models import SyncRun

from . import outbox
from .choices import Event
from .outbox import Told

# What a sweep may have seen half of is looked at again; nothing is written twice.
_LATE = timedelta(hours=1)
_FIGURES = ("in_search", "members_before", "added", "changed", "removed", "members_after", "would_remove")
_MAILINGS = {
    MailingStatus.SENT: Event.MAILING_SENT,
    MailingStatus.SENT_WITH_ERRORS: Event.MAILING_SENT,
    MailingStatus.STOPPED: Event.MAILING_STOPPED,
    MailingStatus.PAUSED: Event.MAILING_STOPPED,
    MailingStatus.FAILED: Event.MAILING_FAILED,
}


def write_new(after_run: int, since: datetime) -> int:
    """Write what happened in runs after this one, and in mailings since then; return how much that was."""
    wanted = outbox.wanted_events()
    if not wanted:
        return 0
    found = [*of_runs(after_run), *of_mailings(since - _LATE)]
    return outbox.write_all(told for told in found if told.event in wanted)


def of_runs(after_run: int) -> Iterator[Told]:
    runs = SyncRun.objects.filter(pk__gt=after_run, status__in=FINAL, finished_at__isnull=False)
    for run in runs.filter(kind__in=(RunKind.GROUP, RunKind.LIST)).select_related("target_group").order_by("id"):
        data, at = _of_run(run), run.finished_at or run.created_at
        # Superseded later, it was told as held.
        if run.status != RunStatus.SUPERSEDED:
            yield Told(Event.RUN_ENDED, f"run.ended:{run.pk}", data, at)
        if run.status == RunStatus.HELD:
            yield Told(Event.RUN_HELD, f"run.held:{run.pk}", data, at)
        if run.status == RunStatus.FAILED:
            yield Told(Event.RUN_FAILED, f"run.failed:{run.pk}", data, at)


def of_mailings(since: datetime) -> Iterator[Told]:
    moved = Q(finished_at__gt=since) | Q(stopped_at__gt=since)
    for mailing in Mailing.objects.filter(moved, status__in=_MAILINGS).defer("html", "text").order_by("id"):
        event = _MAILINGS[MailingStatus(mailing.status)]
        is_stopped = event == Event.MAILING_STOPPED
        at = mailing.stopped_at if is_stopped else mailing.finished_at
        if at is None or (is_stopped and not mailing.stop_code):  # paused by a person
            continue
        key = f"{event.value}:{mailing.pk}" + (f":{at.timestamp():.0f}" if is_stopped else "")
        yield Told(event, key, _of_mailing(mailing), at)


def _of_run(run: SyncRun) -> dict[str, Any]:
    group = run.target_group
    return {
        "run": run.pk,
        "kind": run.kind,
        "trigger": run.trigger,
        "status": run.status,
        "bridge": run.bridge_id,
        "group": {"id": group.pk, "name": group.name} if group else None,
        "error_code": run.error_code,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "figures": {name: run.figures[name] for name in _FIGURES if isinstance(run.figures.get(name), int)},
        "address": outbox.address(reverse("targetgroups:run", args=[run.pk])),
    }


def _of_mailing(mailing: Mailing) -> dict[str, Any]:
    page = "mailings:report" if mailing.is_frozen else "mailings:send"
    return {
        "mailing": mailing.pk,
        "name": mailing.name,
        "status": mailing.status,
        "stop_code": mailing.stop_code,
        "finished_at": mailing.finished_at.isoformat() if mailing.finished_at else None,
        "address": outbox.address(reverse(page, args=[mailing.pk])),
    }
