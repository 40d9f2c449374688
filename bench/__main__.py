"""Measure a large group's syncs: first, unchanged, 5 % changed, 5 % removed. `make bench` brings the servers.

Exit code 1 when a group is not exactly what the stand-in says it must be, or when the worker took too much memory.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

STEPS = ("first", "unchanged", "changed", "removed")


def main() -> int:
    options = arguments()
    if "THRIVE_THROW_AWAY" not in os.environ:
        print("A measurement fills and empties its servers. `make bench` starts some of its own.", file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thrive_sync.settings")
    import django

    django.setup()
    return measure(options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000, help="10 to 1,000,000")
    parser.add_argument("--latency-ms", type=float, default=50, help="what each call waits before its answer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", default=",".join(STEPS), help="which of them, and in which order")
    parser.add_argument("--page-size", type=int, help="rows a call, if not the product's default")
    parser.add_argument("--in-flight", type=int, help="calls at once, if not the product's default")
    parser.add_argument("--json", type=Path, default=Path("bench-results.json"), help="where the figures go")
    options = parser.parse_args()
    options.steps = [step for step in options.steps.split(",") if step]
    if unknown := set(options.steps) - set(STEPS):
        parser.error(f"unknown steps: {', '.join(sorted(unknown))}")
    return options


def measure(options: argparse.Namespace) -> int:
    from bench import report
    from bench.standin import standin
    from bench.sync import Measurement, prepare
    from targetgroups.models import Bridge
    from tests.support.workers import Worker

    make_tables()
    worker = Worker("interactive", "scheduled")
    try:
        with standin(options.people, options.seed, options.latency_ms) as server:
            print(f"{options.people:,} people, {options.latency_ms:g} ms a call; stand-in up in", end=" ")
            print(f"{server.built_seconds:.1f} s", flush=True)
            worker.wait_until_ready()
            group = prepare(server)
            own = {"page_size": options.page_size, "requests_in_flight": options.in_flight}
            Bridge.objects.update(**{name: value for name, value in own.items() if value})
            measurement = Measurement(server, worker, group)
            results = []
            for step in options.steps:
                results.append(measurement.step(step))
                print(report.phases(results[-1]), flush=True)
                for complaint in results[-1].complaints[:5]:
                    print(f"  {complaint}", flush=True)
            bridge = Bridge.objects.get()
    finally:
        worker.stop()
    print(f"\n{report.table(results)}")
    report.write(
        options.json,
        results,
        people=options.people,
        latency_ms=options.latency_ms,
        seed=options.seed,
        page_size=bridge.page_size,
        in_flight=bridge.requests_in_flight,
        standin_built_seconds=round(server.built_seconds, 2),
    )
    return 0 if all(result.is_good for result in results) else 1


def make_tables() -> None:
    """Make the tables before the worker asks for them."""
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


if __name__ == "__main__":
    sys.exit(main())
