"""Celery workers that die at named steps of a mailing: `--app tests.support.mortal`. The product knows nothing of this.

The functions are wrapped in the worker's parent, before its pool is made. A step is armed by a file of its name in the
folder MORTAL_STEPS; the process that reaches it first renames the file, which only one can do, and dies.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from thrive_sync.celery import app as app

PROCESS, WORKER = "process", "worker"
# Name: module of mailings.send, function, and whether it dies after it (or before).
STEPS: dict[str, tuple[str, str, bool]] = {
    "before resync": ("resync", "ask", False),
    "during resync": ("resync", "is_over", False),
    "in freeze, before commit": ("tally", "begin", True),
    "after freeze": ("freeze", "freeze", True),
    "after the next are looked up": ("lease", "next_due", True),
    "in flight, before sending": ("lease", "into_flight", True),
    "after sending, before the outcome": ("lease", "exchange", False),
    "after the outcome, before sending the next": ("lease", "exchange", True),
    "before the last outcome": ("lease", "settle", False),
    "after the last outcome": ("lease", "settle", True),
    "at the end": ("pipeline", "_final_status", False),
    "before the message is acknowledged": ("pipeline", "advance", True),
}


def arm(folder: Path, step: str, victim: str = PROCESS) -> None:
    """Let the process that next comes to this step die at once, or its whole worker with it."""
    assert step in STEPS
    (folder / f"{step}~{victim}").touch()


def unreached(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _wrap(step: str) -> None:
    module_name, name, is_after = STEPS[step]
    module = importlib.import_module(f"mailings.send.{module_name}")
    function: Callable[..., Any] = getattr(module, name)

    @functools.wraps(function)
    def around(*arguments: Any, **named: Any) -> Any:
        if name == "exchange" and not arguments[2]:  # the first window: nobody has an outcome
            return function(*arguments, **named)
        if not is_after:
            _reach(step)
        result = function(*arguments, **named)
        if is_after and result != []:  # a list of nobody is none
            _reach(step)
        return result

    setattr(module, name, around)


def _reach(step: str) -> None:
    folder = Path(os.environ["MORTAL_STEPS"])
    for victim in (PROCESS, WORKER):
        try:
            (folder / f"{step}~{victim}").unlink()
        except FileNotFoundError:  # not armed, or another process was faster
            continue
        os.kill(os.getpid(), signal.SIGKILL) if victim == PROCESS else os.killpg(os.getpgrp(), signal.SIGKILL)


if "MORTAL_STEPS" in os.environ:
    app.loader.import_default_modules()
    for _step in STEPS:
        _wrap(_step)
