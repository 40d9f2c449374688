"""One alert a change, one when it is good again, whatever sweeps, workers and flapping do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from alerts import conditions, states
from alerts.models import Alert, AlertState
from mailings.models import Mailing
from targetgroups.models import Bridge, RunProgress, SyncRun, TargetGroup
from tests.alerts.conftest import Desk, Rows, Watch

pytestmark = pytest.mark.django_db
FAILED = {"error_code": "timed_out", "error_text": "MemberSuite did not answer in time."}


def test_a_group_whose_sync_fails_is_told_once_and_once_when_it_is_good_again(rows: Rows, watch: Watch) -> None:
    group = rows.group("Members", **FAILED)
    assert watch.look() == watch.look() == ["Failed: Members"]
    TargetGroup.objects.filter(pk=group.pk).update(error_code="", error_text="")
    assert watch.look() == ["Failed: Members"]  # not sure yet
    watch.let_settle()
    assert watch.look() == []
    assert Alert.objects.get().recovered_at is not None


def test_what_flaps_within_the_hold_down_is_one_alert(rows: Rows, watch: Watch) -> None:
    group = rows.group("Members")
    for _ in range(5):
        TargetGroup.objects.filter(pk=group.pk).update(**FAILED)
        watch.look()
        TargetGroup.objects.filter(pk=group.pk).update(error_code="")
        watch.look()
    assert [alert.recovered_at for alert in Alert.objects.all()] == [None]
    TargetGroup.objects.filter(pk=group.pk).update(**FAILED)
    watch.look()
    assert AlertState.objects.get(is_bad=True).good_since is None  # the waiting begins anew


def test_two_sweeps_that_saw_the_same_raise_and_end_one_alert(rows: Rows, watch: Watch) -> None:
    group, now = rows.group("Members", **FAILED), timezone.now()
    found = conditions.all_now(0, now)
    assert (states._raise(found["failed", f"group:{group.pk}"], now), Alert.objects.count()) == (True, 1)
    assert (states._raise(found["failed", f"group:{group.pk}"], now), Alert.objects.count()) == (False, 1)
    states.bring_level({}, now)
    state = AlertState.objects.get(is_bad=True)
    assert states._recover(state, now + timedelta(hours=1))
    assert not states._recover(state, now + timedelta(hours=1))


def test_a_bridge_that_does_not_answer_is_told(rows: Rows, watch: Watch) -> None:
    Bridge.objects.update(last_good_contact_at=timezone.now(), last_failed_contact_at=timezone.now())
    assert watch.look() == ["Not reachable: Lamp Keepers"]


def test_an_unreachable_bridge_is_one_alert_and_not_one_a_group(rows: Rows, watch: Watch) -> None:
    before, then = timezone.now() - timedelta(hours=3), timezone.now() - timedelta(hours=2)
    rows.group("Slow before", error_at=before, **FAILED)
    assert watch.look() == ["Failed: Slow before"]
    for name in ("Members", "Students"):
        rows.group(name, error_at=then, **FAILED)
    rows.group("Gone", error_code="search_gone", error_text="There is no such search.", error_at=then)
    rows.run(status="failed", error_code="host_unreachable")
    Bridge.objects.update(last_good_contact_at=before, last_failed_contact_at=then)
    during = ["Failed: Slow before", "Not reachable: Lamp Keepers", "Failed: Gone"]
    assert watch.look() == watch.look() == during
    Bridge.objects.update(last_good_contact_at=timezone.now())
    rows.run()
    watch.look()
    watch.let_settle()
    # Those that only the outage kept from being synced were not asked again yet.
    assert watch.look() == watch.look() == ["Failed: Slow before", "Failed: Gone"]


def test_a_group_that_fails_after_its_bridge_is_good_again_is_told(rows: Rows, watch: Watch) -> None:
    over = timezone.now() - timedelta(minutes=30)
    group = rows.group("Members", error_at=over - timedelta(minutes=1), **FAILED)
    bridge = {"kind": "unreachable", "key": f"bridge:{rows.bridge.pk}", "about": "Lamp Keepers", "link": "/"}
    Alert.objects.create(**bridge, raised_at=over - timedelta(hours=1), recovered_at=over)
    assert watch.look() == []
    TargetGroup.objects.filter(pk=group.pk).update(error_at=timezone.now())
    assert watch.look() == ["Failed: Members"]


def test_a_failed_list_refresh_is_told_and_over_with_the_next_good_one(rows: Rows, watch: Watch) -> None:
    rows.run(status="failed", error_text="MemberSuite refused.")
    assert watch.look() == ["Failed: List refresh of Lamp Keepers"]
    rows.run()
    watch.look()
    watch.let_settle()
    assert watch.look() == []


def test_r6_a_held_sync_is_told_and_leads_to_the_newest_one(rows: Rows, watch: Watch) -> None:
    group = rows.group("Members")
    rows.run(group, "held", sentence="This sync would remove everybody.")
    assert watch.look() == ["Held: Members"]
    newer = rows.run(group, "held", sentence="This sync would remove 40 people.")
    assert watch.look() == ["Held: Members"]
    assert Alert.objects.get().link == f"/sync-activity/{newer.pk}/"


def test_a_silent_run_that_nobody_takes_over_is_told(rows: Rows, watch: Watch) -> None:
    run = rows.run(rows.group("Members"), "running")
    long_ago = timezone.now() - timedelta(minutes=20)
    told = RunProgress.objects.create(run=run, beat_at=timezone.now(), phase_started_at=long_ago)
    assert watch.look() == []
    RunProgress.objects.filter(pk=told.pk).update(beat_at=long_ago)
    assert watch.look() == ["Stalled: Members"]


def test_a_group_that_shrank_is_told_until_it_has_grown_back(rows: Rows, watch: Watch) -> None:
    group = rows.group("Members", member_count=80)
    rows.run(group, figures={"members_before": 100, "members_after": 80})
    assert watch.look() == watch.look() == ["Shrank: Members"]
    rows.run(group, figures={"members_before": 80, "members_after": 80})
    assert watch.look() == ["Shrank: Members"]  # as small as it was
    TargetGroup.objects.update(member_count=95)
    watch.look()
    watch.let_settle()
    assert watch.look() == []
    TargetGroup.objects.update(member_count=80)
    assert watch.look() == []  # the same run is told of once


@pytest.mark.parametrize(("before", "after"), [(100, 90), (1000, 901), (20, 10), (80, 100)])
def test_a_group_that_lost_few_is_nothing_to_tell(rows: Rows, watch: Watch, before: int, after: int) -> None:
    rows.run(rows.group("Members"), figures={"members_before": before, "members_after": after})
    assert watch.look() == []


def test_a_run_that_ends_while_a_later_one_is_over_already_is_not_missed(rows: Rows, watch: Watch) -> None:
    slow = rows.run(rows.group("Slow", member_count=10), "running")
    SyncRun.objects.update(created_at=timezone.now() - timedelta(hours=1))
    RunProgress.objects.create(run=slow, beat_at=timezone.now(), phase_started_at=timezone.now())
    rows.run(rows.group("Quick"))
    SyncRun.objects.update(created_at=timezone.now() - timedelta(hours=1))
    watch.look()
    SyncRun.objects.filter(pk=slow.pk).update(
        status="completed", finished_at=timezone.now(), figures={"members_before": 100, "members_after": 10}
    )
    assert watch.look() == ["Shrank: Slow"]


def test_a_mailing_that_stopped_is_told_and_one_that_a_person_paused_is_not(
    rows: Rows, desk: Desk, watch: Watch
) -> None:
    group = rows.group("Members", member_count=3)
    stopped, paused = desk.mailing(group, name="News"), desk.mailing(group, name="Later")
    Mailing.objects.filter(pk=stopped.pk).update(status="stopped", stop_code="sync_held")
    Mailing.objects.filter(pk=paused.pk).update(status="paused")
    assert watch.look() == ["Mailing stopped: News"]


def test_a_deleted_group_has_no_open_alert(rows: Rows, watch: Watch) -> None:
    group = rows.group("Members", **FAILED)
    watch.look()
    TargetGroup.objects.filter(pk=group.pk).update(deleted_at=timezone.now())
    watch.look()
    watch.let_settle()
    assert watch.look() == []


def test_what_happened_before_the_first_sweep_is_no_news(rows: Rows, person: Callable[..., User]) -> None:
    rows.run(rows.group("Members", member_count=1), figures={"members_before": 100, "members_after": 1})
    assert Watch().look() == []
