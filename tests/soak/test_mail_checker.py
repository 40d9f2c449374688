"""The checker of a soak of mailings complains when a rule is broken, and its mail server writes down what it takes."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak import mail_checker
from tests.soak.mail_checker import Happened, Recipient, Sent
from tests.soak.mail_log import MailServer, Taken
from tests.soak.mail_sink import Manners

ADA = "ada@lamps.example"


def sent(**fields: object) -> Sent:
    return Sent(1, frozenset({ADA}), {}, is_personal=False, **fields)  # type: ignore[arg-type]


def person(outcome: str, reason: str = "") -> Recipient:
    return Recipient(7, ADA, ADA, "Byron", outcome, reason)


def copy(at: float = 0.0) -> Taken:
    return Taken(at, ADA, "<x@lamps.example>", b"")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    yield MailServer(tmp_path, 0)


@pytest.mark.parametrize(
    ("outcome", "copies", "told"),
    [
        ("sent", 1, []),
        ("unknown", 1, []),
        ("unknown", 0, []),
        ("failed", 0, []),
        ("sent", 2, ["2 copies", "2 copies"]),
        ("unknown", 2, ["2 copies", "2 copies"]),
        ("sent", 0, ["no copy"]),
        ("failed", 1, ["but is failed"]),
        ("skipped", 1, ["but is skipped"]),
        ("queued", 1, ["but is queued", "still queued"]),
        ("in_flight", 0, ["still in_flight"]),
    ],
)
def test_each_copy_belongs_to_one_who_is_sent_or_unknown(outcome: str, copies: int, told: list[str]) -> None:
    found = list(mail_checker._copies(sent(), [person(outcome)], {7: [copy()] * copies}))
    assert len(found) == len(told)
    assert all(word in complaint for word, complaint in zip(told, found, strict=True))


def test_more_may_not_be_unknown_than_deaths_and_cuts_explain() -> None:
    people = [person("unknown")] * 41
    assert list(mail_checker._unknown(sent(), people, Happened(senders=1), 1)) == []
    assert len(list(mail_checker._unknown(sent(), people, Happened(senders=1), 0))) == 1
    assert len(list(mail_checker._unknown(sent(), people, Happened(servers=2), 0))) == 1


def test_after_a_pause_no_more_goes_out_than_was_in_flight() -> None:
    paused = sent(quiet=[(10.0, 20.0)])
    assert list(mail_checker._quiet(paused, [copy(15.0)] * 40, Happened())) == []
    assert len(list(mail_checker._quiet(paused, [copy(15.0)] * 41, Happened()))) == 1


def test_who_was_barred_while_queued_is_skipped_and_nobody_else_is(server: MailServer) -> None:
    barred = sent(barred={7})
    assert list(mail_checker._skipped(barred, [person("skipped", "opt_out")], server)) == []
    assert len(list(mail_checker._skipped(barred, [person("sent")], server))) == 1
    assert len(list(mail_checker._skipped(sent(), [person("skipped", "opt_out")], server))) == 1
    assert len(list(mail_checker._skipped(sent(), [person("skipped", "cancelled")], server))) == 1
    assert list(mail_checker._skipped(sent(is_cancelled=True), [person("skipped", "cancelled")], server)) == []


def test_who_failed_was_refused_with_that_code(server: MailServer) -> None:
    assert len(list(mail_checker._failures(sent(), [person("failed", "550")], server))) == 1


def test_a_real_mail_server_writes_down_what_it_takes_before_it_says_so(tmp_path: Path) -> None:
    import smtplib

    from thrive_sync.stack import ports

    server = MailServer(tmp_path, ports.next_free(28_025))
    server.begin(Manners(cuts={2: "after", 3: "before"}))
    try:
        for number in range(3):
            message = f"Message-ID: <{number}@lamps.example>\r\n\r\n.dots\r\n"
            try:
                with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
                    client.sendmail("letters@lamps.example", [ADA], message)
            except smtplib.SMTPServerDisconnected:
                assert number > 0
    finally:
        server.kill()
    assert [letter.message_id for letter in server.taken()] == ["<0@lamps.example>", "<1@lamps.example>"]
    assert server.taken()[0].text.endswith(b"\r\n.dots\r\n")
    assert (server.doubts(), server.events("wrong")) == (2, [])


def test_the_checker_and_the_mail_server_know_nothing_of_the_sending() -> None:
    for module in ("mail_checker", "mail_log", "mail_sink"):
        spec = importlib.util.find_spec(f"tests.soak.{module}")
        assert spec is not None
        assert spec.origin is not None
        for node in ast.walk(ast.parse(Path(spec.origin).read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.split(".")[0] in ("mailings", "targetgroups", "django")]
