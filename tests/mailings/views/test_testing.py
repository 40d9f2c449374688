"""Send Test on the Preview tab: who may, what is typed, and what is shown of it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mailings.models import Mailing, MailingTest, MailingTestCopy
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Subscriber
from tests.mailings.views.conftest import Desk, SignIn, text_of
from tests.targetgroups.views.conftest import Rows

MIA, BO = "mia@society.example", "bo@society.example"


@pytest.fixture
def mailing(rows: Rows, desk: Desk) -> Mailing:
    group = rows.group("Members")
    rows.member(group, "ada@example.org", "Ada", "Keeper")
    rows.member(group, "bo@example.org", "Bo", "Wick")
    return desk.mailing(group)


def test_a_reporter_sends_a_test_as_the_person_shown_and_sees_it_wait(mailing: Mailing, sign_in: SignIn) -> None:
    client, who = sign_in("Reporter"), Subscriber.objects.get(email="bo@example.org")
    answer = client.post(f"/mailings/{mailing.pk}/test/?view=text&as={who.pk}", {"addresses": f"{MIA}, {BO}\n{MIA} "})
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"/mailings/{mailing.pk}/preview/?view=text&as={who.pk}#send-test",
    )
    test = MailingTest.objects.get()
    assert (test.subscriber, [each.address for each in test.copies.all()]) == (who, [MIA, BO])
    page = client.get(f"/mailings/{mailing.pk}/preview/")
    assert f"Queued {MIA}" in text_of(page)
    assert 'hx-get="/mailings/' in page.content.decode().partition('id="sent-tests"')[2][:200]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Write at least one address."),
        (" , ;\n", "Write at least one address."),
        (f"{MIA} nobody, bo@", "“nobody” is not a complete e-mail address. “bo@” is not"),
        (
            " ".join(f"p{number}@x.example" for number in range(11)),
            "These are 11 addresses; a test goes to 10 at most.",
        ),
    ],
)
def test_what_is_typed_wrong_is_named_and_stays(mailing: Mailing, sign_in: SignIn, typed: str, told: str) -> None:
    page = sign_in().post(f"/mailings/{mailing.pk}/test/", {"addresses": typed})
    assert page.status_code == 422
    assert told in text_of(page)
    assert not MailingTest.objects.exists()


def test_a_refusal_is_told_on_the_page_and_sends_nothing(mailing: Mailing, sign_in: SignIn) -> None:
    Mailing.objects.update(subject="")
    page = sign_in().post(f"/mailings/{mailing.pk}/test/", {"addresses": MIA})
    assert page.status_code == 409
    assert "No test was sent. Give it a subject." in text_of(page)
    assert MIA in page.content.decode()


def test_each_outcome_is_told_in_words(mailing: Mailing, sign_in: SignIn) -> None:
    test = MailingTest.objects.create(mailing=mailing, asked_at=timezone.now(), version=mailing.version)
    for outcome, reason, said in (
        ("sent", "", ""),
        ("failed", "550", "5.1.1 nobody of that name"),
        ("failed", "", "The mail server can't be reached."),
        ("skipped", "opt_out", ""),
        ("unknown", "", ""),
    ):
        key = f"{outcome}{reason}@x.example"
        MailingTestCopy.objects.create(
            test=test, address=key, address_key=key, outcome=outcome, reason=reason, said=said
        )
    words = text_of(sign_in("Manager").get(f"/mailings/{mailing.pk}/preview/"))
    assert "failed550@x.example The server refused it: 550 5.1.1 nobody of that name" in words
    assert "failed@x.example The mail server can't be reached." in words
    assert "Refused: opted out here." in words
    assert "Nobody knows whether it arrived" in words
    assert "Your role lets you read mailings, not send tests of them." in words


@pytest.mark.parametrize(("role", "status"), [("Publisher", 302), ("Manager", 403), ("Subscribers", 403)])
def test_who_may_not_write_mailings_sends_no_test(mailing: Mailing, sign_in: SignIn, role: str, status: int) -> None:
    assert sign_in(role).post(f"/mailings/{mailing.pk}/test/", {"addresses": MIA}).status_code == status
    assert MailingTest.objects.exists() == (status == 302)


def test_a_suppressed_address_is_refused_with_its_reason_at_once(mailing: Mailing, sign_in: SignIn) -> None:
    suppression.suppress(BO, SuppressionCause.COMPLAINT)
    client = sign_in()
    client.post(f"/mailings/{mailing.pk}/test/", {"addresses": BO})
    page = client.get(f"/mailings/{mailing.pk}/preview/")
    assert "Refused: complaint." in text_of(page)
    assert "hx-trigger" not in page.content.decode().partition('id="sent-tests"')[2][:200]
