"""`python -m bench.together_dlt ADDRESS FOLDER TIMES`: people fetched by dlt's REST source and merged, so many times.

Runs in dlt's environment. Prints a line each time: its seconds, and how many rows it fetched.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

PAGE = 1000
DATASET = "bench_together"
COLUMNS = "ID, LocalID, FirstName, LastName, EmailAddress, DoNotEmail, LastModifiedDate, Company, Title, City, State"


def main(address: str, folder: str, times: int) -> None:
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    for _ in range(times):
        print(*_fetched_and_merged(address, folder), flush=True)


def _fetched_and_merged(address: str, folder: str) -> tuple[float, int]:
    import dlt
    from dlt.sources.helpers.rest_client.paginators import BasePaginator
    from dlt.sources.rest_api import rest_api_source

    fetched = 0

    class ByLocalId(BasePaginator):  # type: ignore[misc]
        """Ask for the next page after the last LocalID: the service knows no other way over REST."""

        def __init__(self) -> None:
            super().__init__()
            self.last = 0

        def init_request(self, request: Any) -> None:
            request.json = {"msql": _statement(self.last)}

        def update_state(self, _response: Any, data: list[dict[str, Any]] | None = None) -> None:
            nonlocal fetched
            fetched += len(data or ())
            self._has_next_page = len(data or ()) == PAGE
            if data:
                self.last = data[-1]["localID"]

        def update_request(self, request: Any) -> None:
            request.json = {"msql": _statement(self.last)}

    endpoint = {
        "path": "platform/v2/dataSuite/executeSearch",
        "method": "POST",
        "json": {"msql": _statement(0)},
        "data_selector": "data",
        "paginator": ByLocalId(),
    }
    began = time.perf_counter()
    source = rest_api_source(
        {
            "client": {"base_url": f"{address}/", "auth": {"type": "bearer", "token": "t-1"}},
            "resources": [
                {
                    "name": "people",
                    "primary_key": "id",
                    "write_disposition": {"disposition": "merge", "strategy": "upsert"},
                    "endpoint": endpoint,
                }
            ],
        }
    )
    destination = dlt.destinations.postgres(os.environ["BENCH_DATABASE_URL"])
    dlt.pipeline("bench_together", pipelines_dir=folder, destination=destination, dataset_name=DATASET).run(source)
    return time.perf_counter() - began, fetched


def _statement(last: int) -> str:
    return (
        f"SELECT TOP {PAGE} {COLUMNS}, MembershipType FROM Individual"
        f" WHERE DoNotEmail = 0 AND LocalID > {last} ORDER BY LocalID"
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
