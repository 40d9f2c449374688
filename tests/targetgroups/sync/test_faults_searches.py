"""Searches that vanish, hide, refuse or ask for more: the group says so and keeps its people (R10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from targetgroups.models import TargetGroup
from tests.support import truth
from tests.support.failing import completes, fails, picture, stir, synced

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

    from tests.support.engine import Engine

NAME = "All individuals"
DELETED = "This search no longer exists in MemberSuite, or is no longer visible to the API user."
HIDDEN = (
    "This search is no longer offered in MemberSuite: it is private or inactive now. The group keeps its last members."
)
DENIED = "The API user has no permission for this in MemberSuite. Give it the right to read saved searches"


@pytest.fixture
def group(engine: Engine, settings: SettingsWrapper) -> str:
    settings.MEMBERSUITE_RETRY_WAIT_SECONDS = 0.001
    synced(engine, NAME)
    stir(engine, NAME)
    return NAME


# -- gone ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "sentence"), [("delete_search", DELETED), ("hide_search", HIDDEN), ("deactivate_search", HIDDEN)]
)
def test_r10_a_search_that_is_gone_before_the_run_keeps_its_group_and_members(
    engine: Engine, group: str, verb: str, sentence: str
) -> None:
    getattr(engine.standin, verb)(engine.group(group).search_id)
    run = fails(engine, group, "search_gone")
    assert run.error_text.startswith(sentence)
    assert engine.group(group).is_gone


@pytest.mark.parametrize(("fault", "sentence"), [("vanishes", DELETED), ("goes_private", HIDDEN)])
@pytest.mark.parametrize("operation", ["Get", "ExecuteSearch"])
def test_r10_a_search_that_goes_in_the_middle_of_a_run_fails_it_and_keeps_its_members(
    engine: Engine, group: str, operation: str, fault: str, sentence: str
) -> None:
    """Without its ID in the question, MemberSuite goes on answering: it is looked for again when all is read."""
    search_id = engine.group(group).search_id
    struck = engine.standin.fails(operation, fault, times=1, skip=0 if operation == "Get" else 4, search=search_id)
    run = fails(engine, group, "search_gone")
    assert struck.fired == 1
    assert run.error_text.startswith(sentence)
    assert engine.group(group).is_gone


def test_r10_a_search_that_comes_back_brings_its_group_back(engine: Engine, group: str) -> None:
    search_id = engine.group(group).search_id
    engine.standin.delete_search(search_id)
    fails(engine, group, "search_gone")
    engine.standin.restore_search(search_id)
    assert "1 back in MemberSuite" in engine.refresh().sentence
    assert (engine.group(group).is_gone, engine.group(group).error_code) == (False, "")
    completes(engine, group)


# -- that can't be read ----------------------------------------------------------------------------------------------


def test_r4_a_search_whose_definition_cannot_be_read_changes_nothing_and_is_not_gone(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    unreadable = ("unreadable_reply", "MemberSuite's answer could not be read.")
    for fault, (code, sentence) in {
        "AccessDenied": ("access_denied", DENIED),
        "GeneralException": ("general_exception", "MemberSuite reported an internal error several times."),
        "success_without_result": unreadable,
        "truncated": unreadable,
    }.items():
        with subtests.test(fault):
            engine.standin.clear_faults()
            engine.standin.fails("Get", fault)
            run = fails(engine, group, code)
            assert run.error_text.startswith(sentence)
            assert not engine.group(group).is_gone


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        (
            "Members in a town of your choice",
            "search_needs_parameter",
            "This search asks its user for input each time it runs, so it can't be synced. Replace the question",
        ),
        (
            "Member organizations",
            "search_not_people",
            "This search does not list individuals, so it has nobody to mail.",
        ),
    ],
)
def test_a_search_with_a_parameter_or_of_organizations_is_never_run(
    engine: Engine, name: str, code: str, sentence: str
) -> None:
    engine.group(name)
    calls = engine.standin.calls("ExecuteSearch")
    run = fails(engine, name, code)
    assert run.error_text.startswith(sentence)
    assert engine.group(name).member_count is None
    assert engine.standin.calls("ExecuteSearch") == calls


def test_r1_an_or_search_is_filtered_as_a_whole(engine: Engine) -> None:
    """Our Do Not Email criterion stands beside the search's own Or group, never inside it."""
    name = synced(engine, "Students and graduates")
    flagged = truth.expected(engine.standin.url, engine.group(name).search_id).do_not_email
    assert flagged
    assert engine.excluded(name, "do_not_email") == flagged


def test_r15_a_limited_search_is_run_as_it_is_stored_and_adds_up_when_people_leave_it(engine: Engine) -> None:
    name = synced(engine, "Fifty newest records")
    assert engine.group(name).is_limited
    engine.standin.insert(25)
    run = completes(engine, name)
    assert run.figures["removed"] > 0
    assert run.figures["in_search"] == 50
    assert run.warnings[0].startswith("This is a limited search")


def test_a_limited_search_in_small_pages_is_read_whole(engine: Engine) -> None:
    engine.standin.fails("ExecuteSearch", "page_cap", rows=7)
    synced(engine, "Fifty newest records")


# -- the list --------------------------------------------------------------------------------------------------------


def test_a_list_that_msql_refuses_is_read_by_a_search_of_searches(engine: Engine, subtests: pytest.Subtests) -> None:
    offered = {s["id"] for s in engine.standin.searches() if s["is_public"]}
    for fault in ("AccessDenied", "InvalidQuery", "MSQLSyntaxError"):
        with subtests.test(fault):
            engine.standin.clear_faults()
            struck = engine.standin.fails("ExecuteMSQL", fault)
            run = engine.refresh()
            assert struck.fired
            assert run.status == "completed", run.error_text
            assert set(TargetGroup.objects.values_list("search_id", flat=True)) == offered


def test_a_list_that_is_refused_both_ways_says_which_permission_is_missing(engine: Engine, group: str) -> None:
    before = picture()
    engine.standin.fails("ExecuteMSQL", "AccessDenied")
    engine.standin.fails("ExecuteSearch", "AccessDenied", only="list")
    run = engine.refresh()
    assert (run.status, run.error_code) == ("failed", "access_denied")
    assert run.error_text.startswith(DENIED)
    engine.bridge.refresh_from_db()
    assert engine.bridge.last_error_text == run.error_text
    assert picture() == before
    # The people of a search can still be read.
    completes(engine, group)


def test_r10_a_list_that_cannot_be_read_marks_no_group_as_gone(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    before = picture()
    for fault, code in {
        "success_without_result": "unreadable_reply",
        "malformed": "unreadable_reply",
        "html_200": "unreadable_reply",
        "no_total": "total_missing",
        "InvalidAccessKey": "invalid_access_key",
        "session_expires": "session_expired",
    }.items():
        with subtests.test(fault):
            engine.standin.clear_faults()
            engine.standin.fails("ExecuteMSQL", fault)
            run = engine.refresh()
            assert (run.status, run.error_code) == ("failed", code), run.error_text
            assert picture() == before
            assert not TargetGroup.objects.filter(gone_at__isnull=False).exists()


def test_a_list_without_the_field_is_active_is_asked_for_without_it(engine: Engine) -> None:
    engine.standin.fails("ExecuteMSQL", "refuses_is_active")
    assert engine.refresh().status == "completed"


def test_r10_a_list_in_capped_pages_is_whole(engine: Engine) -> None:
    engine.standin.fails("ExecuteMSQL", "page_cap", rows=3)
    run = engine.refresh()
    assert run.status == "completed"
    active = [s for s in engine.standin.searches() if s["is_public"] and s["is_active"]]
    assert TargetGroup.objects.count() == len(active)
