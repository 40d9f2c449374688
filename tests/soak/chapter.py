"""Up to 25 rounds, on servers and with people of their own: `make soak` plays each chapter in a process of its own."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.soak.servers import Servers, remove

if TYPE_CHECKING:
    from tests.soak.driver import Soak

# A dead worker is noticed within two seconds instead of thirty.
QUICK = {
    "SYNC_SILENCE_SECONDS": "2",
    "SYNC_HEARTBEAT_SECONDS": "0.4",
    "SYNC_SWEEP_SECONDS": "0.4",
    "MEMBERSUITE_RETRY_WAIT_SECONDS": "0.02",
    "DJANGO_SETTINGS_MODULE": "thrive_sync.settings",
    "LOG_LEVEL": "ERROR",
}
PEOPLE = int(os.environ.get("SOAK_PEOPLE") or 240)
MOST_TOLD = 20
LOG_LINES = 60


@dataclass
class Result:
    """How many rounds were played, how many went wrong, and which one did first; broken if the soak itself failed.

    `tally` counts what happened: runs by their end, and steps and faults by their names.
    """

    played: int = 0
    failed: int = 0
    caught: int = 0
    is_broken: bool = False
    tally: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: Result) -> Result:
        played, failed = self.played + other.played, self.failed + other.failed
        tally = dict(Counter(self.tally) + Counter(other.tally))
        return Result(played, failed, self.caught or other.caught, self.is_broken or other.is_broken, tally)


@dataclass(frozen=True)
class Asked:
    seed: int
    start: int  # the chapter's first round
    number: int  # the first one to be played
    end: int
    plant: str
    result: str


def main(asked: Asked) -> int:
    folder = Path(tempfile.mkdtemp(prefix="thrive-soak-"))
    folder.chmod(0o711)  # PostgreSQL's own user has to get to its data
    try:
        with Servers(folder) as servers:
            os.environ |= servers.start_all() | QUICK
            os.environ |= {"SOAK_PLANT": asked.plant, "SOAK_STEPS": str(folder / "steps")}
            result = _play(servers, asked)
        Path(asked.result).write_text(json.dumps(asdict(result)))
        return 0
    finally:
        if not os.environ.get("SOAK_KEEP"):
            remove(folder)


def _play(servers: Servers, asked: Asked) -> Result:
    """Play the rounds; with a plant only until one goes wrong."""
    import django

    from tests.soak import steps
    from tests.soak.workers import Nursery

    result = Result()
    switch = steps.Switch(servers.folder / "steps")
    nursery = Nursery(servers.folder, servers.environment)
    try:
        django.setup()
        from memberSuite.standin.server import StandIn
        from tests.soak.driver import Soak

        with StandIn(people=PEOPLE, seed=asked.seed + asked.start, latency_ms=2) as standin:
            nursery.wait_until_ready()
            soaking = Soak(standin, servers, nursery, switch)
            soaking.begin()
            for number in range(asked.number, asked.end + 1):
                began = time.monotonic()
                wrong = soaking.round(number, random.Random(f"{asked.seed}/{number}"))
                _tell(soaking, asked, number, wrong, time.monotonic() - began)
                result += Result(1, int(bool(wrong)), number if wrong else 0)
                if wrong and asked.plant:
                    break
            result += Result(tally=soaking.tally())
    finally:
        nursery.close()
    return result


def _tell(soaking: Soak, asked: Asked, number: int, wrong: list[str], took: float) -> None:
    did, verdict = "; ".join(soaking.journal.told), "WRONG" if wrong else "right"
    print(f"round {number} ({took:.1f} s) {verdict}: {did}", flush=True)
    if not wrong:
        return
    for complaint in wrong[:MOST_TOLD]:
        print(f"    {complaint}", flush=True)
    for line in soaking.nursery.said_since(time.time() - took)[-LOG_LINES:]:
        print(f"    | {line}", flush=True)
    again = f"SEED={asked.seed} FIRST={asked.start} ROUNDS={number - asked.start + 1}"
    print(f"  Seed {asked.seed}, round {number}; it is repeated, after the rounds before it, by", flush=True)
    print(f"    make soak {again}" + (f" PLANT={asked.plant}" if asked.plant else ""), flush=True)


if __name__ == "__main__":
    sys.exit(main(Asked(**json.loads(sys.argv[1]))))
