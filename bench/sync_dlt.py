"""`python -m bench.sync_dlt PEOPLE FOLDER`: the steps named on stdin by dlt, in dlt's own virtual environment.

It answers each line with the step's seconds and the process's peak memory in MiB. Rows are made as dlt asks for them,
so that the memory is dlt's own; the time to make them is not counted.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from itertools import islice

from bench import population
from bench.peak import peak_mib

_A_BATCH = 1000
DATASET = "bench_dlt"


def main(people: int, folder: str) -> None:
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    for line in sys.stdin:
        seconds = _seconds_of(people, line.strip(), folder)
        print(seconds, peak_mib(), flush=True)


def _seconds_of(people: int, step: str, folder: str) -> float:
    import dlt

    making = 0.0

    def batches() -> Iterator[list[dict[str, str]]]:
        nonlocal making
        rows = (dict(zip(population.FIELDS, row, strict=True)) for row in population.rows(people, step))
        while True:
            began = time.perf_counter()
            batch = list(islice(rows, _A_BATCH))
            making += time.perf_counter() - began
            if not batch:
                return
            yield batch

    began = time.perf_counter()
    destination = dlt.destinations.postgres(os.environ["BENCH_DATABASE_URL"])
    pipeline = dlt.pipeline("bench_sync", pipelines_dir=folder, destination=destination, dataset_name=DATASET)
    disposition = {"disposition": "merge", "strategy": "upsert"}
    pipeline.run(dlt.resource(batches, name="people", primary_key="id", write_disposition=disposition))
    return time.perf_counter() - began - making


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
