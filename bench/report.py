"""The figures and goals as tables for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.goals import SMALL_MARGIN, Figure, Goal, ItemResult, Scale


@dataclass(frozen=True)
class Outcome:
    """An item's result, or the problem that left it without one."""

    item: str
    scale: Scale
    result: ItemResult = field(default_factory=ItemResult)
    problem: str = ""
    is_absent: bool = False
    seconds: float = 0

    @property
    def is_good(self) -> bool:
        """False when a goal is missed, a result is wrong or the item broke off; an absent item is only told."""
        missed = any(verdict(goal, self.scale) == "missed" for goal in self.result.goals)
        return not missed and not self.result.complaints and (not self.problem or self.is_absent)


def verdict(goal: Goal, scale: Scale) -> str:
    if goal.reached is None:
        return f"not measured: {goal.why or 'no reason given'}"
    if goal.reached:
        return "reached"
    if scale.is_small and goal.holds_within(SMALL_MARGIN):
        return "reached within the margin of small sizes"
    return "missed"


def item_text(outcome: Outcome) -> str:
    result = outcome.result
    parts = []
    if outcome.problem:
        parts.append(f"{outcome.item}: not measured: {outcome.problem}.")
    for table in dict.fromkeys(figure.table for figure in result.figures):
        figures = _figures([figure for figure in result.figures if figure.table == table])
        parts.append(f"{table}\n\n{figures}" if table else figures)
    if result.goals:
        head = ("goal", "what", "ratio", "needed", "verdict")
        parts.append(_table(head, [_goal(goal, outcome.scale) for goal in result.goals]))
    parts += [f"note: {note}" for note in result.notes]
    parts += [f"WRONG: {complaint}" for complaint in result.complaints]
    parts.append(f"({outcome.item} took {outcome.seconds:.0f} s)")
    return "\n\n".join(parts)


def summary(outcomes: Sequence[Outcome]) -> str:
    """Give the verdicts of all goals, counted, and name what is not reached."""
    verdicts = [(goal, verdict(goal, each.scale)) for each in outcomes for goal in each.result.goals]
    counts: dict[str, int] = {}
    for _, word in verdicts:
        short = word.partition(":")[0]
        counts[short] = counts.get(short, 0) + 1
    lines = [", ".join(f"{count} {word}" for word, count in counts.items()) or "no goal was measured"]
    lines += [f"  {goal.number} {goal.what}: {word}" for goal, word in verdicts if word != "reached"]
    lines += [f"  {each.item}: {each.problem}" for each in outcomes if each.problem]
    lines += [f"  {each.item}: WRONG: {complaint}" for each in outcomes for complaint in each.result.complaints]
    return "\n".join(lines)


def write(path: Path, outcomes: Sequence[Outcome], **given: Any) -> None:
    found = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        **given,
        "items": {each.item: _item_json(each) for each in outcomes},
    }
    path.write_text(json.dumps(found, indent=1) + "\n")


def _item_json(outcome: Outcome) -> dict[str, Any]:
    found = outcome.result.as_json()
    for goal, written in zip(outcome.result.goals, found["goals"], strict=True):
        written["verdict"] = verdict(goal, outcome.scale)
    return {
        "people": outcome.scale.people,
        "rounds": outcome.scale.rounds,
        "seconds": round(outcome.seconds, 1),
        "problem": outcome.problem,
        **found,
    }


def _figures(figures: Sequence[Figure]) -> str:
    """Lay the figures out as cases by contestants, the longer way down."""
    cells = {(each.case, f"{each.contestant}, {each.unit}"): number(each.value) for each in figures}
    down, across = (list(dict.fromkeys(key[place] for key in cells)) for place in (0, 1))
    if len(across) > len(down):
        down, across = across, down
        cells = {(contestant, case): value for (case, contestant), value in cells.items()}
    return _table(("", *across), [(name, *(cells.get((name, other), "-") for other in across)) for name in down])


def _goal(goal: Goal, scale: Scale) -> tuple[str, ...]:
    ratio = "-" if goal.ratio is None else number(goal.ratio)
    return (goal.number, goal.what, ratio, f"{goal.kind} {goal.needed:g}", verdict(goal, scale))


def number(value: float) -> str:
    """Three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)
