"""How things look on every page: icons, times, numbers, states (a word with an icon, never a colour alone)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from targetgroups.choices import GroupState, RunStatus
from targetgroups.models import SyncRun, TargetGroup
from thrive_sync.lib import words

register = template.Library()
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
SPRITE = "vendor/bootstrap-icons-1.13.2/sprite.svg"

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
        return chip("warn", "cloud-slash", gettext("Stalled"))
    tone, icon_name = RUN_LOOK[RunStatus(run.status)]
    if run.status == RunStatus.RUNNING:
        progress = getattr(run, "progress", None)
        return chip(tone, icon_name, progress.get_phase_display() if progress else run.get_status_display(), "spin")
    return chip(tone, icon_name, run.get_status_display())


@register.simple_tag
def group_chip(group: TargetGroup) -> SafeString:
    """Say what a count is worth: counted, not counted yet, error, unavailable."""
    tone, icon_name = GROUP_LOOK[group.state]
    is_gone = group.is_gone and group.state == GroupState.UNAVAILABLE
    word = gettext("No longer in MemberSuite") if is_gone else group.state.label
    return chip(tone, icon_name, word)


@register.filter
def number(value: float | str | None) -> str:
    """Write a number with separators; what is not known is a dash, never 0."""
    return "–" if value is None or isinstance(value, str) else words.number(value)


@register.filter
def age(value: datetime) -> str:
    """Write how long ago something was, in one unit."""
    return _age(value, timezone.now())


def _age(value: datetime, now: datetime) -> str:
    seconds = (now - value).total_seconds()
    if seconds < 0:
        return gettext("in %(span)s") % {"span": _span(-seconds)}
    # Translators: %(span)s is "5 min", "3 h" or "2 days".
    return gettext("just now") if seconds < 10 else gettext("%(span)s ago") % {"span": _span(seconds)}


@register.simple_tag
def moment(value: datetime | None, missing: str = "–") -> SafeString | str:
    """Write an age, with the exact time in the person's zone on it."""
    return moments()(value) if value else missing


def moments() -> Callable[[datetime], SafeString]:
    """Return a `moment` for a whole table, which looks up the time and the person's zone once."""
    now, zone = timezone.now(), timezone.get_current_timezone()

    def write(value: datetime) -> SafeString:
        # Nothing of it comes from people, and translations are ours: nothing needs to be escaped.
        exactly, ago = words.exact(value, zone), _age(value, now)
        return SafeString(f'<time datetime="{value.isoformat()}" title="{exactly}">{ago}</time>')

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
        words.exact(value),
    )


@register.filter
def duration(value: timedelta | float | None) -> str:
    if value is None:
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return gettext("%(count)s s") % {"count": number_format(seconds, 1)}
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": f"{minutes:02d}"}
    if minutes:
        return gettext("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": f"{rest:02d}"}
    return gettext("%(count)s s") % {"count": rest}


@register.filter
def lookup(mapping: dict[str, Any] | None, key: str) -> Any:
    """Read a dict by a key that the template holds in a variable."""
    return mapping.get(key) if mapping else None


def _span(seconds: float) -> str:
    if seconds >= _DAY:
        days = int(seconds // _DAY)
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": words.number(days)}
    if seconds >= _HOUR:
        return gettext("%(count)s h") % {"count": int(seconds // _HOUR)}
    if seconds >= _MINUTE:
        return gettext("%(count)s min") % {"count": int(seconds // _MINUTE)}
    return gettext("%(count)s s") % {"count": int(seconds)}
