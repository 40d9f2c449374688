"""The same group over REST: what it can't run it says, and what fails changes nothing (R1, R4, R5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from targetgroups.models import Bridge, RunOutcome, TargetGroup
from tests.support.failing import completes, fails, picture, stir, synced

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

    from tests.support.engine import Engine

NAME = "All individuals"
UNREADABLE = ("unreadable_reply", "MemberSuite's answer could not be read. Nothing was changed.")
TROUBLE = ("server_trouble", "MemberSuite's server is in trouble at the moment. Try again later")
DENIED = ("access_denied", "The API user has no permission for this in MemberSuite.")
EXPIRED = ("session_expired", "MemberSuite ended our session, and ended the next one too.")
CUT = ("connection_cut", "The connection to MemberSuite broke off")
STAYS = [
    ("success_false", ("remote_refused", "MemberSuite refused this request."), "The request could not be completed."),
    ("token_dies", EXPIRED, "Authorization denied."),
    ("http_503", TROUBLE, "HTTP 503"),
    ("http_429", ("throttled", "MemberSuite asked us to slow down and kept doing so."), "HTTP 429"),
    ("http_403", DENIED, "HTTP 403"),
    ("GeneralException", ("general_exception", "MemberSuite reported an internal error several times."), "unexpected"),
    ("InvalidQuery", ("search_invalid", "MemberSuite could not run this search."), "InvalidQuery"),
    ("AccessDenied", DENIED, "AccessDenied"),
    ("no_answer", CUT, ""),
    ("cut", CUT, ""),
    ("malformed", UNREADABLE, ""),
    ("truncated", UNREADABLE, ""),
    ("empty_body", UNREADABLE, "The answer is empty."),
    ("html_200", UNREADABLE, "Scheduled maintenance"),
    ("redirect", ("redirect_refused", "The service address sends us to another address"), "HTTP 302"),
]


@pytest.fixture
def rest(engine: Engine, settings: SettingsWrapper) -> Engine:
    settings.MEMBERSUITE_RETRY_WAIT_SECONDS = 0.001
    Bridge.objects.update(transport="rest")
    engine.bridge.refresh_from_db()
    return engine


@pytest.fixture
def group(rest: Engine) -> str:
    synced(rest, NAME)
    stir(rest, NAME)
    return NAME


def test_a_search_without_criteria_is_synced_and_each_removal_has_its_reason(rest: Engine) -> None:
    group = synced(rest, NAME)
    flagged, deleted, blank, broken = sorted(rest.members(group))[:4]
    rest.standin.flip_do_not_email(ids=[flagged], to=True)
    rest.standin.delete(ids=[deleted])
    rest.standin.set_address(blank, None)
    rest.standin.set_address(broken, "not an address")
    run = completes(rest, group)
    reasons = dict(RunOutcome.objects.filter(run=run, kind="removed").values_list("remote_key", "reason"))
    assert reasons == {
        flagged: "now_do_not_email",
        deleted: "record_deleted",
        blank: "now_no_address",
        broken: "now_malformed_address",
    }


def test_a_search_with_criteria_is_not_run_and_names_concierge(rest: Engine) -> None:
    assert rest.group("Current members").not_runnable_code == "not_over_rest"
    run = fails(rest, "Current members", "search_not_over_rest")
    assert run.error_text == (
        "This search can't be run over REST. Choose the Concierge transport on Bridge Configuration to sync it."
    )
    assert rest.group("Current members").member_count is None


def test_r4_a_group_that_was_synced_over_concierge_keeps_its_people_when_rest_cannot_run_it(engine: Engine) -> None:
    group = synced(engine, "Current members")
    Bridge.objects.update(transport="rest")
    fails(engine, group, "search_not_over_rest")
    assert engine.members(group)


def test_over_both_transports_a_search_has_the_same_people(engine: Engine) -> None:
    group = synced(engine, NAME)
    before, people = engine.sync(group).figures, picture()[:3]
    Bridge.objects.update(transport="rest")
    run = completes(engine, group)
    assert run.figures == before
    assert picture()[:2] == people[:2]


def test_enveloped_lists_are_read(rest: Engine, subtests: pytest.Subtests) -> None:
    offered = [s for s in rest.standin.searches() if s["is_public"] and s["is_active"]]
    for in_ in ("results", "items", "data"):
        with subtests.test(in_):
            rest.standin.clear_faults()
            rest.standin.fails("*", "enveloped", in_=in_)
            run = rest.refresh()
            assert run.status == "completed", run.error_text
            assert TargetGroup.objects.count() == len(offered)
            completes(rest, NAME)


def test_a_token_that_dies_after_some_calls_is_renewed(rest: Engine, group: str) -> None:
    signed_in = rest.standin.calls("loginUser")
    struck = rest.standin.fails("executeSearch", "token_dies", every=9)
    completes(rest, group)
    assert struck.fired > 1
    assert rest.standin.calls("loginUser") == signed_in + struck.fired


def test_trouble_that_passes_is_asked_again(rest: Engine, group: str, subtests: pytest.Subtests) -> None:
    for fault in ("http_429", "http_502", "http_503", "http_504", "GeneralException", "no_answer", "cut"):
        with subtests.test(fault):
            rest.standin.clear_faults()
            struck = rest.standin.fails("executeSearch", fault, skip=2, times=2)
            completes(rest, group)
            assert struck.fired == 2


def test_r4_trouble_that_stays_changes_nothing_and_says_why(
    rest: Engine, group: str, subtests: pytest.Subtests
) -> None:
    for fault, (code, sentence), remote_said in STAYS:
        with subtests.test(fault):
            rest.standin.clear_faults()
            struck = rest.standin.fails("executeSearch", fault, skip=2)
            run = fails(rest, group, code)
            assert struck.fired
            assert run.error_text.startswith(sentence)
            assert remote_said in run.remote_said
            assert "eyJ" not in run.remote_said


def test_r4_a_sign_in_that_says_success_false_is_refused(rest: Engine, group: str) -> None:
    rest.standin.expire_sessions()
    rest.standin.fails("loginUser", "success_false")
    run = fails(rest, group, "login_refused")
    assert run.error_text.startswith("MemberSuite refused the sign-in. Check the API user and its password")


def test_r10_a_list_that_neither_door_gives_marks_no_group(rest: Engine, group: str) -> None:
    before = picture()
    rest.standin.fails("savedsearches", "success_false")
    rest.standin.fails("executeSearch", "success_false", only="list")
    run = rest.refresh()
    assert (run.status, run.error_code) == ("failed", "remote_refused")
    assert picture() == before


@pytest.mark.parametrize("fault", ["vanishes", "goes_private"])
def test_r10_a_search_that_goes_in_the_middle_of_a_run_keeps_its_group(rest: Engine, group: str, fault: str) -> None:
    search_id = rest.group(group).search_id
    rest.standin.fails("executeSearch", fault, times=1, search=search_id)
    fails(rest, group, "search_gone")
    assert rest.group(group).is_gone


@pytest.mark.parametrize("fault", ["ignores_do_not_email", "no_do_not_email_column", "unreadable_do_not_email"])
def test_r1_the_flag_is_checked_on_every_row(rest: Engine, fault: str) -> None:
    rest.standin.fails("executeSearch", fault, only="page")
    rest.group(NAME)
    rest.sync(NAME)
    mailable = {str(person["id"]).lower() for person in rest.standin.mailable(rest.group(NAME).search_id)}
    assert rest.members(NAME) <= mailable


def test_r5_a_row_without_id_removes_nobody(rest: Engine) -> None:
    group = synced(rest, NAME)
    everybody = rest.members(group)
    rest.standin.fails("executeSearch", "rows_without_id", only="page")
    run = rest.sync(group)
    assert run.status == "completed_with_rejects"
    assert run.figures["unreadable_row"] > 0
    assert rest.members(group) == everybody


def test_r5_pages_and_look_ups_that_are_smaller_than_asked_lose_nobody(rest: Engine) -> None:
    group = synced(rest, NAME, page_size=25)
    Bridge.objects.update(guard_percent=100)
    everybody = rest.members(group)
    # What the reading does not tell of them makes all of them candidates: more than a capped look-up answers.
    rest.standin.fails("executeSearch", "unreadable_do_not_email", only="page", rows=11)
    rest.standin.fails("executeSearch", "page_cap", rows=20)
    run = rest.sync(group)
    assert not RunOutcome.objects.filter(run=run, kind="removed", reason="record_deleted").exists()
    assert rest.members(group) == everybody
