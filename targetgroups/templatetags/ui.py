"""How things look on every page: icons, times, numbers, states (a word with an icon, never a colour alone)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString

from targetgroups.choices import GroupState, RunStatus
from targetgroups.models import SyncRun, TargetGroup

register = template.Library()
SPRITE = "vendor/bootstrap-icons-1.13.2/sprite.svg"
EXACT = "M j, Y, H:i:s"

# state -> (tone, icon)
RUN_LOOK = {
    RunStatus.WAITING: ("quiet", "hourglass-split"),
    RunStatus.RUNNING: ("busy", "arrow-repeat"),
    RunStatus.HELD: ("warn", "pause-circle-fill"),
    RunStatus.SUPERSEDED: ("quiet", "skip-end-circle"),
    RunStatus.COMPLETED: ("ok", "check-circle-fill"),
    RunStatus.COMPLETED_WITH_REJECTS: ("warn", "exclamation-triangle-fill"),
    RunStatus.FAILED: ("bad", "x-circle-fill"),
    RunStatus.CANCELLED: ("quiet", "slash-circle"),
}
GROUP_LOOK = {
    GroupState.ERROR: ("bad", "x-circle-fill"),
    GroupState.UNAVAILABLE: ("warn", "cloud-slash"),
    GroupState.NOT_COUNTED: ("quiet", "dash-circle-dotted"),
    GroupState.COUNTED: ("ok", "check-circle-fill"),
}


@register.simple_tag
@lru_cache(maxsize=512)
def icon(name: str, extra: str = "") -> SafeString:
    """Draw an icon that says nothing by itself: a word stands beside it, or the control has a label."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        extra,
        static(SPRITE),
        name,
    )


@register.simple_tag
@lru_cache(maxsize=512)
def chip(tone: str, icon_name: str, word: str, extra: str = "") -> SafeString:
    return format_html('<span class="chip chip-{}">{}{}</span>', tone, icon(icon_name, extra), word)


@register.simple_tag
def run_chip(run: SyncRun) -> SafeString:
    """Say how a run stands: its status, or the phase while it works, or "Stalled" when it has gone silent."""
    if run.is_stalled(timezone.now()):
        return chip("warn", "cloud-slash", "Stalled")
    tone, icon_name = RUN_LOOK[RunStatus(run.status)]
    if run.status == RunStatus.RUNNING:
        progress = getattr(run, "progress", None)
        return chip(tone, icon_name, progress.get_phase_display() if progress else run.get_status_display(), "spin")
    return chip(tone, icon_name, run.get_status_display())


@register.simple_tag
def group_chip(group: TargetGroup) -> SafeString:
    """Say what a count is worth: counted, not counted yet, error, unavailable."""
    tone, icon_name = GROUP_LOOK[group.state]
    word = "No longer in MemberSuite" if group.is_gone and group.state == GroupState.UNAVAILABLE else group.state.label
    return chip(tone, icon_name, word)


@register.filter
def number(value: float | str | None) -> str:
    """Write a number with separators; what is not known is a dash, never 0."""
    return "–" if value is None or isinstance(value, str) else f"{value:,.0f}"


@register.filter
def age(value: datetime) -> str:
    """Write how long ago something was, in one unit."""
    return _age(value, timezone.now())


def _age(value: datetime, now: datetime) -> str:
    seconds = (now - value).total_seconds()
    if seconds < 0:
        return f"in {_span(-seconds)}"
    return "just now" if seconds < 10 else f"{_span(seconds)} ago"


@register.simple_tag
def moment(value: datetime | None, missing: str = "–") -> SafeString | str:
    """Write an age, with the exact time in the person's zone on it."""
    return moments()(value) if value else missing


def moments() -> Callable[[datetime], SafeString]:
    """Return a `moment` for a whole table, which looks up the time and the person's zone once."""
    now, zone = timezone.now(), timezone.get_current_timezone()

    def write(value: datetime) -> SafeString:
        # Nothing of it comes from people, so nothing needs to be escaped.
        exactly, words = _exact_words(value, zone), _age(value, now)
        return SafeString(f'<time datetime="{value.isoformat()}" title="{exactly}">{words}</time>')

    return write


@register.simple_tag
def exact(value: datetime | None, missing: str = "–") -> SafeString | str:
    """Write the exact time in the person's zone, with the age on it."""
    if not value:
        return missing
    return format_html(
        '<time class="num" datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        age(value),
        _exact_words(value, timezone.get_current_timezone()),
    )


@register.filter
def duration(value: timedelta | float | None) -> str:
    if value is None:
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@register.filter
def lookup(mapping: dict[str, Any] | None, key: str) -> Any:
    """Read a dict by a key that the template holds in a variable."""
    return mapping.get(key) if mapping else None


def _exact_words(value: datetime, zone: tzinfo) -> str:
    # The people of one sync share their second, and writing a time is the dearest thing in a row.
    return _exact_in(value.replace(microsecond=0), zone)


@lru_cache(maxsize=2048)
def _exact_in(value: datetime, zone: tzinfo) -> str:
    local = value.astimezone(zone)
    return f"{format_date(local, EXACT)} {local.tzname()}"


def _span(seconds: float) -> str:
    for size, word in ((86400, "day"), (3600, "h"), (60, "min")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {word}{'s' if word == 'day' and count > 1 else ''}"
    return f"{int(seconds)} s"
