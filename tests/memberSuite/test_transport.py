"""One request out and back: limits, refusals and the mapping of everything that goes wrong."""

from __future__ import annotations

import gzip
import logging
import socket
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from memberSuite import exceptions as e
from memberSuite import public, transport
from memberSuite.records import ConnectionSettings
from memberSuite.transport import Reply, Request, Transport, raise_for_status, retry_after_seconds
from tests.memberSuite.fake_http import FakeHttp, Say

SECRET = "c2VjcmV0LXNlY3JldA=="


def settings(address: str, **changes: float) -> ConnectionSettings:
    return ConnectionSettings(
        "concierge", address, secret_access_key=SECRET, **({"connect_timeout": 1.0, "read_timeout": 1.0} | changes)
    )


def send(address: str, **changes: float) -> Reply:
    sender = Transport(settings(address, **changes))
    try:
        return sender.send(Request("POST", address + "/", {"Content-Type": "text/xml"}, b"<a/>"))
    finally:
        sender.close()


def test_a_body_comes_back_as_sent() -> None:
    with FakeHttp(Say(b"<a>1</a>")) as fake:
        reply = send(fake.url)
    assert (reply.status, reply.body) == (200, b"<a>1</a>")


def test_gzip_is_asked_for_and_undone() -> None:
    with FakeHttp(Say(gzip.compress(b"<a>1</a>"), headers={"Content-Encoding": "gzip"})) as fake:
        assert send(fake.url).body == b"<a>1</a>"
        assert fake.seen[0].headers["Accept-Encoding"] == "gzip"


def test_broken_gzip_is_unreadable() -> None:
    with (
        FakeHttp(Say(b"no gzip at all", headers={"Content-Encoding": "gzip"})) as fake,
        pytest.raises(e.UnreadableReply),
    ):
        send(fake.url)


def test_a_body_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "BODY_LIMIT", 1000)
    with FakeHttp(Say(b"x" * 1001)) as fake, pytest.raises(e.ReplyTooLarge):
        send(fake.url)


@pytest.mark.parametrize("part", [b"<x/>", b"[],", b"{},", b"1,"])
def test_a_crowd_of_parts_is_refused_before_it_is_read(part: bytes) -> None:
    crowd = part * max(transport.MOST_PARTS + 1, transport._UNCOUNTED // len(part) + 1)
    bomb = Say(gzip.compress(crowd, 1), headers={"Content-Encoding": "gzip"})
    with FakeHttp(bomb) as fake, pytest.raises(e.ReplyTooLarge):
        send(fake.url)


def test_a_large_page_is_no_crowd() -> None:
    page = b"<Table><LastName>Byron, of the lamps</LastName></Table>" * 100_000
    with FakeHttp(Say(gzip.compress(page, 1), headers={"Content-Encoding": "gzip"})) as fake:
        assert len(send(fake.url).body) == len(page)


def test_a_small_gzip_that_becomes_huge_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "BODY_LIMIT", 1_000_000)
    bomb = Say(gzip.compress(b"x" * 50_000_000), headers={"Content-Encoding": "gzip"})
    with FakeHttp(bomb) as fake, pytest.raises(e.ReplyTooLarge):
        send(fake.url)


def test_a_redirect_is_not_followed() -> None:
    with FakeHttp(Say(status=302, headers={"Location": "http://127.0.0.1:1/elsewhere"})) as fake:
        reply = send(fake.url)
        assert len(fake.seen) == 1
    with pytest.raises(e.RedirectRefused):
        raise_for_status(reply, "")


def test_no_server_is_host_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(e.HostUnreachable):
            send(f"http://127.0.0.1:{unused.getsockname()[1]}")


def test_an_unknown_host_is_host_unreachable() -> None:
    with pytest.raises(e.HostUnreachable):
        send("http://no-such-host.invalid")


@pytest.mark.parametrize("address", ["soap.example", "ftp://soap.example", "http://"])
def test_an_address_that_is_none_is_address_wrong(address: str) -> None:
    with pytest.raises(e.AddressWrong):
        send(address)


def test_a_slow_answer_times_out() -> None:
    with FakeHttp(Say(b"<a/>", before=5)) as fake, pytest.raises(e.TimedOut):
        send(fake.url, read_timeout=0.1)


def test_an_answer_that_drips_for_ever_times_out() -> None:
    with FakeHttp(Say(b"<a/>" * 500, drip=0.02)) as fake, pytest.raises(e.TimedOut):
        send(fake.url, read_timeout=0.1, connect_timeout=0.1)


def test_a_cut_before_the_answer_is_connection_cut() -> None:
    with FakeHttp(Say(is_cut=True)) as fake, pytest.raises(e.ConnectionCut):
        send(fake.url)


def test_a_cut_in_the_middle_of_the_answer_is_connection_cut() -> None:
    with FakeHttp(Say(b"<a>", declared=100)) as fake, pytest.raises(e.ConnectionCut):
        send(fake.url)


def test_a_server_without_tls_on_a_tls_address_is_certificate_invalid() -> None:
    with FakeHttp(Say(b"<a/>")) as fake, pytest.raises(e.CertificateInvalid):
        send(fake.url.replace("http:", "https:"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, e.RedirectRefused),
        (400, e.RemoteRefused),
        (401, e.AccessDenied),
        (403, e.AccessDenied),
        (404, e.AddressWrong),
        (408, e.TimedOut),
        (429, e.Throttled),
        (500, e.ServerTrouble),
        (502, e.ServerTrouble),
        (503, e.ServerTrouble),
        (504, e.ServerTrouble),
    ],
)
def test_each_status_has_its_error(status: int, error: type[e.MemberSuiteError]) -> None:
    with pytest.raises(error) as caught:
        raise_for_status(Reply(status, "text/html", b"<html>"), "<html>")
    assert str(status) in (caught.value.remote_said or "")


def test_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    assert retry_after_seconds("7", now) == 7
    assert retry_after_seconds(format_datetime(now.replace(second=30), usegmt=True), now) == 30
    assert retry_after_seconds(format_datetime(now.replace(hour=11), usegmt=True), now) == 0
    assert retry_after_seconds("soon", now) is None
    assert retry_after_seconds(None, now) is None


def test_retry_after_reaches_the_error_in_both_forms() -> None:
    later = format_datetime(datetime(2099, 1, 1, tzinfo=UTC), usegmt=True)
    for value, least in (("3", 3), (later, 1e6)):
        with FakeHttp(Say(status=429, headers={"Retry-After": value})) as fake:
            reply = send(fake.url)
        with pytest.raises(e.Throttled) as caught:
            raise_for_status(reply, "")
        assert (caught.value.retry_after or 0) >= least


def test_a_connection_is_kept_for_the_next_request() -> None:
    ports: set[int] = set()
    with FakeHttp(Say(b"<a/>")) as fake:
        sender = Transport(settings(fake.url))
        original = fake.reply
        fake.reply = lambda handler, seen: (ports.add(handler.client_address[1]), original(handler, seen))  # type: ignore[method-assign, assignment, func-returns-value]
        for _ in range(3):
            sender.send(Request("GET", fake.url, {}))
        sender.close()
    assert len(ports) == 1


def test_secrets_and_tokens_are_hidden_in_what_is_shown() -> None:
    hidden = Transport(settings("http://x")).redact(f"key {SECRET}, Bearer abc.def, eyJhbGci.eyJzdWIi.sig")
    assert SECRET not in hidden
    assert "abc.def" not in hidden
    assert "eyJ" not in hidden


def test_secrets_do_not_show_in_settings() -> None:
    assert SECRET not in repr(settings("http://x"))


def test_library_errors_do_not_carry_the_request_along() -> None:
    with FakeHttp(Say(is_cut=True)) as fake, pytest.raises(e.ConnectionCut) as caught:
        send(fake.url)
    assert caught.value.__suppress_context__


def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), FakeHttp(Say(b"<a/>")) as fake:
        send(fake.url)
    assert SECRET not in caplog.text


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeHttp(Say(b"<a>1</a>")) as proxy:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://user:word@"))
        assert send("http://soap.example").body == b"<a>1</a>"
        assert proxy.seen[0].path == "http://soap.example/"
        assert proxy.seen[0].headers["Proxy-Authorization"].startswith("Basic ")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert send(proxy.url).body == b"<a>1</a>"
        assert proxy.seen[1].path == "/"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.9", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # where clouds keep the keys of their machines
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("2002:a00:1::", False),
        ("64:ff9b::a00:1", False),
    ],
)
def test_which_addresses_are_public(address: str, expected: bool) -> None:
    assert public.is_public(address) is expected


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1"])
def test_a_private_server_is_refused_before_anything_is_sent_however_its_host_is_written(host: str) -> None:
    with FakeHttp(Say(b"<a/>")) as fake, pytest.raises(e.AddressPrivate) as refused:
        send(fake.url.replace("127.0.0.1", host), public_only=True)
    assert fake.seen == []
    assert refused.value.remote_said is None


def test_a_name_that_leads_elsewhere_after_it_was_looked_up_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "check_host", lambda host, port: None)
    with FakeHttp(Say(b"<a/>")) as fake, pytest.raises(e.AddressPrivate):
        send(fake.url, public_only=True)
    assert fake.seen == []


def test_a_proxy_may_be_private(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeHttp(Say(b"<a/>")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert send("http://soap.membersuite.example", public_only=True).status == 200
