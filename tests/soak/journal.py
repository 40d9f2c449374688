"""What a soak's driver did and was promised: the checker holds the database against it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """A request that was answered: it must never be lost (R7, R9)."""

    kind: str
    group: int | None
    trigger: str
    run: int
    at: float


@dataclass
class Journal:
    """One round's notes.

    Attributes:
        unsure: requests that ended with an error of the database: kept or not, both are right.
        twisted: rows of the remote were made unreadable: who could not be read is not added, and nobody may be removed.
        remote_failed: faults after which a run may rightly fail.
    """

    number: int
    asked: list[Asked] = field(default_factory=list)
    unsure: int = 0
    twisted: bool = False
    remote_failed: bool = False
    told: list[str] = field(default_factory=list)
    applied_held: dict[int, int] = field(default_factory=dict)  # the run that applies, and the held one
    frozen_runs: list[str] = field(default_factory=list)
    suppressed: set[str] = field(default_factory=set)

    def tell(self, what: str) -> None:
        self.told.append(what)
