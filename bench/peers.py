"""Other programs to measure against: each in a virtual environment of its own, made on first use."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "bench" / "requirements"
VENVS = ROOT / ".venv-bench"
_LONGEST_INSTALLATION = 900  # seconds


class PeerMissing(Exception):
    """A peer can't be measured here; the message says why, for "not measured: ..."."""


def python_of(name: str) -> Path:
    """Return the interpreter of a peer's environment; install bench/requirements/<name>.txt if that was not done yet.

    Raises:
        PeerMissing: it could not be installed. It is tried again next time.
    """
    requirements = REQUIREMENTS / f"{name}.txt"
    if not requirements.exists():
        raise PeerMissing(f"there is no bench/requirements/{name}.txt")
    folder, wanted = VENVS / name, sha256(requirements.read_bytes()).hexdigest()
    VENVS.mkdir(exist_ok=True)
    with (VENVS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two measurements may start at once
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            print(f"Installing the peer {name} into .venv-bench/{name}, once ...", file=sys.stderr, flush=True)
            _install(folder, requirements)
            stamp.write_text(wanted)
    return folder / "bin" / "python"


def _install(folder: Path, requirements: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check")
    run(*pip, "-r", str(requirements))


def run(*command: str, folder: Path | None = None, **environment: str) -> None:
    """Run a step of an installation. Raises PeerMissing with its last word of error."""
    options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": _LONGEST_INSTALLATION, "check": False}
    try:
        done = subprocess.run(command, cwd=folder, env=os.environ | environment, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissing(f"it could not be installed: {error}") from error
    if done.returncode != 0:
        raise PeerMissing(f"it could not be installed: {_last_line(done.stderr.splitlines())}")


def _last_line(lines: Sequence[str]) -> str:
    errors = [line for line in lines if line.startswith("ERROR")] or [line for line in lines if line.strip()]
    return errors[-1].strip() if errors else "it said nothing"
