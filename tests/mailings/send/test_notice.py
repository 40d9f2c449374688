"""The author and whoever said Send hear by e-mail of a mailing that does not go on by itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.mail.backends.base import BaseEmailBackend

from mailings import enqueue
from mailings.models import Mailing
from mailings.send import notice, pipeline
from targetgroups.models import TargetGroup
from tests.support.post import Post

ADA = "ada@lamps.example"
AUTHOR, SENDER = "mia@society.example", "bo@society.example"


@pytest.fixture
def mailing(post: Post, settings: Any) -> Mailing:
    """A mailing by one person that another one sends, whose group is gone by then."""
    settings.SITE_URL = "https://thrive.example"
    author = get_user_model().objects.create_user("mia", email=AUTHOR)
    sender = get_user_model().objects.create_user("bo", email=SENDER)
    mailing = post.mailing(post.group(ADA))
    Mailing.objects.filter(pk=mailing.pk).update(created_by=author)
    mailing.refresh_from_db()
    enqueue.request_send(mailing, sender)
    TargetGroup.objects.update(gone_at=mailing.requested_at)
    return mailing


def test_author_and_sender_are_told_once_which_mailing_why_and_where_to_look(post: Post, mailing: Mailing) -> None:
    post.work(mailing)
    assert (mailing.status, mailing.notice, mailing.notice_text) == ("stopped", "sent", "Told by e-mail: mia, bo.")
    assert post.sink.copies() == {AUTHOR: 1, SENDER: 1}
    letter = post.sink.to(AUTHOR)
    assert letter["Subject"] == "Stopped: Spring letter"
    body = letter.get_content()
    assert "A target group is no longer in MemberSuite." in body
    assert f"https://thrive.example/mailings/{mailing.pk}/send/" in body
    assert ADA not in letter.as_string()
    post.work(mailing)
    assert len(post.sink.letters) == 2


def test_a_person_who_is_both_is_told_once_and_who_left_is_not(post: Post, mailing: Mailing) -> None:
    Mailing.objects.filter(pk=mailing.pk).update(sent_by=mailing.created_by_id)
    post.work(mailing)
    assert post.sink.copies() == {AUTHOR: 1}
    post.sink.behave()
    get_user_model().objects.update(is_active=False)
    Mailing.objects.filter(pk=mailing.pk).update(notice="due", notice_tries=0)
    post.work(mailing)
    assert (mailing.notice, post.sink.letters) == ("nobody", [])


def test_a_kill_repeats_the_notice_once_with_the_same_message_id_and_never_again(post: Post, mailing: Mailing) -> None:
    post.work(mailing)
    first = post.sink.to(AUTHOR)["Message-ID"]
    Mailing.objects.filter(pk=mailing.pk).update(notice="due")  # killed before it could write what became of it
    post.sink.behave()
    post.work(mailing)
    assert (post.sink.to(AUTHOR)["Message-ID"], mailing.notice) == (first, "sent")
    Mailing.objects.filter(pk=mailing.pk).update(notice="due")
    post.sink.behave()
    post.work(mailing)
    assert (post.sink.letters, mailing.notice, mailing.notice_text) == ([], "failed", notice.LOST.sentence)


@pytest.mark.parametrize("trouble", ["away", "refused", "unforeseen"])
def test_a_notice_that_can_not_be_sent_is_shown_and_stops_nothing(
    post: Post, mailing: Mailing, settings: Any, trouble: str
) -> None:
    if trouble == "away":
        settings.EMAIL_PORT = 9
    elif trouble == "refused":
        post.sink.sender_reply = "550 not from there"
    else:
        settings.EMAIL_BACKEND = "no.such.Backend"
    post.work(mailing)
    assert (mailing.status, mailing.stop_code, mailing.notice) == ("stopped", "group_gone", "failed")
    assert "could not be sent" in mailing.notice_text
    TargetGroup.objects.update(gone_at=None)
    enqueue.request_retry(mailing, None)
    assert (mailing.status, mailing.notice, mailing.notice_text) == ("scheduled", "", "")


class Unusual(BaseEmailBackend):
    """A provider's backend whose errors are no errors of the operating system."""

    def send_messages(self, email_messages: Any) -> int:
        raise LookupError("The key of mia@society.example is not activated")


def test_a_notice_that_another_librarys_error_stopped_is_told_with_its_words_and_without_addresses(
    post: Post, mailing: Mailing, settings: Any
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Unusual"
    post.work(mailing)
    assert mailing.notice == "failed"
    assert mailing.notice_text.endswith("could not be sent: The key of (an address) is not activated")


def test_a_mailing_that_pauses_by_itself_is_told_of_and_one_that_a_person_paused_is_not(
    post: Post, mailing: Mailing
) -> None:
    TargetGroup.objects.update(gone_at=None)
    Mailing.objects.filter(pk=mailing.pk).update(status="scheduled")
    post.freeze(mailing)
    enqueue.request_pause(mailing, None)
    post.work(mailing)
    assert (mailing.notice, post.sink.letters) == ("", [])
    enqueue.request_resume(mailing, None)
    post.sink.sender_reply = "550 not from there"
    Mailing.objects.filter(pk=mailing.pk).update(server_tries=len(pipeline._SERVER_WAITS))
    pipeline.advance(mailing.pk)
    mailing.refresh_from_db()
    assert (mailing.status, mailing.stop_code) == ("paused", "mail_server")
    post.sink.behave()
    Mailing.objects.filter(pk=mailing.pk).update(notice="due", notice_tries=0)
    post.work(mailing)
    assert post.sink.to(AUTHOR)["Subject"] == "Paused: Spring letter"
