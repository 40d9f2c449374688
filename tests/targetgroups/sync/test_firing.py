"""Schedules fire once, catch up once, do not pile up, and spread their groups; the database is the lock (R7, R9)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from mailings.models import Mailing, MailingGroup
from targetgroups import enqueue, folders, schedules
from targetgroups.choices import Queue, RunStatus, Trigger
from targetgroups.exceptions import FolderRefused, NotAllowedNow
from targetgroups.models import Bridge, Folder, Schedule, ScheduleFiring, SyncRequest, SyncRun, TargetGroup
from targetgroups.sync import firing, retention
from tests.targetgroups.views.conftest import Rows

pytestmark = pytest.mark.django_db
LAST_YEAR = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, str]]:
    """What is handed to the broker."""
    messages: list[tuple[str, int, str]] = []
    for module in (firing, firing.single_flight):
        monkeypatch.setattr(module, "hand_over", lambda task, row_id, queue: messages.append((task, row_id, queue)))
    return messages


@pytest.fixture
def rows(db: None, sent: list[Any]) -> Rows:
    return Rows()


def old(rows: Rows, name: str, **fields: Any) -> TargetGroup:
    """Make a group that nobody made of late."""
    group = rows.group(name, **fields)
    TargetGroup.objects.filter(pk=group.pk).update(first_seen_at=LAST_YEAR)
    return group


def schedule(rows: Rows, **fields: Any) -> Schedule:
    """Make a schedule, of all groups every hour, whose time has just come."""
    given: dict[str, Any] = {"bridge": rows.bridge, "kind": "groups", "next_at": timezone.now() - timedelta(seconds=1)}
    given |= {} if "at_time" in fields else {"every_minutes": 60}
    return Schedule.objects.create(**given | fields)


def fire(one: Schedule, now: datetime | None = None) -> ScheduleFiring:
    fired = firing.fire(one.pk, now)
    assert fired is not None
    return fired


def asked_groups(fired: ScheduleFiring) -> list[str]:
    return sorted(fired.requests.values_list("run__target_group__name", flat=True))


def end(fired: ScheduleFiring, status: str = "completed") -> None:
    SyncRun.objects.filter(requests__firing=fired).update(status=status, finished_at=timezone.now())


def test_what_is_due_is_asked_for_in_the_queue_of_schedules(
    rows: Rows, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    rows.group("News"), rows.group("Gone", gone_at=LAST_YEAR), rows.group("Deleted", deleted_at=LAST_YEAR)
    rows.group("Firms", not_runnable_code="not_people")
    one = schedule(rows)
    with django_capture_on_commit_callbacks(execute=True):
        fired = fire(one)
    run = SyncRun.objects.get()
    assert (run.target_group.name if run.target_group else "", run.trigger, run.queue) == (
        "News", Trigger.SCHEDULE, Queue.SCHEDULED
    )  # fmt: skip
    assert [request.trigger for request in fired.requests.all()] == [Trigger.SCHEDULE]
    assert ("targetgroups.tasks.run_sync", run.pk, "scheduled") in sent
    one.refresh_from_db()
    assert one.next_at and one.next_at > timezone.now()
    entry = AuditEntry.objects.get(action="schedule.fired")
    assert (entry.actor_label, entry.after) == ("schedule", {"runs": 1, "joined": 0, "missed": 0})


def test_what_is_not_due_or_switched_off_does_not_fire(rows: Rows) -> None:
    later = schedule(rows, next_at=timezone.now() + timedelta(minutes=1))
    off = schedule(rows, is_on=False)
    assert firing.fire(later.pk) is None and firing.fire(off.pk) is None
    assert not ScheduleFiring.objects.exists()


def test_the_sweep_sends_what_is_due_to_be_fired(rows: Rows, sent: list[Any]) -> None:
    one = schedule(rows)
    schedule(rows, next_at=timezone.now() + timedelta(minutes=1))
    firing.sweep()
    assert sent == [(firing.FIRE_TASK, one.pk, "interactive")]


def test_a_message_delivered_twice_fires_once(rows: Rows) -> None:
    rows.group()
    one = schedule(rows)
    assert firing.fire(one.pk) and firing.fire(one.pk) is None
    assert SyncRequest.objects.count() == 1


def test_missed_times_are_caught_up_once(rows: Rows) -> None:
    rows.group()
    nightly = schedule(rows, at_time=time(2), next_at=datetime(2026, 11, 20, 2, tzinfo=UTC))
    now = datetime(2026, 11, 27, 9, tzinfo=UTC)
    fired = fire(nightly, now)
    assert (fired.due_at, fired.missed_count) == (datetime(2026, 11, 27, 2, tzinfo=UTC), 7)
    nightly.refresh_from_db()
    assert nightly.next_at == datetime(2026, 11, 28, 2, tzinfo=UTC)
    assert firing.fire(nightly.pk, now) is None


def test_what_is_still_going_is_not_piled_up(rows: Rows) -> None:
    rows.group()
    one = schedule(rows)
    first = fire(one)
    Schedule.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    second = fire(one)
    assert (second.note, second.run_count) == (firing.STILL_GOING, 0)
    assert second.finished_at is not None and SyncRequest.objects.count() == 1
    end(first)
    Schedule.objects.update(next_at=timezone.now())
    assert fire(one).run_count == 1  # also before the sweep has counted the first


def test_groups_are_spread_over_the_window_the_stalest_first(rows: Rows) -> None:
    now = timezone.now()
    for days in (1, 3, 2):
        rows.group(f"{days} days", member_count=5, counted_at=now - timedelta(days=days))
    rows.group("Never")
    fire(schedule(rows, spread_minutes=40), now)
    runs = {run.target_group.name: run.due_at for run in SyncRun.objects.all() if run.target_group}
    at = {name: due_at and (due_at - now) / timedelta(minutes=1) for name, due_at in runs.items()}
    assert at == {"3 days": None, "2 days": 10, "1 days": 20, "Never": 30}
    assert SyncRun.objects.waiting_and_due().count() == 1


def test_a_click_does_not_wait_for_the_window(rows: Rows) -> None:
    first, second = rows.group("A"), rows.group("B")
    fire(schedule(rows, spread_minutes=40))
    run = enqueue.request_sync(second, Trigger.RESYNC_NOW)
    run.refresh_from_db()
    assert run.due_at is None and run.queue == Queue.INTERACTIVE
    assert SyncRun.objects.count() == 2 and first.pk != second.pk


def test_r7_a_run_under_way_is_joined(rows: Rows) -> None:
    group = rows.group()
    running = rows.run(group, RunStatus.RUNNING)
    fired = fire(schedule(rows))
    assert SyncRun.objects.count() == 1
    assert list(fired.requests.values_list("run", flat=True)) == [running.pk]
    assert AuditEntry.objects.get(action="schedule.fired").after["joined"] == 1


def test_a_folder_or_one_group_is_all_that_is_asked_for(rows: Rows) -> None:
    mine = rows.group("Mine", folder=rows.main)
    rows.group("Other")
    elsewhere = Rows(Bridge.objects.create(name="Other", association_id="b"))
    elsewhere.group("Theirs", folder=rows.main)
    of_folder = fire(schedule(rows, folder=rows.main))
    assert asked_groups(of_folder) == ["Mine"]
    assert asked_groups(fire(schedule(rows, target_group=mine))) == ["Mine"]
    assert asked_groups(fire(schedule(rows))) == ["Mine", "Other"]


def test_only_what_was_mailed_or_made_of_late(rows: Rows) -> None:
    rows.group("New")
    mailed, long_ago, never, spared = (old(rows, name) for name in ("Mailed", "Long ago", "Never", "Spared"))
    now = timezone.now()
    for days, group, role in ((3, mailed, "to"), (91, long_ago, "to"), (3, spared, "not_to")):
        mailing = Mailing.objects.create(name="News", frozen_at=now - timedelta(days=days))
        MailingGroup.objects.create(mailing=mailing, target_group=group, role=role)
    draft = Mailing.objects.create(name="Draft")
    MailingGroup.objects.create(mailing=draft, target_group=never)
    assert asked_groups(fire(schedule(rows, is_only_in_use=True))) == ["Mailed", "New"]


def test_a_list_refresh_is_one_run_of_the_bridge(rows: Rows) -> None:
    fired = fire(schedule(rows, kind="list"))
    run = SyncRun.objects.get()
    assert (run.kind, run.target_group, run.trigger, fired.run_count) == ("list", None, "schedule", 1)


@pytest.mark.parametrize(
    ("change", "note"), [({"secret_access_key": ""}, firing.NOT_SET_UP), ({"is_active": False}, firing.NOT_SET_UP)]
)
def test_a_bridge_that_is_not_set_up_is_not_asked(change: dict[str, Any], note: str, rows: Rows) -> None:
    rows.group()
    one = schedule(rows)
    for name, value in change.items():
        setattr(rows.bridge, name, value)
    rows.bridge.save()
    fired = fire(one)
    assert (fired.note, fired.run_count, fired.finished_at is not None) == (note, 0, True)
    assert not SyncRun.objects.exists()


def test_what_became_of_the_runs_is_counted_until_they_are_over(rows: Rows) -> None:
    rows.group("A"), rows.group("B")
    fired = fire(schedule(rows))
    assert (fired.outcome_counts, fired.finished_at) == ({"waiting": 2}, None)
    SyncRun.objects.filter(target_group__name="A").update(status="held", finished_at=timezone.now())
    firing.sweep()
    fired.refresh_from_db()
    assert (fired.outcome_counts, fired.finished_at) == ({"held": 1, "waiting": 1}, None)
    SyncRun.objects.filter(target_group__name="B").update(status="failed", finished_at=timezone.now())
    firing.sweep()
    fired.refresh_from_db()
    assert fired.outcome_counts == {"held": 1, "failed": 1} and fired.finished_at is not None


def test_old_firings_go_with_the_nightly_clean_up_and_their_runs_stay(rows: Rows, settings: Any) -> None:
    rows.group()
    fired = fire(schedule(rows))
    end(fired)
    ScheduleFiring.objects.update(finished_at=timezone.now() - timedelta(days=settings.SYNC_OUTCOME_DAYS + 2))
    retention.clean_up()
    assert not ScheduleFiring.objects.exists()
    assert SyncRun.objects.count() == 1 and SyncRequest.objects.get().firing is None


# --- by people ------------------------------------------------------------------------------------------------------


@pytest.fixture
def mia() -> User:
    return User.objects.create_user("mia")


def test_run_now_leaves_the_next_time_alone_and_says_who(rows: Rows, mia: User) -> None:
    rows.group()
    later = timezone.now() + timedelta(hours=5)
    one = schedule(rows, next_at=later, is_on=False)
    fired = schedules.run_now(one.pk, mia)
    one.refresh_from_db()
    assert one.next_at == later and fired.user == mia
    assert (SyncRequest.objects.get().user, SyncRequest.objects.get().trigger) == (mia, Trigger.SCHEDULE)
    with pytest.raises(NotAllowedNow, match="still going"):
        schedules.run_now(one.pk, mia)


def test_switched_off_and_on_again_nothing_of_the_time_between_is_caught_up(rows: Rows, mia: User) -> None:
    one = schedule(rows, at_time=time(2))
    assert schedules.switch(one.pk, mia, is_on=False).next_at is None
    assert firing.fire(one.pk) is None
    again = schedules.switch(one.pk, mia, is_on=True)
    assert again.next_at and again.next_at > timezone.now() - timedelta(seconds=5)
    told = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(told) == ["schedule.switched_off", "schedule.switched_on"]


def test_a_new_bridge_has_the_two_that_most_need(rows: Rows, mia: User) -> None:
    made = schedules.add_usual(rows.bridge, mia)
    assert [str(one) for one in made] == ["List refresh, daily at 02:00", "Sync of groups in use, daily at 03:00"]
    assert all(one.is_on and one.next_at for one in made)


def test_the_time_is_of_the_organization_not_of_the_server(rows: Rows, mia: User, settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    timezone.get_default_timezone.cache_clear()
    try:
        one = schedules.save(Schedule(bridge=rows.bridge, kind="list", at_time=time(2)), mia)
        assert one.next_at and f"{one.next_at.astimezone(timezone.get_default_timezone()):%H:%M}" == "02:00"
        assert one.next_at.astimezone(UTC).hour in (6, 7)
    finally:
        settings.TIME_ZONE = "UTC"
        timezone.get_default_timezone.cache_clear()


def test_a_folder_with_a_schedule_stays(rows: Rows, mia: User) -> None:
    folder = folders.create_folder("Chapters", mia)
    one = schedule(rows, folder=folder)
    with pytest.raises(FolderRefused, match="A schedule syncs"):
        folders.delete_folder(folder, mia)
    schedules.delete(one.pk, mia)
    folders.delete_folder(folder, mia)
    assert not Folder.objects.filter(pk=folder.pk).exists()


# --- two at once ----------------------------------------------------------------------------------------------------


@pytest.fixture
def closed() -> Iterator[None]:
    yield
    connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_r9_of_many_who_fire_at_once_one_does(rows: Rows, closed: None) -> None:
    for number in range(20):
        rows.group(f"Group {number}")
    one, start, fired = schedule(rows, spread_minutes=30), threading.Barrier(6), []

    def beat() -> None:
        start.wait()
        fired.append(firing.fire(one.pk))
        connections.close_all()

    threads = [threading.Thread(target=beat) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fired) == 6 and sum(each is not None for each in fired) == 1
    assert SyncRun.objects.count() == SyncRequest.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_r7_schedules_of_the_same_groups_at_once_share_their_runs(rows: Rows, closed: None) -> None:
    for number in range(20):
        rows.group(f"Group {number}")
    several = [schedule(rows) for _ in range(4)]
    start, trouble = threading.Barrier(4), []

    def beat(one: Schedule) -> None:
        start.wait()
        try:
            firing.fire(one.pk)
        except Exception as error:
            trouble.append(error)
        connections.close_all()

    threads = [threading.Thread(target=beat, args=[one]) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    assert (SyncRun.objects.count(), SyncRequest.objects.count()) == (20, 80)


def test_whatever_this_machine_thinks_the_time_is_the_databases_clock_decides(rows: Rows) -> None:
    rows.group()
    with time_machine.travel(timezone.now() + timedelta(days=400), tick=False):
        later = schedule(rows, next_at=firing.database_clock() + timedelta(hours=1))
        assert firing.fire(later.pk) is None
