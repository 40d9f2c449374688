"""Up to 25 rounds of syncs, or 50 of mailings, on servers and with people of their own.

`make soak` plays each chapter in a process of its own.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from tests.soak import steps
from tests.soak.journal import Journal
from tests.soak.servers import Servers, remove
from tests.soak.workers import Nursery

# A dead worker is noticed within two seconds instead of thirty.
QUICK = {
    "SYNC_SILENCE_SECONDS": "2",
    "SYNC_HEARTBEAT_SECONDS": "0.4",
    "SYNC_SWEEP_SECONDS": "0.4",
    "MEMBERSUITE_RETRY_WAIT_SECONDS": "0.02",
    "DJANGO_SETTINGS_MODULE": "thrive_sync.settings",
    "LOG_LEVEL": "ERROR",
}
QUICK_MAIL = {
    "MAILING_SILENCE_SECONDS": "1",
    "EMAIL_TIMEOUT": "2",
    "MAIL_CONNECTIONS": "4",
    "SITE_URL": "https://letters.lamps.example",
    "MAIL_POSTAL_ADDRESS": "Lamp Street 1",
}
SYNCS, MAILINGS = "syncs", "mailings"
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


class Soaking(Protocol):
    """What plays rounds; `journal` tells of the last one."""

    nursery: Nursery
    journal: Journal

    def begin(self) -> None: ...

    def round(self, number: int, chance: random.Random) -> list[str]: ...

    def tally(self) -> dict[str, int]: ...


@dataclass(frozen=True)
class Asked:
    seed: int
    start: int  # the chapter's first round
    number: int  # the first one to be played
    end: int
    plant: str
    result: str
    what: str = SYNCS


Soaks = Callable[[Servers, Asked], AbstractContextManager[Soaking]]


def main(asked: Asked) -> int:
    folder = Path(tempfile.mkdtemp(prefix="thrive-soak-"))
    folder.chmod(0o711)  # PostgreSQL's own user has to get to its data
    try:
        with Servers(folder) as servers:
            os.environ |= servers.start_all() | QUICK | (QUICK_MAIL if asked.what == MAILINGS else {})
            os.environ |= {"SOAK_PLANT": asked.plant, "SOAK_STEPS": str(folder / "steps")}
            result = _play(_SOAKS[asked.what], servers, asked)
        Path(asked.result).write_text(json.dumps(asdict(result)))
        return 0
    finally:
        if not os.environ.get("SOAK_KEEP"):
            remove(folder)


def _play(soak: Soaks, servers: Servers, asked: Asked) -> Result:
    """Play the rounds; with a plant only until one goes wrong."""
    result = Result()
    with soak(servers, asked) as soaking:
        soaking.begin()
        for number in range(asked.number, asked.end + 1):
            began = time.monotonic()
            wrong = soaking.round(number, random.Random(f"{asked.seed}/{number}"))
            _tell(soaking, asked, number, wrong, time.monotonic() - began)
            result += Result(1, int(bool(wrong)), number if wrong else 0)
            if wrong and asked.plant:
                break
        return result + Result(tally=soaking.tally())


@contextmanager
def _syncs(servers: Servers, asked: Asked) -> Iterator[Soaking]:
    switch = steps.Switch(servers.folder / "steps")
    with _nursery(servers) as nursery:
        from memberSuite.standin.server import StandIn
        from tests.soak.driver import Soak

        with StandIn(people=PEOPLE, seed=asked.seed + asked.start, latency_ms=2) as standin:
            nursery.wait_until_ready()
            yield Soak(standin, servers, nursery, switch)


@contextmanager
def _mailings(servers: Servers, _asked: Asked) -> Iterator[Soaking]:
    from tests.soak.mail_log import MailServer
    from thrive_sync.stack import ports

    switch = steps.Switch(servers.folder / "steps")
    server = MailServer(servers.folder, ports.next_free(20_025 + os.getpid() % 9_000))
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{server.port}"
    with _nursery(servers) as nursery:
        from tests.soak.mail_driver import MailSoak

        nursery.wait_until_ready()
        try:
            yield MailSoak(servers, nursery, switch, server)
        finally:
            server.kill()


_SOAKS: dict[str, Soaks] = {SYNCS: _syncs, MAILINGS: _mailings}


@contextmanager
def _nursery(servers: Servers) -> Iterator[Nursery]:
    import django

    nursery = Nursery(servers.folder, servers.environment)
    try:
        django.setup()
        yield nursery
    finally:
        nursery.close()


def _tell(soaking: Soaking, asked: Asked, number: int, wrong: list[str], took: float) -> None:
    did, verdict = "; ".join(soaking.journal.told), "WRONG" if wrong else "right"
    print(f"{asked.what} {number} ({took:.1f} s) {verdict}: {did}", flush=True)
    if not wrong:
        return
    for complaint in wrong[:MOST_TOLD]:
        print(f"    {complaint}", flush=True)
    for line in soaking.nursery.said_since(time.time() - took)[-LOG_LINES:]:
        print(f"    | {line}", flush=True)
    if asked.what == SYNCS:
        again, where = f"FIRST={asked.start} ROUNDS={number - asked.start + 1}", ", after the rounds before it,"
    else:
        again, where = f"FIRST={number} ROUNDS=1", ""
    print(f"  Seed {asked.seed}, round {number}; it is repeated{where} by", flush=True)
    plant = f" PLANT={asked.plant}" if asked.plant else ""
    print(f"    make soak SOAK_ONLY={asked.what} SEED={asked.seed} {again}{plant}", flush=True)


if __name__ == "__main__":
    sys.exit(main(Asked(**json.loads(sys.argv[1]))))
