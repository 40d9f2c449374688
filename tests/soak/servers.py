"""PostgreSQL and Valkey that a soak may stop and start: the stack's own programs and settings, under its supervisor."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import psycopg
import redis

from thrive_sync.stack import binaries, servers
from thrive_sync.stack.supervisor import POSTGRES, Child, Supervisor

T = TypeVar("T")
DATABASE = "soak"
# A commit that was answered must survive an immediate stop; only the disk itself need not be waited for.
POSTGRES_SETTINGS = servers.POSTGRES_SETTINGS | {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "shared_buffers": "64MB",
    "checkpoint_timeout": "1h",
}
STOP = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
SERVER_PATIENCE = 60.0


class Servers(Supervisor):
    """Own servers beside those of `make test`, so that nobody else's are restarted."""

    def start_all(self) -> dict[str, str]:
        """Make the database, start both, and return the environment in which they are found."""
        self.runner = binaries.account()
        self.programs = binaries.postgres_programs(self.runner)
        self.data = binaries.reachable_folder(self.folder / "postgres", self.runner) / "data"
        self.postgres_sockets = self.sockets / "postgres"
        self.postgres_sockets.mkdir(mode=0o700)
        if self.runner.is_other:
            self.sockets.chmod(0o711)  # to be passed through by the server's own user
            os.chown(self.postgres_sockets, self.runner.uid, self.runner.gid)
        self.valkey_socket = self.sockets / "valkey.sock"
        self._start_valkey()
        command = [self.programs / "initdb", "-D", self.data, *servers.INITDB, "--no-sync"]
        self.finish(self.start("initdb", [str(part) for part in command], **self.runner.how), within=SERVER_PATIENCE)
        self._start_postgres()
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        database = f"postgres://{servers.OWNER}@/{DATABASE}?host={quote(str(self.postgres_sockets))}"
        return {"DATABASE_URL": database, "REDIS_URL": f"unix://{self.valkey_socket}?db=0"}

    @property
    def dsn(self) -> str:
        return self._dsn(DATABASE)

    def connected(self, connection: psycopg.Connection | None = None) -> psycopg.Connection:
        """Return a connection that answers: the one given, or a new one if the server was restarted meanwhile."""
        try:
            if connection is not None:
                connection.execute("SELECT 1")
                return connection
        except psycopg.Error:
            pass
        return psycopg.connect(self.dsn, autocommit=True)

    def restart_postgres(self, how: str) -> None:
        """Stop PostgreSQL as an operator would (fast) or as a crash does (immediate), and start it again."""
        self._end(self._child("PostgreSQL"), STOP[how])
        self._start_postgres()

    def stop_valkey(self) -> None:
        """End Valkey, which keeps nothing."""
        self._end(self._child("Valkey"), signal.SIGKILL)

    def start_valkey(self) -> None:
        self._start_valkey()

    def empty_valkey(self) -> None:
        with self.broker() as connection:
            connection.flushall()

    def broker(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.valkey_socket), socket_timeout=5)

    # --- how they start and end ---

    def _start_postgres(self) -> None:
        settings = POSTGRES_SETTINGS | {"unix_socket_directories": str(self.postgres_sockets)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self.programs / "postgres"), "-D", str(self.data), *options]
        self.start("PostgreSQL", command, signals=POSTGRES, is_leaned_on=True, **self.runner.how)
        self.wait_until("PostgreSQL", self._postgres_answers, within=SERVER_PATIENCE)

    def _start_valkey(self) -> None:
        options = {
            "port": "0",
            "unixsocket": str(self.valkey_socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "set-proc-title": "no",
        }
        parts = (part for name, value in options.items() for part in (f"--{name}", value))
        self.start("Valkey", [str(binaries.valkey_program()), *parts], is_leaned_on=True)
        self.wait_until("Valkey", self._valkey_answers, within=SERVER_PATIENCE)

    def _end(self, child: Child, number: signal.Signals) -> None:
        child.process.send_signal(number)
        child.process.wait(SERVER_PATIENCE)
        self.children.remove(child)
        self._write_ledger()

    def _child(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def _dsn(self, database: str) -> str:
        return psycopg.conninfo.make_conninfo(
            host=str(self.postgres_sockets), user=servers.OWNER, dbname=database, connect_timeout=5
        )

    def _postgres_answers(self) -> bool:
        try:
            with psycopg.connect(self._dsn("postgres")) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def _valkey_answers(self) -> bool:
        try:
            with self.broker() as connection:
                return bool(connection.ping())
        except (redis.RedisError, OSError):
            return False


def patiently(ask: Callable[[], T]) -> T:
    """Use the database, again if it was restarted meanwhile."""
    from django.db import Error, close_old_connections, connection  # set up for these servers, so after them

    until = time.monotonic() + 30
    while True:
        try:
            close_old_connections()
            return ask()
        except (Error, psycopg.Error):
            connection.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def remove(folder: Path) -> None:
    """Remove what servers of this folder leave, wherever their user could reach it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(binaries.away(folder / "postgres"), ignore_errors=True)
