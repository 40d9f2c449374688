"""One case of hostility: which call is answered wrongly, in which way, and how often."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass, field
from random import Random

from tests.memberSuite.hostile import bodies, bombs, packed, rows, wire  # noqa: F401  # they register their ways
from tests.memberSuite.hostile.genuine import Reply
from tests.memberSuite.hostile.kinds import KINDS, Mutated
from tests.memberSuite.hostile.pages import PAGES

_EVERY = {
    **{name: one.weight for name, one in KINDS.items()},
    **{name: weight for name, (_, weight) in wire.WIRES.items()},
    **dict.fromkeys(PAGES, 1.0),
}
NAMES, WEIGHTS = list(_EVERY), list(_EVERY.values())
FOR_EVER = 10**9
_ID = re.compile(rb'(?:<ID>|"id": ?")([0-9a-fA-F-]{36})')


@dataclass
class Script:
    """Answers the calls of one client; its random numbers are its own, so a seed repeats it."""

    seed: str
    name: str
    skip: int  # calls answered well before
    times: int  # calls answered wrongly, then well again
    random: Random = field(init=False)
    calls: int = 0
    struck: int = 0
    told: list[Mutated] = field(default_factory=list)
    kept: dict[str, Reply] = field(default_factory=dict)
    well: set[str] = field(default_factory=set)  # ids of rows that came as they are too
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    @classmethod
    def draw(cls, seed: str, name: str, calls: int) -> Script:
        """Draw a script for a client that makes about so many calls."""
        random = Random(f"script {seed}")
        return cls(seed, name, random.randrange(calls), random.choice((1, 1, 1, 2, 3, FOR_EVER)))

    def answer(self, peer: socket.socket, operation: str, reply: Reply, over: threading.Event) -> bool:
        """Answer one call; say whether the connection may be used again."""
        with self.lock:
            mutated, send = self._next(operation, reply)
        if send is not None:
            with contextlib.suppress(OSError):
                send(peer, self.random, reply, over)
            wire.close(peer)
            return False
        if mutated is None:
            self.well.update(_ids_in(reply.body))
            wire.send_well(peer, reply)
            return True
        if mutated.unmailable:  # the other rows of this reply are as they were
            self.well.update(_ids_in(mutated.body) - mutated.unmailable - mutated.loose)
        wire.send_well(peer, Reply(mutated.status, mutated.content_type or reply.content_type, mutated.body))
        return True

    def _next(self, operation: str, reply: Reply) -> tuple[Mutated | None, wire.Send | None]:
        self.calls += 1
        if self.calls <= self.skip or self.struck >= self.times:
            return None, None
        send = wire.WIRES[self.name][0] if self.name in wire.WIRES else None
        mutated = self._mutate(operation, reply)
        if mutated is not None:
            self.told.append(mutated)
        self.struck += mutated is not None or send is not None
        return mutated, send

    def _mutate(self, operation: str, reply: Reply) -> Mutated | None:
        if self.name in PAGES:
            return PAGES[self.name](self.random, operation, reply, self.kept, self.calls)
        found = KINDS[self.name].mutate(self.random, reply) if self.name in KINDS else None
        is_as_it_was = found is not None and (found.body, found.status, found.content_type) == (reply.body, 200, "")
        return None if is_as_it_was else found


def _ids_in(body: bytes) -> set[str]:
    return {found.decode().lower() for found in _ID.findall(body)}
