"""A process that has everything loaded and makes workers by forking: a new one costs little, so many may be killed.

It reads one JSON line a wish from its standard input and answers one with the process's number. What it makes is a
real Celery worker with its pool, or a real beat, in a session of its own.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from typing import NoReturn


def main() -> int:
    import django

    django.setup()
    import thrive_sync.celery  # noqa: F401
    from tests.soak import plants, steps

    _load_what_workers_load()
    _copy_each_page()
    _hurry_mailings()
    plants.install(os.environ.get("SOAK_PLANT", ""))
    steps.install()
    gc.freeze()  # what is loaded here is garbage to nobody: a worker's own collections need not look at it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: they are reaped by the kernel
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        wish = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(wish["arguments"], wish["log"])
        print(json.dumps({"pid": pid}), flush=True)
    return 0


def _load_what_workers_load() -> None:
    """Import and check here, once, what every start of Celery would."""
    import kombu.transport.redis  # noqa: F401
    from celery.fixups.django import DjangoWorkerFixup
    from django.core.checks import run_checks

    from thrive_sync.celery import app

    app.loader.import_default_modules()
    app.finalize()
    run_checks()
    DjangoWorkerFixup.validate_models = lambda _self: None  # which is just that


def _copy_each_page() -> None:
    """Let a page be in the stage when the next one is read, as the pages of a large search are."""
    from targetgroups.sync import stage

    assert hasattr(stage, "_ROWS_A_COPY")
    stage._ROWS_A_COPY = 1


def _hurry_mailings() -> None:
    """Try again after parts of a second who was put off, and a mail server that is away."""
    from mailings.send import lease, pipeline

    assert hasattr(lease, "_BACK_OFF")
    assert hasattr(pipeline, "_SERVER_WAITS")
    lease._BACK_OFF = (0.2, 0.3, 0.5)
    pipeline._SERVER_WAITS = (0.1, 0.2, 0.4, 0.6, 0.8)


def _become(arguments: list[str], log: str) -> NoReturn:
    """Turn this fresh process into what was wished for."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY | os.O_CREAT | os.O_APPEND)):
            opened = os.open(os.devnull if number == 0 else log, flags, 0o600)
            os.dup2(opened, number)
            os.close(opened)
        os.dup2(1, 2)
        from thrive_sync.celery import app

        sys.argv = ["celery", *arguments]
        app.start(arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
