"""Nobody is removed on doubt, and too many wait for a person: R5, R6."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from targetgroups import enqueue
from targetgroups.exceptions import NotAllowedNow
from targetgroups.models import Membership, RunOutcome, Subscriber, SyncRun, TargetGroup
from targetgroups.sync import diff
from tests.support.engine import perform_beside, snapshot

if TYPE_CHECKING:
    from tests.support.engine import Engine

NAME = "Current members"
ALL = "All individuals"


def test_r5_each_removal_tells_its_reason(engine: Engine) -> None:
    engine.sync(NAME)
    flagged, deleted, left, blank, broken = sorted(engine.members(NAME))[:5]
    engine.standin.flip_do_not_email(ids=[flagged], to=True)
    engine.standin.delete(ids=[deleted])
    engine.standin.change({"Membership.ReceivesMemberBenefits": False}, ids=[left])
    engine.standin.set_address(blank, None)
    engine.standin.set_address(broken, "not an address")
    run = engine.sync(NAME)
    reasons = dict(RunOutcome.objects.filter(run=run, kind="removed").values_list("remote_key", "reason"))
    assert reasons == {
        flagged: "now_do_not_email",
        deleted: "record_deleted",
        left: "no_longer_in_search",
        blank: "now_no_address",
        broken: "now_malformed_address",
    }
    assert run.figures["removed"] == 5
    assert engine.complaints(NAME) == []


def test_r5_whoever_still_matches_at_the_look_up_stays(engine: Engine) -> None:
    engine.sync(NAME)
    back = sorted(engine.members(NAME))[0]
    engine.standin.flip_do_not_email(ids=[back], to=True)
    with engine.standin.holds("ExecuteSearch", only="look_up") as held:
        run = enqueue.request_sync(engine.group(NAME), "resync_now")
        thread = perform_beside(run)
        assert held.wait_until_held()
        engine.standin.flip_do_not_email(ids=[back], to=False)
    thread.join(20)
    run.refresh_from_db()
    assert (run.status, run.figures["removed"]) == ("completed", 0)
    assert engine.complaints(NAME) == []


def test_r5_an_error_at_the_look_up_fails_the_run_and_changes_nothing(engine: Engine) -> None:
    engine.sync(NAME)
    before = engine.members(NAME)
    engine.standin.delete(ids=sorted(before)[:3])
    engine.standin.fails("ExecuteSearch", "InvalidQuery", only="look_up")
    run = engine.sync(NAME)
    assert run.status == "failed"
    assert engine.members(NAME) == before


def test_r5_a_person_whose_row_is_unreadable_is_not_removed(engine: Engine) -> None:
    engine.sync(NAME)
    before = engine.members(NAME)
    engine.standin.fails("ExecuteSearch", "rows_without_id", only="page", times=1)
    run = engine.sync(NAME)
    assert run.status == "completed_with_rejects"
    assert run.figures["unreadable_row"] == 1
    assert engine.members(NAME) == before


def test_r6_a_run_that_would_remove_too_many_is_held_before_any_look_up(engine: Engine) -> None:
    engine.sync(ALL)
    before, count = engine.members(ALL), engine.group(ALL).member_count
    engine.standin.delete(ids=sorted(before)[: len(before) // 3])
    engine.standin.world.log.clear()
    run = engine.sync(ALL)
    assert run.status == "held"
    assert "would remove" in run.sentence
    assert (engine.members(ALL), engine.group(ALL).member_count) == (before, count)
    shown = set(RunOutcome.objects.filter(run=run, kind="would_remove").values_list("remote_key", flat=True))
    assert shown == set(sorted(before)[: len(before) // 3])
    assert run.figures["would_remove"] == len(shown)


def test_r6_a_held_run_keeps_who_would_stay_where_they_are_few(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff, "FEW_STAY_IN", 100)  # as the group has not two hundred members
    engine.sync(ALL)
    members = sorted(engine.members(ALL))
    half = len(members) // 2
    for goes, kept in ((members[half:], set()), (members[1:half], {members[0]})):
        engine.standin.delete(ids=goes)
        run = engine.sync(ALL)
        assert run.status == "held"
        told = RunOutcome.objects.filter(run=run, kind="would_stay").values_list("remote_key", flat=True)
        assert set(told) == kept


def test_r6_everybody_is_too_many_however_few_they_are(engine: Engine) -> None:
    engine.sync("Board of directors")
    everybody = engine.members("Board of directors")
    assert 0 < len(everybody) < 25
    engine.standin.flip_do_not_email(ids=everybody, to=True)
    run = engine.sync("Board of directors")
    assert run.status == "held"
    assert "everybody" in run.sentence
    assert engine.members("Board of directors") == everybody


def test_r6_apply_removes_the_people_shown(engine: Engine, django_user_model: type) -> None:
    held, shown = _held(engine)
    user = _user(django_user_model)
    run = engine.work(enqueue.request_apply(held, user))
    assert (run.status, run.figures["removed"]) == ("completed", len(shown))
    assert engine.complaints(ALL) == []
    held.refresh_from_db()
    assert (held.status, held.decided_by) == ("superseded", user)


def test_r6_apply_holds_again_for_people_beyond_those_shown(engine: Engine, django_user_model: type) -> None:
    held, _ = _held(engine)
    before = engine.members(ALL)
    engine.standin.delete(ids=sorted(before)[-len(before) // 3 :])
    run = engine.work(enqueue.request_apply(held, _user(django_user_model)))
    assert run.status == "held"
    assert "not among those you approved" in run.sentence
    assert engine.members(ALL) == before


def test_r6_discard_closes_a_held_run_and_changes_nothing(engine: Engine, django_user_model: type) -> None:
    held, _ = _held(engine)
    before = engine.members(ALL)
    enqueue.request_discard(held, _user(django_user_model))
    held.refresh_from_db()
    assert held.status == "cancelled"
    assert engine.members(ALL) == before
    with pytest.raises(NotAllowedNow):
        enqueue.request_apply(held, _user(django_user_model))


def test_r6_a_later_trigger_starts_a_new_run_and_its_completion_supersedes_the_held_one(engine: Engine) -> None:
    held, shown = _held(engine)
    engine.standin.reset()
    run = engine.sync(ALL)
    assert (run.pk > held.pk, run.status) == (True, "completed")
    held.refresh_from_db()
    assert held.status == "superseded"
    assert shown <= engine.members(ALL)


def test_r6_a_group_may_have_limits_of_its_own(engine: Engine) -> None:
    engine.sync(NAME)
    TargetGroup.objects.filter(name=NAME).update(guard_percent=0, guard_people=0)
    engine.standin.delete(ids=sorted(engine.members(NAME))[:1])
    assert engine.sync(NAME).status == "held"


def test_a_preview_shows_what_would_happen_and_changes_nothing(engine: Engine) -> None:
    engine.sync(NAME)
    first, second = sorted(engine.members(NAME))[:2]
    engine.standin.delete(ids=[first])
    engine.standin.set_address(second, "fresh@lamps.example")
    before = snapshot(Subscriber, Membership)
    run = engine.preview(NAME)
    assert (run.status, run.kind) == ("completed", "preview")
    shown = set(RunOutcome.objects.filter(run=run).values_list("kind", "remote_key"))
    assert shown == {("would_remove", first), ("would_change", second)}
    assert run.figures["would_remove_by_reason"] == {"record_deleted": 1}
    assert (run.trigger, run.figures["would_be_held"]) == ("preview", False)
    assert snapshot(Subscriber, Membership) == before


def test_r6_a_preview_of_a_sync_that_would_be_held_says_so_and_is_itself_not_held(engine: Engine) -> None:
    engine.sync(NAME)
    members = engine.members(NAME)
    engine.standin.delete(ids=sorted(members))
    run = engine.preview(NAME)
    assert run.status == "completed"
    assert "This sync would be held: removing everybody is more" in run.sentence
    assert run.figures["would_remove_by_reason"] == {"": len(members)}
    assert run.figures["would_be_held"]
    assert engine.members(NAME) == members


def _held(engine: Engine) -> tuple[SyncRun, set[str]]:
    engine.sync(ALL)
    members = sorted(engine.members(ALL))
    engine.standin.delete(ids=members[: len(members) // 3])
    held = engine.sync(ALL)
    assert held.status == "held"
    return held, set(members[: len(members) // 3])


def _user(model: type) -> object:
    return model.objects.get_or_create(username="mia")[0]  # type: ignore[attr-defined]
