"""A group sync makes the group equal to its search: R1, R2, R3, R4, R14, R15."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from targetgroups.choices import GroupState
from targetgroups.models import Membership, RunOutcome, Subscriber, TargetGroup
from tests.support import truth
from tests.support.engine import raw_connection, snapshot

if TYPE_CHECKING:
    from tests.support.engine import Engine

NAME = "Current members"


def test_the_first_sync_makes_members_of_exactly_the_mailable_people(engine: Engine) -> None:
    run = engine.sync(NAME)
    assert run.status == "completed"
    assert engine.complaints(NAME) == []
    expected = truth.expected(engine.standin.url, engine.group(NAME).search_id)
    assert engine.members(NAME) == set(expected.members)
    assert engine.excluded(NAME, "do_not_email") == expected.do_not_email
    assert engine.excluded(NAME, "no_address") == expected.no_address
    assert engine.excluded(NAME, "malformed_address") == expected.malformed_address
    assert truth.stages(raw_connection()) == []


def test_r15_the_figures_of_a_run_add_up(engine: Engine) -> None:
    engine.sync("Registered for a 2026 event")
    engine.standin.change({"LastName": "Wyndham"}, count=5, search=_id(engine, "Registered for a 2026 event"))
    figures = engine.sync("Registered for a 2026 event").figures
    reasons = ("do_not_email", "no_address", "malformed_address", "duplicate_row", "unreadable_row")
    assert figures["in_search"] == figures["eligible"] + sum(figures[reason] for reason in reasons)
    assert figures["members_before"] + figures["added"] - figures["removed"] == figures["members_after"]
    assert (
        figures["added"] + figures["changed"] + figures["unchanged"] == figures["eligible"] == figures["members_after"]
    )
    assert figures["changed"] > 0


def test_r15_a_group_is_not_counted_before_its_first_sync_and_0_only_after_it(engine: Engine) -> None:
    group = engine.group("Centenarians")
    assert (group.member_count, group.state) == (None, GroupState.NOT_COUNTED)
    engine.sync("Centenarians")
    group = engine.group("Centenarians")
    assert (group.member_count, group.state) == (0, GroupState.COUNTED)


def test_r1_a_member_who_becomes_do_not_email_is_removed_and_erased_everywhere(engine: Engine) -> None:
    engine.sync(NAME)
    engine.sync("All individuals")
    gone = next(iter(engine.members(NAME)))
    engine.standin.change({"FirstName": "Renamed"}, ids=[gone])
    engine.sync(NAME)
    assert RunOutcome.objects.get(remote_key=gone, kind="changed").changes is not None

    engine.standin.flip_do_not_email(ids=[gone], to=True)
    run = engine.sync(NAME)

    assert run.figures["removed_by_reason"] == {"now_do_not_email": 1}
    person = Subscriber.objects.get(remote_key=gone)
    assert (person.email, person.first_name, person.last_name, person.attributes) == ("", "", "", {})
    assert person.do_not_email_at is not None
    # R4: the fact holds in the other group at once, its count stays until its own sync.
    elsewhere = Membership.objects.get(target_group__name="All individuals", subscriber=person)
    assert (elsewhere.sort_email, elsewhere.sort_name) == ("", "")
    assert person.pk not in Membership.objects.mailable().values_list("subscriber_id", flat=True)
    assert Membership.objects.filter(target_group__name="All individuals").now_do_not_email().get() == elsewhere
    assert RunOutcome.objects.get(remote_key=gone, kind="changed").changes is None
    assert engine.complaints(NAME) == []


def test_r1_a_person_who_may_be_mailed_again_comes_back_whole(engine: Engine) -> None:
    engine.sync(NAME)
    person = next(iter(engine.members(NAME)))
    engine.standin.flip_do_not_email(ids=[person], to=True)
    engine.sync(NAME)
    engine.standin.flip_do_not_email(ids=[person], to=False)
    assert engine.sync(NAME).figures["added"] == 1
    assert engine.complaints(NAME) == []


@pytest.mark.parametrize("fault", ["no_do_not_email_column", "ignores_do_not_email"])
def test_r1_the_flag_is_checked_on_every_row_whatever_the_server_filters(engine: Engine, fault: str) -> None:
    engine.group(NAME)
    engine.standin.fails("ExecuteSearch", fault)
    run = engine.sync(NAME)
    expected = truth.expected(engine.standin.url, engine.group(NAME).search_id)
    if fault == "no_do_not_email_column":
        assert engine.members(NAME) == set()
    else:
        assert engine.members(NAME) <= set(expected.members)
        assert any("Do Not Email is Yes although" in warning for warning in run.warnings)
    assert not Subscriber.objects.filter(remote_key__in=expected.do_not_email).exists()


def test_r1_an_unreadable_flag_counts_as_yes(engine: Engine) -> None:
    engine.group(NAME)
    engine.standin.fails("ExecuteSearch", "unreadable_do_not_email", only="page", times=1, rows=3)
    run = engine.sync(NAME)
    expected = truth.expected(engine.standin.url, engine.group(NAME).search_id)
    assert len(engine.members(NAME)) < len(expected.members)
    assert run.figures["do_not_email"] > len(expected.do_not_email)


def test_r2_a_changed_address_updates_the_same_subscriber(engine: Engine) -> None:
    engine.sync(NAME)
    before = Subscriber.objects.get(remote_key=next(iter(engine.members(NAME))))
    engine.standin.set_address(before.remote_id, "new.address@lamps.example")
    run = engine.sync(NAME)
    after = Subscriber.objects.get(remote_key=before.remote_key)
    assert (after.pk, after.email) == (before.pk, "new.address@lamps.example")
    assert (run.figures["added"], run.figures["changed"], run.figures["removed"]) == (0, 1, 0)
    outcome = RunOutcome.objects.get(run=run, kind="changed")
    assert outcome.changes == {"email": [before.email, "new.address@lamps.example"]}


def test_r2_ids_are_compared_without_case_and_shown_as_received(engine: Engine) -> None:
    engine.sync(NAME)
    count = Subscriber.objects.count()
    engine.standin.fails("ExecuteSearch", "upper_ids")
    run = engine.sync(NAME)
    assert (run.figures["added"], run.figures["removed"], Subscriber.objects.count()) == (0, 0, count)
    person = Subscriber.objects.first()
    assert person is not None
    assert person.remote_id == person.remote_key.upper()


def test_r2_two_records_with_one_address_are_two_subscribers(engine: Engine) -> None:
    engine.group(NAME)
    two = [str(person["id"]) for person in engine.standin.mailable(_id(engine, NAME)) if person["email"]][:2]
    for remote_id in two:
        engine.standin.set_address(remote_id, "Shared@Lamps.example")
    engine.sync(NAME)
    keys = Subscriber.objects.filter(remote_key__in=[i.lower() for i in two]).values_list("address_key", flat=True)
    assert list(keys) == ["shared@lamps.example"] * 2


def test_r3_a_group_sync_changes_no_other_group(engine: Engine) -> None:
    engine.sync("All individuals")
    others = TargetGroup.objects.exclude(name=NAME).order_by("pk")
    before = (list(others.values()), engine.members("All individuals"))
    engine.standin.change({"LastName": "Elsewhere"}, count=20)
    engine.sync(NAME)
    assert (list(others.values()), engine.members("All individuals")) == before


def test_r4_facts_about_a_person_hold_in_every_group_at_once(engine: Engine) -> None:
    engine.sync("All individuals")
    engine.sync(NAME)
    person = next(iter(engine.members(NAME)))
    engine.standin.set_address(person, "zz.moved@lamps.example")
    engine.sync(NAME)
    keys = Membership.objects.filter(subscriber__remote_key=person).values_list("sort_email", flat=True)
    assert set(keys) == {"zz.moved@lamps.example"}


def test_an_unchanged_resync_writes_no_subscriber_and_no_membership(engine: Engine) -> None:
    engine.sync(NAME)
    before = snapshot(Subscriber, Membership)
    xmin = _versions()
    run = engine.sync(NAME)
    assert (run.figures["added"], run.figures["changed"], run.figures["removed"]) == (0, 0, 0)
    assert snapshot(Subscriber, Membership) == before
    assert _versions() == xmin


def test_two_searches_with_other_columns_leave_each_others_attributes(engine: Engine) -> None:
    engine.sync("Current members")
    engine.sync("Newsletter readers")
    run = engine.sync("Current members")
    assert run.figures["changed"] == 0
    assert engine.group("Current members").attribute_names == ["City", "Membership.Type.Name"]
    assert Subscriber.objects.filter(attributes__has_key="City").exists()


@pytest.mark.parametrize(
    "name",
    [
        "Members abroad or of unknown country",
        "Students and graduates",
        "Registered for a 2026 event",
        "Mailing labels",
        "Chapter officers",
        "London chapter",
        "Centenarians",
        "All individuals",
        "Fifty newest records",
    ],
)
def test_searches_of_every_kind_give_their_people(engine: Engine, name: str) -> None:
    run = engine.sync(name)
    assert run.status == "completed"
    assert engine.complaints(name) == []


def test_several_rows_a_person_are_one_member_and_the_others_are_counted(engine: Engine) -> None:
    name = "Registered for a 2026 event"
    run = engine.sync(name)
    expected = truth.expected(engine.standin.url, engine.group(name).search_id)
    assert expected.extra_rows > 0
    members_extra = run.figures["duplicate_row"]
    assert run.figures["in_search"] == len(engine.standin.truth(_id(engine, name))) + members_extra


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Member organizations", "search_not_people"),
        ("Members in a town of your choice", "search_needs_parameter"),
    ],
)
def test_a_search_that_cannot_be_run_says_so_beside_its_group(engine: Engine, name: str, code: str) -> None:
    run = engine.sync(name)
    assert (run.status, run.error_code) == ("failed", code)
    group = engine.group(name)
    assert (group.member_count, group.state, group.error_code) == (None, GroupState.ERROR, code)
    assert group.error_text


def test_a_limited_search_is_run_as_stored_and_says_so(engine: Engine) -> None:
    run = engine.sync("Fifty newest records")
    assert run.figures["in_search"] == 50
    assert engine.group("Fifty newest records").is_limited
    assert any("limited search" in warning for warning in run.warnings)


def test_a_limited_search_lets_go_of_people_only_after_reading_again(engine: Engine) -> None:
    engine.sync("Fifty newest records")
    engine.standin.insert(3)
    run = engine.sync("Fifty newest records")
    assert run.status == "completed"
    assert engine.complaints("Fifty newest records") == []


def test_two_searches_of_one_name_are_two_groups_with_their_own_people(engine: Engine) -> None:
    engine.refresh()
    north, south = TargetGroup.objects.filter(name="Volunteers").order_by("search_id")
    for group in (north, south):
        engine.sync(group)
        assert engine.complaints(group) == []
    assert engine.members(north) != engine.members(south)


def _id(engine: Engine, name: str) -> str:
    return engine.standin.search_id(name)


def _versions() -> list[tuple[int, str]]:
    rows = raw_connection().execute("SELECT id, xmin::text FROM targetgroups_subscriber ORDER BY id").fetchall()
    return (
        rows
        + raw_connection()
        .execute(
            "SELECT subscriber_id, xmin::text FROM targetgroups_membership ORDER BY target_group_id, subscriber_id"
        )
        .fetchall()
    )
