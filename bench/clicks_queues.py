"""Task queues that do the least a click can ask for: one UPDATE of a row that another session waits to see.

Runs in the peers' own environment: `clicks_queues.py worker NAME` and `clicks_queues.py drive NAMES`. The driver reads
lines "NAME CLICKS" and answers each with a line of JSON: the milliseconds of every click, or {"why": ...}.
DATABASE_URL and QUEUES_REDIS come from the environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

if Path(sys.path[0]).name == "bench":
    sys.path[0] = str(Path(sys.path[0]).parent)  # so that a task has one name on both sides of a queue

DSN, REDIS = os.environ["DATABASE_URL"], os.environ["QUEUES_REDIS"]
PROCESSES = 2  # as many as the product's worker has
Send = Callable[[int], object]


class _Own:
    """The worker's connection, kept open as all these queues' users would keep it."""

    connection: psycopg.Connection[Any] | None = None


def mark(row: int) -> None:
    if _Own.connection is None or _Own.connection.closed:
        _Own.connection = psycopg.connect(DSN, autocommit=True)
    _Own.connection.execute("UPDATE bench_click SET state = 'running' WHERE id = %s", (row,))


# --- the queues: how to work, and how to send ---------------------------------------------------------------------


def celery_app(name: str) -> Any:
    from celery import Celery

    address = REDIS.replace("unix://", "redis+socket://").replace("db=", "virtual_host=")
    app = Celery("bench", broker=address)
    app.conf.task_ignore_result = True
    app.conf.task_default_queue = f"bench-{name}"
    app.task(name="mark")(mark)
    return app


def celery_work(name: str) -> None:
    words = f"worker -P prefork -c {PROCESSES} -l ERROR --without-gossip --without-mingle --without-heartbeat"
    celery_app(name).worker_main([*words.split(), "-n", f"{name}@bench"])


def celery_send(name: str) -> Send:
    return celery_app(name).tasks["mark"].delay  # type: ignore[no-any-return]


def rq_work(_name: str) -> None:
    from redis import Redis
    from rq import Queue, SimpleWorker

    connection = Redis.from_url(REDIS)
    SimpleWorker([Queue("bench-rq", connection=connection)], connection=connection).work(logging_level="ERROR")


def rq_send(_name: str) -> Send:
    from redis import Redis
    from rq import Queue

    queue = Queue("bench-rq", connection=Redis.from_url(REDIS))
    return lambda row: queue.enqueue("bench.clicks_queues.mark", row)


def huey_parts() -> tuple[Any, Send]:
    from huey import RedisHuey

    huey = RedisHuey("bench-huey", url=REDIS, results=False)
    return huey, huey.task(name="mark")(mark)


def huey_work(_name: str) -> None:
    huey_parts()[0].create_consumer(workers=PROCESSES, check_worker_health=False).run()


def huey_send(_name: str) -> Send:
    return huey_parts()[1]


def dramatiq_parts() -> tuple[Any, Any]:
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=REDIS)
    dramatiq.set_broker(broker)
    return broker, dramatiq.actor(mark, actor_name="mark", queue_name="bench-dramatiq", max_retries=0)


def dramatiq_work(_name: str) -> None:
    import dramatiq

    dramatiq.Worker(dramatiq_parts()[0], worker_threads=PROCESSES).start()
    while True:
        time.sleep(1)


def dramatiq_send(_name: str) -> Send:
    return dramatiq_parts()[1].send  # type: ignore[no-any-return]


def procrastinate_work(_name: str) -> None:
    import procrastinate

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=DSN))
    app.task(name="mark", queue="bench")(mark)
    app.run_worker(concurrency=PROCESSES)


def procrastinate_send(_name: str) -> Send:
    import procrastinate

    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=DSN))
    app.open()
    task = app.task(name="mark", queue="bench")(mark)
    return lambda row: task.defer(row=row)


def procrastinate_prepare() -> None:
    import procrastinate

    with procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=DSN)).open() as app:
        app.schema_manager.apply_schema()


def loop_work(_name: str) -> None:
    from redis import Redis

    connection = Redis.from_url(REDIS)
    while True:
        if found := connection.blpop("bench-loop", timeout=2):
            mark(int(found[1]))


def loop_send(_name: str) -> Send:
    from redis import Redis

    connection = Redis.from_url(REDIS)
    return lambda row: connection.rpush("bench-loop", row)


QUEUES: dict[str, tuple[Callable[[str], None], Callable[[str], Send]]] = {
    "loop": (loop_work, loop_send),
    "celery": (celery_work, celery_send),
    "rq": (rq_work, rq_send),
    "huey": (huey_work, huey_send),
    "dramatiq": (dramatiq_work, dramatiq_send),
    "procrastinate": (procrastinate_work, procrastinate_send),
}


# --- clicks -------------------------------------------------------------------------------------------------------


def drive(names: list[str]) -> None:
    """Start a worker of each queue, then click as the lines on stdin say; all workers end with stdin."""
    if "procrastinate" in names:
        procrastinate_prepare()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    workers = [subprocess.Popen([sys.executable, __file__, "worker", name], **quiet) for name in names]
    try:
        with psycopg.connect(DSN, autocommit=True) as database:
            database.execute("CREATE TABLE bench_click (id int PRIMARY KEY, state text NOT NULL DEFAULT 'waiting')")
            clicks = Clicks(database)
            for line in sys.stdin:
                name, count = line.split()
                print(json.dumps(clicks.of(name, int(count))), flush=True)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            try:
                worker.wait(5)
            except subprocess.TimeoutExpired:
                worker.kill()


class Clicks:
    def __init__(self, database: psycopg.Connection[Any]) -> None:
        self.database = database
        self.senders: dict[str, Send] = {}
        self.row = 0

    def of(self, name: str, count: int) -> list[float] | dict[str, str]:
        try:
            if name not in self.senders:
                self.senders[name] = QUEUES[name][1](name)
                self._click(name, within=30)  # its worker starts, connections open
            return [self._click(name) for _ in range(count)]
        except Exception as error:  # a peer that does not work is told, and the others go on
            return {"why": f"{type(error).__name__}: {error}"}

    def _click(self, name: str, within: float = 10) -> float:
        self.row += 1
        self.database.execute("INSERT INTO bench_click VALUES (%s)", (self.row,))
        time.sleep(0.02)  # the worker is idle again
        began = time.perf_counter()
        self.senders[name](self.row)
        while self._state() != "running":
            if time.perf_counter() - began > within:
                raise TimeoutError(f"no answer within {within:g} seconds")
            time.sleep(0.0005)
        return (time.perf_counter() - began) * 1000

    def _state(self) -> str:
        row = self.database.execute("SELECT state FROM bench_click WHERE id = %s", (self.row,)).fetchone()
        return str(row[0]) if row else ""


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        QUEUES[sys.argv[2]][0](sys.argv[2])
    else:
        drive(sys.argv[2].split(","))
