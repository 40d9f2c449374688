"""What `make soak` runs: workers killed at random while people change, then the tests that take minutes.

ROUNDS and SEED are read from the environment, so `make soak ROUNDS=50 SEED=7` works. The same seed makes the same
people, changes and waits; where in its work a kill meets the worker differs from run to run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

# A dead worker is noticed within two seconds instead of thirty.
QUICK = {
    "SYNC_SILENCE_SECONDS": "1.5",
    "SYNC_HEARTBEAT_SECONDS": "0.3",
    "SYNC_SWEEP_SECONDS": "0.5",
    "MEMBERSUITE_RETRY_WAIT_SECONDS": "0.05",
}


def main() -> int:
    rounds, seed = int(os.environ.get("ROUNDS", "20")), int(os.environ.get("SEED") or time.time_ns() % 100_000)
    failed = soak(rounds, seed)
    code = subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "soak"], check=False).returncode
    return 1 if failed or code else 0


def soak(rounds: int, seed: int) -> int:
    """Do the rounds and return how many left a group that is not exactly right."""
    os.environ |= QUICK
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thrive_sync.settings")
    import django

    django.setup()
    from memberSuite.standin.server import StandIn
    from tests.soak.rounds import Soak

    failed = 0
    with StandIn(people=3_000, seed=seed, latency_ms=5) as standin, Soak(standin, seed) as soaking:
        for number in range(1, rounds + 1):
            complaints = soaking.round()
            failed += bool(complaints)
            print(f"round {number} of {rounds}: {soaking.told}: {'; '.join(complaints[:5]) or 'exact'}", flush=True)
    print(f"{rounds - failed} of {rounds} rounds ended exact (SEED={seed}).", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
