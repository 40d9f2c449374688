"""Home: what needs attention and what to do, the numbers of today, growth, and the first steps."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from mailings.models import Mailing
from targetgroups.models import Bridge, SyncRun
from targetgroups.views.growth import growth_of_largest
from tests.targetgroups.views.conftest import FIGURES, Rows, SignIn, text_of


def test_nothing_that_needs_anybody_is_one_calm_sentence(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Members", member_count=4)
    assert "Nothing needs you. Every group is counted, and MemberSuite answers." in text_of(sign_in().get("/"))


def test_whatever_needs_attention_is_told_with_what_to_do_and_a_way_there(rows: Rows, sign_in: SignIn) -> None:
    now = timezone.now()
    fine = rows.group("Members", member_count=4)
    held = rows.run(fine, "held", sentence="This sync would remove everybody.", figures={"would_remove": 4})
    failed = rows.group("Broken", error_code="timed_out", error_text="MemberSuite took too long.", error_at=now)
    gone = rows.group("Vanished", member_count=3, gone_at=now)
    rows.group("Fresh")
    silent = rows.run(rows.group("Slow", member_count=1), "running")
    SyncRun.objects.filter(pk=silent.pk).update(started_at=now - timedelta(hours=1))
    Bridge.objects.update(last_failed_contact_at=now, last_error_text="Nobody answers there.")
    Mailing.objects.create(name="News", status="stopped", stop_text="A group is held.")
    response = sign_in().get("/")
    words, page = text_of(response), response.content.decode()
    for part in (
        "Not reachable Lamp Keepers just now Nobody answers there. No sync works until it does.",
        "Held Members just now This sync would remove everybody.",
        "Failed Broken just now MemberSuite took too long. Its members are as they were. Resync to try again.",
        "Stalled Slow",
        "No longer in MemberSuite Vanished",
        "Never counted Fresh",
        "Stopped News A group is held.",
    ):
        assert part in words
    for address in (
        f"/sync-activity/{held.pk}/", f"/target-groups/{failed.pk}/", f"/target-groups/{gone.pk}/",
        f"/sync-activity/{silent.pk}/", "/bridge-configuration/",
    ):  # fmt: skip
        assert f'href="{address}"' in page


def test_r6_a_held_run_whose_apply_is_under_way_needs_nobody(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("Members", member_count=4)
    held = rows.run(group, "held", figures={"would_remove": 4}, sentence="This sync would remove everybody.")
    rows.run(group, "waiting", applies=held, trigger="apply")
    assert "Nothing needs you" in text_of(sign_in().get("/"))


def test_of_very_many_failures_few_are_told_and_the_rest_counted(rows: Rows, sign_in: SignIn) -> None:
    rows.group("Fine", member_count=1)
    for number in range(8):
        rows.group(f"Broken {number}", error_code="timed_out", error_text="Too long.")
    words = text_of(sign_in().get("/"))
    assert words.count("Too long.") == 5
    assert "3 more groups with an error" in words


def test_a_run_that_nobody_takes_while_nothing_runs_tells_that_no_worker_is_there(rows: Rows, sign_in: SignIn) -> None:
    run = rows.run(rows.group("Members", member_count=1), "waiting")
    assert "Nothing needs you" in text_of(sign_in().get("/"))
    SyncRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=3))
    assert "the workers are down" in text_of(sign_in().get("/"))


def test_r15_the_numbers_of_today_are_those_of_the_list_they_open(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("Members", member_count=40)
    rows.run(group, figures=FIGURES | {"added": 1200})
    rows.run(group, "failed")
    old = rows.run(group, figures=FIGURES)
    SyncRun.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    client = sign_in()
    words = text_of(client.get("/"))
    assert "Runs 2 Groups synced 1 Failed 1 Held 0 People added 1,200 Changed 5 Removed 2" in words
    assert client.get("/sync-activity/?outcome=failed&when=today").content.decode().count('<tr id="run-') == 1


def test_growth_tells_the_last_size_of_each_day_and_draws_it_without_style(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("Members", member_count=1300)
    for days, size in ((40, 1), (10, 1200), (3, 1250), (3, 1260), (0, 1300)):
        run = rows.run(group, figures=FIGURES | {"members_after": size})
        at = timezone.now() - timedelta(days=days)
        SyncRun.objects.filter(pk=run.pk).update(created_at=at, finished_at=at)
    response = sign_in().get("/")
    assert "1,300 +100 from 1,200, 10 days ago" in text_of(response)
    line = response.content.decode().split('<polyline points="')[1].split('"')[0].split()
    assert len(line) == 3


def test_the_first_steps_lead_from_nothing_to_the_first_synced_group(rows: Rows, sign_in: SignIn) -> None:
    bridge = Bridge.objects.get()
    Bridge.objects.update(association_id="")
    client = sign_in()
    words = text_of(client.get("/"))
    assert "Step 1: Connect MemberSuite Not set up" in words
    assert "Comes after step 1." in words and "Comes after step 2." in words
    Bridge.objects.update(association_id="a-1", last_failed_contact_at=timezone.now(), last_error_text="Nobody there.")
    page = client.get("/").content.decode()
    assert "Nobody there. When it is mended, press Test connection there." in page
    assert page.count("btn-primary") == 1 and 'btn-primary" href="/bridge-configuration/"' in page
    Bridge.objects.update(last_good_contact_at=timezone.now(), last_error_text="")
    assert "Step 1, done: Connect MemberSuite" in text_of(client.get("/"))
    client.post("/home/refresh/", {"bridge": bridge.pk})
    assert "Reading the searches from MemberSuite…" in text_of(client.get("/"))
    SyncRun.objects.update(status="completed", sentence="1 new, 0 unchanged")
    group = rows.group("Members")
    assert "Step 2, done: Refresh Target Group List Completed Target groups: 1 new, 0 unchanged." in text_of(
        client.get("/")
    )
    client.post("/home/sync/", {"group": group.pk})
    run = SyncRun.objects.get(target_group=group)
    assert run.trigger == "resync_now" and "Members: Waiting…" in text_of(client.get("/"))
    run.status, run.finished_at = "completed", timezone.now()
    run.save()
    group.member_count = 40
    group.save()
    assert "Your first target group is synced: Members, 40 subscribers." in text_of(client.get("/"))


def test_the_first_group_is_told_in_a_whole_sentence_also_without_the_right_to_see_people(
    rows: Rows, sign_in: SignIn
) -> None:
    rows.run(rows.group(member_count=40))
    told = "Your first target group is synced: Members, 40 subscribers."
    assert f"{told} Find a person in it , or see who is in its search" in text_of(sign_in().get("/"))
    client = sign_in("Reporter")
    user = User.objects.get(username="reporter")
    user.groups.clear()
    user.user_permissions.add(Permission.objects.get(codename="view_groups"))
    assert f"{told} See who is in its search but left out, and why" in text_of(client.get("/"))


def test_the_first_steps_tell_whom_to_ask_where_the_role_is_not_enough(rows: Rows, sign_in: SignIn) -> None:
    page = sign_in("Reporter").get("/")
    assert "an administrator connects MemberSuite" in text_of(page)
    assert "/home/refresh/" not in page.content.decode()
    for address in ("/home/refresh/", "/home/sync/"):
        assert sign_in().post(address).status_code == 404


def test_who_may_not_see_groups_starts_elsewhere(sign_in: SignIn, rows: Rows) -> None:
    client = sign_in("Manager")
    user = User.objects.get(username="manager")
    user.groups.clear()
    assert "You have no role yet" in text_of(client.get("/"))
    user.user_permissions.add(Permission.objects.get(codename="view_mailings"))
    assert client.get("/")["Location"] == "/mailings/"


def test_growth_reads_a_run_for_each_group_and_day_however_many_there_were(rows: Rows, sign_in: SignIn) -> None:
    group, now = rows.group("Members", member_count=1300), timezone.now()
    for minutes in range(40, 0, -1):
        run = rows.run(group, figures=FIGURES | {"members_after": 1000 + minutes})
        at = now - timedelta(days=2, minutes=minutes)
        SyncRun.objects.filter(pk=run.pk).update(created_at=at, finished_at=at)
    (one,) = growth_of_largest(now)
    sizes = [size for _, size in one.points]
    assert len(sizes) <= 2 and sizes[-1] == 1001  # two where those minutes have a midnight in them
    client = sign_in()
    with CaptureQueriesContext(connection) as asked:
        client.get("/")
    assert len(asked) <= 22
    assert sum("LATERAL" in query["sql"] for query in asked.captured_queries) == 1
