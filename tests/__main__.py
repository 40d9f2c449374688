"""What `make test` and `make lint` run, beside throw-away servers: the checks and pytest, side by side.

Every check runs even when another fails, so that one run tells all there is to mend.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BIN = Path(sys.executable).parent
PYTHON = sys.executable
# What a site in production sets; nothing is reached, the checks only read it.
PRODUCTION = {
    "DEBUG": "false",
    "HTTPS_ONLY": "true",
    "BEHIND_PROXY": "true",
    "ALLOWED_HOSTS": "thrive.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://thrive.example.org",
}
# In order of their length: the first takes as long as all others.
CHECKS: dict[str, tuple[list[str], dict[str, str]]] = {
    "mypy": ([str(BIN / "mypy"), "--no-error-summary"], {}),
    "ruff check": ([str(BIN / "ruff"), "check", "--quiet", "."], {}),
    "ruff format": ([str(BIN / "ruff"), "format", "--check", "--quiet", "."], {}),
    "import rules": ([str(BIN / "lint-imports"), "--no-cache"], {}),
    "makemigrations": ([PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"], {}),
    "check --deploy": ([PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
}
# The tests wait for servers, workers and a browser about as long as they work: twice as many processes as there usually
# are processors fill the gaps. tests/conftest.py has the longest begin first; a process that is done takes tests from
# one that is not. The plugin of Hypothesis only reports, and would have pytest rewrite that whole package in every
# process.
PYTEST = [PYTHON, "-m", "pytest", "-q", "-n", "4", "--dist", "worksteal", "-p", "no:hypothesispytest"]
# Or each process compiles every test anew in the form pytest gives it, which is half of what collecting takes.
KEEP_COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}


def main(arguments: list[str]) -> int:
    only_checks = arguments[:1] == ["--only-checks"]
    code = 0
    with ThreadPoolExecutor(max_workers=2 if only_checks else 1) as pool:
        checks = pool.map(_check, CHECKS)
        if not only_checks:
            code = subprocess.run([*PYTEST, *arguments], env=os.environ | KEEP_COMPILED, check=False).returncode
        failed = [name for name, is_good in checks if not is_good]
    if failed:
        print(f"Failed: {', '.join(failed)}.", flush=True)
    return code or (1 if failed else 0)


def _check(name: str) -> tuple[str, bool]:
    command, settings = CHECKS[name]
    began = time.monotonic()
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    verdict = "ok" if done.returncode == 0 else "FAILED"
    said = "" if done.returncode == 0 else f"\n{done.stdout}{done.stderr}"
    print(f"{name}: {verdict} ({time.monotonic() - began:.1f} s){said}", flush=True)
    return name, done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
