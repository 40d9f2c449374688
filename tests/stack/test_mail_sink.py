"""The demo's mail server keeps what it takes, in bounds, and sends it nowhere."""

from __future__ import annotations

import os
import signal
import smtplib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.programs import Program, wait_until
from thrive_sync.stack import ports, readiness
from thrive_sync.stack.mailbox import Mailbox

MESSAGE = "From: Lamps <lamps@example.org>\r\nTo: Ada <ada@example.org>\r\nSubject: Grüße\r\n\r\nHello.\r\n..dots\r\n"


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    box = Mailbox(tmp_path / "mail", newest_kept=3)
    box.open()
    return box


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[tuple[Program, int]]:
    port = ports.next_free(18025)
    words = ["-m", "thrive_sync.stack.mail_sink", "--folder", tmp_path / "mail", "--port", str(port)]
    program = Program(words, output=tmp_path / "sink.txt", environment=dict(os.environ))
    wait_until(partial(readiness.greets, ports.ADDRESS, port), within=30, what=program.said)
    yield program, port
    if program.process.poll() is None:
        program.send(signal.SIGKILL)
        program.exit_code()


def test_a_message_is_a_file_once_it_is_accepted_and_the_sink_ends_when_asked(
    sink: tuple[Program, int], tmp_path: Path
) -> None:
    program, port = sink
    with smtplib.SMTP(ports.ADDRESS, port) as client:
        client.sendmail("lamps@example.org", ["ada@example.org", "bo@example.org"], MESSAGE.encode())
        letters, _, _ = Mailbox(tmp_path / "mail").newest(size=10)
        assert [letter.to for letter in letters] == ["bo@example.org", "ada@example.org"]
        assert letters[0].subject == "Grüße"
        program.send(signal.SIGTERM)  # a client that stays connected does not keep it
        assert program.exit_code() == 0
    letter = Mailbox(tmp_path / "mail").read(letters[0].number)
    assert letter is not None
    assert letter.text.splitlines() == ["Hello.", "..dots"]
    assert "ada" not in program.said()


def test_only_the_newest_messages_are_kept(mailbox: Mailbox) -> None:
    numbers = [mailbox.keep(MESSAGE.encode(), f"{number}@example.org") for number in range(5)]
    assert sorted(mailbox.numbers()) == numbers[2:]
    again = Mailbox(mailbox.folder, newest_kept=2)
    again.open()
    assert sorted(again.numbers()) == numbers[3:]
    assert again.read(numbers[0]) is None


def test_what_a_killed_sink_left_half_written_is_no_message(mailbox: Mailbox) -> None:
    (mailbox.folder / "1700000000000000000.new").write_bytes(b"Delivered-To: half")
    assert mailbox.newest(size=10) == ([], False, False)
    mailbox.open()
    assert not list(mailbox.folder.iterdir())


def test_pages_and_search_show_every_message_once(mailbox: Mailbox) -> None:
    mailbox.newest_kept = 100
    numbers = [mailbox.keep(MESSAGE.encode(), f"{'odd' if number % 2 else 'even'}@x.org") for number in range(7)]
    first, has_newer, has_older = mailbox.newest(size=3)
    assert ([one.number for one in first], has_newer, has_older) == (numbers[:3:-1], False, True)
    last, has_newer, has_older = mailbox.newest(size=4, after=first[-1].number)
    assert ([one.number for one in last], has_newer, has_older) == (numbers[3::-1], True, False)
    back, has_newer, _ = mailbox.newest(size=3, before=last[0].number)
    assert ([one.number for one in back], has_newer) == (numbers[:3:-1], False)
    assert [one.to for one in mailbox.newest(size=9, text="ODD@")[0]] == ["odd@x.org"] * 3
