"""What the connections say to a mail server, word for word, and how they take what it says; no database."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailings.send.fleet import Fleet
from mailings.send.lease import Verdict
from mailings.send.line import Parcel
from mailings.send.smtp import Account, Envelope, stuffed
from tests.support.scripted import CUT, Say, Scripted
from tests.support.sink import Sink

SENDER = "letters@lamps.example"
ADA, BO, CY, DI = (f"{name}@lamps.example" for name in ("ada", "bo", "cy", "di"))
OFFERS = [("PIPELINING",), ("SIZE 1000000",)]
LONGEST = 10.0


def parcels(*addresses: str) -> list[Parcel]:
    return [
        Parcel(pk, Envelope(SENDER, address), partial(stuffed, b"Subject: Lamps\r\n\r\n.Lit.\r\n"))
        for pk, address in enumerate(addresses)
    ]


def sent(server: Scripted | Sink, *addresses: str, most: int = 1, **account: object) -> tuple[dict[str, str], str]:
    """Send to some addresses as the bookkeeper would; give the outcomes by address, and the trouble."""
    given: dict[str, str] = {}
    with Fleet(Account(**{"host": "127.0.0.1", "port": server.port, "seconds": 2.0} | account), most) as fleet:
        fleet.wait(1, LONGEST)
        fleet.send(parcels(*addresses), 0)
        answers: list[tuple[int, object]] = []
        while len(answers) < len(addresses) and not fleet.trouble:
            answers += fleet.wait(len(addresses) - len(answers), LONGEST)
        answers += fleet.close()
        assert Counter(pk for pk, _ in answers) == Counter(range(len(addresses))), "each has one answer"
        for pk, verdict in answers:
            given[addresses[pk]] = f"{verdict.outcome} {verdict.reason}".strip()
        return given, fleet.trouble


def usual(_verb: str, _recipient: str) -> None:
    return None


def says(reply: str, verb: str, to: str = BO) -> Say:
    return lambda said, recipient: reply if (said, recipient) == (verb, to) else None


def test_where_it_is_offered_a_text_and_the_next_envelope_go_out_together_and_never_before_their_turn() -> None:
    with Scripted(usual) as server:
        assert sent(server, ADA, BO) == (dict.fromkeys((ADA, BO), "sent"), "")
    [transcript] = server.transcripts
    mail, data = f"MAIL FROM:<{SENDER}>", "DATA"
    assert transcript[1:] == [
        mail,
        f"RCPT TO:<{ADA}>",
        data,
        ".",
        mail,
        f"RCPT TO:<{BO}>",
        data,
        ".",
        "QUIT",
    ]
    assert server.texts == [b"Subject: Lamps\r\n\r\n..Lit.\r\n"] * 2


@pytest.mark.parametrize("offers", OFFERS)
@pytest.mark.parametrize(
    ("verb", "reply", "outcome"),
    [
        ("RCPT", "550 5.1.1 nobody", "failed 550"),
        ("RCPT", "450 4.2.1 busy", "deferred 450"),
        ("DATA", "554 5.7.1 no", "failed 554"),
        (".", "550 5.7.1 no", "failed 550"),
        (".", "450 4.7.1 later", "deferred 450"),
        (".", "452-4.3.1 full\r\n452 later", "deferred 452"),
    ],
)
def test_a_refusal_is_about_its_recipient_alone(verb: str, reply: str, outcome: str, offers: tuple[str, ...]) -> None:
    with Scripted(says(reply, verb), offers=offers) as server:
        assert sent(server, ADA, BO, CY, DI) == (dict.fromkeys((ADA, BO, CY, DI), "sent") | {BO: outcome}, "")
    assert server.taken == [ADA, CY, DI]
    assert len(server.transcripts) == 1, "the connection is kept"
    after = server.transcripts[0]
    if verb != ".":
        next_mail = after.index(f"RCPT TO:<{CY}>") - 1
        assert after[next_mail - 1] == "RSET", "what was begun is taken back before another one begins"


def test_a_server_that_wants_a_text_for_nobody_gets_none() -> None:
    """RFC 2920, 3.1: DATA was sent ahead, and is accepted although its only recipient was not."""
    replies = {"RCPT": "550 5.1.1 nobody", "DATA": "354 go on", ".": "554 5.5.1 no recipient"}
    with Scripted(lambda verb, to: replies.get(verb) if to == BO else None) as server:
        outcomes, _ = sent(server, ADA, BO, CY)
    assert outcomes == {ADA: "sent", BO: "failed 550", CY: "sent"}
    transcript = server.transcripts[0]
    assert transcript[transcript.index(f"RCPT TO:<{BO}>") :][:4] == [f"RCPT TO:<{BO}>", "DATA", ".", "RSET"]
    assert server.taken == [ADA, CY]


def test_an_answer_that_comes_before_the_text_is_heard_at_once() -> None:
    """The server wants the next text and says in the same breath that it closes, but does not: nothing else comes."""
    over = threading.Event()
    answers = iter((b"250 ok\r\n" * 2 + b"354 go on\r\n", b"250 ok\r\n" * 3 + b"354 go on\r\n421 4.7.0 closing\r\n"))

    def serve() -> None:
        peer, _ = listening.accept()
        with peer, peer.makefile("rb") as read:
            peer.sendall(b"220 ready\r\n")
            read.readline()
            peer.sendall(b"250-lamps.example\r\n250 PIPELINING\r\n")
            for answer in answers:
                while read.readline() != b"DATA\r\n":
                    pass
                peer.sendall(answer)
            over.wait(LONGEST)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with Fleet(Account("127.0.0.1", listening.getsockname()[1], seconds=2.0), 1) as fleet:
            fleet.wait(1, LONGEST)
            fleet.send(parcels(ADA, BO), 0)
            found = dict(fleet.wait(2, LONGEST))
        over.set()
        thread.join(LONGEST)
    assert [found[pk].outcome for pk in (0, 1)] == ["sent", "queued"]


def test_nobody_waits_at_the_end_for_a_look_up_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    gave_up: list[bool] = []

    def slow(*_args: object, **_named: object) -> list[object]:
        gave_up.append(not ended.wait(LONGEST))
        raise OSError("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with Fleet(Account("mail.lamps.example", 25), 1) as fleet:
        assert fleet.wait(1, 0.1) == []
        assert fleet.close() == []
        ended.set()
    assert gave_up in ([], [False])


@pytest.mark.parametrize("offers", OFFERS)
@pytest.mark.parametrize("verb", ["RCPT", "DATA", "."])
def test_a_421_between_messages_costs_nobody_anything(verb: str, offers: tuple[str, ...]) -> None:
    told: list[str] = []

    def once(said: str, recipient: str) -> str | None:
        if (said, recipient) == (verb, BO) and not told:
            told.append(said)
            return "421 4.7.0 enough"
        return None

    with Scripted(once, offers=offers) as server:
        outcomes, trouble = sent(server, ADA, BO, CY)
    assert trouble == ""
    # The one at hand goes back to be leased again; on the next connection the others go on.
    assert outcomes == {ADA: "sent", BO: "queued", CY: "sent" if CY in server.taken else "queued"}
    assert len(server.transcripts) == 2 or CY not in server.taken


@pytest.mark.parametrize("offers", OFFERS)
def test_r13_only_the_message_whose_text_was_begun_is_unknown(offers: tuple[str, ...]) -> None:
    with Scripted(says(CUT, "."), offers=offers) as server:
        outcomes, _ = sent(server, ADA, BO, CY)
    assert (outcomes[ADA], outcomes[BO]) == ("sent", "unknown")
    assert outcomes[CY] == ("sent" if CY in server.taken else "queued")
    assert BO not in server.taken


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_a_connection_lost_before_a_text_leaves_nobody_unknown(verb: str) -> None:
    with Scripted(lambda said, _recipient: CUT if said == verb else None) as server:
        outcomes, trouble = sent(server, ADA, BO)
    assert outcomes == {ADA: "queued", BO: "queued"}
    assert trouble == "The connection to the mail server was lost."


def test_r13_a_message_that_cant_be_written_was_not_handed_over_and_says_why() -> None:
    def fails() -> bytes:
        raise ArithmeticError("no such letter")

    lost = Parcel(1, Envelope(SENDER, BO), fails)
    first, *_, last = parcels(ADA, BO, CY)
    with Scripted(usual) as server, Fleet(Account("127.0.0.1", server.port, seconds=2.0), 1) as fleet:
        fleet.wait(1, LONGEST)
        fleet.send([first, lost, last], 0)
        answers: list[tuple[int, Verdict]] = []
        with pytest.raises(ArithmeticError):
            while True:
                answers += fleet.wait(1, LONGEST)
        answers += fleet.close()
    assert {pk: str(verdict.outcome) for pk, verdict in answers} == dict.fromkeys(range(3), "queued")
    assert server.taken == []


def test_a_server_that_never_ends_its_greeting_is_left_after_the_time_out() -> None:
    with Scripted(usual, greeting="220-wait") as server:
        outcomes, trouble = sent(server, ADA, seconds=0.2)
    assert outcomes == {ADA: "queued"}
    assert trouble == "The mail server can't be reached (it broke off, or was silent)."


@pytest.mark.parametrize(
    ("greeting", "trouble"),
    [
        ("554 5.7.1 not you", 'The mail server said: "5.7.1 not you".'),
        ("421 4.3.2 closing", 'The mail server said: "4.3.2 closing".'),
        ("SSH-2.0-OpenSSH", "The mail server can't be reached (it broke off, or was silent)."),
    ],
)
def test_a_server_that_lets_nobody_in_is_named_with_its_words(greeting: str, trouble: str) -> None:
    with Scripted(usual, greeting=greeting) as server:
        assert sent(server, ADA) == ({ADA: "queued"}, trouble)


def test_connections_follow_when_the_first_has_got_an_answer_and_are_halved_when_the_server_is_busy() -> None:
    addresses = [f"keeper{number:03}@lamps.example" for number in range(80)]
    with Scripted(says("450 4.7.1 busy", ".", addresses[40])) as server:
        outcomes, _ = sent(server, *addresses, most=4)
    assert outcomes == dict.fromkeys(addresses, "sent") | {addresses[40]: "deferred 450"}
    assert len(server.transcripts) == 4
    assert sorted(server.taken) == sorted(set(addresses) - {addresses[40]})


def test_who_can_only_be_written_to_in_utf8_is_where_the_server_takes_that() -> None:
    odd = "jörg@lamps.example"
    with Scripted(usual, offers=("PIPELINING", "8BITMIME", "SMTPUTF8")) as server:
        assert sent(server, ADA, odd)[0] == {ADA: "sent", odd: "sent"}
    assert f"MAIL FROM:<{SENDER}> BODY=8BITMIME SMTPUTF8" in server.transcripts[0]
    with Scripted(usual) as server:
        assert sent(server, odd, ADA)[0] == {odd: "failed address", ADA: "sent"}


@pytest.mark.parametrize(
    ("way", "said"),
    [("PLAIN", ["AUTH PLAIN AGtlZXBlcgBsYW1w"]), ("LOGIN", ["AUTH LOGIN", "a2VlcGVy", "bGFtcA=="])],
)
def test_it_signs_in_as_the_server_offers(way: str, said: list[str]) -> None:
    first = "334 VXNlcm5hbWU6" if way == "LOGIN" else "235 welcome"
    replies = {"AUTH": first, "A2VLCGVY": "334 UGFzc3dvcmQ6", "BGFTCA==": "235 welcome"}
    with Scripted(lambda verb, _: replies.get(verb), offers=(f"AUTH {way}",)) as server:
        assert sent(server, ADA, user="keeper", password="lamp") == ({ADA: "sent"}, "")
    assert server.transcripts[0][1 : 1 + len(said)] == said


@pytest.mark.parametrize(
    ("offers", "account", "trouble"),
    [
        (("AUTH PLAIN",), {}, "The mail server does not accept this program's user name or password."),
        (("SIZE",), {}, "The mail server does not offer to sign in with a user name and a password."),
        (("SIZE",), {"has_starttls": True}, "The mail server does not offer STARTTLS, without which nothing is sent."),
    ],
)
def test_a_sign_in_that_fails_says_why(offers: tuple[str, ...], account: dict[str, bool], trouble: str) -> None:
    with Scripted(lambda verb, _: "535 5.7.8 wrong" if verb == "AUTH" else None, offers=offers) as server:
        assert sent(server, ADA, user="keeper", password="lamp", **account) == ({ADA: "queued"}, trouble)
    assert not any("MAIL" in line for line in server.transcripts[0])


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 which this program trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lamps.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(paths[0]))
    return paths


@pytest.mark.parametrize("way", ["has_starttls", "has_tls"])
def test_it_speaks_tls_and_signs_in_inside_it(certificate: tuple[Path, Path], way: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    tried: list[tuple[str, bytes, bytes]] = []

    def sign_in(
        _server: object, _session: object, _envelope: object, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        tried.append((mechanism, data.login, data.password))
        return AuthResult(success=True)

    sink = Sink(tls=context, is_starttls=way == "has_starttls", authenticator=sign_in)
    try:
        outcomes, trouble = sent(sink, ADA, user="keeper", password="lamp", **{way: True})
    finally:
        sink.stop()
    assert (outcomes, trouble) == ({ADA: "sent"}, "")
    assert tried == [("PLAIN", b"keeper", b"lamp")]


def test_a_certificate_that_nobody_knows_is_not_spoken_to(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    sink = Sink(tls=context, is_starttls=True)
    try:
        outcomes, trouble = sent(sink, ADA, has_starttls=True)
    finally:
        sink.stop()
    assert (outcomes, "can't be reached" in trouble) == ({ADA: "queued"}, True)


def test_a_dot_at_the_beginning_of_a_line_is_doubled() -> None:
    assert stuffed(b".a\r\n..\r\nb.\r\n.") == b"..a\r\n...\r\nb.\r\n..\r\n.\r\n"
    assert stuffed(b"a\r\n") == b"a\r\n.\r\n"
