"""What the client says to people: in the language of the program around it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from memberSuite import Language, SearchGone, speak, words
from memberSuite.checking import check_steps
from memberSuite.records import Search, SearchList


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    before = words._spoken
    speak(Language())
    yield
    speak(before)


def said() -> list[str]:
    found = SearchList(tuple(Search(str(number), "Lamps") for number in range(2)), 2)
    steps = check_steps(
        reach=lambda: None, sign_in=lambda: "Lamp Keepers", list_searches=lambda: found, read_one=lambda: 1234
    )
    return [step.said for step in steps]


def test_without_a_language_it_speaks_english() -> None:
    assert SearchGone().sentence == SearchGone.sentence
    assert said() == [
        "The server answers.",
        "Signed in to Lamp Keepers.",
        "2 active public searches found.",
        "People can be read; MemberSuite holds 1,234 individuals.",
    ]


def test_steps_and_errors_are_said_in_the_language_it_is_told() -> None:
    speak(Language(lambda text: f"[{text}]", lambda _one, several, _count: f"[{several}]", lambda count: f"<{count}>"))
    assert SearchGone().sentence == f"[{SearchGone.sentence}]"
    assert SearchGone(sentence="as it is").sentence == "as it is"
    assert said()[2:] == [
        "[<2> active public searches found.]",
        "[People can be read; MemberSuite holds <1234> individuals.]",
    ]
