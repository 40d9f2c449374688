"""The messages that a mailing can begin with. Pure but for reading their files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import gettext_lazy

from thrive_sync.lib.words import Words

_FOLDER = Path(__file__).parent / "letters"


@dataclass(frozen=True)
class Beginning:
    """A message to begin with; its author replaces every word of it, so it is in no language but its own."""

    word: str
    label: Words
    purpose: Words
    subject: str
    preheader: str

    @property
    def html(self) -> str:
        return _read(self.word)


BEGINNINGS = (
    Beginning(
        "announcement",
        gettext_lazy("Announcement"),
        gettext_lazy("One piece of news and one button."),
        "What is new",
        "It in one sentence",
    ),
    Beginning(
        "newsletter",
        gettext_lazy("Newsletter"),
        gettext_lazy("A main story, others below it, dates."),
        "Newsletter: the main story",
        "And two other stories",
    ),
    Beginning(
        "invitation",
        gettext_lazy("Event invitation"),
        gettext_lazy("When, where, and a button to register."),
        "You are invited: the name of the event",
        "When and where in one line",
    ),
)


def beginning(word: str) -> Beginning | None:
    return next((each for each in BEGINNINGS if each.word == word), None)


@cache
def _read(word: str) -> str:
    return (_FOLDER / f"{word}.html").read_text()
