"""Named steps of a run at which a soak may kill, freeze or delay the worker: put around the product's own functions.

The product knows nothing of this. A worker's parent loads it (see nursery.py) and wraps the functions before any worker
is made. To arm a step is to put a file into a folder (`SOAK_STEPS`); whichever process reaches the step first takes it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

KILL_WORKER, KILL_PROCESS, FREEZE, DELAY = "kill_worker", "kill_process", "freeze", "delay"

Chosen = Callable[[tuple[Any, ...], Any], bool]


@dataclass(frozen=True)
class Step:
    """A place before or after one function; `chosen` looks at its arguments and its result."""

    name: str
    place: str  # module:attribute, or module:Class.attribute; a module without a dot is one of a sync's
    is_after: bool = True
    chosen: Chosen = lambda _arguments, _result: True


def _always(_arguments: tuple[Any, ...], _result: Any) -> bool:
    return True


def _has_result(_arguments: tuple[Any, ...], result: Any) -> bool:
    return bool(result)


def _reads(number: int) -> Chosen:
    return lambda arguments, _result: arguments[2] == number


STEPS = (
    Step("between take and the first beat", "single_flight:_begin_progress", is_after=False),
    Step("after take", "single_flight:take", chosen=lambda _arguments, run: run is not None),
    Step("after Get search", "reading:get_runnable_search"),
    Step("after the stage is made", "stage:Stage.create"),
    Step("after a page", "stage:Stage.add_page", chosen=_reads(1)),
    Step("after a page of Do Not Email", "stage:Stage.add_page", chosen=_reads(9)),
    Step("after the last page", "reading:_read"),
    Step("after reading", "reading:read_everything"),
    Step("before look-up", "checking:_look_up", is_after=False),
    Step("during look-up", "stage:Stage.add_page", chosen=_reads(3)),
    Step("before records are asked for", "diff:settle_unmatched", is_after=False),
    Step("after checking", "checking:settle"),
    Step("before the lock", "pipeline:_wait_for_lock", is_after=False),
    Step("after the lock, before writing", "single_flight:lock_for_writing"),
    Step("before a hold is written", "diff:record_would_remove"),
    Step("before the list is written", "discovery:apply", is_after=False),
    Step("after the list is written", "discovery:apply"),
    Step("before commit", "single_flight:finish"),
    Step("after commit", "single_flight:_after", is_after=False),
    Step("before ack", "pipeline:perform"),
)
MAIL_STEPS = tuple(
    Step(name, f"mailings.send.{place}", is_after, chosen)
    for name, place, is_after, chosen in (
        ("in the freeze, before its commit", "tally:begin", True, _always),
        ("after the freeze", "freeze:freeze", True, _always),
        ("before what the dead had in flight is unknown", "lease:recover", False, _always),
        ("after the next are looked up", "lease:next_due", True, _has_result),
        ("in flight, before it is handed over", "lease:into_flight", True, _has_result),
        ("handed over, before the outcome", "lease:settle", False, _always),
        ("before the outcome with the next in flight", "lease:exchange", False, _always),
        ("outcome with the next in flight, before they are handed over", "lease:exchange", True, _has_result),
        ("after the outcome", "lease:settle", True, _always),
        ("before a mailing's end", "pipeline:_final_status", False, _always),
        ("before the message of a mailing is acknowledged", "pipeline:advance", True, _always),
    )
)
# The functions of these modules that a sync calls while it writes: each gets a step of its own, "after apply.<name>".
WRITERS = ("apply", "counts")
NOT_WRITES = frozenset({"try_lock", "member_count", "write_error"})


def writes() -> list[Step]:
    """Find every write of an apply, whatever there is now."""
    found = []
    for name in WRITERS:
        module = _module(name)
        for attribute, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and attribute[0] != "_" and attribute not in NOT_WRITES:
                found.append(Step(f"after {name}.{attribute}", f"{name}:{attribute}"))
    return found


def names() -> tuple[list[str], list[str]]:
    """Return the names of the steps around writing, and of all others."""
    return [step.name for step in writes()], [step.name for step in STEPS]


def install() -> None:
    """Wrap the functions; one that is no longer there is an error, not a step less."""
    for step in (*STEPS, *writes(), *MAIL_STEPS):
        owner, attribute = _owner(step.place)
        setattr(owner, attribute, _wrapped(getattr(owner, attribute), step))


def _module(name: str) -> ModuleType:
    return importlib.import_module(name if "." in name else f"targetgroups.sync.{name}")


def _owner(place: str) -> tuple[Any, str]:
    module, _, attribute = place.partition(":")
    owner: Any = _module(module)
    *path, last = attribute.split(".")
    for part in path:
        owner = getattr(owner, part)
    return owner, last


def _wrapped(function: Callable[..., Any], step: Step) -> Callable[..., Any]:
    @functools.wraps(function)
    def around(*arguments: Any, **named: Any) -> Any:
        if not step.is_after:
            _reach(step, arguments, None)
        result = function(*arguments, **named)
        if step.is_after:
            _reach(step, arguments, result)
        return result

    return around


def _reach(step: Step, arguments: tuple[Any, ...], result: Any) -> None:
    folder = os.environ.get("SOAK_STEPS")
    if folder is None or not step.chosen(arguments, result):
        return
    for entry in os.listdir(folder):  # noqa: PTH208 - the cheapest look, a thousand times a run
        name, _, rest = entry.partition("~")
        if name == step.name:
            _take(Path(folder), entry, name, *rest.split("~"))


def _take(folder: Path, entry: str, name: str, count: str, mode: str, number: str) -> None:
    """Count one visit down; the last one strikes. Renaming is what only one process can do."""
    left = int(count) - 1
    mine = f"{name}~{left}~{mode}~{number}" if left else f".{number}~{os.getpid()}~{mode}"
    try:
        (folder / entry).rename(folder / mine)
    except FileNotFoundError:  # another process was faster
        return
    if not left:
        _strike(mode)


def _strike(mode: str) -> None:
    if mode == KILL_WORKER:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    elif mode == KILL_PROCESS:
        os.kill(os.getpid(), signal.SIGKILL)
    elif mode == FREEZE:
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        time.sleep(DELAY_SECONDS)


DELAY_SECONDS = 0.6


class Switch:
    """The driver's side: arm steps, and see which were reached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self._number = 0

    def arm(self, name: str, count: int, mode: str) -> int:
        self._number += 1
        (self.folder / f"{name}~{count}~{mode}~{self._number}").touch()
        return self._number

    def disarm_waiting(self) -> None:
        """Take back the steps that nobody has reached; those that struck stay written down."""
        for entry in self.folder.iterdir():
            if entry.name[0] != ".":
                entry.unlink(missing_ok=True)

    def struck(self) -> dict[int, tuple[int, str]]:
        """Return the process and the mode by the number of each step that struck."""
        found = {}
        for entry in self.folder.iterdir():
            if entry.name[0] == ".":
                number, pid, mode = entry.name[1:].split("~")
                found[int(number)] = (int(pid), mode)
        return found
