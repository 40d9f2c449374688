"""Syncs with a remote that lies: nobody is mailed who must not be, and nobody is lost (R1, R4, R5)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

import memberSuite.pages
from memberSuite import ConnectionSettings
from targetgroups import remote
from targetgroups.models import Bridge, Subscriber
from tests.memberSuite.hostile import wire
from tests.memberSuite.hostile.genuine import Genuine
from tests.memberSuite.hostile.judge import Heard
from tests.memberSuite.hostile.play import Case
from tests.memberSuite.hostile.script import NAMES
from tests.memberSuite.hostile.server import HostileServer
from tests.support import truth
from tests.support.engine import raw_connection
from tests.support.failing import synced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetgroups.models import SyncRun
    from tests.support.engine import Engine

NAME = "All individuals"
ENDS = {"completed", "completed_with_rejects", "failed", "held"}


@pytest.fixture
def group(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """A group that an honest remote filled; waits are short after that."""
    name = synced(engine, NAME)
    patience = {"read_timeout": 0.5, "retry_wait": 0.001, "throttle_cap": 0.01}

    def settings(**given: object) -> ConnectionSettings:
        return partial(ConnectionSettings, **{**given, **patience})()  # type: ignore[arg-type]

    monkeypatch.setattr(remote, "ConnectionSettings", settings)
    monkeypatch.setattr(memberSuite.pages, "MOST_OF_ONE_KEY", 2_000)  # what never ends is given up sooner
    return name


@pytest.fixture
def hostile(engine: Engine) -> Iterator[HostileServer]:
    with HostileServer(Genuine(engine.standin)) as server:
        yield server


def _sync_after_lies(engine: Engine, group: str, server: HostileServer, case: Case) -> list[str]:
    """Sync once while a script lies; give what is wrong afterwards, in words."""
    if case.script.name in wire.STALLS:
        return []
    Bridge.objects.update(service_address=server.address_of(case.script), transport=case.transport)
    run = engine.sync(group)
    heard = Heard.of(case.script)
    right = truth.expected(engine.standin.url, engine.group(group).search_id)
    there = truth.stored_members(raw_connection(), engine.group(group).pk)
    found = _wrong(run, right, there, heard)
    if not heard.is_noise and not heard.loose:
        known = set(Subscriber.objects.values_list("remote_key", flat=True))
        found += [f"R1: something is kept of {key}" for key in sorted(known & right.do_not_email)]
    if there != right.members:
        found += _honest_sync_repairs(engine, group)
    return [f"{case}: {complaint} [{run.status} {run.error_code}]" for complaint in found]


def _wrong(run: SyncRun, right: truth.Expected, there: dict[str, tuple[str, str, str]], heard: Heard) -> list[str]:
    found = [] if run.status in ENDS else [f"the run is {run.status}"]
    if run.status in ("failed", "held") and there != right.members:
        found.append(f"R4: a run that changes nothing changed the members: {len(there)} for {len(right.members)}")
    if heard.is_noise or heard.loose:  # plausible and false: no client can know
        return found
    found += [f"R1, R2: {key} is in the group" for key in there.keys() - right.members.keys()]
    found += [
        f"{key} is {there[key]}" for key in there.keys() & right.members.keys() if there[key] != right.members[key]
    ]
    lost = right.members.keys() - there.keys() - heard.unmailable
    return found + [f"R5: {key} was taken out" for key in lost if not heard.is_lie]


def _honest_sync_repairs(engine: Engine, group: str) -> list[str]:
    Bridge.objects.update(service_address=engine.standin.url, transport="concierge")
    run = engine.sync(group)
    return [f"an honest sync does not repair it: {one}" for one in (engine.complaints(group) or [])[:3] + _unended(run)]


def _unended(run: SyncRun) -> list[str]:
    return [] if run.status == "completed" else [f"{run.status} {run.error_code} {run.error_text}"]


def test_r1_r4_r5_no_lie_makes_a_wrong_member(engine: Engine, group: str, hostile: HostileServer) -> None:
    cases = [Case.draw(f"sync-{number}", does="read_people") for number in range(20)]
    assert [one for case in cases for one in _sync_after_lies(engine, group, hostile, case)] == []


@pytest.mark.soak
@pytest.mark.parametrize("transport", ["concierge", "rest"])
def test_r1_r4_r5_no_way_of_lying_makes_a_wrong_member(
    engine: Engine, group: str, hostile: HostileServer, transport: str
) -> None:
    seeds = [(f"{transport}-{name}-{number}", name) for name in NAMES for number in range(4)]
    cases = [Case.draw(seed, name=name, transport=transport, does="read_people") for seed, name in seeds]
    assert [one for case in cases for one in _sync_after_lies(engine, group, hostile, case)] == []
