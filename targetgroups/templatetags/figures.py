"""Numbers that open their people, and numbers over time as a small chart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import template
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext_lazy

from accounts.permissions import VIEW_SUBSCRIBERS
from targetgroups.choices import RunKind
from targetgroups.models import SyncRun

from .ui import number

register = template.Library()
CHART_WIDTH, CHART_HEIGHT = 640, 160
CHART = "vendor/uplot-1.6.32/uPlot.iife.min.js"
CHART_STYLE = "vendor/uplot-1.6.32/uPlot.min.css"
# The names of the links behind a run's figures, by the figure's word.
_LINKS = {
    "added": ngettext_lazy("%(count)s added by run %(run)s", "%(count)s added by run %(run)s", "n"),
    "changed": ngettext_lazy("%(count)s changed by run %(run)s", "%(count)s changed by run %(run)s", "n"),
    "removed": ngettext_lazy("%(count)s removed by run %(run)s", "%(count)s removed by run %(run)s", "n"),
}


@register.simple_tag(takes_context=True)
def run_figure(context: Context, run: SyncRun, word: str) -> SafeString | str:
    """Write a figure of a run as a link to the people behind it, for whom may see them and while they are kept."""
    figure = run.figures.get(word)
    written = number(figure)
    is_listed = run.is_good and run.kind == RunKind.GROUP and run.keeps_people(timezone.now())
    if not figure or not is_listed or not context["user"].may(VIEW_SUBSCRIBERS):
        return written
    return format_html('<a href="{}" aria-label="{}">{}</a>', _people(run, word), link_name(run, word, figure), written)


def link_name(run: SyncRun, word: str, figure: int) -> str:
    """Name the link of a figure for whoever only hears it."""
    return str(_LINKS[word] % {"n": figure, "count": number(figure), "run": run.pk})


def _people(run: SyncRun, word: str) -> str:
    return reverse("targetgroups:run_people", args=(run.pk, word))


@register.filter
def signed(value: int | None) -> str:
    """Write a change with its sign; none at all is a dash."""
    if value is None:
        return "–"
    return f"+{number(value)}" if value > 0 else f"−{number(-value)}" if value else "±0"


@register.simple_tag
def count_chart(points: Sequence[Any]) -> SafeString:
    """Draw points (at, count) over time: a plain line, which the browser replaces by one with axes.

    The numbers go along as attributes: the page's policy allows no script in it, and none is needed.
    """
    return _chart([point.at for point in points], [point.count for point in points], gettext("members"))


@register.simple_tag
def outcome_chart(points: Sequence[Any]) -> SafeString:
    """Draw points (at, sent, not_sent) over time: the same, from 0, with a second line."""
    times, others = [point.at for point in points], [point.not_sent for point in points]
    return _chart(times, [point.sent for point in points], gettext("sent"), others, gettext("not sent"))


def _chart(
    moments: Sequence[datetime], counts: Sequence[int], word: str, others: Sequence[int] = (), other_word: str = ""
) -> SafeString:
    times = [round(moment.timestamp()) for moment in moments]
    more = format_html(' data-others="{}" data-other="{}"', json.dumps(others), other_word) if others else ""
    return format_html(
        '<div class="count-chart" aria-hidden="true" data-chart data-times="{}" data-counts="{}" data-word="{}"{}'
        ' data-zone="{}" data-script="{}" data-style="{}"><svg viewBox="0 0 {} {}" preserveAspectRatio="none"'
        ' focusable="false">'
        '<polyline points="{}" vector-effect="non-scaling-stroke"></polyline></svg></div>',
        json.dumps(times),
        json.dumps(counts),
        word,
        more,
        timezone.get_current_timezone_name(),
        static(CHART),
        static(CHART_STYLE),
        CHART_WIDTH,
        CHART_HEIGHT,
        _line(times, counts),
    )


def _line(times: Sequence[int], counts: Sequence[int]) -> str:
    """Return the corners of a line that fills the picture."""
    first, low = min(times), min(counts)
    seconds, rise = max(times) - first or 1, max(counts) - low
    places = [
        (4 + (CHART_WIDTH - 8) * (at - first) / seconds, (count - low) / rise if rise else 0.5)
        for at, count in zip(times, counts, strict=True)
    ]
    return " ".join(f"{across:.1f},{6 + (1 - up) * (CHART_HEIGHT - 12):.1f}" for across, up in places)
