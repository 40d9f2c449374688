"""dlt and two Singer targets, each in a process and a virtual environment of its own, over the same rows.

They keep every row and remove nobody: less work than the product does. A Singer target's time has its own start in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
from psycopg import sql

from bench import population
from bench.peers import ROOT, PeerMissing, python_of
from bench.sync_dlt import DATASET

_LONGEST_STEP = 900  # seconds
SINGERS = {
    "Singer pipelinewise": ("singer-pipelinewise", "bench_singer_p"),
    "Singer meltanolabs": ("singer-meltanolabs", "bench_singer_m"),
}


class DltSync:
    """dlt, merge by upsert, in one process until `close`; `peak` is its largest memory in MiB."""

    def __init__(self, people: int, folder: Path) -> None:
        self.people = people
        self.peak = 0.0
        command = [str(python_of("dlt")), "-m", "bench.sync_dlt", str(people), str(folder / f"dlt-{people}")]
        self._said = (folder / f"dlt-{people}.log").open("w+")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            cwd=ROOT,
            env=os.environ | {"BENCH_DATABASE_URL": url_for_dlt()},
        )

    def step(self, step: str) -> float:
        """Do one step and return its seconds. Raises PeerMissing with its last words if it failed."""
        if step == "first":
            forget_schemas(DATASET, f"{DATASET}_staging")
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            print(step, file=self._process.stdin, flush=True)
            seconds, peak = map(float, self._process.stdout.readline().split())
        except (OSError, ValueError) as error:
            self._said.seek(0)
            raise PeerMissing(f"it failed: {' '.join(self._said.read().split())[-300:]}") from error
        self.peak = max(self.peak, peak)
        return seconds

    def close(self) -> None:
        """End the process: its memory is not for the other contestants to go without."""
        self._process.kill()
        self._process.wait()
        self._said.close()


class SingerSync:
    """A Singer target that reads the rows as lines made beforehand."""

    def __init__(self, name: str, people: int, folder: Path) -> None:
        environment, self._schema = SINGERS[name]
        self._program = python_of(environment).with_name("target-postgres")
        self._settings = folder / f"{self._schema}.json"
        self._settings.write_text(json.dumps(_singer_settings(self._schema)))
        self._lines = {step: _lines(people, step, folder) for step in population.STEPS}

    def step(self, step: str) -> float:
        """Do one step and return its seconds."""
        if step == "first":
            forget_schemas(self._schema)
        began = time.perf_counter()
        finish([str(self._program), "--config", str(self._settings)], {}, self._lines[step])
        return time.perf_counter() - began


def url_for_dlt() -> str:
    """Spell the database's address, mostly a socket's folder, where a host's name must stand."""
    where = _database()
    return f"postgresql://{where['user']}:none@{quote(where['host'], safe='')}:{where['port']}/{where['dbname']}"


def forget_schemas(*names: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


def finish(command: list[str], environment: dict[str, str], standard_input: Path | None = None) -> str:
    """Run a peer to its end and return what it said. Raises PeerMissing with its last words if it failed."""
    given = standard_input.open("rb") if standard_input else None
    try:
        done = subprocess.run(
            command,
            stdin=given if given is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | environment,
            timeout=_LONGEST_STEP,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissing(f"it did not run: {error}") from error
    finally:
        if given is not None:
            given.close()
    if done.returncode != 0:
        raise PeerMissing(f"it failed: {' '.join(done.stderr.split())[-300:]}")
    return done.stdout


def _database() -> dict[str, Any]:
    url = urlsplit(os.environ["DATABASE_URL"])
    host = url.hostname or parse_qs(url.query)["host"][0]
    return {"host": host, "port": url.port or 5432, "user": url.username, "dbname": url.path.lstrip("/")}


def _singer_settings(schema: str) -> dict[str, Any]:
    where = _database()
    return where | {
        "password": "none",
        "database": where["dbname"],
        "sqlalchemy_url": f"postgresql+psycopg://{where['user']}@/{where['dbname']}?host={quote(where['host'])}",
        "default_target_schema": schema,
        "add_record_metadata": False,
        "activate_version": False,
        "use_copy": True,
        "batch_size_rows": 100_000,
    }


def _lines(people: int, step: str, folder: Path) -> Path:
    path = folder / f"{step}.jsonl"
    if not path.exists():
        properties = {name: {"type": ["string", "null"]} for name in population.FIELDS}
        schema = {"type": "object", "properties": properties}
        with path.open("w") as file:
            head = {"type": "SCHEMA", "stream": "people", "key_properties": ["id"], "schema": schema}
            file.write(json.dumps(head) + "\n")
            for row in population.rows(people, step):
                record = dict(zip(population.FIELDS, row, strict=True))
                file.write(json.dumps({"type": "RECORD", "stream": "people", "record": record}) + "\n")
    return path
