"""Twenty rounds of a soak, two chapters side by side: `make soak` plays as many as one likes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SEEDS, ROUNDS = (1, 2), 10


def test_r1_to_r11_and_r14_hold_through_twenty_rounds_of_faults(tmp_path: Path) -> None:
    chapters = [_chapter(seed, tmp_path / str(seed)) for seed in SEEDS]
    said = [chapter.communicate()[0] for chapter in chapters]
    assert [chapter.returncode for chapter in chapters] == [0, 0], "\n".join(said)
    results = [json.loads((tmp_path / str(seed)).read_text()) for seed in SEEDS]
    assert [(result["played"], result["failed"]) for result in results] == [(ROUNDS, 0)] * 2, "\n".join(said)
    # A soak in which nothing went wrong for the workers shows nothing.
    tallies = [result["tally"] for result in results]
    assert sum(tally["attempts"] for tally in tallies) > sum(_runs(tally) for tally in tallies)


def _chapter(seed: int, result: Path) -> subprocess.Popen[str]:
    asked = {"seed": seed, "start": 1, "number": 1, "end": ROUNDS, "plant": "", "result": str(result)}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.soak.chapter", json.dumps(asked)],
        env=os.environ | {"SOAK_PEOPLE": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _runs(tally: dict[str, int]) -> int:
    """Count the runs that some worker took."""
    kinds = ("group", "list", "preview", "check")
    return sum(count for what, count in tally.items() if what.split(" ")[0] in kinds and "cancelled" not in what)
