"""`python -m thrive_sync.stack run`, which these very tests run under."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.programs import ROOT, marked_with


def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "thrive_sync.stack", "run", "--", *words]
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.run(
        command, cwd=ROOT, env=environment | settings, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_command_gets_servers_of_its_own_that_end_with_it_and_its_exit_code_is_told() -> None:
    script = (
        "import os, psycopg, redis; from urllib.parse import parse_qs, urlsplit as split;"
        "host = parse_qs(split(os.environ['DATABASE_URL']).query)['host'][0];"
        "connection = psycopg.connect(host=host, user='thrive', dbname='thrive_sync');"
        "print(connection.execute('SHOW fsync').fetchone()[0], redis.Redis.from_url(os.environ['REDIS_URL']).ping());"
        "print(os.environ['THRIVE_VAR']);"
        "raise SystemExit(3)"
    )
    done = run(sys.executable, "-c", script)
    assert done.returncode == 3
    assert done.stdout.startswith("off True\n"), done.stderr
    folder = Path(done.stdout.splitlines()[1]).parent
    assert not folder.exists()
    assert not marked_with(str(folder))


def test_addresses_in_the_environment_win() -> None:
    settings = {"DATABASE_URL": "postgres://given@/name", "REDIS_URL": os.environ["REDIS_URL"]}
    done = run(sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'])", **settings)
    assert done.stdout == "postgres://given@/name\n"


def test_without_the_wrapper_the_tests_say_how_to_run_them() -> None:
    environment = {name: value for name, value in os.environ.items() if not re.match("THRIVE_|PYTEST_", name)}
    command = [sys.executable, "-m", "pytest", "tests/stack/test_throwaway.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "python -m thrive_sync.stack run -- " in done.stderr
