"""What may happen to a round: requests, changes and faults, each at its moment, all drawn from one seeded source."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.soak import steps

if TYPE_CHECKING:
    from tests.soak.driver import Soak

LENGTH = 0.9  # seconds in which a round's events lie
TRIGGERS = ("info", "resync_now", "resync_now", "schedule", "command", "mailing")

# Trouble that the client outlives by asking again.
PASSING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("http_503", {"times": 2}),
    ("http_504", {"times": 2, "only": "page"}),
    ("soap_fault", {"times": 2}),
    ("http_429", {"times": 2, "retry_after": 0.05}),
    ("GeneralException", {"times": 2}),
    ("no_answer", {"times": 2}),
    ("cut", {"times": 2, "skip": 3}),
    ("slow", {"every": 4, "seconds": 0.15}),
    ("session_expires", {"every": 9}),
    ("new_session", {"every": 3}),
    ("page_cap", {"rows": 11}),
    ("shifting_order", {"only": "page"}),
    ("ignores_local_id", {"only": "page"}),
    ("ignores_sort", {"only": "page"}),
    ("refuses_blank_criterion", {}),
    ("upper_ids", {"only": "page"}),
    ("null_local_ids", {"only": "page", "times": 2}),
    ("bom", {"every": 3}),
)
# Trouble that ends a run, with nothing changed.
ENDING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("malformed", {"every": 7}),
    ("truncated", {"every": 7}),
    ("empty_body", {"times": 2, "skip": 4}),
    ("html_200", {"times": 1, "skip": 5}),
    ("redirect", {"times": 1, "skip": 5}),
    ("InvalidAccessKey", {"times": 1, "skip": 6}),
    ("AccessDenied", {"times": 1, "skip": 6}),
    ("http_503", {"times": 40, "only": "look_up"}),
    ("failure_without_errors", {"times": 1, "skip": 7}),
    ("success_without_result", {"times": 1, "skip": 7}),
    ("wrong_total", {"times": 3}),
    ("zero_total", {"times": 2}),
    ("no_total", {"times": 1, "skip": 4}),
    ("duplicate_rows", {"only": "page", "times": 3}),
)
# Readings by place alone: whoever moves up while somebody before them leaves is not seen, and added by the next sync.
BY_PLACE = frozenset({"ignores_local_id", "ignores_sort", "null_local_ids"})
# Rows of people that are not as they were asked for: whoever can't be read is not added, and nobody is removed for it.
TWISTED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("no_do_not_email_column", {"only": "page", "times": 2}),
    ("unreadable_do_not_email", {"only": "page", "rows": 5, "times": 3}),
    ("rows_without_id", {"only": "page", "rows": 2, "times": 2}),
)
# People who come, go and change under a running read, just before a page is made.
UNDER_A_READ: tuple[tuple[str, dict[str, Any]], ...] = (
    ("inserts", {"only": "page", "every": 3, "fields": {"Membership.ReceivesMemberBenefits": True}}),
    ("deletes", {"only": "page", "every": 3}),
    ("changes", {"only": "page", "every": 2}),
    ("flips", {"only": "page", "every": 4}),
)


@dataclass(frozen=True)
class Event:
    """Something that happens at a moment of the round."""

    at: float
    do: Callable[[Soak], str]
    name: str = "request or change"


def plan(chance: random.Random, chosen: Sequence[str] = ()) -> list[Event]:
    """Draw a round: what is asked for, what changes, and some kinds of fault, all or those chosen."""
    events = [_click(chance, chance.uniform(0, 0.7) * LENGTH) for _ in range(chance.randint(3, 6))]
    events += [_change(chance, chance.uniform(0, 1) * LENGTH) for _ in range(chance.randint(2, 5))]
    for kind, likely in (("list", 0.3), ("preview", 0.4), ("check", 0.1)):
        if chance.random() < likely:
            events.append(_other(chance, kind))
    left = {name: FAULTS[name] for name in chosen or FAULTS}
    for _ in range(min(chance.choice((1, 2, 2, 3)), len(left))):
        name = chance.choices(list(left), weights=[likely for likely, _ in left.values()])[0]
        events += [replace(event, name=name) for event in left.pop(name)[1](chance)]
    return sorted(events, key=lambda event: event.at)


# --- what people ask for and change ------------------------------------------------------------------------------


def _click(chance: random.Random, at: float) -> Event:
    group, trigger = chance.randrange(1000), chance.choice(TRIGGERS)
    return Event(at, lambda soak: soak.click(group, trigger))


def _other(chance: random.Random, kind: str) -> Event:
    group = chance.randrange(1000)
    return Event(chance.uniform(0, 0.8) * LENGTH, lambda soak: soak.ask(kind, group))


def _change(chance: random.Random, at: float, kind: str = "") -> Event:
    kind = kind or chance.choice(
        ("rename", "address", "flag", "unflag", "delete", "join", "leave", "enter", "no_address")
    )
    count = chance.randint(1, 4)
    return Event(at, lambda soak: soak.change(kind, count))


# --- faults ------------------------------------------------------------------------------------------------------


def _kill_at_a_step(chance: random.Random) -> list[Event]:
    """Kill at one or two named steps, and change people at that moment: what was read before is then stale."""
    events = []
    for _ in range(chance.choice((1, 1, 2))):
        name, count = _step(chance), chance.choice((1, 1, 1, 2, 3))
        mode = chance.choice((steps.KILL_WORKER, steps.KILL_WORKER, steps.KILL_PROCESS))
        changes = [chance.choice(("rename", "flag", "delete", "address")) for _ in range(3)]
        events.append(_armed(name, count, mode, changes))
    return events


def _step(chance: random.Random) -> str:
    writes, others = steps.names()
    return chance.choice(chance.choice((writes, others, others)))


def _armed(name: str, count: int, mode: str, changes: list[str]) -> Event:
    return Event(0.0, lambda soak: soak.arm(name, count, mode, changes))


def _freeze_at_a_step(chance: random.Random) -> list[Event]:
    """Stop a process before or while it writes; it wakes up when another has taken its run."""
    before = ("after the last page", "after reading", "after checking", "before the lock", "before look-up")
    name = chance.choice(before) if chance.random() < 0.7 else _step(chance)
    return [_armed(name, 1, steps.FREEZE, ["rename", "flag", "delete", "address"])]


def _slow_writer(chance: random.Random) -> list[Event]:
    """Let one run wait between its reading and its writing, while people change and other groups are read."""
    name = chance.choice(("after reading", "after checking", "before the lock"))
    armed = _armed(name, 1, steps.DELAY, ["rename", "flag", "address", "unflag"])
    groups = [chance.randrange(1000) for _ in range(3)]
    return [armed, Event(0.0, lambda soak: soak.follow(groups))]


def _kill_at_random(chance: random.Random) -> list[Event]:
    return [
        Event(chance.uniform(0.05, 1) * LENGTH, lambda soak: soak.kill_worker()) for _ in range(chance.choice((1, 2)))
    ]


def _kill_pool(chance: random.Random) -> list[Event]:
    return [Event(chance.uniform(0.05, 1) * LENGTH, lambda soak: soak.kill_pool())]


def _freeze_worker(chance: random.Random) -> list[Event]:
    return [Event(chance.uniform(0.1, 0.6) * LENGTH, lambda soak: soak.freeze_worker())]


def _postgres(chance: random.Random) -> list[Event]:
    how = chance.choice(("fast", "immediate"))
    return [Event(chance.uniform(0.1, 1) * LENGTH, lambda soak: soak.restart_postgres(how))]


def _valkey(chance: random.Random) -> list[Event]:
    at = chance.uniform(0, 0.5) * LENGTH
    back = at + chance.uniform(0.05, 0.5)
    return [Event(at, lambda soak: soak.stop_valkey()), Event(back, lambda soak: soak.start_valkey())]


def _empty_valkey(chance: random.Random) -> list[Event]:
    return [Event(chance.uniform(0, 1) * LENGTH, lambda soak: soak.empty_valkey()) for _ in range(2)]


def _beat(chance: random.Random) -> list[Event]:
    return [Event(chance.uniform(0, 1) * LENGTH, lambda soak: soak.kill_beat())]


def _remote(faults: tuple[tuple[str, dict[str, Any]], ...], most: int) -> Callable[[random.Random], list[Event]]:
    def play(chance: random.Random) -> list[Event]:
        chosen = chance.sample(faults, chance.randint(1, most))
        return [_remote_fault(kind, options, chance.uniform(0, 0.4) * LENGTH) for kind, options in chosen]

    return play


def _remote_fault(kind: str, options: dict[str, Any], at: float) -> Event:
    return Event(at, lambda soak: soak.fault(kind, options))


def _filter_ignored(chance: random.Random) -> list[Event]:
    """MemberSuite sends people whose Do Not Email is Yes although No was asked for."""
    return [_remote_fault("ignores_do_not_email", {}, 0.0), _change(chance, 0.2, "flag")]


def _hang(chance: random.Random) -> list[Event]:
    """MemberSuite hangs for a while; somebody loses patience."""
    at, number = chance.uniform(0, 0.4) * LENGTH, chance.randrange(1000)
    return [
        _remote_fault("slow", {"seconds": 0.8, "times": 3}, at),
        Event(at + 0.3, lambda soak: soak.cancel(number)),
    ]


def _expire(chance: random.Random) -> list[Event]:
    return [Event(chance.uniform(0, 1) * LENGTH, lambda soak: soak.expire_sessions()) for _ in range(2)]


def _cancel(chance: random.Random) -> list[Event]:
    number = chance.randrange(1000)
    moments = [chance.uniform(0.1, 1) * LENGTH for _ in range(chance.randint(1, 3))]
    return [Event(at, lambda soak: soak.cancel(number)) for at in moments]


def _too_many(chance: random.Random) -> list[Event]:
    """So many become Do Not Email that the guard holds; somebody decides, or does not."""
    group, at = chance.randrange(1000), chance.uniform(0, 0.4) * LENGTH
    return [Event(at, lambda soak: soak.flag_many(group)), _click(random.Random(group), at + 0.1)]


def _searches(chance: random.Random) -> list[Event]:
    kinds = [
        chance.choice(("hide", "delete", "deactivate", "rename", "rename", "make")) for _ in range(chance.randint(1, 3))
    ]
    events = []
    for kind in kinds:
        number = chance.randrange(1000)
        events.append(Event(chance.uniform(0, 0.6) * LENGTH, lambda soak, k=kind, n=number: soak.touch_search(k, n)))  # type: ignore[misc]
    return [*events, _other(random.Random(chance.random()), "list")]


def _many_searches(chance: random.Random) -> list[Event]:
    at = chance.uniform(0, 0.2)
    return [Event(at, lambda soak: soak.hide_many()), Event(at + 0.05, lambda soak: soak.ask("list", 0))]


def _vanishing(chance: random.Random) -> list[Event]:
    number, kind = chance.randrange(1000), chance.choice(("vanishes", "goes_private"))
    return [Event(chance.uniform(0, 0.4) * LENGTH, lambda soak: soak.vanish(number, kind))]


def _opt_out(chance: random.Random) -> list[Event]:
    return [Event(chance.uniform(0, 1) * LENGTH, lambda soak: soak.opt_out())]


# How likely each is; those that show what a protection is for come often.
FAULTS: dict[str, tuple[float, Callable[[random.Random], list[Event]]]] = {
    "kill at a step": (6, _kill_at_a_step),
    "freeze at a step": (4, _freeze_at_a_step),
    "slow writer": (4, _slow_writer),
    "kill a worker": (2, _kill_at_random),
    "kill a pool process": (1, _kill_pool),
    "freeze a worker": (0.7, _freeze_worker),
    "PostgreSQL": (2, _postgres),
    "Valkey": (1.5, _valkey),
    "empty Valkey": (1, _empty_valkey),
    "kill beat": (0.5, _beat),
    "passing trouble": (3, _remote(PASSING, 3)),
    "ending trouble": (2, _remote(ENDING, 1)),
    "twisted rows": (1.5, _remote(TWISTED, 1)),
    "changes under a read": (3, _remote(UNDER_A_READ, 3)),
    "filter ignored": (2, _filter_ignored),
    "hang": (1, _hang),
    "sessions expire": (1, _expire),
    "cancel": (2, _cancel),
    "too many": (1.5, _too_many),
    "searches": (1.5, _searches),
    "many searches": (0.7, _many_searches),
    "search vanishes": (1, _vanishing),
    "opt-out": (0.7, _opt_out),
}
