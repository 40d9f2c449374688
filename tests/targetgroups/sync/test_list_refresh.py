"""A list refresh turns searches into groups, and never touches a count or a member: R3, R10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetgroups import enqueue
from targetgroups.models import Membership, TargetGroup

if TYPE_CHECKING:
    from tests.support.engine import Engine


def test_each_active_public_search_becomes_a_group_in_the_membersuite_folder(engine: Engine) -> None:
    run = engine.refresh()
    wanted = {s["id"] for s in engine.standin.searches() if s["is_public"] and s["is_active"] and not s["is_deleted"]}
    groups = TargetGroup.objects.select_related("folder")
    assert {group.search_id for group in groups} == wanted
    assert {group.folder.name for group in groups} == {"MemberSuite"}
    assert run.sentence == f"{len(wanted)} new, 0 unchanged"


def test_the_sentence_tells_new_renamed_gone_and_unchanged(engine: Engine) -> None:
    engine.refresh()
    total = TargetGroup.objects.count()
    for name in ("Fresh search one", "Fresh search two"):
        engine.standin.make_search(name, like=_id(engine, "Current members"))
    engine.standin.rename_search(_id(engine, "Lapsed 2025"), "Lapsed last year")
    engine.standin.delete_search(_id(engine, "Newsletter readers"))
    run = engine.refresh()
    assert run.sentence == f"2 new, 1 renamed, 1 no longer in MemberSuite, {total - 2} unchanged"


def test_r3_a_refresh_touches_no_count_and_no_member(engine: Engine) -> None:
    engine.sync("Lapsed 2025")
    counts = TargetGroup.objects.order_by("pk").values_list("pk", "member_count", "counted_at", "exclusion_counts")
    before = (list(counts), list(Membership.objects.order_by("pk").values()))
    engine.standin.rename_search(_id(engine, "Lapsed 2025"), "Lapsed last year")
    engine.standin.flip_do_not_email(percent=50)
    engine.refresh()
    assert (list(counts), list(Membership.objects.order_by("pk").values())) == before


def test_a_renamed_search_keeps_its_group_and_people(engine: Engine) -> None:
    engine.sync("Lapsed 2025")
    group, members = engine.group("Lapsed 2025"), engine.members("Lapsed 2025")
    engine.standin.rename_search(group.search_id, "Lapsed last year")
    engine.refresh()
    assert TargetGroup.objects.get(pk=group.pk).name == "Lapsed last year"
    assert engine.members(group) == members


def test_r10_a_vanished_search_keeps_its_group_and_members_and_returns(engine: Engine) -> None:
    engine.sync("Newsletter readers")
    group, members = engine.group("Newsletter readers"), engine.members("Newsletter readers")
    engine.standin.delete_search(group.search_id)
    engine.refresh()
    gone = TargetGroup.objects.get(pk=group.pk)
    assert gone.is_gone
    assert not gone.is_runnable
    assert (engine.members(group), gone.member_count) == (members, len(members))

    engine.standin.restore_search(group.search_id)
    run = engine.refresh()
    assert "1 back in MemberSuite" in run.sentence
    assert not TargetGroup.objects.get(pk=group.pk).is_gone


def test_r10_a_sync_whose_search_vanished_marks_its_group_and_keeps_the_members(engine: Engine) -> None:
    engine.sync("Newsletter readers")
    members = engine.members("Newsletter readers")
    engine.standin.delete_search(_id(engine, "Newsletter readers"))
    run = engine.sync("Newsletter readers")
    assert (run.status, run.error_code) == ("failed", "search_gone")
    assert engine.group("Newsletter readers").is_gone
    assert engine.members("Newsletter readers") == members


def test_r10_a_private_search_is_no_longer_offered(engine: Engine) -> None:
    engine.group("Newsletter readers")
    engine.standin.hide_search(_id(engine, "Newsletter readers"))
    run = engine.sync("Newsletter readers")
    assert (run.status, run.error_code) == ("failed", "search_gone")
    assert engine.group("Newsletter readers").is_gone


def test_r10_an_empty_list_holds_instead_of_marking_every_group(engine: Engine) -> None:
    engine.refresh()
    for search in engine.standin.searches():
        engine.standin.hide_search(str(search["id"]))
    run = engine.refresh()
    assert run.status == "held"
    assert "all groups" in run.sentence
    assert not TargetGroup.objects.filter(gone_at__isnull=False).exists()
    assert run.outcomes.count() == TargetGroup.objects.count()


def test_an_empty_list_is_fine_where_there_are_no_groups_yet(engine: Engine) -> None:
    for search in engine.standin.searches():
        engine.standin.hide_search(str(search["id"]))
    run = engine.refresh()
    assert (run.status, run.sentence) == ("completed", "0 unchanged")


def test_r10_apply_marks_the_groups_that_a_held_refresh_showed(engine: Engine, django_user_model: type) -> None:
    engine.refresh()
    gone = [str(search["id"]) for search in engine.standin.searches() if search["is_public"]][:8]
    for search_id in gone:
        engine.standin.hide_search(search_id)
    held = engine.refresh()
    assert held.status == "held"
    user = django_user_model.objects.create(username="mia")  # type: ignore[attr-defined]
    run = engine.work(enqueue.request_apply(held, user))
    assert (run.status, run.figures["gone"]) == ("completed", 8)
    held.refresh_from_db()
    assert held.status == "superseded"


def test_r10_a_list_that_does_not_reach_its_own_total_is_held(engine: Engine) -> None:
    engine.refresh()
    engine.standin.fails("ExecuteMSQL", "wrong_total", by=3)
    run = engine.refresh()
    assert run.status in {"held", "failed"}
    assert not TargetGroup.objects.filter(gone_at__isnull=False).exists()


def test_a_search_that_lists_no_people_is_shown_and_says_why_it_cannot_be_run(engine: Engine) -> None:
    group = engine.group("Member organizations")
    assert group.not_runnable_code == "not_people"
    assert group.state == "unavailable"


def test_two_searches_of_one_name_are_both_kept_and_flagged(engine: Engine) -> None:
    engine.refresh()
    flagged = TargetGroup.objects.with_same_name_flags().filter(has_same_name=True)
    assert [group.name for group in flagged] == ["Volunteers", "Volunteers"]


def _id(engine: Engine, name: str) -> str:
    return engine.standin.search_id(name)
