"""Providers' webhooks over HTTP, as each of them really posts: signed rightly, wrongly and not at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

from mailings import bounces
from mailings.models import EventCount, MailEvent, RefusedEvents
from mailings.views import mail_events
from targetgroups.models import Suppression
from tests.support.post import Post

ADA = "ada@lamps.example"
SIGN_IN = "events:a long enough password"
MAILGUN_KEY = "mailgun-signing-key"
_KEY = ec.generate_private_key(ec.SECP256R1())
SENDGRID_KEY = base64.b64encode(
    _KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
Headers = dict[str, str]


def basic(sign_in: str) -> Headers:
    return {"Authorization": f"Basic {base64.b64encode(sign_in.encode()).decode()}"}


def postmark(kind: str, number: int) -> Any:
    if kind == "complaint":
        record = {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "TypeCode": 100001, "Name": "Spam complaint"}
    else:
        hard = kind == "hard_bounce"
        record = {
            "RecordType": "Bounce",
            "Type": "HardBounce" if hard else "SoftBounce",
            "TypeCode": 1 if hard else 4096,
        }
    return record | {
        "ID": 4323372036854775800 + number, "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "ServerID": 23,
        "Description": "The server was unable to deliver your message.", "Email": ADA, "From": "letters@lamps.example",
        "Details": "smtp;550 5.1.1 The account does not exist" if kind != "soft_bounce" else "smtp;452 4.2.2 Full",
        "BouncedAt": "2026-11-05T16:33:54.9070259Z", "MessageStream": "broadcast", "Tag": "", "Metadata": {},
    }  # fmt: skip


def mailgun(kind: str, number: int) -> Any:
    data = {
        "hard_bounce": {"event": "failed", "severity": "permanent", "reason": "bounce"},
        "soft_bounce": {"event": "failed", "severity": "permanent", "reason": "old"},
        "complaint": {"event": "complained"},
    }[kind]
    status = {"code": 550, "message": "5.1.1 no such user", "description": ""}
    return {
        "event-data": {
            "id": f"G9Bn5sl1TC6nu79C8C0bw{number}", "timestamp": 1521233195.375624, "recipient": ADA,
            "log-level": "error", "tags": [], "user-variables": {},
            "message": {"headers": {"to": ADA, "message-id": "20130503192659.13651.20287@elsewhere.example"}},
            **data, **({} if kind == "complaint" else {"delivery-status": status}),
        }
    }  # fmt: skip


def sendgrid(kind: str, number: int) -> Any:
    data = {
        "hard_bounce": {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 No user"},
        "soft_bounce": {"event": "bounce", "type": "blocked", "status": "4.0.0", "reason": "452 4.2.2 Full"},
        "complaint": {"event": "spamreport"},
    }[kind]
    event = {"email": ADA, "timestamp": 1513299569, "sg_event_id": f"sg-{number}", "sg_message_id": "14c5.filter1"}
    return [{**event, "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>", **data}]


def ses(kind: str, number: int) -> Any:
    mail = {"timestamp": "2026-11-05T16:33:54.000Z", "messageId": "00000138111222aa", "destination": [ADA]}
    if kind == "complaint":
        detail: Any = {"complaint": {"complainedRecipients": [{"emailAddress": ADA}], "complaintFeedbackType": "abuse"}}
    else:
        bounced = [{"emailAddress": ADA, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}]
        hard = kind == "hard_bounce"
        bounce = {"bounceType": "Permanent" if hard else "Transient", "bounceSubType": "General"}
        detail = {"bounce": bounce | {"bouncedRecipients": bounced}}
    message = {"notificationType": "Complaint" if kind == "complaint" else "Bounce", "mail": mail, **detail}
    return {
        "Type": "Notification", "MessageId": f"sns-{number}", "TopicArn": "arn:aws:sns:us-east-1:123456789012:bounces",
        "Timestamp": "2026-11-05T16:33:55.000Z", "Message": json.dumps(message),
    }  # fmt: skip


def sign_mailgun(body: Any, is_right: bool) -> tuple[bytes, Headers]:
    token, timestamp = "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0", "1529006854"
    key = MAILGUN_KEY if is_right else "another"
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    signed = {"signature": {"token": token, "timestamp": timestamp, "signature": signature}}
    return json.dumps(signed | body).encode(), {}


def sign_sendgrid(body: Any, is_right: bool) -> tuple[bytes, Headers]:
    text, timestamp = json.dumps(body).encode(), "1600112502"
    signature = _KEY.sign((timestamp if is_right else "1").encode() + text, ec.ECDSA(hashes.SHA256()))
    return text, {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }


def sign_in(body: Any, is_right: bool) -> tuple[bytes, Headers]:
    return json.dumps(body).encode(), basic(SIGN_IN if is_right else "events:somebody else's password")


def sign_in_ses(body: Any, is_right: bool) -> tuple[bytes, Headers]:
    text, headers = sign_in(body, is_right)
    return text, headers | sns(body)


def sns(body: Any) -> Headers:
    return {"x-amz-sns-message-type": body["Type"], "x-amz-sns-message-id": body["MessageId"]}


@dataclass(frozen=True)
class Teller:
    word: str
    body: Callable[[str, int], Any]
    signed: Callable[[Any, bool], tuple[bytes, Headers]]
    secrets: dict[str, Any]

    def post(self, kind: str = "hard_bounce", number: int = 1, *, is_right: bool = True) -> int:
        return self.post_raw(*self.signed(self.body(kind, number), is_right))

    def post_raw(self, content: bytes, headers: Headers) -> int:
        client = Client(enforce_csrf_checks=True)
        path = f"/mail-events/{self.word}/"
        return client.post(path, content, content_type="application/json", headers=headers).status_code


TELLERS = {
    one.word: one
    for one in (
        Teller("postmark", postmark, sign_in, {"WEBHOOK_SECRET": [SIGN_IN]}),
        Teller("amazon_ses", ses, sign_in_ses, {"WEBHOOK_SECRET": [SIGN_IN]}),
        Teller("mailgun", mailgun, sign_mailgun, {"MAILGUN_WEBHOOK_SIGNING_KEY": MAILGUN_KEY}),
        Teller("sendgrid", sendgrid, sign_sendgrid, {"SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": SENDGRID_KEY}),
    )
}


@pytest.fixture(params=TELLERS)
def teller(request: pytest.FixtureRequest, post: Post, settings: Any) -> Teller:
    """A provider whose secret is set, and an address that somebody here has."""
    post.person(ADA)
    found = TELLERS[request.param]
    settings.ANYMAIL = found.secrets
    return found


def causes() -> set[str]:
    bounces.work()
    return set(Suppression.objects.in_force().filter(address_key=ADA).values_list("cause", flat=True))


@pytest.mark.parametrize(
    ("kind", "expected"), [("hard_bounce", {"hard_bounce"}), ("complaint", {"complaint"}), ("soft_bounce", set())]
)
def test_what_is_rightly_signed_is_kept_and_applied(teller: Teller, kind: str, expected: set[str]) -> None:
    assert teller.post(kind) == 200
    assert causes() == expected
    [count] = EventCount.objects.all()
    assert (count.provider, count.kind, count.event_count) == (teller.word, kind, 1)


def test_what_is_wrongly_signed_or_not_at_all_changes_nothing(teller: Teller, caplog: Any) -> None:
    body = teller.body("hard_bounce", 1)
    unsigned = teller.post_raw(json.dumps(body).encode(), sns(body) if teller.word == "amazon_ses" else {})
    assert teller.post(is_right=False) == 401
    assert unsigned == 401
    assert (MailEvent.objects.count(), causes()) == (0, set())
    assert RefusedEvents.objects.values_list("provider", "refused_count").get() == (teller.word, 2), "in one row"
    assert ADA not in caplog.text


def test_without_its_secret_there_is_no_such_webhook(teller: Teller, settings: Any) -> None:
    settings.ANYMAIL = {}
    assert teller.post() == 404
    assert not MailEvent.objects.exists()


def test_told_again_and_in_another_order_it_comes_to_the_same(teller: Teller) -> None:
    for number, kind in [(2, "complaint"), (1, "hard_bounce"), (2, "complaint"), (1, "hard_bounce")]:
        assert teller.post(kind, number) == 200
    assert causes() == {"hard_bounce", "complaint"}
    assert sum(EventCount.objects.values_list("event_count", flat=True)) == 2


# Mailgun signs inside the body and Amazon names its message there: without that nothing is signed. What is empty in a
# provider's own form can be read, and tells nothing.
ANSWERED_OTHERWISE = {
    ("mailgun", b"{}"): 401,
    ("mailgun", b"not json"): 401,
    ("mailgun", b"\xff\xfe"): 401,
    ("amazon_ses", b"{}"): 401,
    ("postmark", b"{}"): 200,
    ("postmark", b"[{}]"): 200,
    ("sendgrid", b"[]"): 200,
    ("sendgrid", b"{}"): 200,
}


@pytest.mark.parametrize(
    "content", [b"", b"not json", b"[]", b"{}", b'"text"', b"[{}]", b"\xff\xfe", b"null", b"[[1]]"]
)
def test_a_body_that_cannot_be_read_is_refused_in_words_and_nothing_breaks(teller: Teller, content: bytes) -> None:
    headers = teller.signed(teller.body("complaint", 1), True)[1]
    if teller.word == "sendgrid" and content:
        signature = _KEY.sign(b"1600112502" + content, ec.ECDSA(hashes.SHA256()))
        headers["X-Twilio-Email-Event-Webhook-Signature"] = base64.b64encode(signature).decode()
    assert teller.post_raw(content, headers) == ANSWERED_OTHERWISE.get((teller.word, content), 400)
    assert not MailEvent.objects.exists()
    assert teller.post() == 200, "the next one is taken as ever"


def test_a_list_with_one_unreadable_event_loses_no_other(post: Post, settings: Any, caplog: Any) -> None:
    post.person(ADA)
    one = TELLERS["sendgrid"]
    settings.ANYMAIL = one.secrets
    body = [*sendgrid("hard_bounce", 1), {"email": ADA, "timestamp": "soon"}, *sendgrid("complaint", 2)]
    assert one.post_raw(*one.signed(body, True)) == 200
    assert causes() == {"hard_bounce", "complaint"}
    assert "1 of the events" in caplog.text
    assert ADA not in caplog.text


def test_a_body_without_end_is_not_read(post: Post, settings: Any) -> None:
    one = TELLERS["postmark"]
    settings.ANYMAIL = one.secrets
    assert one.post_raw(b" " * (mail_events.LARGEST_BODY + 1), basic(SIGN_IN)) == 413


def test_only_a_post_tells_something(client: Client, settings: Any, db: None) -> None:
    settings.ANYMAIL = TELLERS["postmark"].secrets
    assert client.get("/mail-events/postmark/").status_code == 405
    assert client.head("/mail-events/postmark/").status_code == 200
    assert client.post("/mail-events/nobody/", b"{}", content_type="application/json").status_code == 404
    assert not RefusedEvents.objects.exists(), "of what is not set up nothing is counted"
