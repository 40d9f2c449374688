"""What a mutation is, and what may be believed of a reply that went through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.memberSuite.hostile.genuine import Reply


@dataclass(frozen=True)
class Mutated:
    """A reply that is no longer genuine.

    A client can't see that a value is false if it is plausible, so each mutation says what is left to be judged.
    """

    body: bytes
    unmailable: frozenset[str] = frozenset()  # keys of rows whose flag is missing, unreadable or contradicts itself
    loose: frozenset[str] = frozenset()  # keys of rows whose other values are plausible and false
    is_noise: bool = False  # any value may be plausible and false
    is_lie: bool = False  # the reply is consistent, so nobody can know that somebody is missing
    status: int = 200
    content_type: str = ""  # "" leaves it


Mutate = Callable[[Random, Reply], Mutated | None]  # None: there is nothing in this reply to mutate


@dataclass(frozen=True)
class Kind:
    name: str
    mutate: Mutate
    weight: float  # how often it is drawn; what is expensive to send is drawn less often
    is_of_rows: bool  # only a reply with rows of people can be mutated so


KINDS: dict[str, Kind] = {}


def kind(*, weight: float = 1.0) -> Callable[[Mutate], Mutate]:
    """Register a function as a kind of mutation, under its own name."""

    def register(mutate: Mutate) -> Mutate:
        name = mutate.__name__
        assert name not in KINDS, name
        KINDS[name] = Kind(name, mutate, weight, mutate.__module__.endswith(".rows"))
        return mutate

    return register
