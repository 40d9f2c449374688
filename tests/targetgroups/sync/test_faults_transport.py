"""Trouble on the way to MemberSuite and back: what passes is asked again, what stays fails with a sentence (R4)."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from tests.support.failing import completes, fails, picture, stir, synced

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.fixtures import SettingsWrapper

    from tests.support.engine import Engine

NAME = "All individuals"

UNREADABLE = ("unreadable_reply", "MemberSuite's answer could not be read. Nothing was changed.")
TROUBLE = ("server_trouble", "MemberSuite's server is in trouble at the moment. Try again later")
CUT = ("connection_cut", "The connection to MemberSuite broke off")
THROTTLED = ("throttled", "MemberSuite asked us to slow down and kept doing so. Try again later")
LATE = ("timed_out", "MemberSuite did not answer in time, even after several tries.")
INTERNAL = ("general_exception", "MemberSuite reported an internal error several times. Try again later")
HUGE = ("reply_too_large", "MemberSuite's answer is too large: over 64 MiB, or over 750,000 values.")
MOVED = ("redirect_refused", "The service address sends us to another address, which we refuse")
ELSEWHERE = ("address_wrong", "The service address answers, but MemberSuite's service is not there.")
DENIED = ("access_denied", "The API user has no permission for this in MemberSuite.")
KEY = ("invalid_access_key", "MemberSuite refused the access key or the signature. Check the Access Key ID")
SIGN_IN = ("login_refused", "MemberSuite refused the sign-in. Check the API user")
LICENCE = ("account_needs_attention", "MemberSuite says that this association's trial or licence")
INVALID = ("search_invalid", "MemberSuite could not run this search. Open it in MemberSuite, correct it there")
REFUSED = (
    "remote_refused",
    "MemberSuite refused this request. Nothing was changed here; MemberSuite's own words say why.",
)
# A fault, the code and sentence it comes to, and what is kept of MemberSuite's own words.
STAYS = [
    ("soap_fault", TROUBLE, "unable to process the request"),
    ("http_503", TROUBLE, "HTTP 503: <!DOCTYPE html>"),
    ("http_504", TROUBLE, "HTTP 504: <!DOCTYPE html>"),
    ("http_429", THROTTLED, "HTTP 429"),
    ("http_408", LATE, "HTTP 408"),
    ("no_answer", CUT, ""),
    ("cut", CUT, ""),
    ("GeneralException", INTERNAL, "An unexpected error has occurred."),
    ("malformed", UNREADABLE, ""),
    ("truncated", UNREADABLE, ""),
    ("empty_body", UNREADABLE, "The answer is empty."),
    ("html_200", UNREADABLE, "Scheduled maintenance"),
    ("huge", HUGE, ""),
    ("redirect", MOVED, "HTTP 302"),
    ("http_404", ELSEWHERE, "HTTP 404"),
    ("http_403", DENIED, "HTTP 403"),
    ("InvalidAccessKey", KEY, "The access key or its signature is not valid."),
    ("LoginInvalid", SIGN_IN, "LoginInvalid"),
    ("LicenseViolation", LICENCE, "LicenseViolation"),
    ("AccessDenied", DENIED, "You do not have permission"),
    ("InvalidQuery", INVALID, "The query is not valid."),
    ("CannotRunSearch", INVALID, "The search cannot be run."),
    ("IllegalParameter", REFUSED, "IllegalParameter"),
    ("failure_without_errors", REFUSED, "and not why"),
    ("success_without_result", UNREADABLE, "holds no result"),
]


@pytest.fixture
def group(engine: Engine, settings: SettingsWrapper) -> str:
    """A group that was synced once, whose people have changed since."""
    settings.MEMBERSUITE_RETRY_WAIT_SECONDS = 0.001
    synced(engine, NAME)
    stir(engine, NAME)
    return NAME


# -- what passes ---------------------------------------------------------------------------------------------------


def test_trouble_that_passes_is_asked_again_inside_the_run(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    answers = ("soap_fault", "http_408", "http_429", "http_502", "http_503", "http_504", "GeneralException")
    for fault in (*answers, "no_answer", "cut"):
        with subtests.test(fault):
            engine.standin.clear_faults()
            struck = engine.standin.fails("ExecuteSearch", fault, skip=3, times=2)
            run = completes(engine, group)
            assert struck.fired == 2
            assert (run.attempt, run.warnings) == (1, [])


def test_trouble_that_passes_at_the_door_is_asked_again_too(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    for operation in ("WhoAmI", "Get"):
        with subtests.test(operation):
            engine.standin.expire_sessions()
            struck = engine.standin.fails(operation, "http_503", times=2)
            completes(engine, group)
            assert struck.fired == 2


def test_a_throttle_that_says_when_to_come_back_is_obeyed(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    for form in ("seconds", "date"):
        with subtests.test(form):
            moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
            engine.standin.fails(
                "ExecuteSearch", "http_429", only="page", times=1, retry_after="1" if form == "seconds" else moment
            )
            began = time.monotonic()
            completes(engine, group)
            assert time.monotonic() - began >= 0.8


def test_slow_answers_and_a_cut_connection_only_take_time(engine: Engine, group: str) -> None:
    engine.standin.fails("ExecuteSearch", "slow", every=4, seconds=0.1)
    struck = engine.standin.fails("ExecuteSearch", "cut", every=5)
    completes(engine, group)
    assert struck.fired > 2


def test_odd_but_legal_answers_are_read(engine: Engine, group: str, subtests: pytest.Subtests) -> None:
    for fault in ("bom", "document_element", "table_nil"):
        with subtests.test(fault):
            engine.standin.fails("ExecuteSearch", fault)
            assert completes(engine, group).warnings == []


# -- the session ---------------------------------------------------------------------------------------------------


def test_a_session_that_expires_in_the_middle_of_a_sync_is_renewed_once(engine: Engine, group: str) -> None:
    signed_in = engine.standin.calls("WhoAmI")
    struck = engine.standin.fails("ExecuteSearch", "session_expires", only="page", skip=3, times=1)
    completes(engine, group)
    assert struck.fired == 1
    assert engine.standin.calls("WhoAmI") == signed_in + 1


def test_a_new_session_in_each_reply_is_adopted(engine: Engine, group: str) -> None:
    signed_in = engine.standin.calls("WhoAmI")
    engine.standin.fails("*", "new_session")
    completes(engine, group)
    assert engine.standin.calls("WhoAmI") == signed_in


def test_r4_a_session_that_expires_again_at_once_fails_the_run(engine: Engine, group: str) -> None:
    engine.standin.fails("ExecuteSearch", "session_expires", skip=3)
    run = fails(engine, group, "session_expired")
    assert run.error_text.startswith("MemberSuite ended our session, and ended the next one too. Test the connection")


# -- what stays ----------------------------------------------------------------------------------------------------


def test_r4_trouble_that_stays_fails_the_run_in_the_middle_of_its_reading_and_changes_nothing(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    for fault, (code, sentence), remote_said in STAYS:
        with subtests.test(fault):
            engine.standin.clear_faults()
            struck = engine.standin.fails("ExecuteSearch", fault, skip=3)
            run = fails(engine, group, code)
            assert struck.fired
            assert run.error_text.startswith(sentence)
            assert remote_said in run.remote_said
            assert engine.standin.secret_access_key not in run.remote_said


def test_r5_a_success_without_result_is_unreadable_and_never_an_empty_search(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    for empty in ("absent", "childless", "nil"):
        with subtests.test(empty):
            engine.standin.clear_faults()
            engine.standin.fails("ExecuteSearch", "success_without_result", empty=empty)
            assert fails(engine, group, "unreadable_reply").error_text.startswith(UNREADABLE[1])


def test_r4_trouble_in_any_part_of_the_reading_changes_nothing(
    engine: Engine, group: str, subtests: pytest.Subtests
) -> None:
    for only in ("count", "blank_local_id", "do_not_email", "look_up"):
        with subtests.test(only):
            engine.standin.clear_faults()
            struck = engine.standin.fails("ExecuteSearch", "html_200", only=only)
            fails(engine, group, "unreadable_reply")
            assert struck.fired


def test_a_sync_after_the_trouble_makes_the_group_whole_and_takes_the_error_away(engine: Engine, group: str) -> None:
    engine.standin.fails("ExecuteSearch", "http_503", skip=3)
    fails(engine, group, "server_trouble")
    engine.standin.clear_faults()
    completes(engine, group)
    assert engine.group(group).error_text == ""


def test_r15_a_first_sync_that_fails_leaves_the_group_not_counted_and_never_0(engine: Engine) -> None:
    engine.group(NAME)
    engine.standin.fails("ExecuteSearch", "html_200")
    fails(engine, NAME, "unreadable_reply")
    assert engine.group(NAME).member_count is None


def test_trouble_of_the_connection_shows_on_the_bridge_and_trouble_of_one_search_does_not(
    engine: Engine, group: str
) -> None:
    engine.standin.fails("ExecuteSearch", "InvalidQuery")
    fails(engine, group, "search_invalid")
    engine.bridge.refresh_from_db()
    assert engine.bridge.last_error_code == ""
    engine.standin.clear_faults()
    engine.standin.fails("ExecuteSearch", "InvalidAccessKey")
    run = fails(engine, group, "invalid_access_key")
    engine.bridge.refresh_from_db()
    assert (engine.bridge.last_error_code, engine.bridge.last_error_text) == ("invalid_access_key", run.error_text)


def test_the_sentence_and_that_nothing_was_changed_stand_on_the_pages(
    engine: Engine, group: str, sync_user: Client
) -> None:
    engine.standin.fails("ExecuteSearch", "html_200")
    run = fails(engine, group, "unreadable_reply")
    addresses = (
        reverse("targetgroups:run", args=[run.pk]),
        reverse("targetgroups:info", args=[engine.group(group).pk]),
        reverse("targetgroups:target_groups"),
    )
    pages = [re.sub(r"&#x27;", "'", sync_user.get(address).content.decode()) for address in addresses]
    for address, page in zip(addresses, pages, strict=True):
        assert run.error_text in page, address
    assert "Nothing was changed.</strong>" in pages[0]
    assert "MemberSuite said<" in pages[0]


def test_r3_a_list_refresh_in_trouble_says_so_and_touches_no_group(engine: Engine, group: str) -> None:
    before = picture()
    engine.standin.fails("ExecuteMSQL", "http_503")
    run = engine.refresh()
    assert (run.status, run.error_code) == ("failed", "server_trouble")
    assert run.error_text.startswith(TROUBLE[1])
    assert picture() == before
