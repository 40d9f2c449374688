"""What `make soak` runs: rounds of syncs and mailings in bad weather, each checked; then the tests that take minutes.

ROUNDS, SEED, FIRST, PLANT and SOAK_ONLY are read from the environment, so `make soak ROUNDS=50 SEED=7` works. The same
seed draws the same requests, changes and faults; where in its work a fault meets a worker differs from run to run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.soak.chapter import MAILINGS, SYNCS, Result


@dataclass(frozen=True)
class Kind:
    """One of the two soaks.

    Attributes:
        rounds: how many are played unless ROUNDS says it.
        chapter: rounds after which it begins anew with a fresh population.
        leads_back: whether a round depends on those before it, so that it is repeated from its chapter's beginning.
    """

    name: str
    rounds: int
    chapter: int
    leads_back: bool


KINDS = (Kind(SYNCS, 20, 25, leads_back=True), Kind(MAILINGS, 200, 50, leads_back=False))
PLANT_ROUNDS = 50


def main() -> int:
    first = int(os.environ.get("FIRST") or 1)
    seed, plant = int(os.environ.get("SEED") or time.time_ns() % 100_000), os.environ.get("PLANT", "")
    only = os.environ.get("SOAK_ONLY", "")
    if plant:
        return try_plants(plant, seed)
    chosen = [kind for kind in KINDS if only in ("", "1", kind.name)]
    if not chosen:
        print(f"SOAK_ONLY is one of {', '.join(kind.name for kind in KINDS)}; or 1, for both without the tests.")
        return 2
    failed = sum(soak(kind, seed, first, int(os.environ.get("ROUNDS") or kind.rounds)).failed for kind in chosen)
    if only:
        return 1 if failed else 0
    code = subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "soak"], check=False).returncode
    return 1 if failed or code else 0


def try_plants(wanted: str, seed: int) -> int:
    """Plant one defect, or each in turn, and say how many rounds it took to catch it; 0 when all were caught."""
    from tests.soak.mail_plants import MAIL_PLANTS
    from tests.soak.plants import PLANTS

    kinds = dict.fromkeys(PLANTS, KINDS[0]) | dict.fromkeys(MAIL_PLANTS, KINDS[1])
    groups = {"all": list(kinds), SYNCS: list(PLANTS), MAILINGS: list(MAIL_PLANTS)}
    names = groups.get(wanted, [wanted])
    if not kinds.keys() >= set(names):
        print(f"There is no plant {wanted}. There are: {', '.join(kinds)}; or {', '.join(groups)}.")
        return 2
    told = {}
    for name in names:
        print(f"-- planted: {name}", flush=True)
        caught = soak(kinds[name], seed, 1, PLANT_ROUNDS, plant=name).caught
        told[name] = f"caught in round {caught}" if caught else f"NOT caught in {PLANT_ROUNDS} rounds"
    for name, verdict in told.items():
        print(f"{name}: {verdict}", flush=True)
    return 1 if any(verdict.startswith("NOT") for verdict in told.values()) else 0


def soak(kind: Kind, seed: int, first: int, rounds: int, *, plant: str = "") -> Result:
    """Do the rounds, chapter by chapter; with a plant only until a round catches it."""
    began, total = time.monotonic(), Result()
    last = first + rounds - 1
    while (number := first + total.played) <= last and not (plant and total.caught) and not total.is_broken:
        start = (number - 1) // kind.chapter * kind.chapter + 1
        begin = start if kind.leads_back else number
        total += _chapter(kind, seed, begin, number, min(last, start + kind.chapter - 1), plant)
    took = time.monotonic() - began
    right = total.played - total.failed
    for what, count in sorted(total.tally.items()):
        print(f"{count:6} {what}")
    print(f"{right} of {total.played} rounds of {kind.name} ended right (SEED={seed}, {took:.0f} s).", flush=True)
    return total


def _chapter(kind: Kind, seed: int, start: int, number: int, end: int, plant: str) -> Result:
    """Play some rounds in a process of their own, with servers and people of their own."""
    with tempfile.NamedTemporaryFile() as file:
        asked = {"seed": seed, "start": start, "number": number, "end": end, "plant": plant, "result": file.name}
        asked |= {"what": kind.name}
        done = subprocess.run([sys.executable, "-m", "tests.soak.chapter", json.dumps(asked)], check=False)
        said = Path(file.name).read_text()
    result = Result(**json.loads(said)) if said else Result()
    if done.returncode or not said:
        result.failed, result.is_broken = result.failed + 1, True
    return result


if __name__ == "__main__":
    sys.exit(main())
