"""The product's own sync path over rows that are decoded already, beside other ways to get them into PostgreSQL.

Every contestant gets the same rows in the same four steps: a first load, the same again, 5 % changed, 5 % removed.
The product alone has groups, rules, sort keys, a search index and a record of what changed; the limit has none of it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bench import goals, population
from bench.database import empty_database
from bench.goals import Figure, Goal, ItemResult, Scale
from bench.peers import ROOT, PeerMissing
from bench.population import STEPS
from bench.sync_limit import LimitSync
from bench.sync_peers import SINGERS, DltSync, SingerSync

PRODUCT, LIMIT, BULK, DLT = "product", "COPY and one MERGE", "Django bulk_create", "dlt"
# Above this many rows each of their steps takes minutes.
MOST_FOR_PEERS = 200_000
MEMORY_AT = 100_000  # people at which dlt's memory, and the product's smaller one, is taken

_NEEDED = {
    # step: goal, x dlt, x the faster Singer target, x bulk_create, x limit, x limit at a million
    "first": ("2a", 4, 3, 2.5, 0.55, 0.55),
    "unchanged": ("2b", 10, 7, 6, 0.6, 0.4),
    "changed": ("2c", 8, 5, 6, 0.5, 0.5),
    "removed": ("2c", 8, 5, 6, 0.5, 0.5),
}

Rates = dict[str, dict[str, list[float]]]  # by contestant and step, rows a second


class Contestant(Protocol):
    def step(self, step: str) -> float: ...


def measure(scale: Scale) -> ItemResult:
    """Measure all contestants in one run, in another order each round."""
    logging.disable(logging.INFO)
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        contestants = _contestants(scale, Path(folder), missing)
        rates = _rates(contestants, scale, missing)
        memory_figures, memory_goals = _memory(scale, contestants.get(DLT), Path(folder))
    return ItemResult(
        figures=[*_figures(rates), *memory_figures],
        goals=[*_goals(rates, scale, missing), *memory_goals],
        notes=_notes(scale, missing),
    )


def _contestants(scale: Scale, folder: Path, missing: dict[str, str]) -> dict[str, Contestant]:
    from bench.sync_django import DjangoSync
    from bench.sync_product import ProductSync

    makers: dict[str, Callable[[], Contestant]] = {
        LIMIT: lambda: LimitSync(scale.people),
        PRODUCT: lambda: ProductSync(scale.people),
        BULK: lambda: DjangoSync(_rows_for(BULK, scale)),
        DLT: lambda: DltSync(scale.people, folder),
    }
    for name in SINGERS:
        makers[name] = lambda name=name: SingerSync(name, scale.people, folder)  # type: ignore[misc]
    found: dict[str, Contestant] = {}
    for name, make in makers.items():
        if name not in (LIMIT, PRODUCT):
            if scale.people > MOST_FOR_PEERS:
                missing[name] = f"left out above {MOST_FOR_PEERS:,} rows, where each of its steps takes minutes"
                continue
            if not scale.wants(name):
                missing[name] = "not asked for"
                continue
        try:
            found[name] = make()
        except PeerMissing as error:
            missing[name] = str(error)
    return found


def _rows_for(name: str, scale: Scale) -> int:
    """Say how many rows a contestant gets: bulk_create writes batch after batch, as fast with few rows as with many."""
    return scale.people // 4 if name == BULK and scale.is_small else scale.people


def _rates(contestants: dict[str, Contestant], scale: Scale, missing: dict[str, str]) -> Rates:
    """Let every contestant do its four steps `rounds` times; at small sizes the peers' own processes do them once."""
    rates: Rates = {name: {step: [] for step in STEPS} for name in contestants}
    names = list(contestants)
    for number in range(scale.rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            contestant = contestants[name]
            is_slow = isinstance(contestant, DltSync | SingerSync)
            if name in missing or (is_slow and scale.is_small and number > 0):
                continue
            try:
                for step in STEPS:
                    seconds = contestant.step(step)
                    rates[name][step].append(population.row_count(_rows_for(name, scale), step) / seconds)
            except PeerMissing as error:
                missing[name] = str(error)
                rates[name] = {step: [] for step in STEPS}
            if isinstance(contestant, DltSync) and (scale.is_small or number == scale.rounds - 1):
                contestant.close()
    return rates


def _figures(rates: Rates) -> list[Figure]:
    return [
        figure
        for name, by_step in rates.items()
        for step, values in by_step.items()
        for figure in goals.figures_of("sync", name, step, values, "rows/s")
    ]


def _goals(rates: Rates, scale: Scale, missing: dict[str, str]) -> list[Goal]:
    found = []
    for step, (number, dlt, singer, bulk, limit, limit_at_a_million) in _NEEDED.items():
        own = rates[PRODUCT][step]
        fastest_singer = max(SINGERS, key=lambda name: max(rates.get(name, {}).get(step) or [0.0]))
        against = [
            (DLT, dlt),
            (fastest_singer, singer),
            (BULK, bulk),
            (LIMIT, limit_at_a_million if scale.people >= 1_000_000 else limit),
        ]
        for name, needed in against:
            what = f"sync, {step}: product over {name}"
            if name in missing:
                found.append(goals.not_measured(number, what, needed, "at least", missing[name]))
            else:
                found.append(goals.at_least(number, what, own, rates[name][step], needed))
    return found


def _memory(scale: Scale, dlt: Contestant | None, folder: Path) -> tuple[list[Figure], list[Goal]]:
    """Take the peak memory of processes that do nothing but sync, fed by generators."""
    smaller = min(MEMORY_AT, scale.people) if not scale.is_small else scale.people // 10
    own = {people: _peak_of_product(people) for people in (smaller, scale.people)}
    figures = [Figure("sync", PRODUCT, f"peak at {people:,} rows", peak, "MiB") for people, peak in own.items()]
    flat = goals.at_most(
        "2d", f"peak memory at {scale.people:,} rows over that at {smaller:,}", [own[scale.people]], [own[smaller]], 1.2
    )
    of_dlt = min(MEMORY_AT, scale.people)
    what = f"peak memory over dlt's at {of_dlt:,} rows"
    if not scale.wants(DLT):
        return figures, [flat, goals.not_measured("2d", what, 0.5, "at most", "not asked for")]
    try:
        peak = _peak_of_dlt(dlt, of_dlt, folder)
    except PeerMissing as error:
        return figures, [flat, goals.not_measured("2d", what, 0.5, "at most", str(error))]
    figures.append(Figure("sync", DLT, f"peak at {of_dlt:,} rows", peak, "MiB"))
    return figures, [flat, goals.at_most("2d", what, [own[scale.people]], [peak], 0.5)]


def _peak_of_product(people: int) -> float:
    with empty_database("bench_sync_memory") as addresses:
        command = [sys.executable, "-m", "bench.sync_memory", str(people), "first", "changed"]
        environment = os.environ | addresses
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[-1])


def _peak_of_dlt(measured: Contestant | None, people: int, folder: Path) -> float:
    """Return dlt's peak memory; it is known if its rate was measured with as many rows."""
    if isinstance(measured, DltSync) and measured.people == people and measured.peak:
        return measured.peak
    peer = DltSync(people, folder)
    try:
        for step in ("first", "changed"):
            peer.step(step)
    finally:
        peer.close()
    return peer.peak


def _notes(scale: Scale, missing: dict[str, str]) -> list[str]:
    notes = [
        "1 row in 41 is Do Not Email. dlt and the Singer targets keep those rows and remove nobody.",
        "The limit gets its text rendered and those rows dropped before its clock starts, and has no members.",
        "The product is measured from a run that waits to one that is over, statistics for the planner included.",
    ]
    if scale.is_small:
        notes.append("To keep this short: dlt and the Singer targets do one round, bulk_create a quarter of the rows.")
    return notes + [f"{name} was not measured: {why}." for name, why in sorted(missing.items())]
