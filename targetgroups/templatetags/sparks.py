"""Very small charts, drawn as SVG without any style of their own; the numbers stand beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from thrive_sync.lib.words import number

register = template.Library()
WIDTH, HEIGHT, MARGIN = 120, 28, 3


@register.simple_tag
def sparkline(points: Sequence[tuple[datetime, int]]) -> SafeString | str:
    """Draw numbers over time; one alone is no line."""
    if len(points) < 2:
        return ""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in _places(points))
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" width="{}" height="{}" aria-hidden="true" focusable="false">'
        '<polyline points="{}"></polyline></svg>',
        WIDTH, HEIGHT, WIDTH, HEIGHT, places,
    )  # fmt: skip


@register.filter
def signed(value: int) -> str:
    """Write a change with its sign; none is "±0", so that it is not taken for a missing number."""
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{number(abs(value))}"


def _places(points: Sequence[tuple[datetime, int]]) -> list[tuple[float, float]]:
    """Put time from left to right and the lowest number at the bottom; what never changes lies in the middle."""
    begin, span = points[0][0], (points[-1][0] - points[0][0]).total_seconds() or 1.0
    low, high = min(count for _, count in points), max(count for _, count in points)
    room_x, room_y = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    return [
        (
            MARGIN + (at - begin).total_seconds() / span * room_x,
            MARGIN + (1 - ((count - low) / (high - low) if high > low else 0.5)) * room_y,
        )
        for at, count in points
    ]
