"""`python -m bench.sync_dlt PEOPLE STEP FOLDER [stream]`: one step by dlt, in dlt's own virtual environment.

Prints its seconds, without Python's start, and the process's peak memory in MiB. With `stream` the rows are made as
dlt asks for them, so that the memory is dlt's own.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from itertools import islice

from bench import population

_A_BATCH = 1000
DATASET = "bench_dlt"


def main(people: int, step: str, folder: str, *, streamed: bool) -> None:
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    import dlt

    ready = None if streamed else list(_dicts(people, step))

    def batches() -> Iterator[list[dict[str, str]]]:
        rows = iter(ready) if ready is not None else _dicts(people, step)
        while batch := list(islice(rows, _A_BATCH)):
            yield batch

    began = time.perf_counter()
    destination = dlt.destinations.postgres(os.environ["BENCH_DATABASE_URL"])
    pipeline = dlt.pipeline("bench_sync", pipelines_dir=folder, destination=destination, dataset_name=DATASET)
    disposition = {"disposition": "merge", "strategy": "upsert"}
    pipeline.run(dlt.resource(batches, name="people", primary_key="id", write_disposition=disposition))
    seconds = time.perf_counter() - began
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _dicts(people: int, step: str) -> Iterator[dict[str, str]]:
    return (dict(zip(population.FIELDS, row, strict=True)) for row in population.rows(people, step))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], streamed="stream" in sys.argv[4:])
