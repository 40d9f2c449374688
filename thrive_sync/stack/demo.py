"""Everything on one machine: servers, a stand-in MemberSuite, workers and pages, until Ctrl-C."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from celery import Celery

from thrive_sync.stack import environment, ports, readiness, servers
from thrive_sync.stack.binaries import NotInstalled
from thrive_sync.stack.supervisor import WORKER, AlreadyRunning, Child, ChildFailed, Stopped, Supervisor

BASE_DIR = Path(__file__).resolve().parent.parent.parent
USER_NAME = "demo"
OTHERS = ("manager", "subscribers", "publisher", "reporter")
# Each queue's worker, and how many tasks it runs side by side.
WORKERS = {"interactive": 2, "scheduled": 1, "mailings": 1}
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})
POSTAL_ADDRESS = "Society of Lamp Keepers, 1 Wick Lane, Lanternham"
FIRST_TASK = "targetgroups.tasks.sweep"  # harmless at any time: the clock sends it as well


@dataclass(frozen=True)
class Options:
    port: int = 8000
    people: int = 5000
    seed: int = 2018
    latency_ms: int = 0


def run(options: Options) -> int:
    """Run the demo until somebody stops it; return the exit code."""
    try:
        with Supervisor(environment.var_dir(), say=say) as supervisor:
            return _run(Demo(supervisor, options))
    except AlreadyRunning:
        say(_already_running())
    except Stopped:
        return 0
    return 1


def _run(demo: Demo) -> int:
    try:
        demo.start()
        demo.watch()
    except Stopped:
        say("\nStopping everything ...")
        return 0
    except (ChildFailed, NotInstalled, OSError) as error:
        say(f"{error}\nStopping everything ...")
    return 1


class Demo:
    def __init__(self, supervisor: Supervisor, options: Options) -> None:
        self.supervisor = supervisor
        self.options = options
        self.began = time.monotonic()
        self.settings: dict[str, str] = {}
        self.password = ""

    def start(self) -> None:
        """Start all in the order in which one needs the other, side by side where nothing does."""
        say("Starting the servers and a stand-in MemberSuite ...")
        kept = environment.secrets(self.supervisor.folder)
        self.password = kept.pop("DEMO_PASSWORD")
        self.settings = environment.SITE | kept
        standin = self._start_standin()
        mail_sink = self._start_mail_sink()
        static_files = self._manage("collectstatic", "--no-input", "--verbosity", "0")
        addresses = servers.start(
            self.supervisor,
            database="thrive_sync",
            database_url=_given("DATABASE_URL", environment.NOT_YET_DATABASE),
            redis_url=_given("REDIS_URL", environment.NOT_YET_REDIS),
        )
        self.settings |= addresses.environment
        say("Bringing the database up to date ...")
        seed = self._manage("seed_demo", "--standin", standin, settings={"DEMO_PASSWORD": self.password})
        self.supervisor.finish(seed, within=300)
        self.supervisor.finish(static_files, within=120)
        say("Starting the workers and the pages ...")
        address = self._start_web()
        webhook = self._manage("seed_demo_webhook")
        self._start_workers()
        self._wait_for_answers(f"{address}/healthz", f"{standin}/mex")
        self.supervisor.wait_until("The mail sink", partial(readiness.greets, ports.ADDRESS, mail_sink), within=60)
        self._wait_for_work(addresses.redis_url)
        self.supervisor.finish(webhook, within=60)
        self._tell(address, standin)

    def watch(self) -> None:
        while True:
            self.supervisor.check()
            time.sleep(0.25)

    def _start_standin(self) -> str:
        port = ports.next_free(8100, taken=frozenset({self.options.port}))
        numbers = {
            "--port": port,
            "--people": self.options.people,
            "--seed": self.options.seed,
            "--latency-ms": self.options.latency_ms,
        }
        words = [word for name, number in numbers.items() for word in (name, str(number))]
        self._python("Stand-in", "-m", "memberSuite.standin", *words)
        return f"http://{ports.ADDRESS}:{port}"

    def _start_mail_sink(self) -> int:
        """Take all mail of the demo, whatever the environment says: none of it may leave this machine."""
        port = ports.next_free(8025, taken=frozenset({self.options.port}))
        folder = self.supervisor.folder / "mail"
        self._python("Mail sink", "-m", "thrive_sync.stack.mail_sink", "--folder", str(folder), "--port", str(port))
        self.settings |= {
            "EMAIL_URL": f"smtp://{ports.ADDRESS}:{port}",
            "EMAIL_FROM": "thrive-sync@lamps.example",
            "MAIL_POSTAL_ADDRESS": POSTAL_ADDRESS,
            "MAIL_SINK_DIR": str(folder),
            "ALERT_SETTLE_SECONDS": "20",  # whoever tries it waits for the end of an alert
        }
        return port

    def _start_web(self) -> str:
        port = ports.next_free(self.options.port)
        if port != self.options.port:
            say(f"Port {self.options.port} is taken; using {port}.")
        address = f"http://{ports.ADDRESS}:{port}"
        self.settings["SITE_URL"] = address
        self._python(
            "Web",
            *("-m", "gunicorn", "thrive_sync.wsgi", "--bind", f"{ports.ADDRESS}:{port}"),
            *("--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "3", "--no-control-socket"),
        )
        return address

    def _start_workers(self) -> None:
        quiet = "--without-gossip --without-mingle --without-heartbeat"
        for queue, concurrency in WORKERS.items():
            words = f"worker --queues {queue} --concurrency {concurrency} --hostname {queue}@demo --loglevel INFO"
            self._celery(f"Worker {queue}", *words.split(), *quiet.split(), signals=WORKER)
        self._celery("Beat", "beat", "--loglevel", "WARNING", "--pidfile", "")

    def _wait_for_answers(self, *addresses: str) -> None:
        for address in addresses:
            self.supervisor.wait_until(address, partial(readiness.answers, address), within=60)

    def _wait_for_work(self, redis_url: str) -> None:
        """See a real task of each queue accepted and done by that queue's worker."""
        with Celery("demo", broker=servers.kombu_url(redis_url), set_as_current=False) as app:
            for queue in WORKERS:
                is_there = partial(readiness.pings, app, f"{queue}@demo")
                self.supervisor.wait_until(f"The worker of {queue}", is_there, within=60)
                app.send_task(FIRST_TASK, queue=queue, ignore_result=True)
            for queue in WORKERS:
                has_worked = partial(readiness.has_worked, app, f"{queue}@demo", FIRST_TASK)
                self.supervisor.wait_until(f"The first task of {queue}", has_worked, within=60)

    def _tell(self, address: str, standin: str) -> None:
        found = {
            "pid": os.getpid(),
            "created": environment.create_time(os.getpid()),
            "address": address,
            "standin": standin,
            "environment": {name: self.settings[name] for name in environment.TOLD},
        }
        environment.write_private(environment.addresses_file(self.supervisor.folder), json.dumps(found, indent=1))
        lines = [
            f"thrive-sync is running (started in {time.monotonic() - self.began:.1f} s)",
            "",
            f"Open       {address}",
            f"User name  {USER_NAME}",
            f"Password   {self.password}",
            f"Others     {', '.join(OTHERS)}  (one of each role, same password)",
            f"Stand-in   {standin}  (MemberSuite with {self.options.people:,} invented people)",
            f"Inbox      {address}/demo/inbox/  (all mail ends here; none leaves this machine)",
            f"Webhooks   {address}/demo/webhooks/  (what the webhook “Demo receiver” took)",
            f"Logs       {self.supervisor.logs}",
            "",
            "Ctrl-C stops everything.",
        ]
        say(boxed(lines))

    def _manage(self, *words: str, settings: Mapping[str, str] = NOTHING_MORE) -> Child:
        return self._python(words[0], "manage.py", *words, settings=settings, is_brief=True)

    def _celery(self, name: str, *words: str, **how: Any) -> Child:
        return self._python(name, "-m", "celery", "--app", "thrive_sync", *words, **how)

    def _python(self, name: str, *words: str, settings: Mapping[str, str] = NOTHING_MORE, **how: Any) -> Child:
        environment = self.settings | dict(settings)
        return self.supervisor.start(name, [sys.executable, *words], environment=environment, cwd=BASE_DIR, **how)


def say(line: str) -> None:
    print(line, flush=True)


def boxed(lines: list[str]) -> str:
    """Draw a frame around lines, in characters that the terminal has."""
    width = max(map(len, lines))
    marks = "╭─╮│╰╯"
    try:
        marks.encode(sys.stdout.encoding or "ascii")
    except (UnicodeError, LookupError):
        marks = "+-+|++"
    left, line, right, side, low_left, low_right = tuple(marks)
    middle = [f"{side} {text.ljust(width)} {side}" for text in lines]
    return "\n".join([left + line * (width + 2) + right, *middle, low_left + line * (width + 2) + low_right])


def _given(name: str, not_yet: str) -> str | None:
    """Return an address that the environment gives; then that server is not ours to start."""
    value = os.environ.get(name, "")
    return value if value != not_yet else None


def _already_running() -> str:
    found = environment.running_demo(environment.var_dir())
    if found is None:
        return "A demo is just starting, or stopping, here. Wait a moment."
    return (
        f"The demo is already running: {found['address']} (Ctrl-C in its terminal stops it, or: kill {found['pid']})."
    )
