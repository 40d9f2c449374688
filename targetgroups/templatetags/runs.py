"""Rows of Sync Activity, made here and not by a template for the reason that `people` gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from django import template
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.permissions import VIEW_SUBSCRIBERS
from accounts.tables import Column
from targetgroups.choices import RunKind
from targetgroups.models import SyncRun

from .figures import link_name
from .ui import duration, moments, number, run_chip

register = template.Library()
Cell = Callable[[SyncRun], str]
FIGURES = {"members": "members_after", "in_search": "in_search", "unchanged": "unchanged"}
TIMES = {"started": "started_at", "asked_for": "created_at", "finished": "finished_at"}
PEOPLE = ("added", "changed", "removed")


@register.simple_tag(takes_context=True)
def run_rows(context: Context, runs: Sequence[SyncRun], columns: Sequence[Column]) -> SafeString:
    """Write a table row of each run, read with `for_list`.

    Every cell escapes what is not its own markup: nothing does it afterwards.
    """
    known = _cells(may_see_people=context["user"].may(VIEW_SUBSCRIBERS))
    cells = [known[column.key] for column in columns]
    return SafeString(
        "\n".join([f'<tr id="run-{run.pk}">{"".join([cell(run) for cell in cells])}</tr>' for run in runs])
    )


def _cells(*, may_see_people: bool) -> dict[str, Cell]:
    return {
        "run": _run(),
        "outcome": lambda run: f"<td>{run_chip(run)}</td>",
        "target_group": _target_group(),
        "trigger": lambda run: f"<td>{escape(run.get_trigger_display())}</td>",
        "who": _who,
        "took": lambda run: f'<td class="num nowrap">{duration(run.took)}</td>',
        "sentence": lambda run: f'<td class="wide">{escape(run.sentence or run.error_text or "–")}</td>',
        **{key: _time(field) for key, field in TIMES.items()},
        **{key: _number(word) for key, word in FIGURES.items()},
        **{word: _people(word, may_see_people=may_see_people) for word in PEOPLE},
    }


def _around(page: str, *rest: str) -> tuple[str, str]:
    """Return what stands before and after the ID in a page's addresses: asked for once, not for each row."""
    before, _, after = reverse(f"targetgroups:{page}", args=[0, *rest]).rpartition("0")
    return before, after


def _run() -> Cell:
    before, after = _around("run")
    return lambda run: f'<th scope="row" class="nowrap"><a href="{before}{run.pk}{after}">{escape(str(run))}</a></th>'


def _target_group() -> Cell:
    before, after = _around("info")

    def cell(run: SyncRun) -> str:
        group = run.target_group
        if group is None:
            return f'<td class="wide"><span class="muted">{escape(run.bridge.name)}</span></td>'
        return f'<td class="wide"><a href="{before}{group.pk}{after}">{escape(group.name)}</a></td>'

    return cell


def _who(run: SyncRun) -> str:
    requests = list(run.requests.all())  # prefetched
    first = escape(str((requests[0].user if requests else None) or "–"))
    others = f' <span class="muted small">+{len(requests) - 1}</span>' if len(requests) > 1 else ""
    return f"<td>{first}{others}</td>"


def _time(field: str) -> Cell:
    moment, missing = moments(), escape(gettext("Not yet"))

    def cell(run: SyncRun) -> str:
        at = getattr(run, field)
        return f'<td class="nowrap">{moment(at) if at else missing}</td>'

    return cell


def _number(word: str) -> Cell:
    return lambda run: f'<td class="num">{number(run.figures.get(word))}</td>'


def _people(word: str, *, may_see_people: bool) -> Cell:
    """Write a figure as a link to the people behind it, for whom may see them and while they are kept."""
    (before, after), now = _around("run_people", word), timezone.now()

    def cell(run: SyncRun) -> str:
        figure = run.figures.get(word)
        shown = number(figure)
        if figure and may_see_people and run.is_good and run.kind == RunKind.GROUP and run.keeps_people(now):
            name = escape(link_name(run, word, figure))
            shown = f'<a href="{before}{run.pk}{after}" aria-label="{name}">{shown}</a>'
        return f'<td class="num">{shown}</td>'

    return cell
