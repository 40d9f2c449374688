"""The list as it is after the resync is compared with what the sender reviewed; beyond a limit it asks (R12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model

from audit.models import AuditEntry
from mailings import enqueue
from mailings.exceptions import NotAllowedNow
from targetgroups.models import Bridge, TargetGroup
from tests.support.engine import Engine
from tests.support.post import Post

if TYPE_CHECKING:
    from mailings.models import Mailing
    from memberSuite.standin.server import StandIn
    from tests.support.sink import Sink

GROUP = "Board of directors"


@pytest.fixture
def post(engine: Engine, bridge: Bridge, sink: Sink, settings: Any) -> Post:
    """Mailings of a bridge to a stand-in, where three people more or less are a move."""
    settings.MAILING_MOVED_PERCENT, settings.MAILING_MOVED_PEOPLE = 1, 2
    engine.refresh()
    return Post(bridge, sink)


@pytest.fixture
def group(engine: Engine, post: Post) -> TargetGroup:
    engine.sync(GROUP)
    return engine.group(GROUP)


def shrink(standin: StandIn, engine: Engine, group: TargetGroup, by: int) -> None:
    standin.delete(ids=sorted(engine.members(group))[:by])


def proceed(post: Post, mailing: Mailing) -> None:
    post.work(mailing)
    post.sync()
    post.work(mailing)


def test_a_list_that_moved_beyond_the_limit_stops_and_keeps_both_numbers(
    post: Post, engine: Engine, group: TargetGroup, standin: StandIn
) -> None:
    user = get_user_model().objects.create_user("mia")
    mailing, before = post.mailing(group), group.member_count
    enqueue.request_send(mailing, user)
    shrink(standin, engine, group, 3)
    proceed(post, mailing)
    assert (mailing.status, mailing.stop_code) == ("stopped", "list_moved")
    assert "Nothing was sent." in mailing.stop_text
    assert mailing.reviewed["by"] == "mia"
    assert mailing.reviewed["groups"] == [[group.pk, "to", before]]
    assert mailing.found["groups"] == [[group.pk, "to", before - 3]]
    assert (mailing.recipients.count(), mailing.left_out.count(), post.sink.letters) == (0, 0, [])


def test_a_list_that_moved_less_goes_out_and_says_what_was_found(
    post: Post, engine: Engine, group: TargetGroup, standin: StandIn
) -> None:
    mailing = post.mailing(group)
    enqueue.request_send(mailing, None)
    shrink(standin, engine, group, 2)
    proceed(post, mailing)
    assert (mailing.status, mailing.found["most"]) == ("sent", mailing.recipients.count())


def test_the_numbers_that_a_person_accepts_are_those_it_is_compared_with_from_then_on(
    post: Post, engine: Engine, group: TargetGroup, standin: StandIn
) -> None:
    user = get_user_model().objects.create_user("mia")
    mailing = post.mailing(group)
    enqueue.request_send(mailing, None)
    for _ in range(2):  # it moves again after the first answer: it asks again
        shrink(standin, engine, group, 3)
        proceed(post, mailing)
        assert mailing.stop_code == "list_moved"
        count = mailing.found["most"]
        enqueue.request_accept(mailing, user, count=count)
        assert (mailing.status, mailing.stop_code, mailing.found) == ("scheduled", "", None)
        assert (mailing.reviewed["least"], mailing.reviewed["most"], mailing.reviewed["by"]) == (count, count, "mia")
    proceed(post, mailing)
    assert (mailing.status, mailing.recipients.count(), post.complaints(mailing)) == ("sent", count, [])
    entry = AuditEntry.objects.filter(action="mailing.accept").latest("pk")
    assert (entry.actor_label, entry.after["most"]) == ("mia", count)
    assert entry.before["most"] > count


def test_only_what_was_seen_is_accepted_and_a_list_that_moved_is_not_simply_retried(
    post: Post, engine: Engine, group: TargetGroup, standin: StandIn
) -> None:
    mailing = post.mailing(group)
    enqueue.request_send(mailing, None)
    shrink(standin, engine, group, 3)
    proceed(post, mailing)
    count = mailing.found["most"]
    with pytest.raises(NotAllowedNow, match="numbers are others"):
        enqueue.request_accept(mailing, None, count=count + 1)
    with pytest.raises(NotAllowedNow, match="list moved"):
        enqueue.request_retry(mailing, None)
    other = engine.group("London chapter")
    enqueue.save_mailing(mailing, {}, [group.pk, other.pk], None, version=mailing.version)
    with pytest.raises(NotAllowedNow, match="groups are others"):
        enqueue.request_accept(mailing, None, count=count)
    enqueue.request_send(mailing, None)  # asked anew, with the numbers of now
    assert {row[0] for row in mailing.reviewed["groups"]} == {group.pk, other.pk}


def test_a_retry_after_another_stop_is_still_compared_with_what_was_reviewed(
    post: Post, engine: Engine, group: TargetGroup, standin: StandIn
) -> None:
    mailing = post.mailing(group)
    engine.standin.fails("ExecuteSearch", with_="AccessDenied")
    post.send(mailing)
    assert mailing.stop_code == "sync_failed"
    engine.standin.clear_faults()
    shrink(standin, engine, group, 3)
    engine.sync(group)  # the stored number is the new one by now
    enqueue.request_retry(mailing, None)
    proceed(post, mailing)
    assert mailing.stop_code == "list_moved"


def test_what_was_never_counted_was_not_reviewed_and_stops_nothing(post: Post, engine: Engine) -> None:
    mailing = post.send(post.mailing(engine.group(GROUP)))
    assert (mailing.status, mailing.reviewed["is_known"]) == ("sent", False)
