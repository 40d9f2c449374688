"""A mail server that refuses nearly everybody for good stops the mailing, and nobody is suppressed for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailings import enqueue
from mailings.refusals import is_refusing_everybody
from targetgroups.models import Suppression
from tests.support.post import Post

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

NOBODY = "550 5.1.1 User unknown"


def addresses(count: int) -> list[str]:
    return [f"k{number:02}@lamps.example" for number in range(count)]


def refuse(post: Post, *refused: str) -> None:
    post.sink.replies = dict.fromkeys(refused, NOBODY)


@pytest.mark.parametrize(
    ("refused", "answered", "is_everybody"),
    [(20, 20, True), (19, 20, True), (18, 20, True), (17, 20, False), (19, 19, False), (1, 1, False), (90, 100, True)],
)
def test_nearly_all_of_enough_answers_tell_of_the_server(refused: int, answered: int, is_everybody: bool) -> None:
    assert is_refusing_everybody(refused, answered) is is_everybody


def test_a_server_that_refuses_everybody_pauses_the_mailing_and_suppresses_nobody(post: Post) -> None:
    refuse(post, *addresses(60))
    mailing = post.frozen(post.group(*addresses(60)))
    post.work(mailing)
    assert (mailing.status, mailing.stop_code) == ("paused", "refuses_everybody")
    assert "nobody was suppressed" in mailing.stop_text
    assert "lamps.example" not in mailing.stop_text
    assert not Suppression.objects.exists()
    assert {outcome.split()[0] for outcome in post.outcomes(mailing).values()} <= {"queued", "deferred"}
    assert post.complaints(mailing) == []

    refuse(post)  # the server is mended, and a person resumes
    enqueue.request_resume(mailing, None)
    post.work(mailing)
    post.hurry(mailing)
    post.work(mailing)
    assert mailing.status == "sent"
    assert post.sink.copies() == dict.fromkeys(addresses(60), 1)
    assert post.complaints(mailing) == []


def test_who_is_refused_again_after_a_person_resumed_has_bounced(post: Post) -> None:
    refuse(post, *addresses(22))
    mailing = post.frozen(post.group(*addresses(22)))
    post.work(mailing)
    enqueue.request_resume(mailing, None)
    post.hurry(mailing)
    post.work(mailing)
    assert mailing.status in ("failed", "paused")
    bounced = {email for email, outcome in post.outcomes(mailing).items() if outcome == "bounced 550"}
    assert len(bounced) >= 20
    assert set(Suppression.objects.values_list("address", flat=True)) == bounced


def test_a_list_with_many_dead_addresses_is_sent_and_those_are_suppressed(post: Post) -> None:
    dead = addresses(30)[:15]
    refuse(post, *dead)
    mailing = post.frozen(post.group(*addresses(30)))
    post.work(mailing)
    assert mailing.status == "sent_with_errors"
    assert set(Suppression.objects.values_list("address", flat=True)) == set(dead)
    assert post.complaints(mailing) == []


def test_few_refusals_tell_of_the_people_where_there_are_no_more(post: Post) -> None:
    refuse(post, *addresses(3))
    mailing = post.frozen(post.group(*addresses(3)))
    post.work(mailing)
    assert (mailing.status, Suppression.objects.count()) == ("failed", 3)


def test_another_backend_is_doubted_as_well(post: Post, settings: SettingsWrapper) -> None:
    settings.EMAIL_BACKEND = "tests.support.backends.PlainSmtp"
    refuse(post, *addresses(40))
    mailing = post.frozen(post.group(*addresses(40)))
    post.work(mailing)
    assert (mailing.status, mailing.stop_code) == ("paused", "refuses_everybody")
    assert not Suppression.objects.exists()
    assert post.complaints(mailing) == []
