"""Run one command, such as the tests, beside servers whose data ends with it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from secrets import token_urlsafe

from cryptography.fernet import Fernet

from thrive_sync.stack import binaries, environment, servers
from thrive_sync.stack.supervisor import FOREGROUND, ChildFailed, Stopped, Supervisor

MARKER = "THRIVE_THROW_AWAY"  # tells the tests that these servers are theirs to fill and to empty


def run(command: Sequence[str]) -> int:
    """Return the command's own exit code; 1 when the servers did not start."""
    folder = Path(tempfile.mkdtemp(prefix="thrive-test-"))
    folder.chmod(0o711)  # PostgreSQL's own user has to get to its data
    try:
        with Supervisor(folder) as supervisor:
            found = servers.start(
                supervisor,
                database="thrive_sync",
                database_url=os.environ.get("DATABASE_URL") or None,
                redis_url=os.environ.get("REDIS_URL") or None,
                is_throw_away=True,
            )
            settings = {
                "SECRET_KEY": token_urlsafe(50),
                "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
                "THRIVE_VAR": str(folder / "var"),
                MARKER: "1",
            }
            child = supervisor.start(
                "the command",
                command,
                signals=FOREGROUND,
                environment=environment.SITE | settings | found.environment,
                in_terminal=True,
            )
            code = supervisor.wait(child) or 0
            return code if code >= 0 else 128 - code  # as a shell tells of a signal
    except ChildFailed as error:
        print(error, file=sys.stderr)
        return 1
    except Stopped:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(binaries.away(folder / "postgres"), ignore_errors=True)
