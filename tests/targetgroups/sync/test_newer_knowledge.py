"""Two runs applied in the opposite order of their reading: the newer knowledge wins (R14)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from targetgroups import enqueue
from targetgroups.choices import Trigger
from targetgroups.models import Membership, RunOutcome, Subscriber, SyncRun
from targetgroups.sync import apply
from tests.support.engine import perform_beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.engine import Engine

OLDER, NEWER = "Current members", "All individuals"


@pytest.fixture
def reads_first_applies_last(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., _Late]:
    """Let a run of OLDER read everything now, and wait for the bridge's lock until it is let go."""
    free = apply.try_lock

    def start(*, preview: bool = False) -> _Late:
        group = engine.group(OLDER)
        run = enqueue.request_preview(group) if preview else enqueue.request_sync(group, Trigger.RESYNC_NOW)
        late = _Late(run)

        def locks_out_the_late_run(bridge_id: int) -> bool:
            if late.is_this_thread():
                late.reached_the_lock.set()
                return late.may_write.is_set() and free(bridge_id)
            return free(bridge_id)

        monkeypatch.setattr(apply, "try_lock", locks_out_the_late_run)
        late.thread = perform_beside(run)
        assert late.reached_the_lock.wait(20)
        return late

    return start


class _Late:
    def __init__(self, run: SyncRun) -> None:
        self.run = run
        self.thread: threading.Thread | None = None
        self.may_write, self.reached_the_lock = threading.Event(), threading.Event()

    def is_this_thread(self) -> bool:
        return threading.current_thread().name == f"worker-of-run-{self.run.pk}"

    def ends(self) -> SyncRun:
        self.may_write.set()
        assert self.thread is not None
        self.thread.join(20)
        self.run.refresh_from_db()
        return self.run


def test_r14_an_address_read_earlier_does_not_overwrite_one_read_later(
    engine: Engine, reads_first_applies_last: Callable[..., _Late]
) -> None:
    engine.sync(OLDER)
    person = sorted(engine.members(OLDER))[0]
    engine.standin.set_address(person, "old@lamps.example")
    late = reads_first_applies_last()
    engine.standin.set_address(person, "new@lamps.example")
    engine.sync(NEWER)
    assert late.ends().status == "completed"
    assert Subscriber.objects.get(remote_key=person).email == "new@lamps.example"
    keys = Membership.objects.filter(subscriber__remote_key=person).values_list("sort_email", flat=True)
    assert list(keys) == ["new@lamps.example"] * 2


def test_r14_a_value_that_a_later_run_found_unchanged_is_newer_too(
    engine: Engine, reads_first_applies_last: Callable[..., _Late]
) -> None:
    engine.sync(OLDER)
    engine.sync(NEWER)
    person = sorted(engine.members(OLDER))[0]
    stored = Subscriber.objects.get(remote_key=person).email
    engine.standin.set_address(person, "passing@lamps.example")
    late = reads_first_applies_last()
    engine.standin.set_address(person, stored)
    engine.sync(NEWER)  # finds nothing changed, and so writes nothing
    late.ends()
    assert Subscriber.objects.get(remote_key=person).email == stored


def test_r14_a_person_known_to_be_do_not_email_is_not_brought_back_by_an_older_reading(
    engine: Engine, reads_first_applies_last: Callable[..., _Late]
) -> None:
    engine.sync(NEWER)
    engine.group(OLDER)
    person = _somebody_mailable(engine)
    late = reads_first_applies_last()
    engine.standin.flip_do_not_email(ids=[person], to=True)
    engine.sync(NEWER)
    run = late.ends()
    assert run.status == "completed"
    assert person not in engine.members(OLDER)
    assert person in engine.excluded(OLDER, "do_not_email")
    erased = Subscriber.objects.get(remote_key=person)
    assert (erased.email, erased.do_not_email_at is not None) == ("", True)
    assert run.figures["members_after"] == run.figures["eligible"] == len(engine.members(OLDER))


def test_r14_somebody_who_never_was_a_subscriber_is_kept_out_by_newer_knowledge(
    engine: Engine, reads_first_applies_last: Callable[..., _Late]
) -> None:
    engine.group(OLDER)
    person = _somebody_mailable(engine)
    late = reads_first_applies_last()
    engine.standin.flip_do_not_email(ids=[person], to=True)
    engine.sync(NEWER)
    late.ends()
    assert not Subscriber.objects.filter(remote_key=person).exists()
    assert person not in engine.members(OLDER)


def test_r14_a_member_whom_newer_knowledge_excludes_leaves_with_the_older_run(
    engine: Engine, reads_first_applies_last: Callable[..., _Late]
) -> None:
    engine.sync(OLDER)
    engine.sync(NEWER)
    person = sorted(engine.members(OLDER))[0]
    late = reads_first_applies_last()
    engine.standin.flip_do_not_email(ids=[person], to=True)
    engine.sync(NEWER)
    run = late.ends()
    assert run.figures["removed_by_reason"] == {"now_do_not_email": 1}
    assert person not in engine.members(OLDER)


def test_r14_someone_read_later_as_mailable_is_not_erased_by_an_older_reading(
    engine: Engine, reads_first_applies_last: Callable[..., _Late]
) -> None:
    engine.sync(OLDER)
    engine.sync(NEWER)
    person = sorted(engine.members(OLDER))[0]
    address = Subscriber.objects.get(remote_key=person).email
    engine.standin.flip_do_not_email(ids=[person], to=True)
    late = reads_first_applies_last()
    engine.standin.flip_do_not_email(ids=[person], to=False)
    engine.sync(NEWER)
    late.ends()
    assert Subscriber.objects.get(remote_key=person).email == address
    assert person in engine.members(NEWER)
    assert engine.complaints(NEWER) == []


def test_r1_a_preview_keeps_nothing_of_somebody_who_became_do_not_email_meanwhile(
    engine: Engine, reads_first_applies_last: Callable[..., _Late]
) -> None:
    engine.sync(OLDER)
    engine.sync(NEWER)
    person = sorted(engine.members(OLDER))[0]
    engine.standin.set_address(person, "new@lamps.example")
    late = reads_first_applies_last(preview=True)
    engine.standin.flip_do_not_email(ids=[person], to=True)
    engine.sync(NEWER)
    told = RunOutcome.objects.filter(run=late.ends(), remote_key=person)
    assert list(told.values_list("kind", "reason", "changes")) == [("would_remove", "now_do_not_email", None)]


def _somebody_mailable(engine: Engine) -> str:
    people = engine.standin.mailable(engine.standin.search_id(OLDER))
    return sorted(str(person["id"]).lower() for person in people if person["email"])[0]
