"""A language that marks every message: what a page shows outside of the marks went past gettext."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from unittest.mock import patch

from django.utils import translation

from mailings.send.render import footer_words
from thrive_sync.lib import words

BEGIN, END = "⟦", "⟧"
_NO_TEXT = {"script", "style", "code", "pre", "template"}
_SHOWN = {"title", "aria-label", "aria-description", "placeholder", "alt", "label", "data-word", "data-other"}
WORD = re.compile(r"[^\W\d_]{2,}")


@contextmanager
def marking() -> Iterator[None]:
    """Let every message of every catalogue come between the marks."""
    plain = vars(translation)["_trans"]  # where each call is looked up, whoever imported it

    def gettext(message: str) -> str:
        return f"{BEGIN}{message}{END}" if message else ""

    def ngettext(one: str, many: str, number: float) -> str:
        return gettext(one if number == 1 else many)

    with (
        patch.object(plain, "gettext", gettext, create=True),
        patch.object(plain, "ngettext", ngettext, create=True),
        patch.object(plain, "pgettext", lambda _context, message: gettext(message), create=True),
        patch.object(plain, "npgettext", lambda _context, *rest: ngettext(*rest), create=True),
    ):
        clear_caches()
        yield
    clear_caches()


@contextmanager
def naming() -> Iterator[None]:
    """Let every message say in which language it was asked for: "en-gb:Failed"."""
    plain = vars(translation)["_trans"]

    def gettext(message: str) -> str:
        return f"{translation.get_language()}:{message}"

    with (
        patch.object(plain, "gettext", gettext, create=True),
        patch.object(plain, "ngettext", lambda one, many, number: gettext(one if number == 1 else many), create=True),
    ):
        yield


def clear_caches() -> None:
    """Forget what was written in a language that does not know of the other one by the same name."""
    words._exact.cache_clear()
    footer_words.cache_clear()


def unmarked(page: str) -> list[str]:
    """Return the words of a page that stand outside of the marks, in the pieces they are shown in."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return [piece for piece in map(_outside, reader.pieces()) if WORD.search(piece)]


def _outside(text: str) -> str:
    """Cut away what is between the marks; a part of a message may be one itself."""
    depth, kept = 0, []
    for letter in text:
        depth += letter == BEGIN
        if not depth:
            kept.append(letter)
        depth -= letter == END
    return " ".join("".join(kept).split())


class _Reader(HTMLParser):
    """Collects a page's texts. A message with markup in it spans elements: all between its marks is one text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._texts: list[str] = []
        self._attributes: list[str] = []
        self._skipped: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if not self._is_open():
            self._texts.append("")
            if tag in _NO_TEXT:
                self._skipped.append(tag)
        self._attributes += [value for name, value in attrs if value and name in _SHOWN]
        if tag == "input" and names.get("type") in ("submit", "button"):
            self._attributes.append(names.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if self._skipped and self._skipped[-1] == tag:
            self._skipped.pop()
        if not self._is_open():
            self._texts.append("")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._texts[-1:] = [(self._texts[-1] if self._texts else "") + data]

    def _is_open(self) -> bool:
        last = self._texts[-1] if self._texts else ""
        return last.count(BEGIN) > last.count(END)

    def pieces(self) -> list[str]:
        return [*self._texts, *self._attributes]
