"""The demo's inbox: there only where mail ends in the demo's own sink."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from mailings import bounces
from mailings.models import MailEvent
from mailings.send.render import message_id
from targetgroups.models import Suppression
from tests.mailings.views.conftest import Desk, SignIn, text_of
from tests.targetgroups.views.conftest import Rows
from thrive_sync.stack.mailbox import Mailbox

INBOX = "/demo/inbox/"
MESSAGE = (
    b"From: Lamps <news@lamps.example>\r\nTo: ada@example.org\r\nSubject: Lamps & more\r\nPrecedence: bulk\r\n"
    b"List-Unsubscribe: <http://127.0.0.1:8000/opt-out/1.x/>\r\n\r\nHello <b>Ada</b>.\r\n"
)


def test_there_is_no_inbox_where_mail_reaches_people(sign_in: SignIn, settings: Any) -> None:
    settings.MAIL_SINK_DIR = ""
    client = sign_in()
    assert client.get(INBOX).status_code == 404
    assert client.get(reverse("mailings:letter", args=[1])).status_code == 404
    assert "Demo inbox" not in text_of(client.get("/preferences/"))


def test_the_newest_message_stands_first_and_a_banner_says_that_none_left(mailbox: Mailbox, sign_in: SignIn) -> None:
    client = sign_in()
    assert "No mail yet" in text_of(client.get(INBOX))
    for name in ("first", "second"):
        mailbox.keep(MESSAGE, f"{name}@example.org")
    words = text_of(client.get(INBOX))
    assert "These messages never left this machine." in words
    assert words.index("second@example.org Lamps & more") < words.index("first@example.org")


def test_a_search_is_posted_and_answers_with_the_list_alone(mailbox: Mailbox, sign_in: SignIn) -> None:
    for name in ("ada", "bo"):
        mailbox.keep(MESSAGE, f"{name}@example.org")
    client, part = sign_in(), {"HX-Request": "true", "HX-Target": "letters"}
    answer = client.post(INBOX, {"q": "BO@"}, headers=part)
    assert answer.content.decode().lstrip().startswith('<div id="letters"')
    assert "bo@example.org" in text_of(answer)
    assert "ada@example.org" not in text_of(answer)
    assert "No message to such an address" in text_of(client.post(INBOX, {"q": "nobody"}))


def test_a_message_shows_its_headers_its_text_and_its_opt_out_link(mailbox: Mailbox, sign_in: SignIn) -> None:
    number = mailbox.keep(MESSAGE, "ada@example.org")
    page = sign_in().get(f"{INBOX}{number}/")
    assert "List-Unsubscribe <http://127.0.0.1:8000/opt-out/1.x/>" in text_of(page)
    assert "Hello <b>Ada</b>." in text_of(page)
    assert "Hello <b>" not in page.content.decode()
    assert 'href="http://127.0.0.1:8000/opt-out/1.x/"' in page.content.decode()
    assert sign_in().get(f"{INBOX}1/").status_code == 404


@pytest.fixture
def signing_key(settings: Any) -> str:
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "the demo's own"}
    return "the demo's own"


@pytest.mark.parametrize(
    ("kind", "button", "cause", "outcome"),
    [
        ("bounce", "Bounce this message", "hard_bounce", "bounced"),
        ("complaint", "Complain about it", "complaint", "sent"),
    ],
)
def test_a_message_that_bounces_or_is_complained_about_is_told_as_by_a_provider(
    kind: str, button: str, cause: str, outcome: str,
    mailbox: Mailbox, signing_key: str, rows: Rows, desk: Desk, sign_in: SignIn, settings: Any,
) -> None:  # fmt: skip
    mailing = desk.frozen(rows.group(), "sent", sent=2)
    recipient = mailing.recipients.get(email="sent00@example.org")
    mailing.recipients.update(in_flight_at=recipient.settled_at)
    name = message_id(mailing, recipient.pk, settings.SITE_URL)
    number = mailbox.keep(f"Message-ID: {name}\r\n".encode() + MESSAGE, recipient.email)
    client, page = sign_in(), f"{INBOX}{number}/"
    assert button in text_of(client.get(page))
    for _ in range(2):
        answer = client.post(f"{page}tell/", {"event": kind}, follow=True)
        assert "The webhook was told that" in text_of(answer)
    bounces.apply(MailEvent.objects.get().pk)
    assert Suppression.objects.values_list("address_key", "cause", "mailing_id").get() == (
        recipient.email, cause, mailing.pk
    )  # fmt: skip
    recipient.refresh_from_db()
    assert recipient.outcome == outcome
    assert f'href="/subscribers/{recipient.subscriber_id}/"' in answer.content.decode()
    assert client.post(f"{page}tell/", {"event": "delivered"}).status_code == 404


def test_what_the_inbox_tells_is_signed_like_any_other(
    mailbox: Mailbox, signing_key: str, sign_in: SignIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = mailbox.keep(MESSAGE, "ada@example.org")
    monkeypatch.setattr(
        "mailings.views.play_provider._signature", lambda: {"timestamp": "1", "token": "2", "signature": "3"}
    )
    assert "did not take it" in text_of(sign_in().post(f"{INBOX}{number}/tell/", {"event": "bounce"}, follow=True))
    settings.ANYMAIL = {}
    assert "Bounce this message" not in text_of(sign_in().get(f"{INBOX}{number}/"))


@pytest.mark.parametrize(("status", "polls"), [("sending", True), ("sent", False)])
def test_the_inbox_follows_while_mail_goes_out(
    status: str, polls: bool, mailbox: Mailbox, rows: Rows, desk: Desk, sign_in: SignIn
) -> None:
    desk.frozen(rows.group(), status, sent=1, queued=1)
    client = sign_in()
    assert ("data-poll" in client.get(INBOX).content.decode()) == polls
    assert "data-poll" not in client.get(f"{INBOX}?after=9").content.decode()  # an older page stays as it is
