"""What a run that failed may leave behind: its reason, on itself and beside the group, and nothing else (R4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetgroups.models import Bridge, Exclusion, Folder, Membership, RunOutcome, Subscriber, TargetGroup
from tests.support import truth
from tests.support.engine import raw_connection, snapshot

if TYPE_CHECKING:
    from targetgroups.models import SyncRun
    from tests.support.engine import Engine

# What a run that failed may say of its group; all else about a group is its numbers, its name and its place.
_SAYS_WHY = frozenset({"error_code", "error_text", "error_at", "gone_at"})


def synced(engine: Engine, name: str, page_size: int = 50) -> str:
    """Make a group that was synced once, without reading the list; its pages are small, so that there are several."""
    search_id = engine.standin.search_id(name)
    Bridge.objects.filter(pk=engine.bridge.pk).update(page_size=page_size)
    TargetGroup.objects.create(
        bridge=engine.bridge,
        folder=Folder.objects.get(name=Folder.MEMBERSUITE),
        search_id=search_id,
        search_key=search_id.lower(),
        name=name,
    )
    completes(engine, name)
    return name


def picture() -> list[object]:
    """Give everything that a failed run leaves as it is: people, members, exclusions and every group's numbers."""
    groups = [
        {name: value for name, value in group.items() if name not in _SAYS_WHY}
        for group in TargetGroup.objects.order_by("pk").values()
    ]
    return [*snapshot(Subscriber, Membership, Exclusion, RunOutcome), groups]


def stir(engine: Engine, name: str) -> None:
    """Change MemberSuite so that a run which wrote anything would be seen: people come, go, and change."""
    present = sorted(engine.members(name))
    engine.standin.insert(2)
    engine.standin.delete(ids=present[:2])
    engine.standin.flip_do_not_email(ids=present[2:3], to=True)
    engine.standin.change({"LastName": "Wyndham"}, ids=present[3:6])


def fails(engine: Engine, name: str, code: str) -> SyncRun:
    """Sync a group; the run must fail with this code, change nothing, and say why on itself and beside the group."""
    before = picture()
    run = engine.sync(name)
    said = f"{run.status} {run.error_code}: {run.error_text} ({run.remote_said})"
    assert (run.status, run.error_code) == ("failed", code), said
    assert picture() == before, "something changed"
    group = engine.group(name)
    assert (group.error_code, group.error_text) == (code, run.error_text), "the group does not say what the run says"
    assert group.state == "error", group.state
    assert group.error_at is not None
    assert truth.stages(raw_connection()) == []
    return run


def completes(engine: Engine, name: str, status: str = "completed") -> SyncRun:
    """Sync a group; the run must end well, make the group equal to its search, and leave no error beside it."""
    run = engine.sync(name)
    assert run.status == status, f"{run.status} {run.error_code}: {run.error_text} ({run.remote_said})"
    assert engine.complaints(name) == [], engine.complaints(name)[:3]
    assert (run.error_code, engine.group(name).error_code) == ("", "")
    assert truth.stages(raw_connection()) == []
    return run
