"""Measure the product beside its peers, and say which goals are reached. `make bench` brings the servers.

Each item runs in a process and on a database of its own. Exit code 1: a goal was missed, a result was wrong, or an
item broke off; what could not be measured is told, and is neither reached nor missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import report
from bench.goals import ItemResult, Scale

ITEMS = ("client", "sync", "together", "pages", "clicks", "whole_sync", "mailing")
# At fewer members a whole page costs the same as its index reads, and there is nothing to tell apart. A whole sync is
# looked at for its result and its memory, which no number of people changes.
SMALL_PEOPLE = {"pages": 100_000, "whole_sync": 10_000, "mailing": 3_000}
BIG_PEOPLE = {"mailing": 50_000}  # minutes: the slowest peer sends some hundred messages a second
SMALL, BIG = 20_000, 1_000_000
LONGEST_ITEM = {"small": 600, "big": 3 * 60 * 60}  # seconds


@dataclass(frozen=True)
class Options:
    items: tuple[str, ...]
    size: str
    people: int | None
    rounds: int
    latency_ms: float
    peers: frozenset[str] | None
    json: Path

    def scale(self, item: str) -> Scale:
        small = self.size == "small"
        people = self.people or (SMALL_PEOPLE.get(item, SMALL) if small else BIG_PEOPLE.get(item, BIG))
        return Scale(people, self.rounds, self.latency_ms, is_small=small, peers=self.peers)


def main() -> int:
    options = arguments()
    if "THRIVE_THROW_AWAY" not in os.environ:
        print("A measurement fills and empties its servers. `make bench` starts some of its own.", file=sys.stderr)
        return 2
    outcomes = []
    for item in options.items:
        print(f"\n== {item} ({options.scale(item).people:,} people)", flush=True)
        outcomes.append(measure(item, options))
        print(report.item_text(outcomes[-1]), flush=True)
    print(f"\n{report.summary(outcomes)}")
    report.write(options.json, outcomes, size=options.size, rounds=options.rounds)
    return 0 if all(outcome.is_good for outcome in outcomes) else 1


def arguments() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--items", default="", help=f"of {','.join(ITEMS)}; all if not given")
    parser.add_argument("--size", choices=("small", "big"), default="small", help="small: minutes; big: a million")
    parser.add_argument("--people", type=int, help="if not the size's own")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=50, help="what each call waits before its answer")
    parser.add_argument("--peers", default="", help="the only peers to measure; all if not given")
    parser.add_argument("--json", type=Path, default=Path("bench-results.json"), help="where the figures go")
    given = parser.parse_args()
    items = _words(given.items) or ITEMS
    if unknown := set(items) - set(ITEMS):
        parser.error(f"unknown items: {', '.join(sorted(unknown))}; there are {', '.join(ITEMS)}")
    peers = frozenset(_words(given.peers)) or None
    return Options(items, given.size, given.people, given.rounds, given.latency_ms, peers, given.json)


def measure(item: str, options: Options) -> report.Outcome:
    """Measure one item in a process of its own, on an empty database that ends with it."""
    from bench.database import empty_database

    scale = options.scale(item)
    if not (Path(__file__).parent / f"{item}.py").exists():
        return report.Outcome(item, scale, problem="there is no such measurement yet", is_absent=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, empty_database(f"bench_{item}") as addresses:
        answer = Path(folder) / "result.json"
        command = [sys.executable, "-m", "bench.child", item, json.dumps(_plain(scale)), str(answer)]
        try:
            code = subprocess.run(
                command, env=os.environ | addresses, check=False, timeout=LONGEST_ITEM[options.size]
            ).returncode
            problem = "" if code == 0 else f"it broke off with exit code {code}"
        except subprocess.TimeoutExpired:
            problem = f"it took longer than {LONGEST_ITEM[options.size]} seconds"
        result = ItemResult.from_json(json.loads(answer.read_text())) if not problem else ItemResult()
    return report.Outcome(item, scale, result, problem, seconds=time.monotonic() - began)


def _plain(scale: Scale) -> dict[str, object]:
    return vars(scale) | {"peers": sorted(scale.peers) if scale.peers is not None else None}


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(" ", ",").split(",") if word)


if __name__ == "__main__":
    sys.exit(main())
