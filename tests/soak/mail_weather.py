"""What may happen to a round of mailings: manners of the mail server, clicks and deaths, all drawn from one seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.soak import steps
from tests.soak.mail_sink import BEFORE_TEXT, BUSY_AT, IN_DOUBT, Manners

if TYPE_CHECKING:
    from tests.soak.mail_driver import MailSoak

# Replies that some addresses get: code, where, and to how many tries (to all without a number).
REPLIES = ("550 rcpt", "554 text", "552 data", "450 rcpt 1", "451 text 2", "452 data 1", "450 rcpt 3", "451 rcpt")


@dataclass(frozen=True)
class Event:
    """Something that happens when the mail server has taken so many messages."""

    after: int
    do: Callable[[MailSoak], str]
    name: str = ""


@dataclass
class Plan:
    manners: Manners
    is_personal: bool
    has_second: bool  # another mailing to some of the same people at the same time
    events: list[Event] = field(default_factory=list)


def plan(chance: random.Random, people: int) -> Plan:
    """Draw a round for a mailing to so many people."""
    drawn = Plan(_manners(chance, people), is_personal=chance.random() < 0.4, has_second=chance.random() < 0.25)
    drawn.events += _bars(chance, people)
    left = dict(FAULTS)
    for _ in range(chance.choice((1, 2, 2, 3))):
        name = chance.choices(list(left), weights=[likely for likely, _ in left.values()])[0]
        drawn.events += [replace(event, name=name) for event in left.pop(name)[1](chance, people)]
    drawn.events.sort(key=lambda event: event.after)
    return drawn


def _manners(chance: random.Random, people: int) -> Manners:
    def perhaps(likely: float, least: int, most: int) -> int:
        return chance.randint(least, most) if chance.random() < likely else 0

    shares = {reply: chance.randint(2, 15) for reply in chance.sample(REPLIES, chance.choice((0, 1, 2, 3)))}
    return Manners(
        seed=str(chance.random()),
        is_pipelining=chance.random() < 0.65,
        takes_utf8=chance.random() < 0.7,
        seconds=chance.choice((0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.001, 0.002, 0.004, 0.008)),
        most_a_connection=perhaps(0.3, 20, 400),
        most_connections=perhaps(0.2, 1, 3),
        shares=shares,
        cuts=_places(chance, perhaps(0.6, 1, 6), (*BEFORE_TEXT[1:], *IN_DOUBT[:3], *IN_DOUBT[:3], "late"), people),
        busy=_places(chance, perhaps(0.3, 1, 3), BUSY_AT, people),
    )


def _places(chance: random.Random, count: int, places: tuple[str, ...], people: int) -> dict[int, str]:
    return {_moment(chance, people) + 1: chance.choice(places) for _ in range(count)}


def _moment(chance: random.Random, people: int) -> int:
    """Draw after how many messages: anywhere, often early, sometimes at the very end."""
    kind = chance.random()
    if kind < 0.15:
        return chance.randint(0, 12)
    return chance.randint(people - 40, people) if kind > 0.9 else int(chance.random() * people)


# --- what people do ----------------------------------------------------------------------------------------------


def _bars(chance: random.Random, people: int) -> list[Event]:
    """Somebody opts out, becomes Do Not Email, leaves the groups, or joins one that is not sent to (R14)."""
    events = []
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        kind, count = (
            chance.choice(("opt_out", "opt_out", "do_not_email", "left_group", "not_to_group")),
            chance.randint(1, 25),
        )
        events.append(Event(int(chance.random() * people * 0.8), lambda soak, k=kind, n=count: soak.bar(k, n), "bar"))  # type: ignore[misc]
    return events


def _pause(chance: random.Random, people: int) -> list[Event]:
    events = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        seconds = chance.uniform(0.05, 0.7)
        events.append(Event(_moment(chance, people), lambda soak, s=seconds: soak.pause(s)))  # type: ignore[misc]
    return events


def _cancel(chance: random.Random, people: int) -> list[Event]:
    return [Event(_moment(chance, people), lambda soak: soak.cancel())]


def _again(chance: random.Random, people: int) -> list[Event]:
    return [Event(_moment(chance, people), lambda soak: soak.wake_again()) for _ in range(3)]


# --- what dies ---------------------------------------------------------------------------------------------------


def _kill_sender(chance: random.Random, people: int) -> list[Event]:
    events = []
    for _ in range(chance.choice((1, 1, 2))):
        is_whole = chance.random() < 0.5
        events.append(Event(_moment(chance, people), lambda soak, whole=is_whole: soak.kill_sender(is_whole=whole)))  # type: ignore[misc]
    return events


def _at_a_step(chance: random.Random, _people: int) -> list[Event]:
    name = chance.choice([step.name for step in steps.MAIL_STEPS])
    count = chance.choice((1, 1, 2, 3, 5, 9))
    mode = chance.choice((steps.KILL_WORKER, steps.KILL_PROCESS))
    return [Event(0, lambda soak: soak.arm(name, count, mode))]


def _freeze_at_a_step(chance: random.Random, _people: int) -> list[Event]:
    # With a window in its hand, or a list, that another may have sent to when it wakes.
    window, looked_up = "before the outcome with the next in flight", "after the next are looked up"
    name = chance.choice((window, window, looked_up, "in flight, before it is handed over"))
    name = name if chance.random() < 0.7 else chance.choice([step.name for step in steps.MAIL_STEPS])
    count, seconds = chance.choice((1, 1, 2, 3)), chance.uniform(0.5, 3.0)
    return [Event(0, lambda soak: soak.arm(name, count, steps.FREEZE, seconds))]


def _freeze_sender(chance: random.Random, people: int) -> list[Event]:
    seconds = chance.uniform(0.3, 3.5)
    return [Event(_moment(chance, people), lambda soak: soak.freeze_sender(seconds))]


def _kill_server(chance: random.Random, people: int) -> list[Event]:
    events = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        seconds = chance.choice((0.0, 0.1, 0.4, 0.9))
        events.append(Event(_moment(chance, people), lambda soak, s=seconds: soak.kill_server(s)))  # type: ignore[misc]
    return events


def _freeze_server(chance: random.Random, people: int) -> list[Event]:
    seconds = chance.choice((0.4, 1.0, 2.6))
    return [Event(_moment(chance, people), lambda soak: soak.freeze_server(seconds))]


def _postgres(chance: random.Random, people: int) -> list[Event]:
    how = chance.choice(("fast", "immediate"))
    return [Event(_moment(chance, people), lambda soak: soak.restart_postgres(how))]


def _valkey(chance: random.Random, people: int) -> list[Event]:
    seconds = chance.uniform(0.05, 0.6)
    return [Event(_moment(chance, people), lambda soak: soak.stop_valkey(seconds))]


def _empty_valkey(chance: random.Random, people: int) -> list[Event]:
    return [Event(_moment(chance, people), lambda soak: soak.empty_valkey()) for _ in range(2)]


FAULTS: dict[str, tuple[float, Callable[[random.Random, int], list[Event]]]] = {
    "kill the sender": (5, _kill_sender),
    "kill at a step": (5, _at_a_step),
    "freeze at a step": (3, _freeze_at_a_step),
    "freeze the sender": (3, _freeze_sender),
    "kill the mail server": (4, _kill_server),
    "freeze the mail server": (1.5, _freeze_server),
    "PostgreSQL": (3, _postgres),
    "Valkey": (1, _valkey),
    "empty Valkey": (0.7, _empty_valkey),
    "pause": (3, _pause),
    "cancel": (1.5, _cancel),
    "delivered again": (1.5, _again),
}
