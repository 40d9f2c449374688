"""A refusal's code and words: which of them say that nobody is there."""

import pytest

from mailings.refusals import is_no_hard_bounce, is_nobody_there, is_soft_bounce, status_of


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        ("550", "5.1.1 <ada@lamps.example>: Recipient address rejected: User unknown", True),
        ("550", "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", True),
        ("556", "5.1.10 Domain has a null MX", True),
        ("550", "No such user here", True),
        ("550", "5.1.0 Address rejected: unknown user", True),
        ("550", "5.1.0 Address rejected", False),
        ("550", "5.1.8 Sender address rejected: domain not found", False),
        ("550", "5.7.1 User unknown", False),
        ("552", "5.2.2 Mailbox full", False),
        ("450", "4.1.1 User unknown, try again", False),
        ("550", "5.1.1 Relaying denied", False),
        ("550", "mailbox unavailable", False),
        ("554", "from 10.5.1.1 refused", False),
        ("address", "5.1.1 no such user", False),
    ],
)
def test_only_nobody_there_is_a_hard_bounce(code: str, words: str, expected: bool) -> None:
    assert is_nobody_there(code, words) is expected


def test_the_status_is_found_among_other_numbers() -> None:
    assert status_of("smtp; 550-5.1.1 The account") == "5.1.1"
    assert status_of("from 10.5.1.1 refused, 1.5.2.2") == ""


@pytest.mark.parametrize("words", ["550 5.7.1 Blocked", "552 5.2.2 Full", "452 4.2.2 Full", "550 5.7.26 DMARC"])
def test_policy_and_a_full_mailbox_are_no_hard_bounce_whatever_a_provider_calls_them(words: str) -> None:
    assert is_no_hard_bounce(words)
    assert not is_no_hard_bounce("550 5.1.1 Nobody")


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [("451", "4.3.0 Later", False), ("450", "4.2.1 Too many", True), ("552", "5.2.2 Full", True),
     ("552", "Over quota", True), ("550", "5.7.1 No", False), ("451", "Greylisted", True),
     ("451", "4.7.1 Grey", False)],
)  # fmt: skip
def test_a_mailbox_that_fails_for_now_is_a_soft_bounce(code: str, words: str, expected: bool) -> None:
    assert is_soft_bounce(code, words) is expected
