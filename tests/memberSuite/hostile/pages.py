"""Answers that are each in order and together make no sense: the same page for ever, pages without end."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from uuid import UUID

from tests.memberSuite.hostile.genuine import Reply
from tests.memberSuite.hostile.kinds import Mutated

Kept = dict[str, Reply]
PageWay = Callable[[Random, str, Reply, Kept, int], Mutated | None]

PAGES: dict[str, PageWay] = {}


def pages(way: PageWay) -> PageWay:
    PAGES[way.__name__] = way
    return way


def _has_rows(reply: Reply) -> bool:
    return b"<Table " in reply.body if reply.is_xml else b'"id"' in reply.body


@pages
def same_page_for_ever(random: Random, operation: str, reply: Reply, kept: Kept, calls: int) -> Mutated | None:
    """Every answer is the first one of its operation that had rows."""
    if operation not in kept:
        if _has_rows(reply):
            kept[operation] = reply
        return None
    return Mutated(kept[operation].body, is_lie=True)


@pages
def page_before_again(random: Random, operation: str, reply: Reply, kept: Kept, calls: int) -> Mutated | None:
    """Each answer is the one to the call before."""
    before = kept.get(operation)
    kept[operation] = reply
    return Mutated(before.body, is_lie=True) if before else None


@pages
def answer_to_another_question(random: Random, operation: str, reply: Reply, kept: Kept, calls: int) -> Mutated | None:
    others = [other for name, other in kept.items() if name != operation]
    kept[operation] = reply
    return Mutated(random.choice(others).body, is_lie=True) if others else None


@pages
def pages_without_end(random: Random, operation: str, reply: Reply, kept: Kept, calls: int) -> Mutated | None:
    """Always somebody whom nobody has seen, with a total that is never reached or stays what it was."""
    if _has_rows(reply):
        kept.setdefault(operation, reply)
    if operation not in kept:
        return None

    def new_id(_found: re.Match[bytes]) -> bytes:
        return str(UUID(int=random.getrandbits(128))).encode()

    def new_key(found: re.Match[bytes]) -> bytes:
        return found[1] + b"%d" % (int(found[2]) + calls * 1_000_000)

    body = re.sub(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", new_id, kept[operation].body)
    body = re.sub(rb'(LocalID>|"localID": ?)([0-9]+)', new_key, body)
    if growth := random.choice((0, 1000, 10**9)):
        body = re.sub(rb'(TotalRowCount>|"totalCount": ?)[0-9]+', lambda one: one[1] + b"%d" % (growth * calls), body)
    return Mutated(body, is_noise=True, is_lie=True)
