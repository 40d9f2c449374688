"""To the last good list, if somebody who may says so: recorded, with its age; never silently (R10, R12)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.db.models.functions import Now
from django.utils import timezone

from audit.models import AuditEntry
from mailings import enqueue
from mailings.exceptions import NotAllowedNow
from targetgroups.models import Bridge, TargetGroup
from tests.support.engine import Engine
from tests.support.post import Post

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailings.models import Mailing
    from tests.support.sink import Sink

GROUP, OTHER = "Board of directors", "London chapter"


@pytest.fixture
def post(engine: Engine, bridge: Bridge, sink: Sink) -> Post:
    engine.refresh()
    return Post(bridge, sink)


@pytest.fixture
def group(engine: Engine, post: Post) -> TargetGroup:
    """A group whose list is of two days ago."""
    engine.sync(GROUP)
    TargetGroup.objects.filter(name=GROUP).update(read_at=timezone.now() - timedelta(days=2))
    return engine.group(GROUP)


def fails(engine: Engine, group: TargetGroup) -> None:
    engine.standin.fails("ExecuteSearch", with_="AccessDenied", search=group.search_id)


def is_held(engine: Engine, group: TargetGroup) -> None:
    engine.standin.delete(ids=sorted(engine.members(group)))


def is_gone(engine: Engine, group: TargetGroup) -> None:
    TargetGroup.objects.filter(pk=group.pk).update(gone_at=Now())


def stopped(post: Post, mailing: Mailing) -> Mailing:
    type(mailing).objects.filter(pk=mailing.pk).update(status="scheduled")
    proceed(post, mailing)
    assert mailing.status == "stopped", mailing.stop_text
    return mailing


def proceed(post: Post, mailing: Mailing) -> None:
    post.work(mailing)
    post.sync()
    post.work(mailing)


def send_stale(mailing: Mailing, user: object = None) -> None:
    enqueue.request_send_stale(mailing, user, seen=enqueue.ages_seen(enqueue.blocked_groups(mailing)))


@pytest.mark.parametrize("happens", [fails, is_held, is_gone])
def test_r10_r12_the_last_good_list_goes_out_when_somebody_says_so_and_who_and_its_age_are_recorded(
    post: Post, engine: Engine, group: TargetGroup, happens: Callable[[Engine, TargetGroup], None]
) -> None:
    user, other = get_user_model().objects.create_user("mia"), engine.group(OTHER)
    mailing = post.mailing(group, other)
    happens(engine, group)
    stopped(post, mailing)
    code = mailing.stop_code
    send_stale(mailing, user)
    proceed(post, mailing)
    assert (mailing.status, post.complaints(mailing)) == ("sent", []), mailing.stop_text
    assert dict(mailing.groups.values_list("target_group__name", "member_count")) == {
        GROUP: group.member_count,
        OTHER: engine.group(OTHER).member_count,
    }
    assert mailing.groups.get(target_group=group).run is None
    assert mailing.groups.get(target_group=other).run.is_good
    entry = AuditEntry.objects.get(action="mailing.send_stale")
    told = entry.after["groups"][0]
    assert (entry.actor_label, entry.before, told["group"], told["members"]) == (
        "mia", {"stopped": code}, group.pk, group.member_count,
    )  # fmt: skip
    assert told["age_seconds"] == pytest.approx(2 * 24 * 3600, abs=600)


def test_r12_another_group_that_fails_later_stops_the_mailing_again_and_both_are_asked_for(
    post: Post, engine: Engine, group: TargetGroup
) -> None:
    engine.sync(OTHER)
    other = engine.group(OTHER)
    mailing = post.mailing(group, other)
    fails(engine, group)
    stopped(post, mailing)
    send_stale(mailing)
    fails(engine, other)
    proceed(post, mailing)
    assert (mailing.status, mailing.stop_code) == ("stopped", "sync_failed")
    assert {one.target_group_id for one in enqueue.blocked_groups(mailing)} == {group.pk, other.pk}
    send_stale(mailing)
    proceed(post, mailing)
    assert mailing.status == "sent"


def test_r12_a_retry_forgets_that_the_last_good_list_was_accepted(
    post: Post, engine: Engine, group: TargetGroup
) -> None:
    mailing = post.mailing(group)
    fails(engine, group)
    stopped(post, mailing)
    send_stale(mailing)
    type(mailing).objects.filter(pk=mailing.pk).update(status="stopped", stop_code="sync_failed", stopped_at=Now())
    enqueue.request_retry(mailing, None)
    proceed(post, mailing)
    assert (mailing.status, mailing.stop_code, post.sink.letters) == ("stopped", "sync_failed", [])


def test_r12_a_deleted_group_and_other_stops_have_no_such_answer(
    post: Post, engine: Engine, group: TargetGroup
) -> None:
    mailing = post.mailing(group)
    TargetGroup.objects.filter(pk=group.pk).update(deleted_at=Now())
    stopped(post, mailing)
    assert enqueue.blocked_groups(mailing) == []
    with pytest.raises(NotAllowedNow, match="can't be sent to the last good list"):
        send_stale(mailing)
