"""The groups behind each number of a list refresh's sentence (R15)."""

from __future__ import annotations

from django.db.models import Q

from ..choices import RefreshPart, RunKind
from ..models import SyncRun

RENAMED = RefreshPart.RENAMED


def part_asked_for(run_id: int | None, part: str) -> tuple[SyncRun | None, str]:
    """Return the refresh and the part of it that an address names; nothing if there is no such."""
    if run_id is None or part not in RefreshPart.values:
        return None, ""
    run = SyncRun.objects.good().filter(pk=run_id, kind=RunKind.LIST).first()
    return (run, part) if run else (None, "")


def in_part(run: SyncRun, part: str) -> Q:
    """Select the groups that a refresh told of in one part of its sentence."""
    of_bridge, told = Q(bridge=run.bridge_id), run.figures
    changed = {
        RefreshPart.NEW: Q(search_id__in=told.get("new_search_ids", [])),
        RefreshPart.RENAMED: Q(pk__in=former_names(run)),
        RefreshPart.RETURNED: Q(pk__in=told.get("returned_groups", [])),
        RefreshPart.GONE: Q(pk__in=told.get("gone_groups", [])),
        RefreshPart.DELETED: Q(pk__in=told.get("deleted_groups", [])),
    }
    if part in changed:
        return of_bridge & changed[RefreshPart(part)]
    # "Unchanged" is kept as a number alone: all that the refresh saw and told of nowhere else.
    others = Q()
    for one in changed.values():
        others |= one
    was_gone = Q(gone_at__lt=run.started_at)
    return of_bridge & Q(first_seen_at__lte=run.finished_at) & ~others & ~was_gone


def former_names(run: SyncRun | None) -> dict[int, str]:
    """Return what the groups that a refresh renamed were called before."""
    renamed = run.figures.get("renamed_groups", []) if run else []
    return {group_id: before for group_id, before, _ in renamed}


def word_of(part: str) -> str:
    return str(RefreshPart(part).label)
