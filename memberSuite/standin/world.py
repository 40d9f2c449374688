"""What the server stands on: people, searches, sessions, faults and the log, all put back by one reset."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from memberSuite.standin.columns import to_moment
from memberSuite.standin.engine import Engine
from memberSuite.standin.faults import Call, FaultBook
from memberSuite.standin.people import Population
from memberSuite.standin.searches import Catalogue, SavedSearch

SESSIONS_KEPT = 10_000
TOKEN_SECONDS = 3600


@dataclass
class Entry:
    """One request in the log: what was asked, never a secret and never a person's data."""

    call: Call
    at: str
    detail: dict[str, object] = field(default_factory=dict)
    signature_valid: bool | None = None
    status: int = 0
    took_ms: float = 0.0
    faults: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        call = self.call
        return {
            "operation": call.operation,
            "at": self.at,
            "tags": sorted(call.tags),
            "search": call.search_id,
            **self.detail,
            "signature_valid": self.signature_valid,
            "status": self.status,
            "took_ms": round(self.took_ms, 2),
            "faults": self.faults,
        }


class Log:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self.lock:
            self.counts: Counter[str] = Counter()
            self.struck: Counter[str] = Counter()
            self.bad_signatures = 0
            self.under_way = 0
            self.most_at_once = 0
            self.last: deque[Entry] = deque(maxlen=500)

    def begin(self, call: Call) -> Entry:
        with self.lock:
            self.counts[call.operation] += 1
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        return Entry(call, datetime.now(UTC).isoformat(timespec="milliseconds"))

    def end(self, entry: Entry) -> None:
        with self.lock:
            self.under_way = max(0, self.under_way - 1)
            self.bad_signatures += entry.signature_valid is False
            self.struck.update(entry.faults)
            self.last.append(entry)

    def as_dict(self) -> dict[str, object]:
        with self.lock:
            return {
                "calls": dict(self.counts),
                "total": self.counts.total(),
                "faults": dict(self.struck),
                "bad_signatures": self.bad_signatures,
                "under_way": self.under_way,
                "most_at_once": self.most_at_once,
                "last": [entry.as_dict() for entry in self.last],
            }


class Keys:
    """Sessions or tokens that are valid now, the oldest forgotten first."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: dict[str, float] = {}

    def make(self, name: str | None = None) -> str:
        name = name or str(uuid4())
        with self.lock:
            self.known[name] = time.monotonic()
            if len(self.known) > SESSIONS_KEPT:
                del self.known[next(iter(self.known))]
        return name

    def __contains__(self, name: str) -> bool:
        return name in self.known

    def forget(self, name: str | None = None) -> None:
        with self.lock:
            if name is None:
                self.known.clear()
            else:
                self.known.pop(name, None)


class World:
    def __init__(self, people: int, seed: int, latency_ms: float = 0.0) -> None:
        self.faults, self.log, self.sessions, self.tokens = FaultBook(), Log(), Keys(), Keys()
        self.latency_ms = latency_ms
        self.first = (people, seed, latency_ms)
        self.stopping = threading.Event()
        # Called with the rows of people who have just come, gone or changed, before any other call sees it.
        self.on_change: list[Callable[[Sequence[int]], None]] = []
        self.on_search_change: list[Callable[[SavedSearch], None]] = []
        self.fill(people, seed)

    def fill(self, people: int, seed: int) -> None:
        self.people, self.seed = people, seed
        self.population = Population(people, seed)
        self.catalogue = Catalogue()
        self.engine = Engine(self.population, self.catalogue.table)

    def reset(self, people: int | None = None, seed: int | None = None) -> None:
        """Put everything back as it was at the start, with other numbers if given."""
        self.faults.clear()
        self.sessions.forget()
        self.tokens.forget()
        self.latency_ms = self.first[2]
        self.fill(people or self.first[0], self.first[1] if seed is None else seed)
        self.log.clear()

    def tell_changed(self, rows: Sequence[int]) -> None:
        """Tell the listeners which people's rows are other than they were."""
        for listener in self.on_change:
            listener(rows)

    def tell_search_changed(self, search: SavedSearch) -> None:
        for listener in self.on_search_change:
            listener(search)

    def now(self) -> int:
        return to_moment(datetime.now(UTC).isoformat())
