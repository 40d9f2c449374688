"""What people read of the client, in the language of the program around it; in English until that says how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def gettext_noop(text: str) -> str:
    """Mark a text that is put in words where it is used."""
    return text


def _either(one: str, several: str, count: int) -> str:
    return one if count == 1 else several


@dataclass(frozen=True)
class Language:
    """How a text, one of two by a number, and a whole number are written."""

    text: Callable[[str], str] = gettext_noop
    plural: Callable[[str, str, int], str] = _either
    number: Callable[[int], str] = "{:,}".format


_spoken = Language()


def speak(language: Language) -> None:
    """Write everything so from now on."""
    global _spoken
    _spoken = language


def gettext(text: str) -> str:
    return _spoken.text(text)


def ngettext(one: str, several: str, count: int) -> str:
    return _spoken.plural(one, several, count)


def number(value: int) -> str:
    return _spoken.number(value)
