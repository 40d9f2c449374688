"""Rows that are not what was asked for: nobody is mailed by them, and nobody leaves by them (R1, R5, R15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from targetgroups.models import Bridge, Membership, RunOutcome, Subscriber
from tests.support import truth
from tests.support.engine import raw_connection
from tests.support.failing import completes, fails, picture, synced

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

    from tests.support.engine import Engine

NAME = "All individuals"
REASONS = ("do_not_email", "no_address", "malformed_address", "duplicate_row", "unreadable_row")


@pytest.fixture
def group(engine: Engine, settings: SettingsWrapper) -> str:
    settings.MEMBERSUITE_RETRY_WAIT_SECONDS = 0.001
    return synced(engine, NAME)


# -- Do Not Email ----------------------------------------------------------------------------------------------------


def test_r1_people_who_are_do_not_email_are_left_out_although_the_server_sends_them(engine: Engine, group: str) -> None:
    before = engine.sync(group).figures
    struck = engine.standin.fails("ExecuteSearch", "ignores_do_not_email")
    run = completes(engine, group)
    assert struck.fired
    assert {reason: run.figures[reason] for reason in REASONS} == {reason: before[reason] for reason in REASONS}
    assert any("Do Not Email is Yes although only No was asked for" in warning for warning in run.warnings)
    flagged = truth.expected(engine.standin.url, engine.group(group).search_id).do_not_email
    assert engine.excluded(group, "do_not_email") == flagged
    assert not Subscriber.objects.filter(remote_key__in=flagged).exists()
    _adds_up(run.figures)


def test_r1_one_page_of_such_people_makes_none_of_them_a_member(engine: Engine, group: str) -> None:
    engine.standin.fails("ExecuteSearch", "ignores_do_not_email", only="page", times=1)
    _adds_up(completes(engine, group).figures)


def test_r15_people_who_are_not_do_not_email_do_not_swell_the_list_of_those_who_are(engine: Engine, group: str) -> None:
    before = engine.sync(group).figures
    flagged = engine.excluded(group, "do_not_email")
    struck = engine.standin.fails("ExecuteSearch", "ignores_do_not_email", only="do_not_email")
    run = completes(engine, group)
    assert struck.fired
    assert engine.excluded(group, "do_not_email") == flagged
    assert {reason: run.figures[reason] for reason in REASONS} == {reason: before[reason] for reason in REASONS}
    assert run.figures["in_search"] == before["in_search"]


def test_r1_r6_without_the_column_nobody_is_mailable_and_the_run_is_held(engine: Engine, group: str) -> None:
    before = picture()
    engine.standin.fails("ExecuteSearch", "no_do_not_email_column")
    run = engine.sync(group)
    assert run.status == "held"
    assert run.sentence.startswith("This sync would remove everybody from the group")
    assert picture()[:3] == before[:3]
    assert engine.group(group).member_count == len(engine.members(group))


@pytest.mark.parametrize("fault", ["no_do_not_email_column", "unreadable_do_not_email"])
def test_r5_a_member_whose_flag_one_page_does_not_tell_is_asked_for_again_and_stays(
    engine: Engine, group: str, fault: str
) -> None:
    Bridge.objects.update(page_size=25)  # more than that many people are held before any look-up (R6)
    everybody = engine.members(group)
    struck = engine.standin.fails("ExecuteSearch", fault, only="page", times=1, rows=3)
    run = completes(engine, group)
    assert struck.fired == 1
    assert engine.members(group) == everybody
    assert run.figures["removed"] == 0


def test_r5_a_flag_that_one_page_does_not_tell_erases_nobody_who_is_a_member_elsewhere(
    engine: Engine, settings: SettingsWrapper
) -> None:
    settings.MEMBERSUITE_RETRY_WAIT_SECONDS = 0.001
    engine.sync("Current members")
    members = engine.members("Current members")
    struck = engine.standin.fails("ExecuteSearch", "unreadable_do_not_email", only="page", times=1, rows=200)
    assert engine.sync(NAME).status == "completed"
    assert struck.fired == 1
    doubtful = members - engine.members(NAME)
    assert doubtful, "some of them were on that page"
    assert not Subscriber.objects.filter(remote_key__in=members, email="").exists()
    assert engine.complaints("Current members") == []
    completes(engine, NAME)
    assert members <= engine.members(NAME)


def test_r1_a_flag_that_the_look_up_does_not_tell_either_counts_as_yes(engine: Engine, group: str) -> None:
    everybody = engine.members(group)
    engine.standin.fails("ExecuteSearch", "unreadable_do_not_email", only="page", times=1, rows=3)
    engine.standin.fails("ExecuteSearch", "unreadable_do_not_email", only="look_up", rows=3)
    run = engine.sync(group)
    assert run.status == "completed"
    gone = everybody - engine.members(group)
    assert gone
    assert run.figures["removed_by_reason"] == {"now_do_not_email": len(gone)}
    assert set(Subscriber.objects.filter(remote_key__in=gone).values_list("email", flat=True)) == {""}
    assert truth.leaks(raw_connection()) == []


def test_where_the_server_refuses_to_list_blank_flags_their_number_is_calculated(engine: Engine, group: str) -> None:
    flagged = truth.expected(engine.standin.url, engine.group(group).search_id).do_not_email
    struck = engine.standin.fails("ExecuteSearch", "refuses_blank_criterion")
    run = completes(engine, group)
    assert struck.fired
    assert run.figures["do_not_email"] == len(flagged)
    assert run.figures["is_do_not_email_calculated"] is True
    assert engine.group(group).is_do_not_email_calculated
    assert any("their number is calculated from its totals" in warning for warning in run.warnings)
    _adds_up(run.figures)


# -- duplicates and keys ---------------------------------------------------------------------------------------------


def test_r5_rows_repeated_once_are_noticed_and_the_search_is_read_again(engine: Engine, group: str) -> None:
    struck = engine.standin.fails("ExecuteSearch", "duplicate_rows", only="page", times=1, rows=2)
    run = completes(engine, group)
    assert struck.fired == 1
    assert run.figures["duplicate_row"] == 0
    _adds_up(run.figures)


def test_r5_rows_repeated_on_every_page_never_add_up(engine: Engine, group: str) -> None:
    engine.standin.delete(ids=sorted(engine.members(group))[:2])
    engine.standin.fails("ExecuteSearch", "duplicate_rows", only="page")
    run = fails(engine, group, "incomplete_reading")
    assert "the number of people received is not the number it announced. Nothing was changed." in run.error_text


@pytest.mark.parametrize("times", [1, None])
def test_rows_without_local_id_are_read_by_their_place(engine: Engine, group: str, times: int | None) -> None:
    struck = engine.standin.fails("ExecuteSearch", "null_local_ids", only="page", times=times, rows=3)
    run = completes(engine, group)
    assert struck.fired
    assert run.figures["removed"] == 0
    _adds_up(run.figures)


def test_people_who_have_no_local_id_are_read_and_can_leave(engine: Engine, group: str) -> None:
    keyless = sorted(engine.members(group))[:5]
    engine.standin.change({"LocalID": None}, ids=keyless)
    completes(engine, group)
    engine.standin.delete(ids=keyless[:2])
    assert completes(engine, group).figures["removed_by_reason"] == {"record_deleted": 2}


# -- rows that can't be read -----------------------------------------------------------------------------------------


def test_r5_whoever_stands_in_a_row_without_id_is_not_removed(engine: Engine, group: str) -> None:
    Bridge.objects.update(requests_in_flight=1)  # of several readers one may ask for a page of a single row first
    everybody = engine.members(group)
    struck = engine.standin.fails("ExecuteSearch", "rows_without_id", only="page", times=1, rows=4)
    run = completes(engine, group, "completed_with_rejects")
    assert struck.fired == 1
    assert run.figures["unreadable_row"] == 4
    assert engine.members(group) == everybody
    assert engine.group(group).exclusion_counts["unreadable_row"] == 4
    assert not RunOutcome.objects.filter(run=run, kind="removed").exists()
    _adds_up(run.figures)
    kept = RunOutcome.objects.filter(run=run, kind="kept")
    assert {row.remote_key for row in kept} < everybody
    assert [row.reason for row in kept] == ["unreadable_row"] * 4
    assert run.figures["kept"] == 4


def test_r5_who_is_kept_on_doubt_is_written_down_and_of_the_others_nothing(engine: Engine, group: str) -> None:
    Bridge.objects.update(requests_in_flight=1)
    engine.standin.fails("ExecuteSearch", "rows_without_id", only="page", times=1, rows=4)
    engine.standin.insert(2, {"DoNotEmail": False})
    before = {row["id"]: row for row in Subscriber.objects.values()}, set(Membership.objects.values_list("pk"))
    run = completes(engine, group, "completed_with_rejects")
    people, members = {row["id"]: row for row in Subscriber.objects.values()}, set(Membership.objects.values_list("pk"))
    assert {pk: people[pk] for pk in before[0]} == before[0]
    assert members > before[1]
    assert run.figures["added"] == 2
    rows = RunOutcome.objects.filter(run=run)
    assert rows.count() == run.figures["kept"] == len(members) - run.figures["eligible"]
    again = completes(engine, group)
    assert again.figures["kept"] == 0
    assert not RunOutcome.objects.filter(run=again).exists()


def test_r5_whoever_stands_in_a_row_without_any_key_is_asked_for_and_stays(engine: Engine, group: str) -> None:
    everybody = engine.members(group)
    for fault in ("rows_without_id", "null_local_ids"):
        engine.standin.fails("ExecuteSearch", fault, only="page", rows=2)
    run = engine.sync(group)
    assert run.status == "completed_with_rejects"
    assert engine.members(group) == everybody
    assert run.figures["removed"] == 0


def test_r5_a_look_up_that_answers_rows_without_id_proves_nobody_gone(engine: Engine, group: str) -> None:
    engine.standin.flip_do_not_email(ids=sorted(engine.members(group))[:2], to=True)
    for fault in ("rows_without_id", "null_local_ids"):
        engine.standin.fails("ExecuteSearch", fault, only="look_up")
        run = fails(engine, group, "unreadable_reply")
        assert run.error_text.startswith("MemberSuite's answer could not be read. Nothing was changed.")


# -- totals ----------------------------------------------------------------------------------------------------------


def test_r5_a_wrong_total_fails_the_run_and_changes_nothing(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    engine.standin.delete(ids=sorted(engine.members(group))[:2])
    for fault, by in (("wrong_total", 7), ("wrong_total", -7), ("zero_total", 0)):
        with subtests.test(fault, by=by):
            engine.standin.clear_faults()
            engine.standin.fails("ExecuteSearch", fault, by=by)
            run = fails(engine, group, "incomplete_reading")
            assert run.error_text.startswith("MemberSuite's answers did not add up")
            assert "Please resync in a few minutes" in run.error_text


def test_r5_a_missing_total_fails_the_run_and_changes_nothing(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    engine.standin.delete(ids=sorted(engine.members(group))[:2])
    for only in ("count", "page", "look_up", "do_not_email"):
        with subtests.test(only):
            engine.standin.clear_faults()
            struck = engine.standin.fails("ExecuteSearch", "no_total", only=only)
            run = fails(engine, group, "total_missing")
            assert struck.fired
            assert run.error_text.startswith("MemberSuite did not say how many rows this search has")


def test_r5_a_look_up_whose_total_is_wrong_removes_nobody(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    engine.standin.flip_do_not_email(ids=sorted(engine.members(group))[:2], to=True)
    for fault, by in (("wrong_total", 7), ("wrong_total", -1), ("zero_total", 0)):
        with subtests.test(fault, by=by):
            engine.standin.clear_faults()
            engine.standin.fails("ExecuteSearch", fault, only="look_up", by=by)
            fails(engine, group, "unreadable_reply")


# -- the removal look-up ---------------------------------------------------------------------------------------------


def test_r5_an_error_of_the_removal_look_up_fails_the_run_and_changes_nothing(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    left, deleted, flagged = sorted(engine.members(group))[:3]
    engine.standin.delete(ids=[deleted])
    engine.standin.flip_do_not_email(ids=[flagged], to=True)
    engine.standin.change({"LastName": "Wyndham"}, ids=[left])
    errors = {
        "InvalidQuery": "search_invalid",
        "AccessDenied": "access_denied",
        "GeneralException": "general_exception",
        "http_503": "server_trouble",
        "no_answer": "connection_cut",
        "truncated": "unreadable_reply",
        "success_without_result": "unreadable_reply",
    }
    for number, (fault, code) in enumerate(errors.items()):
        with subtests.test(fault):
            engine.standin.clear_faults()
            # The first look-up asks within the search, the second one outside it.
            struck = engine.standin.fails("ExecuteSearch", fault, only="look_up", skip=number % 2)
            fails(engine, group, code)
            assert struck.fired
    engine.standin.clear_faults()
    engine.standin.fails("ExecuteSearch", "http_503", only="look_up", times=2)
    run = completes(engine, group)
    assert run.figures["removed_by_reason"] == {"record_deleted": 1, "now_do_not_email": 1}


def _adds_up(figures: dict[str, int]) -> None:
    assert figures["in_search"] == figures["eligible"] + sum(figures[reason] for reason in REASONS)
    assert figures["members_before"] + figures["added"] - figures["removed"] == figures["members_after"]
