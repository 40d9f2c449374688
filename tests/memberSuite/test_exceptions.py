"""The error tree and the table of MemberSuite's own codes (protocol section 6)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from memberSuite import exceptions as e
from memberSuite.faults import NAMES, name_of, refusal


def every(kind: type[e.MemberSuiteError] = e.MemberSuiteError) -> Iterator[type[e.MemberSuiteError]]:
    for inner in kind.__subclasses__():
        yield inner
        yield from every(inner)


@pytest.mark.parametrize("kind", list(every()), ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_of_its_own_and_a_sentence(kind: type[e.MemberSuiteError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert kind.sentence.endswith(".")
    assert [other for other in every() if other.code == kind.code] in ([kind], [e.PermanentError]) or (
        kind is e.PermanentError
    )


def test_only_transient_errors_are_retried() -> None:
    for kind in every():
        assert kind.is_transient == issubclass(kind, e.TransientError)
        assert (kind.retries > 0) == kind.is_transient


def test_what_the_remote_said_is_cut_at_300_characters() -> None:
    assert len(e.ServerTrouble("x" * 1000).remote_said or "") == 300


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("GeneralException", e.GeneralException),
        (0, e.GeneralException),
        (27, e.GeneralException),
        (1, e.SessionExpired),
        ("InvalidAccessKey", e.InvalidAccessKey),
        (3, e.SearchInvalid),
        (4, e.RemoteRefused),
        (8, e.LoginRefused),
        (9, e.LoginRefused),
        (12, e.SearchInvalid),
        ("13", e.SearchInvalid),
        (15, e.AccessDenied),
        (20, e.SessionExpired),
        (22, e.AccountNeedsAttention),
        (23, e.AccountNeedsAttention),
        (26, e.RemoteRefused),
        (33, e.RemoteRefused),
        ("SomethingNew", e.RemoteRefused),
        (None, e.RemoteRefused),
    ],
)
def test_each_code_has_its_error(code: str | int | None, kind: type[e.MemberSuiteError]) -> None:
    assert type(refusal(code, "words")) is kind


def test_there_are_31_known_numbers() -> None:
    assert len(NAMES) == 31
    assert (name_of(26), name_of("15"), name_of(31)) == ("MSQLSyntaxError", "AccessDenied", "31")


def test_a_code_that_no_server_has_is_kept_short_and_never_breaks_us() -> None:
    assert (name_of("9" * 5000), name_of(10**5000), name_of("x" * 5000)) == ("9" * 100, "", "x" * 100)
    assert type(refusal("9" * 5000, "words")) is e.RemoteRefused


def test_a_refusal_keeps_name_message_and_field() -> None:
    error = refusal("ObjectInvalid", "Must not be blank.", "DoNotEmail")
    assert isinstance(error, e.RemoteRefused)
    assert error.remote_said == "ObjectInvalid: Must not be blank. (field DoNotEmail)"
    assert (error.remote_code, error.field) == ("ObjectInvalid", "DoNotEmail")


def test_what_a_server_said_can_be_kept_by_a_database() -> None:
    error = refusal("Odd\x00Name", "it\x1b broke\ud800\nhere", "Last\x00Name")
    assert error.remote_said == "Odd\ufffdName: it\ufffd broke\ufffd\nhere (field Last\ufffdName)"
    assert isinstance(error, e.RemoteRefused)
    assert (error.remote_code, error.field) == ("Odd\ufffdName", "Last\ufffdName")
