"""Who gets an e-mail of what, in how many messages, and what stands in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from accounts.models import User
from alerts import letters
from alerts.models import Alert, AlertLetter, Wishes
from mailings.models import Mailing
from targetgroups.models import TargetGroup
from tests.alerts.conftest import Desk, Rows, Watch
from tests.support.pseudo import naming

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
FAILED = {"error_code": "timed_out", "error_text": "MemberSuite did not answer in time."}


def outbox() -> dict[str, list[str]]:
    return {to: [each.subject for each in mail.outbox if each.to == [to]] for each in mail.outbox for to in each.to}


def test_those_who_can_mend_it_get_an_e_mail_and_the_others_none(rows: Rows, watch: Watch, person: Person) -> None:
    for role in ("Administrator", "Subscribers", "Reporter", "Manager"):
        person(role)
    rows.group("Members", **FAILED)
    watch.look()
    watch.look()
    assert outbox() == {f"{who}@lamps.example": ["Failed: Members"] for who in ("administrator", "subscribers")}
    assert "https://thrive.example.org/target-groups/" in mail.outbox[0].body


def test_who_was_told_hears_that_it_is_good_again_and_nobody_else(rows: Rows, watch: Watch, person: Person) -> None:
    person("Subscribers")
    rows.group("Members", **FAILED)
    watch.look()
    person("Administrator")
    TargetGroup.objects.update(error_code="")
    watch.look()
    watch.let_settle()
    watch.look()
    assert outbox() == {"subscribers@lamps.example": ["Failed: Members", "Good again: Members"]}


def test_forty_groups_that_fail_at_once_are_one_e_mail(rows: Rows, watch: Watch, person: Person) -> None:
    person("Subscribers")
    for number in range(40):
        rows.group(f"Group {number}", **FAILED)
    watch.look()
    assert outbox() == {"subscribers@lamps.example": ["Failed: Group 0, and 39 more"]}
    assert "And 20 more." in mail.outbox[0].body


def test_an_e_mail_is_written_in_its_readers_language_and_what_is_kept_in_the_sites(
    rows: Rows, watch: Watch, person: Person
) -> None:
    person("Subscribers", language="en-gb")
    rows.group("Members", **FAILED)
    with naming():
        watch.look()
    (letter,) = mail.outbox
    assert letter.subject.startswith("en-gb:")
    assert "en-gb:All alerts:" in letter.body and "en:All alerts:" not in letter.body
    assert Alert.objects.get().text == f"{FAILED['error_text']} en:Its members are as they were."


def test_what_a_role_may_not_see_is_told_to_nobody_of_it_also_if_chosen(
    rows: Rows, desk: Desk, watch: Watch, person: Person
) -> None:
    Wishes.objects.create(user=person("Subscribers"), email=["mailing"], app=["mailing"])
    Wishes.objects.create(user=person("Reporter"), email=["mailing"], app=[])
    mailing = desk.mailing(rows.group("Members", member_count=3), name="News")
    Mailing.objects.filter(pk=mailing.pk).update(status="stopped", stop_code="sync_held")
    watch.look()
    assert outbox() == {"reporter@lamps.example": ["Mailing stopped: News"]}


def test_a_mailings_author_and_sender_are_not_told_twice(rows: Rows, desk: Desk, watch: Watch, person: Person) -> None:
    author, other = person("Publisher"), person("Administrator")
    for user in (author, other):
        Wishes.objects.create(user=user, email=["mailing"], app=[])
    mailing = desk.mailing(rows.group("Members", member_count=3), name="News")
    Mailing.objects.filter(pk=mailing.pk).update(status="stopped", stop_code="sync_held", created_by=author)
    watch.look()
    assert outbox() == {"administrator@lamps.example": ["Mailing stopped: News"]}


def test_a_role_that_changed_meanwhile_gets_nothing(rows: Rows, watch: Watch, person: Person, settings: Any) -> None:
    user = person("Subscribers")
    rows.group("Members", **FAILED)
    settings.EMAIL_FROM = ""  # nothing can go out yet
    watch.look()
    assert AlertLetter.objects.count() == 1
    user.groups.clear()
    settings.EMAIL_FROM = "thrive@lamps.example"
    assert letters.send_due() == 0
    assert AlertLetter.objects.count() == 0


def test_an_e_mail_that_could_not_be_sent_is_tried_again_later(
    rows: Rows, watch: Watch, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person("Subscribers")
    rows.group("Members", **FAILED)

    def refuse(*_args: Any, **_more: Any) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse)
        watch.look()
    assert AlertLetter.objects.get().problem == "ConnectionRefusedError"
    assert letters.send_due() == 0  # not yet
    AlertLetter.objects.update(due_at=AlertLetter.objects.get().asked_at)
    assert letters.send_due() == 1
    assert letters.send_due() == 0


def test_a_line_break_in_a_groups_name_breaks_no_header(rows: Rows, watch: Watch, person: Person) -> None:
    person("Subscribers")
    rows.group("Members\r\nBcc: everybody@lamps.example", **FAILED)
    watch.look()
    assert outbox() == {"subscribers@lamps.example": ["Failed: Members Bcc: everybody@lamps.example"]}
