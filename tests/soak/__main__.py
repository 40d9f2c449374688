"""What `make soak` runs: rounds of syncs in bad weather, each checked; then the tests that take minutes.

ROUNDS, SEED, FIRST and PLANT are read from the environment, so `make soak ROUNDS=50 SEED=7` works. The same seed draws
the same requests, changes and faults; where in its work a fault meets a worker differs from run to run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.chapter import Result

CHAPTER = 25  # rounds after which a soak begins anew with a fresh population: any round can be repeated from there
PLANT_ROUNDS = 50


def main() -> int:
    rounds, first = int(os.environ.get("ROUNDS") or 20), int(os.environ.get("FIRST") or 1)
    seed, plant = int(os.environ.get("SEED") or time.time_ns() % 100_000), os.environ.get("PLANT", "")
    if plant:
        return try_plants(plant, seed)
    failed = soak(seed, first, rounds).failed
    if os.environ.get("SOAK_ONLY"):
        return 1 if failed else 0
    code = subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "soak"], check=False).returncode
    return 1 if failed or code else 0


def try_plants(wanted: str, seed: int) -> int:
    """Plant one defect, or each in turn, and say how many rounds it took to catch it; 0 when all were caught."""
    from tests.soak.plants import PLANTS

    names = list(PLANTS) if wanted == "all" else [wanted]
    if wanted not in (*PLANTS, "all"):
        print(f"There is no plant {wanted}. There are: {', '.join(PLANTS)}; or all.")
        return 2
    told = {}
    for name in names:
        print(f"-- planted: {name}", flush=True)
        caught = soak(seed, 1, PLANT_ROUNDS, plant=name).caught
        told[name] = f"caught in round {caught}" if caught else f"NOT caught in {PLANT_ROUNDS} rounds"
    for name, verdict in told.items():
        print(f"{name}: {verdict}", flush=True)
    return 1 if any(verdict.startswith("NOT") for verdict in told.values()) else 0


def soak(seed: int, first: int, rounds: int, *, plant: str = "") -> Result:
    """Do the rounds, chapter by chapter; with a plant only until a round catches it."""
    began, total = time.monotonic(), Result()
    last = first + rounds - 1
    while (number := first + total.played) <= last and not (plant and total.caught) and not total.is_broken:
        start = (number - 1) // CHAPTER * CHAPTER + 1
        total += _chapter(seed, start, number, min(last, start + CHAPTER - 1), plant)
    took = time.monotonic() - began
    right = total.played - total.failed
    for what, count in sorted(total.tally.items()):
        print(f"{count:6} {what}")
    print(f"{right} of {total.played} rounds ended right (SEED={seed}, {took:.0f} s).", flush=True)
    return total


def _chapter(seed: int, start: int, number: int, end: int, plant: str) -> Result:
    """Play some rounds in a process of their own, with servers and people of their own."""
    with tempfile.NamedTemporaryFile() as file:
        asked = {"seed": seed, "start": start, "number": number, "end": end, "plant": plant, "result": file.name}
        done = subprocess.run([sys.executable, "-m", "tests.soak.chapter", json.dumps(asked)], check=False)
        said = Path(file.name).read_text()
    result = Result(**json.loads(said)) if said else Result()
    if done.returncode or not said:
        result.failed, result.is_broken = result.failed + 1, True
    return result


if __name__ == "__main__":
    sys.exit(main())
