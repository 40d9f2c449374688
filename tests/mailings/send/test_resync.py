"""When its moment comes, a mailing resyncs each of its groups, then fixes its recipients; else it stops (R7, R12)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from mailings import enqueue
from mailings.models import Mailing, MailingGroup
from targetgroups import enqueue as sync_enqueue
from targetgroups.choices import Trigger
from targetgroups.models import Bridge, SyncRequest, SyncRun, TargetGroup
from tests.support.broker import waiting_count
from tests.support.engine import Engine, perform_beside
from tests.support.post import Post
from thrive_sync.lib.steps import Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from memberSuite.standin.server import StandIn
    from tests.support.sink import Sink

GROUP, OTHER = "Board of directors", "London chapter"


@pytest.fixture
def post(engine: Engine, bridge: Bridge, sink: Sink) -> Post:
    """Mailings of a bridge to a stand-in, whose groups are known."""
    engine.refresh()
    return Post(bridge, sink)


@pytest.fixture
def group(engine: Engine, post: Post) -> TargetGroup:
    return engine.group(GROUP)


def run_of(mailing: Mailing) -> SyncRun:
    return SyncRun.objects.get(mailing_groups__mailing=mailing)


def test_r12_a_mailing_goes_to_the_people_who_are_in_the_search_at_its_moment(
    post: Post, engine: Engine, group: TargetGroup, standin: StandIn
) -> None:
    engine.sync(group)
    gone, flagged = sorted(engine.members(group))[:2]
    standin.delete(ids=[gone])
    standin.flip_do_not_email(ids=[flagged], to=True)
    mailing = post.send(post.mailing(group))
    truth = {person["email"].strip() for person in standin.mailable(group.search_id)}
    assert (mailing.status, post.complaints(mailing)) == ("sent", [])
    assert set(post.outcomes(mailing)) <= truth
    assert mailing.moment_at < run_of(mailing).started_at < mailing.frozen_at < mailing.finished_at
    assert SyncRequest.objects.get(run=run_of(mailing)).trigger == Trigger.MAILING
    assert MailingGroup.objects.get(mailing=mailing).member_count == engine.group(group).member_count


def test_r7_a_mailing_does_not_join_a_run_that_has_begun_but_one_that_waits(
    post: Post, group: TargetGroup, standin: StandIn
) -> None:
    earlier = sync_enqueue.request_sync(group, Trigger.RESYNC_NOW)
    mailing = post.mailing(group)
    with standin.holds("ExecuteSearch", only="page") as held:
        beside = perform_beside(earlier)
        assert held.wait_until_held()
        enqueue.request_send(mailing, None)
        assert post.work(mailing) is Step.WAIT
        mine = run_of(mailing)
        assert mine.pk != earlier.pk
        second = post.mailing(group)
        enqueue.request_send(second, None)
        post.work(second)
        assert run_of(second) == mine, "one that has not begun serves both"
    beside.join()
    post.hurry(mailing)
    assert post.work(mailing) is Step.WAIT, "the run that began before the moment is no use"
    post.sync()
    post.work(mailing)
    assert mailing.status == "sent"
    assert mailing.moment_at < SyncRun.objects.get(pk=mine.pk).started_at


def test_r7_a_scheduled_mailing_asks_for_nothing_before_its_time(post: Post, group: TargetGroup) -> None:
    mailing = post.mailing(group)
    enqueue.request_send(mailing, None, at=timezone.now() + timedelta(hours=2), time_zone="Europe/Berlin")
    assert post.work(mailing) is Step.DONE
    assert (mailing.status, mailing.time_zone, SyncRun.objects.filter(kind="group").count()) == (
        "scheduled",
        "Europe/Berlin",
        0,
    )
    Mailing.objects.filter(pk=mailing.pk).update(scheduled_for=Now())
    post.work(mailing)
    assert (mailing.status, run_of(mailing).trigger) == ("resyncing", "mailing")


@pytest.mark.parametrize("field", ["scheduled_for", "requested_at"])
def test_a_mailing_whose_time_was_over_long_before_a_worker_saw_it_asks_instead_of_going_out(
    post: Post, group: TargetGroup, field: str
) -> None:
    mailing = post.mailing(group)
    enqueue.request_send(mailing, None)
    Mailing.objects.filter(pk=mailing.pk).update(**{field: timezone.now() - timedelta(minutes=61)})
    post.work(mailing)
    assert (mailing.status, mailing.stop_code, mailing.moment_at) == ("stopped", "too_late", None)
    assert "Nothing was sent." in mailing.stop_text
    assert not SyncRun.objects.filter(kind="group").exists()
    enqueue.request_retry(mailing, None)  # "Send now anyway"
    post.work(mailing)
    post.sync()
    post.work(mailing)
    assert mailing.status == "sent"


def test_a_mailing_that_is_a_little_late_goes_out(post: Post, group: TargetGroup) -> None:
    mailing = post.mailing(group)
    enqueue.request_send(mailing, None)
    Mailing.objects.filter(pk=mailing.pk).update(scheduled_for=timezone.now() - timedelta(minutes=59))
    post.work(mailing)
    assert mailing.status == "resyncing"


def test_the_end_of_the_run_wakes_the_mailing_that_waits_for_it(post: Post, group: TargetGroup) -> None:
    mailing = post.mailing(group)
    enqueue.request_send(mailing, None)
    post.work(mailing)
    woken = waiting_count("mailings")
    assert not Mailing.objects.wanting_work().exists()
    post.sync()
    assert waiting_count("mailings") == woken + 1
    assert Mailing.objects.wanting_work().get() == mailing


def fails(engine: Engine, group: TargetGroup) -> None:
    engine.standin.fails("ExecuteSearch", with_="AccessDenied", search=group.search_id)


def is_held(engine: Engine, group: TargetGroup) -> None:
    engine.sync(group)
    engine.standin.delete(percent=100)


def goes(engine: Engine, group: TargetGroup) -> None:
    engine.standin.delete_search(group.search_id)


def is_marked_gone(engine: Engine, group: TargetGroup) -> None:
    TargetGroup.objects.filter(pk=group.pk).update(gone_at=Now())


def is_deleted(engine: Engine, group: TargetGroup) -> None:
    TargetGroup.objects.filter(pk=group.pk).update(deleted_at=Now())


def cannot_be_run(engine: Engine, group: TargetGroup) -> None:
    TargetGroup.objects.filter(pk=group.pk).update(not_runnable_code="needs_parameter")


def is_cancelled(engine: Engine, group: TargetGroup) -> None:
    sync_enqueue.request_cancel(SyncRun.objects.get(status="waiting"))


@pytest.mark.parametrize(
    ("happens", "code", "words"),
    [
        (fails, "sync_failed", "could not be resynced"),
        (is_held, "sync_held", "is held"),
        (goes, "group_gone", "no longer in MemberSuite"),
        (is_marked_gone, "group_gone", "no longer in MemberSuite"),
        (is_deleted, "group_deleted", "was deleted here"),
        (cannot_be_run, "group_not_runnable", "can't be run"),
        (is_cancelled, "sync_cancelled", "cancelled the resync"),
    ],
)
def test_r12_a_group_that_cannot_be_made_current_stops_the_mailing_which_says_so_and_sends_nothing(
    post: Post,
    engine: Engine,
    group: TargetGroup,
    happens: Callable[[Engine, TargetGroup], None],
    code: str,
    words: str,
) -> None:
    mailing = post.mailing(group, engine.group(OTHER))
    if happens is not is_cancelled:
        happens(engine, group)
    Mailing.objects.filter(pk=mailing.pk).update(status="scheduled")  # as if it had happened after the checks
    post.work(mailing)
    if happens is is_cancelled:
        sync_enqueue.request_cancel(SyncRun.objects.get(status="waiting", target_group=group))
    post.sync()
    post.work(mailing)
    assert (mailing.status, mailing.stop_code) == ("stopped", code), mailing.stop_text
    assert f'"{group.name}"' in mailing.stop_text
    assert words in mailing.stop_text
    assert "Nothing was sent." in mailing.stop_text
    assert (mailing.is_frozen, mailing.recipients.count(), post.sink.letters) == (False, 0, [])


def test_r12_a_retry_resyncs_every_group_again(post: Post, engine: Engine, group: TargetGroup) -> None:
    mailing = post.mailing(group)
    engine.standin.fails("ExecuteSearch", with_="AccessDenied")
    post.send(mailing)
    first, stopped_moment = run_of(mailing), mailing.moment_at
    assert mailing.status == "stopped"
    engine.standin.clear_faults()
    enqueue.request_retry(mailing, None)
    assert (mailing.stop_code, mailing.stop_text) == ("", "")
    post.work(mailing)
    post.sync()
    post.work(mailing)
    assert mailing.status == "sent"
    assert run_of(mailing).pk > first.pk
    assert mailing.moment_at > stopped_moment


def test_r11_r14_an_opt_out_and_what_another_groups_sync_saw_since_the_freeze_are_obeyed(
    post: Post, engine: Engine, group: TargetGroup, standin: StandIn
) -> None:
    mailing = post.mailing(group)
    enqueue.request_send(mailing, None)
    post.work(mailing)
    post.sync()
    post.pause_after_freeze(mailing)
    recipient = mailing.recipients.order_by("pk")[0]
    standin.flip_do_not_email(ids=[recipient.remote_id], to=True)
    engine.sync("All individuals")
    enqueue.request_resume(mailing, None)
    post.work(mailing)
    assert post.outcomes(mailing)[recipient.email] == "skipped do_not_email"
    assert recipient.email not in post.sink.copies()
    assert (mailing.status, post.complaints(mailing)) == ("sent", [])
    assert len(post.sink.letters) == mailing.recipients.count() - 1
