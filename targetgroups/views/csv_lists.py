"""Target Groups and Sync Activity as CSV lines: the cells of their tables, in words where the page has a mark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.tables import Column
from thrive_sync.lib.csv_export import in_steps, time_cell

from ..choices import RunStatus
from ..models import SyncRun, TargetGroup

# Columns that a file tells apart in more cells than the page does.
_HEADERS = {
    "count": (gettext_lazy("Count"), gettext_lazy("State"), gettext_lazy("Counted")),
    "took": (gettext_lazy("Took (seconds)"),),
}


def header(columns: Iterable[Column]) -> list[str]:
    return [str(label) for column in columns for label in _HEADERS.get(column.key, (column.label,))]


def group_lines(columns: Sequence[Column], groups: QuerySet[TargetGroup]) -> Iterator[list[object]]:
    """Give a line a target group; a count that is not known is an empty cell with its state beside it, never 0."""
    zone = timezone.get_current_timezone()

    def cells(group: TargetGroup, key: str) -> tuple[object, ...]:
        if key == "count":
            return group.member_count, group.state.label, time_cell(group.counted_at, zone)
        texts = {"name": group.name, "type": group.search_type, "search_id": group.search_id}
        if key in ("folder", "association"):
            return (group.folder.name if key == "folder" else group.bridge.name,)
        return (time_cell(group.counted_at, zone) if key == "last_synced" else texts[key],)

    return _lines(columns, groups, cells)


def run_lines(columns: Sequence[Column], runs: QuerySet[SyncRun]) -> Iterator[list[object]]:
    """Give a line a run of Sync Activity."""
    zone, now = timezone.get_current_timezone(), timezone.now()

    def cells(run: SyncRun, key: str) -> tuple[object, ...]:
        times = {"started": run.started_at, "asked_for": run.created_at, "finished": run.finished_at}
        if key in times:
            return (time_cell(times[key], zone),)
        if key == "outcome":
            return (gettext("Stalled") if run.is_stalled(now) else _outcome(run),)
        if key == "who":
            return (", ".join(str(asked.user) for asked in run.requests.all() if asked.user),)
        texts: dict[str, object] = {
            "run": str(run),
            "target_group": run.target_group.name if run.target_group else run.bridge.name,
            "trigger": run.get_trigger_display(),
            "took": round(run.took.total_seconds(), 1) if run.took else "",
            "sentence": run.sentence or run.error_text,
        }
        figure = "members_after" if key == "members" else key
        return (texts[key] if key in texts else run.figures.get(figure, ""),)

    return _lines(columns, runs, cells)


def _outcome(run: SyncRun) -> str:
    progress = getattr(run, "progress", None)
    is_working = run.status == RunStatus.RUNNING and progress is not None
    return progress.get_phase_display() if is_working and progress else run.get_status_display()


def _lines(
    columns: Sequence[Column], rows: QuerySet[Any], cells: Callable[[Any, str], tuple[object, ...]]
) -> Iterator[list[object]]:
    return ([cell for column in columns for cell in cells(row, column.key)] for step in in_steps(rows) for row in step)
