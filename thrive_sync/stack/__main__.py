"""`python -m thrive_sync.stack run -- COMMAND` and `python -m thrive_sync.stack clean`."""

from __future__ import annotations

import argparse
import shutil
import sys

from thrive_sync.stack import binaries, environment, throwaway
from thrive_sync.stack.supervisor import AlreadyRunning, Supervisor


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m thrive_sync.stack")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a command beside throw-away servers")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    commands.add_parser("clean", help="remove the demo's data, logs and secrets")
    chosen = parser.parse_args()
    if chosen.command == "clean":
        return clean()
    words = chosen.words[1:] if chosen.words[:1] == ["--"] else chosen.words
    if not words:
        run.error("which command?")
    return throwaway.run(words)


def clean() -> int:
    """Remove what the demo keeps, unless a demo is using it."""
    var = environment.var_dir()
    if not var.exists():
        return 0
    try:
        with Supervisor(var):
            pass  # whatever a killed demo left running is stopped by now
    except AlreadyRunning:
        print("The demo is running. Stop it first.", file=sys.stderr)
        return 1
    shutil.rmtree(binaries.away(var / "postgres"), ignore_errors=True)
    shutil.rmtree(var)
    return 0


if __name__ == "__main__":
    sys.exit(main())
