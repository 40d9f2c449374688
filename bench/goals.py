"""What a measurement gives: figures, and goals that are ratios of figures taken in one run, never absolute times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

Kind = Literal["at least", "at most"]
SMALL_MARGIN = 1.5  # small sizes weigh fixed costs too heavily, so there a ratio may miss its goal by this factor


@dataclass(frozen=True)
class Scale:
    """How large and how often.

    Attributes:
        people: members of the group, or records of the search.
        rounds: how often each case is measured, interleaved with the others.
        latency_ms: what each call to MemberSuite waits before its answer, where the item says nothing else.
        is_small: goals are compared with a margin, and what takes minutes is left out (and told).
        peers: names of the only peers to measure; None: all of them.
    """

    people: int
    rounds: int = 3
    latency_ms: float = 50
    is_small: bool = True
    peers: frozenset[str] | None = None

    def wants(self, peer: str) -> bool:
        return self.peers is None or peer in self.peers


@dataclass(frozen=True)
class Figure:
    """One number: `contestant` is the product, a peer or the limit; `unit` is rows/s, ms, MiB, ...

    Figures with the same `table` are laid out together, under that title.
    """

    item: str
    contestant: str
    case: str
    value: float
    unit: str
    table: str = ""


@dataclass(frozen=True)
class Goal:
    """A ratio that the product should reach. `ratio` None: not measured, and `why` says why."""

    number: str
    what: str
    ratio: float | None
    needed: float
    kind: Kind
    why: str = ""

    @property
    def reached(self) -> bool | None:
        return self.holds_within(1)

    def holds_within(self, margin: float) -> bool | None:
        """Say whether the goal is reached or missed by at most this factor; None when it was not measured."""
        if self.ratio is None:
            return None
        if self.kind == "at least":
            return self.ratio * margin >= self.needed
        return self.ratio <= self.needed * margin


@dataclass(frozen=True)
class ItemResult:
    """`complaints` are wrong results, such as a group that is not exact: they fail the run whatever the goals say."""

    figures: list[Figure] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> ItemResult:
        return cls(
            figures=[Figure(**each) for each in found["figures"]],
            goals=[Goal(**each) for each in found["goals"]],
            notes=list(found["notes"]),
            complaints=list(found["complaints"]),
        )


def at_least(number: str, what: str, product: Sequence[float], peer: Sequence[float], needed: float) -> Goal:
    """Make the goal that the product's median rate is `needed` times the peer's (more is better)."""
    return Goal(number, what, ratio_of(product, peer), needed, "at least", _why(product, peer))


def faster_than(number: str, what: str, product: Sequence[float], peer: Sequence[float], needed: float) -> Goal:
    """Make the goal that the peer's median time (or memory) is at least `needed` times the product's."""
    return Goal(number, what, ratio_of(peer, product), needed, "at least", _why(product, peer))


def at_most(number: str, what: str, product: Sequence[float], other: Sequence[float], needed: float) -> Goal:
    """Make the goal that the product's median time (or memory) is at most `needed` times the other's."""
    return Goal(number, what, ratio_of(product, other), needed, "at most", _why(product, other))


def not_measured(number: str, what: str, needed: float, kind: Kind, why: str) -> Goal:
    return Goal(number, what, None, needed, kind, why)


def ratio_of(these: Sequence[float], those: Sequence[float]) -> float | None:
    """Divide the medians; None when either was not measured."""
    if not these or not those:
        return None
    return median(these) / median(those)


def interleaved(cases: Mapping[str, Callable[[], float]], rounds: int = 3) -> dict[str, list[float]]:
    """Measure all cases `rounds` times, in another order each round, so that a busy minute falls on all of them."""
    names = list(cases)
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        start = number % len(names) if names else 0
        for name in names[start:] + names[:start]:
            found[name].append(cases[name]())
    return found


def figures_of(item: str, contestant: str, case: str, values: Iterable[float], unit: str) -> list[Figure]:
    """Make one figure, the median of these values; none when there are none."""
    taken = list(values)
    return [Figure(item, contestant, case, median(taken), unit)] if taken else []


def _why(product: Sequence[float], peer: Sequence[float]) -> str:
    if not product:
        return "the product was not measured"
    return "" if peer else "the other side was not measured"
