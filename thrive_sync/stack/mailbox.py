"""A folder of messages, one file each: what the demo's mail sink keeps and its inbox shows."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

NEWEST_KEPT = 5000
ENVELOPE = "Delivered-To"
# Enough for every header of a message of ours; the text is not read for a list.
HEAD_BYTES = 8192


@dataclass(frozen=True)
class Letter:
    """One kept message; its number is the nanosecond of its arrival, so numbers are in order of time."""

    number: int
    message: EmailMessage

    @property
    def received_at(self) -> datetime:
        return datetime.fromtimestamp(self.number / 1e9, UTC)

    @property
    def to(self) -> str:
        return self._header(ENVELOPE)

    @property
    def subject(self) -> str:
        return self._header("Subject")

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part else ""

    def _header(self, name: str) -> str:
        return str(self.message.get(name, ""))


class Mailbox:
    """The newest messages of a folder. One process keeps, any number of them read."""

    def __init__(self, folder: Path, *, newest_kept: int = NEWEST_KEPT) -> None:
        self.folder = folder
        self.newest_kept = newest_kept

    def open(self) -> None:
        """Make the folder ready to keep messages, and clear away what a killed keeper left half written."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for half in self.folder.glob("*.new"):
            half.unlink(missing_ok=True)
        self._kept = deque(sorted(self.numbers()))
        self._drop_oldest()

    def keep(self, content: bytes, address: str) -> int:
        """Store a message for an address, whole or not at all, and drop the oldest beyond the limit."""
        number = max(time.time_ns(), self._kept[-1] + 1 if self._kept else 0)
        fresh = self.folder / f"{number}.new"
        fresh.write_bytes(f"{ENVELOPE}: {address}\r\n".encode() + content)
        fresh.rename(self._path(number))
        self._kept.append(number)
        self._drop_oldest()
        return number

    def numbers(self) -> Iterator[int]:
        """Give the numbers of the messages, in no order."""
        if self.folder.is_dir():
            yield from (int(path.stem) for path in self.folder.glob("*.eml") if path.stem.isdigit())

    def newest(
        self, *, size: int, text: str = "", after: int | None = None, before: int | None = None
    ) -> tuple[list[Letter], bool, bool]:
        """Return a page of letters, newest first, and whether newer and older ones follow it.

        `after` and `before` are numbers: the page of older ones after it, or of newer ones before it. `text` is part
        of the address that the letters went to.
        """
        numbers = sorted(self.numbers(), reverse=before is None)
        if before is not None:
            numbers = [number for number in numbers if number > before]
        elif after is not None:
            numbers = [number for number in numbers if number < after]
        found = []
        for number in numbers:
            if text and not self._goes_to(number, text):
                continue
            if letter := self._read(number, HEAD_BYTES):
                found.append(letter)
            if len(found) > size:
                break
        has_more, page = len(found) > size, found[:size]
        if before is not None:
            return page[::-1], has_more, True
        return page, after is not None, has_more

    def read(self, number: int) -> Letter | None:
        """Return one message; None when it has been dropped."""
        return self._read(number, -1)

    def _read(self, number: int, size: int) -> Letter | None:
        try:
            with self._path(number).open("rb") as file:
                message = message_from_bytes(file.read(size), policy=policy.default)
        except FileNotFoundError:
            return None
        return Letter(number, message)

    def _goes_to(self, number: int, text: str) -> bool:
        """Say whether the address, which stands in the first line, holds a text: cheap enough for every file."""
        try:
            with self._path(number).open("rb") as file:
                first = file.readline(HEAD_BYTES).decode(errors="replace")
        except FileNotFoundError:
            return False
        return text.lower() in first.removeprefix(f"{ENVELOPE}:").lower()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number}.eml"

    def _drop_oldest(self) -> None:
        while len(self._kept) > self.newest_kept:
            self._path(self._kept.popleft()).unlink(missing_ok=True)
