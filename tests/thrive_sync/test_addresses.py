"""Which addresses are well-formed, and which are one mailbox (R13)."""

from __future__ import annotations

import pytest

from thrive_sync.lib.addresses import address_key, is_address
from thrive_sync.lib.sorting import sort_key


@pytest.mark.parametrize(
    "email",
    [
        "ada@lamps.example",
        "a.b+tag@sub.lamps.example",
        "o'neil@lamps.example",
        "jürgen@lamps.example",
        "ada@bücher.example",
        "ada@xn--bcher-kva.example",
        "用户@例子.example",
    ],
)
def test_an_address_that_mail_can_be_sent_to_is_accepted(email: str) -> None:
    assert is_address(email)


@pytest.mark.parametrize(
    "email",
    [
        "ada",
        "ada@",
        "@lamps.example",
        "ada@lamps",
        "ada@@lamps.example",
        "ada lovelace@lamps.example",
        ".ada@lamps.example",
        "ada.@lamps.example",
        "a..da@lamps.example",
        "ada@-lamps.example",
        "ada@lamps..example",
        "ada@lamps.example, grace@lamps.example",
        "Ada <ada@lamps.example>",
        "ada@lamps.example\nBcc: all@lamps.example",
        f"{'a' * 65}@lamps.example",
        f"ada@{'sub.' * 70}example",
    ],
)
def test_a_malformed_address_is_refused(email: str) -> None:
    assert not is_address(email)


@pytest.mark.parametrize(
    ("email", "key"),
    [
        (" Ada@Lamps.Example ", "ada@lamps.example"),
        ("a.b+tag@lamps.example", "a.b+tag@lamps.example"),
        ("Ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("JU\u0308RGEN@lamps.example", "jürgen@lamps.example"),
    ],
)
def test_r13_spellings_of_one_mailbox_share_a_key(email: str, key: str) -> None:
    assert address_key(email) == key


def test_names_sort_as_people_expect() -> None:
    names = ["Zoë", "Ångström", "anders", "Øst", "Ąbc", "Émile", "emil"]
    assert sorted(names, key=sort_key) == ["Ąbc", "anders", "Ångström", "emil", "Émile", "Zoë", "Øst"]
