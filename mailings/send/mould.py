"""A mailing's message, built once, cut where it differs from person to person, and filled in bytes.

Pure: no database, no clock, no settings. Every text is quoted-printable, which can be cut and re-joined anywhere, takes
every letter, and keeps lines short on any server; base64 can't be cut.
"""

from __future__ import annotations

import binascii
import html
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from email.header import Header
from functools import cached_property, lru_cache
from typing import Any

from .render import Rendered
from .smtp import stuffed

Quote = Callable[[str], bytes]
Gap = Callable[[Mapping[str, str]], bytes]
# Most names, and each token of an opt-out link: nothing to encode, and room for the sign that the line goes on.
_AS_IT_IS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,'._-]{0,70}")
_LONGEST_UNFOLDED = 900  # a line may have 998 letters


class Marks:
    """Words that stand in a text for what differs from person to person; no text holds one by chance.

    They are letters and digits alone, so that escaping, styling and cleaning leave them as they are.
    """

    def __init__(self) -> None:
        self._word = f"q{secrets.token_hex(12)}"
        self._pattern = re.compile(f"{self._word}X([a-z0-9_]+)X")

    def __getitem__(self, name: str) -> str:
        return f"{self._word}X{name}X"

    def split(self, text: str) -> list[str]:
        """Cut a text: what stands there always and the names of its places by turns, beginning and ending with text."""
        return self._pattern.split(text)


@dataclass(frozen=True)
class Mould:
    """A message with gaps. `fill` closes them."""

    first: bytes
    # How a gap is closed, and the bytes behind it.
    rest: tuple[tuple[Gap, bytes], ...]

    @cached_property
    def _has_dots(self) -> bool:
        """Say whether a line of the text that everybody gets begins with a dot, or may."""
        fixed = (self.first, *(behind for _, behind in self.rest))
        return any(piece.startswith(b".") or b"\n." in piece for piece in fixed) or not fixed[-1].endswith(b"\r\n")

    @cached_property
    def _parts(self) -> list[bytes]:
        """Give all pieces in order, empty where a gap is."""
        return [self.first, *(piece for _, behind in self.rest for piece in (b"", behind))]

    @cached_property
    def _places(self) -> list[tuple[Gap, list[int]]]:
        """Say which parts each gap closes: the same one may stand in several, and is asked once a message."""
        places: dict[Gap, list[int]] = {}
        for number, (close, _) in enumerate(self.rest):
            places.setdefault(close, []).append(2 * number + 1)
        return list(places.items())

    def fill(self, values: Mapping[str, str]) -> bytes:
        """Write one person's message as DATA has it, with CRLF at the end of each line.

        Looking through it for lines that begin with a dot takes as long as writing it, so only what is this person's
        own is looked through, if that is enough.
        """
        parts = self._parts.copy()
        has_dots = self._has_dots
        for close, places in self._places:
            own = close(values)
            has_dots = has_dots or own.startswith(b".") or b"\n." in own
            for place in places:
                parts[place] = own
        if has_dots:
            return stuffed(b"".join(parts))
        parts.append(b".\r\n")
        return b"".join(parts)


def cut(letter: Callable[[Rendered], Any], rendered: Rendered, marks: Marks, *, is_html: Collection[str] = ()) -> Mould:
    """Make the mould of a message whose texts hold marks.

    Args:
        letter: makes the message as it would go out; it is asked once.
        rendered: with a mark alone as its To header. Subject, texts and other headers may hold marks among their words.
        is_html: the places whose values are HTML already.
    """
    subject = marks.split(rendered.subject)
    frame = letter(
        Rendered(
            from_header=rendered.from_header,
            to_header=rendered.to_header,
            reply_to=rendered.reply_to,
            subject=rendered.subject if len(subject) == 1 else marks["whole_subject"],
            text=marks["whole_text"],
            html=marks["whole_html"] if rendered.html else "",
            headers=rendered.headers,
        )
    )
    for part in frame.walk():
        if part.get_content_maintype() == "text":
            part.replace_header("Content-Transfer-Encoding", "quoted-printable")
    raw = frame.as_bytes(linesep="\r\n").decode("ascii")
    pieces: list[bytes] = []
    gaps: list[Gap] = []
    for number, piece in enumerate(marks.split(raw)):
        if number % 2 == 0:
            _add(pieces, gaps, piece.encode("ascii"))
        elif piece == "whole_text":
            _add_body(pieces, gaps, marks.split(rendered.text), lambda _: open_quoted)
        elif piece == "whole_html":
            texts = marks.split(rendered.html)
            _add_body(pieces, gaps, texts, lambda name: open_quoted if name in is_html else _open_escaped)
        elif piece == "whole_subject":
            gaps.append(_subject(subject))
        else:
            gaps.append(_gap(piece, str.encode))
    return Mould(pieces[0], tuple(zip(gaps, pieces[1:], strict=True)))


def _add(pieces: list[bytes], gaps: list[Gap], piece: bytes) -> None:
    """Append to the last piece, unless a gap came after it."""
    if len(pieces) > len(gaps):
        pieces[-1] += piece
    else:
        pieces.append(piece)


def _add_body(pieces: list[bytes], gaps: list[Gap], texts: list[str], quote_for: Callable[[str], Quote]) -> None:
    for number, text in enumerate(texts):
        if number % 2:
            gaps.append(_gap(text, quote_for(text)))
        else:
            is_last = number == len(texts) - 1
            _add(pieces, gaps, quoted(text) if is_last else open_quoted(text))


@lru_cache
def _gap(name: str, quote: Quote) -> Gap:
    """Give what closes a gap: one and the same for one name and quoting."""
    return lambda values: quote(values[name])


def _subject(texts: list[str]) -> Gap:
    """Write a subject as a whole: the words of its pieces are encoded together."""

    def close(values: Mapping[str, str]) -> bytes:
        subject = "".join(values[text] if number % 2 else text for number, text in enumerate(texts))
        return header_words(subject, "Subject")

    return close


def header_words(text: str, name: str) -> bytes:
    """Write words for a header; others than ASCII encoded, and folded so that its first line is not empty."""
    one_line = " ".join(text.split())
    if one_line.isascii() and len(one_line) <= _LONGEST_UNFOLDED:
        return one_line.encode("ascii")
    return Header(one_line, "utf-8", header_name=name).encode(linesep="\r\n").encode("ascii")


def quoted(text: str) -> bytes:
    """Write a text in quoted-printable, with lines of at most 76 characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    return binascii.b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")


def open_quoted(text: str) -> bytes:
    """Write a text in quoted-printable so that another can follow: what it leaves is the beginning of a line."""
    if _AS_IT_IS.fullmatch(text):
        return text.encode("ascii") + b"=\r\n"
    # With a letter behind it the last line has room for the sign that it goes on.
    written = quoted(f"{text}x")[:-1]
    return written if not written or written.endswith(b"\r\n") else written + b"=\r\n"


def _open_escaped(text: str) -> bytes:
    return open_quoted(html.escape(text))
