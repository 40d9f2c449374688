"""The report's numbers, adding up on screen (R15): plain figures in, lines out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from ..choices import LeftOutReason, Outcome
from .reading import TO_SEND_WORD

SETTLED = (Outcome.SENT, Outcome.FAILED, Outcome.BOUNCED, Outcome.SKIPPED, Outcome.UNKNOWN)
Filter = tuple[str, str, int]  # the word in the address, a label, how many


@dataclass(frozen=True)
class Line:
    label: str
    count: int
    sign: str = ""  # "", "−" or "="
    people: str = ""  # the list behind it: "recipients" or "left_out"; empty: both together
    outcome: str = ""
    reason: str = ""
    is_part: bool = False  # a part of the line above it, not of the sum


def people_sums(figures: dict[str, Any]) -> list[Line]:
    """Everybody in the groups, minus each reason to leave somebody out, is the recipients."""
    left_out = figures["left_out"]
    return [
        Line(gettext("People in the groups, each once"), figures["total"] + figures["left_out_total"]),
        *(
            Line(str(LeftOutReason(reason).label), left_out[reason], "−", "left_out", reason=reason)
            for reason in LeftOutReason.values
            if reason in left_out
        ),
        Line(gettext("Recipients"), figures["total"], "=", "recipients"),
    ]


def recipient_sums(figures: dict[str, Any]) -> list[Line]:
    """The recipients, minus each outcome, is who is still to get it."""
    outcomes, skipped = figures["outcomes"], figures["skipped"]
    lines = [Line(gettext("Recipients"), figures["total"], people="recipients")]
    for outcome in SETTLED:
        if outcome == Outcome.SENT or outcomes.get(outcome):
            count = outcomes.get(outcome, 0)
            lines.append(Line(str(outcome.label), count, "−", "recipients", outcome=outcome.value))
        if outcome == Outcome.SKIPPED:
            lines += [_skipped(reason, count) for reason, count in skipped.items()]
    return [*lines, Line(gettext("Still to send"), figures["left"], "=", "recipients", outcome=TO_SEND_WORD)]


def recipient_filters(figures: dict[str, Any]) -> list[Filter]:
    """Return the parts of the recipients that there are, each with its number."""
    outcomes = figures["outcomes"]
    parts = [(outcome.value, str(outcome.label), outcomes.get(outcome, 0)) for outcome in SETTLED]
    parts.append((TO_SEND_WORD, gettext("Still to send"), figures["left"]))
    return [("", gettext("All recipients"), figures["total"]), *(part for part in parts if part[2])]


def left_out_filters(figures: dict[str, Any]) -> list[Filter]:
    """Return the reasons for which somebody was left out, each with its number."""
    left_out = figures["left_out"]
    reasons = [(reason.value, str(reason.label), left_out[reason]) for reason in LeftOutReason if reason in left_out]
    return [("", gettext("All reasons"), figures["left_out_total"]), *reasons]


def _skipped(reason: str, count: int) -> Line:
    label = str(LeftOutReason(reason).label) if reason in LeftOutReason.values else reason
    return Line(label, count, people="recipients", outcome=Outcome.SKIPPED.value, reason=reason, is_part=True)
