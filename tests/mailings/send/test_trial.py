"""Send Test: what would be sent, to a few typed addresses, once, counting nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from mailings import optout, persons, testing
from mailings.exceptions import MailingError, NotReady
from mailings.models import Mailing, MailingTest, MailingTestCopy, Recipient, Tally
from mailings.send import trial
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Subscriber, Suppression
from tests.support.post import Post

ADA, MIA, BO = "ada@lamps.example", "mia@society.example", "bo@society.example"
HTML = '<p>Dear {{ first_name | default: "friend" }}, the lamps are lit.</p>'


@pytest.fixture
def user(post: Post) -> Any:
    return get_user_model().objects.create_user("mia", email=MIA)


@pytest.fixture
def mailing(post: Post) -> Mailing:
    return post.mailing(post.group(ADA), subject="{{ first_name }} and the lamps", html=HTML, text="")


def told(test: MailingTest) -> dict[str, str]:
    return {each.address: f"{each.outcome} {each.reason}".strip() for each in test.copies.all()}


def send(mailing: Mailing, user: Any, *addresses: str, who: Subscriber | None = None) -> MailingTest:
    test = testing.request_test(mailing, user, addresses, who)
    trial.send(test.pk)
    return test


@pytest.mark.parametrize("road", ["smtp", "another backend"])
def test_a_test_is_the_message_as_it_would_be_sent_and_counts_nobody(
    post: Post, mailing: Mailing, user: Any, settings: Any, road: str
) -> None:
    if road != "smtp":
        settings.EMAIL_BACKEND = "tests.support.backends.PlainSmtp"
    ada = Subscriber.objects.get(email=ADA)
    assert told(send(mailing, user, MIA, BO, who=ada)) == {MIA: "sent", BO: "sent"}
    letter = post.sink.to(MIA)
    assert letter["Subject"] == "[Test] Ada and the lamps"
    assert letter["To"] == MIA
    post.work(post.freeze(mailing))
    real = post.sink.to(ADA)
    assert sorted(letter.keys()) == sorted(real.keys())
    same = ("From", "List-Unsubscribe-Post", "Precedence", "Content-Type")
    assert [letter[name].split(";")[0] for name in same] == [real[name].split(";")[0] for name in same]
    texts = [[part.get_content() for part in each.walk() if not part.is_multipart()] for each in (letter, real)]
    link = optout.test_link(mailing.pk)
    real_link = optout.link_for(Recipient.objects.get(mailing=mailing))
    assert texts[0] == [text.replace(real_link, link) for text in texts[1]]
    assert letter["List-Unsubscribe"] == f"<{link}>"
    assert letter["Message-ID"] not in (real["Message-ID"], post.sink.to(BO)["Message-ID"])
    mailing.refresh_from_db()
    assert sum(Tally.objects.filter(mailing=mailing).values_list("people_count", flat=True)) == 1


@pytest.mark.parametrize("method", ["get", "post", "one click", "opt in"])
def test_the_unsubscribe_link_of_a_test_says_so_and_changes_nothing(
    post: Post, mailing: Mailing, user: Any, method: str
) -> None:
    send(mailing, user, MIA)
    path = optout.test_link(mailing.pk).removeprefix("https://thrive.example.org")
    values = {"List-Unsubscribe": "One-Click"} if method == "one click" else {}
    client = Client(enforce_csrf_checks=method != "opt in")
    answer = (
        client.get(path) if method == "get" else client.post(path + ("undo/" if method == "opt in" else ""), values)
    )
    assert answer.status_code == 200
    assert "This was a test" in answer.content.decode()
    assert not Suppression.objects.exists()


def test_each_address_has_the_servers_own_answer(post: Post, mailing: Mailing, user: Any) -> None:
    post.sink.replies[BO] = "550 5.1.1 nobody of that name"
    post.sink.data_replies[ADA] = "451 4.7.1 later"
    test = send(mailing, user, BO, MIA, ADA)
    assert told(test) == {BO: "failed 550", MIA: "sent", ADA: "failed 451"}
    assert test.copies.get(address=BO).said == "5.1.1 nobody of that name"


def test_a_server_that_is_away_is_told_and_nothing_is_tried_again(
    post: Post, mailing: Mailing, user: Any, settings: Any
) -> None:
    settings.EMAIL_PORT = 9
    test = send(mailing, user, MIA, BO)
    assert set(told(test).values()) == {"failed"}
    assert "can't be reached" in test.copies.all()[1].said
    trial.sweep()
    trial.send(test.pk)
    assert post.sink.copies() == {}


def test_r11_who_opted_out_gets_no_test_whenever_that_was(post: Post, mailing: Mailing, user: Any) -> None:
    suppression.suppress(BO, SuppressionCause.OPT_OUT)
    test = testing.request_test(mailing, user, [BO, MIA, ADA])
    assert told(test) == {BO: "skipped opt_out", MIA: "queued", ADA: "queued"}
    suppression.suppress(ADA, SuppressionCause.HARD_BOUNCE)
    trial.send(test.pk)
    assert told(test) == {BO: "skipped opt_out", MIA: "sent", ADA: "skipped hard_bounce"}
    assert post.sink.copies() == {MIA: 1}


def test_r13_what_a_kill_cut_off_is_unknown_and_never_sent_again_by_itself(
    post: Post, mailing: Mailing, user: Any, settings: Any
) -> None:
    test = testing.request_test(mailing, user, [MIA, BO])
    long_ago = timezone.now() - timedelta(seconds=settings.MAILING_SILENCE_SECONDS + 1)
    test.copies.filter(address=MIA).update(outcome="in_flight", in_flight_at=long_ago)
    trial.sweep()
    assert told(test) == {MIA: "unknown", BO: "queued"}
    trial.send(test.pk)
    trial.send(test.pk)
    assert told(test) == {MIA: "unknown", BO: "sent"}
    assert post.sink.copies() == {BO: 1}


def test_a_connection_that_breaks_off_leaves_its_copy_unknown(post: Post, mailing: Mailing, user: Any) -> None:
    post.sink.cuts[MIA] = "after"
    assert told(send(mailing, user, MIA)) == {MIA: "unknown"}
    assert post.sink.copies() == {MIA: 1}


@pytest.mark.parametrize("trouble", ["changed", "late", "erased"])
def test_a_test_that_is_not_what_was_asked_for_any_more_is_not_sent(
    post: Post, mailing: Mailing, user: Any, trouble: str
) -> None:
    ada = Subscriber.objects.get(email=ADA)
    test = testing.request_test(mailing, user, [MIA], ada)
    if trouble == "changed":
        Mailing.objects.update(version=99)
    elif trouble == "late":
        MailingTest.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    else:
        Subscriber.objects.filter(pk=ada.pk).update(do_not_email_at=timezone.now())
    trial.send(test.pk)
    words = {"changed": "changed meanwhile", "late": "No worker", "erased": "Do Not Email by now"}
    assert told(test) == {MIA: "failed"}
    assert words[trouble] in test.copies.get().said
    assert post.sink.copies() == {}


def test_a_message_that_can_not_be_written_is_refused_and_groups_are_not_needed(post: Post, user: Any) -> None:
    mailing = post.mailing(text="{% if name %}")
    with pytest.raises(NotReady):
        testing.request_test(mailing, user, [MIA])
    Mailing.objects.update(text="Hello {{ first_name }}.")
    assert told(send(mailing, user, MIA)) == {MIA: "sent"}


def test_a_person_has_so_many_tests_an_hour(mailing: Mailing, user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "MOST_AN_HOUR", 3)
    testing.request_test(mailing, user, [MIA, BO])
    with pytest.raises(MailingError, match="and 1 is left"):
        testing.request_test(mailing, user, [MIA, BO])
    other = get_user_model().objects.create_user("bo", email=BO)
    testing.request_test(mailing, other, [MIA, BO])
    MailingTest.objects.update(asked_at=timezone.now() - timedelta(hours=1, seconds=1))
    testing.request_test(mailing, user, [MIA, BO])


def test_r16_a_test_is_recorded_without_any_address(mailing: Mailing, user: Any) -> None:
    suppression.suppress(BO, SuppressionCause.OPT_OUT)
    test = testing.request_test(mailing, user, [MIA, BO])
    entry = AuditEntry.objects.get(action="mailing.test")
    assert entry.actor == user
    assert entry.after == {"test": test.pk, "version": mailing.version, "addresses": 2, "refused": 1}


def test_the_addresses_typed_last_are_remembered_and_the_own_one_is_the_first(mailing: Mailing, user: Any) -> None:
    assert testing.addresses_for(mailing, user) == [MIA]
    testing.request_test(mailing, user, [BO, MIA])
    assert testing.addresses_for(mailing, user) == [BO, MIA]


def test_a_person_who_is_erased_is_erased_from_the_tests_too(post: Post, mailing: Mailing, user: Any) -> None:
    testing.request_test(mailing, user, [ADA, MIA])
    persons.erase(Subscriber.objects.get(email=ADA))
    assert list(MailingTestCopy.objects.values_list("address", flat=True)) == [MIA]
