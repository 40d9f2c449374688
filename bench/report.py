"""The figures as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

from bench.memory import MIB
from bench.sync import Result

_HEAD = ("step", "people", "members", "seconds", "people/s", "calls", "CPU s", "worker MiB", "exact")


def table(results: list[Result]) -> str:
    rows = [_HEAD, *(_row(result) for result in results)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


def phases(result: Result) -> str:
    """Say where a step's time went."""
    parts = [f"{phase} {seconds:.1f} s" for phase, seconds in result.phase_seconds.items()]
    return f"{result.step}: {', '.join(parts)}"


def write(path: Path, results: list[Result], **given: Any) -> None:
    found = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        **given,
        "steps": [result.as_json() for result in results],
    }
    path.write_text(json.dumps(found, indent=1) + "\n")


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.step,
        f"{result.people:,}",
        f"{result.members:,}",
        f"{result.seconds:.1f}",
        f"{result.rows_a_second:,.0f}",
        f"{result.calls:,}",
        f"{result.cpu_seconds:.1f}",
        f"{result.peak_of_all / MIB:.0f}",
        "yes" if result.is_good else "NO",
    )
