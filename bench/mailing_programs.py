"""Programs in other languages beside which mailings are measured; each is brought to .venv-bench once.

None is a service: nothing of them is started but for one measurement.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bench.mailing_message import HTML, PLACE, SENDER, SUBJECT, TEXT
from bench.peers import ROOT, VENVS, PeerMissing, python_of, run
from thrive_sync.stack import ports

NODEMAILER = "nodemailer@10.6.0"
_FIRST_PORT = 8500
_LONGEST = 120  # seconds
_TEMPLATES = (SENDER, SUBJECT, HTML.replace(PLACE, "{{.Name}}"), TEXT.replace(PLACE, "{{.Name}}"))


class ListmonkPool:
    """listmonk's own SMTP pool with Go's templates."""

    def __init__(self) -> None:
        go, source = python_of("listmonk").parent / "go", ROOT / "bench" / "listmonk_pool"
        self._program = VENVS / "listmonk" / "listmonk_pool"
        written = max(each.stat().st_mtime for each in source.iterdir())
        if not self._program.exists() or self._program.stat().st_mtime < written:
            run(str(go), "-C", str(source), "build", "-o", str(self._program), GOTOOLCHAIN="local")

    def seconds(self, port: int, count: int, connections: int) -> float:
        return _told([str(self._program), str(port), str(count), str(connections), *_TEMPLATES])


class Nodemailer:
    """nodemailer's pooled transport."""

    def __init__(self) -> None:
        if not shutil.which("node") or not shutil.which("npm"):
            raise PeerMissing("there is no Node.js on this machine")
        self._folder = VENVS / NODEMAILER
        if not (self._folder / "node_modules" / "nodemailer").exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            run("npm", "install", "--silent", "--no-save", "--prefix", str(self._folder), NODEMAILER)

    def seconds(self, port: int, count: int, connections: int) -> float:
        script = str(ROOT / "bench" / "mailing_nodemailer.cjs")
        return _told(["node", script, str(self._folder), str(port), str(count), str(connections), *_TEMPLATES])


class Postfix:
    """Postfix's own smtp-sink and smtp-source: the installed ones, or those of Debian's package, unpacked only."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        path = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"
        found = shutil.which("smtp-sink", path=path), shutil.which("smtp-source", path=path)
        if not all(found):
            unpacked = _unpacked_postfix()
            found = str(unpacked / "usr/sbin/smtp-sink"), str(unpacked / "usr/sbin/smtp-source")
            self._environment["LD_LIBRARY_PATH"] = str(unpacked / "usr/lib/postfix")
        self._sink, self._source = map(str, found)

    @contextmanager
    def sink(self) -> Iterator[Sink]:
        """Start a sink that answers at once, and end it."""
        port = ports.next_free(_FIRST_PORT)
        # It gives up root's rights, and asks for whose to have instead.
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        with tempfile.TemporaryFile("w+") as counters:
            command = [self._sink, *user, "-c", f"{ports.ADDRESS}:{port}", "1000"]
            process = subprocess.Popen(command, env=self._environment, stdout=counters, stderr=subprocess.DEVNULL)
            try:
                yield Sink(port, counters)
            finally:
                process.terminate()
                process.wait(10)

    def source(self, port: int, count: int, sessions: int, size: int) -> None:
        """Send so many messages of so many bytes, all alike, as fast as C can without pipelining."""
        command = [self._source, "-s", str(sessions), "-m", str(count), "-l", str(size)]
        ends = ["-f", SENDER, "-t", "m0@members.example", f"{ports.ADDRESS}:{port}"]
        subprocess.run([*command, *ends], env=self._environment, check=True, timeout=_LONGEST)


class Sink:
    """A running smtp-sink."""

    def __init__(self, port: int, counters: IO[str]) -> None:
        self.port, self._counters = port, counters

    def count(self) -> int:
        """Say how many messages it has taken; it writes its counters one over the other."""
        self._counters.seek(0)
        found = re.findall(r"mesg=(\d+)", self._counters.read()[-500:])
        return int(found[-1]) if found else 0


def _unpacked_postfix() -> Path:
    folder = VENVS / "postfix"
    if not (folder / "usr/sbin/smtp-sink").exists():
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise PeerMissing("there is no smtp-sink on this machine; Debian's package postfix has it")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as room:
            run("apt-get", "download", "-qq", "postfix", folder=Path(room))
            [package] = Path(room).glob("postfix_*.deb")
            run("dpkg-deb", "-x", str(package), str(folder))
    return folder


def _told(command: list[str]) -> float:
    """Run a program that prints how many seconds it took."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST, check=False)
    if done.returncode:
        raise PeerMissing(f"it broke off: {(done.stderr.splitlines() or ['it said nothing'])[-1]}")
    return float(done.stdout)
