"""Sync Activity and the page of a run."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import User
from targetgroups.choices import OutcomeKind
from targetgroups.columns import SYNC_ACTIVITY
from targetgroups.models import RunOutcome, SyncRun
from tests.targetgroups.views.conftest import FIGURES, Rows, SignIn, text_of


def test_filters_narrow_and_old_words_filter_nothing(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("Members")
    failed, fine = rows.run(group, "failed"), rows.run()
    client = sign_in()

    def runs(query: str) -> set[int]:
        page = client.get(f"/sync-activity/?{query}").content.decode()
        return {int(run_id) for run_id in re.findall(r'<tr id="run-(\d+)"', page)}

    assert runs("") == {failed.pk, fine.pk}
    assert runs("outcome=failed") == {failed.pk}
    assert runs("kind=list") == {fine.pk}
    assert runs(f"group={group.pk}") == {failed.pk}
    assert runs("trigger=mailing") == set()
    assert runs("outcome=exploded&kind=&group=x") == {failed.pk, fine.pk}


def test_runs_page_both_ways(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    ids = [rows.run(group).pk for _ in range(60)][::-1]
    client = sign_in()
    client.post("/tables/sync_activity/columns/", {"size": "25"})
    second = client.get(f"/sync-activity/?after={ids[24]}").content.decode()
    assert re.findall(r'<tr id="run-(\d+)"', second) == [str(one) for one in ids[25:50]]
    back = client.get(f"/sync-activity/?before={ids[25]}").content.decode()
    assert re.findall(r'<tr id="run-(\d+)"', back) == [str(one) for one in ids[:25]]


def test_r15_both_sums_of_a_run_add_up_on_its_page(rows: Rows, sign_in: SignIn) -> None:
    run = rows.run(rows.group(), figures=FIGURES)
    words = text_of(sign_in().get(f"/sync-activity/{run.pk}/"))
    assert "In the search 100" in words
    assert "Eligible 40" in words
    assert "Members before 38 + Added 4 − Removed 2 = Members after 40" in words
    assert "Excluded (60)" in words


FAILURE = {"error_code": "timed_out", "error_text": "MemberSuite took too long.", "remote_said": "504"}


def test_a_failed_run_tells_what_happened_what_changed_how_often_it_tried_and_what_to_do(
    rows: Rows, sign_in: SignIn
) -> None:
    run = rows.run(rows.group(), "failed", **FAILURE, figures={"asked_again": 5})
    words = text_of(sign_in().get(f"/sync-activity/{run.pk}/"))
    for part in (
        "Failed MemberSuite took too long.",
        "MemberSuite said 504",
        "Nothing was changed.",
        "asked again up to 5 times",
        "not tried again by itself",
        "What to do Resync to try",
    ):
        assert part in words


def test_a_failed_run_tells_when_it_is_tried_again_and_leads_to_what_came_after(rows: Rows, sign_in: SignIn) -> None:
    group, client = rows.group(), sign_in()
    failed = rows.run(group, "failed", error_code="access_denied", error_text="MemberSuite refused.")
    rows.run(rows.group("Other"))  # not the same thing
    again = rows.run(
        group, "waiting", trigger="retry", due_at=timezone.now() + timezone.timedelta(minutes=4, seconds=5)
    )
    words = text_of(client.get(f"/sync-activity/{failed.pk}/"))
    assert f"It is tried again by itself in 4 min : Group sync {again.pk}" in words
    assert "Once: this does not pass by itself" in words
    SyncRun.objects.filter(pk=again.pk).update(status="completed", due_at=None)
    assert f"It has been tried again since: Group sync {again.pk} Completed" in text_of(
        client.get(f"/sync-activity/{failed.pk}/")
    )


def test_r9_a_stalled_run_tells_that_it_is_taken_over_and_after_how_long(rows: Rows, sign_in: SignIn) -> None:
    run = rows.run(rows.group(), "running")
    SyncRun.objects.filter(pk=run.pk).update(started_at=timezone.now() - timezone.timedelta(hours=1))
    for address in (f"/sync-activity/{run.pk}/", f"/target-groups/{run.target_group_id}/"):
        words = text_of(sign_in().get(address))
        assert "Stalled" in words
        assert "After 30 s of silence a run is released, and another worker takes it over" in words


@pytest.fixture
def held(rows: Rows) -> SyncRun:
    run = rows.run(rows.group(member_count=30), "held", sentence="This sync would remove 30 of 30 people.")
    run.figures = FIGURES | {"members_before": 30, "would_remove": 1}
    del run.figures["members_after"]
    run.save()
    given = {"remote_id": "Gone-1", "remote_key": "gone-1", "reason": "no_longer_in_search"}
    RunOutcome.objects.create(
        bridge=run.bridge, run=run, kind=OutcomeKind.WOULD_REMOVE, recorded_at=timezone.now(), **given
    )
    return run


def test_r6_a_held_run_shows_who_would_go_and_lets_who_may_decide(held: SyncRun, sign_in: SignIn) -> None:
    client = sign_in()
    words = text_of(client.get(f"/sync-activity/{held.pk}/"))
    assert "Would be removed (1)" in words
    assert "Apply" in words
    people = text_of(client.get(f"/sync-activity/{held.pk}/would_remove/"))
    assert "Gone-1" in people
    assert "No longer in the search" in people


def test_r6_without_the_permission_the_page_says_whom_to_ask(held: SyncRun, sign_in: SignIn) -> None:
    page = sign_in("Subscribers").get(f"/sync-activity/{held.pk}/")
    assert "Your role does not let you decide" in text_of(page)
    assert "/apply/" not in page.content.decode()


def test_r6_apply_queues_a_new_run_and_a_second_click_is_told_so(held: SyncRun, sign_in: SignIn) -> None:
    client = sign_in()
    answer = client.post(f"/sync-activity/{held.pk}/apply/", {"confirmed": "1"})
    assert answer["Location"] != f"/sync-activity/{held.pk}/"
    assert SyncRun.objects.get(applies=held).trigger == "apply"


def test_r10_a_held_list_refresh_names_the_groups_it_would_mark(rows: Rows, sign_in: SignIn) -> None:
    group, run = rows.group("Vanishing"), rows.run(status="held", sentence="This refresh would mark all groups.")
    given = {"remote_id": group.search_id, "remote_key": group.search_key, "recorded_at": timezone.now()}
    RunOutcome.objects.create(bridge=run.bridge, run=run, kind=OutcomeKind.WOULD_REMOVE, **given)
    words = text_of(sign_in().get(f"/sync-activity/{run.pk}/"))
    assert "Groups that would be marked as no longer in MemberSuite Vanishing" in words


def test_r6_discard_closes_the_run_and_a_late_one_says_why_not(held: SyncRun, sign_in: SignIn) -> None:
    client = sign_in()
    assert "Nothing was changed" in text_of(client.post(f"/sync-activity/{held.pk}/discard/", follow=True))
    assert "There is nothing to discard" in text_of(client.post(f"/sync-activity/{held.pk}/discard/", follow=True))


def test_people_of_a_run_are_named_while_they_exist(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group(member_count=1)
    run = rows.run(group, figures=FIGURES)
    group.counted_run = run
    added = rows.member(group, "new@example.org", "Nora", "New")
    now = timezone.now()
    changes = {"email": ["old@example.org", "new@example.org"]}
    known = {"remote_id": added.remote_id, "remote_key": added.remote_key, "changes": changes}
    RunOutcome.objects.create(bridge=run.bridge, run=run, kind=OutcomeKind.CHANGED, recorded_at=now, **known)
    client = sign_in()
    assert "new@example.org" in text_of(client.get(f"/sync-activity/{run.pk}/added/"))
    changed = text_of(client.get(f"/sync-activity/{run.pk}/changed/"))
    assert "Nora New E-mail: before: old@example.org → after: new@example.org" in changed
    assert client.get(f"/sync-activity/{run.pk}/nonsense/").status_code == 404


def test_excluded_of_a_run_are_those_of_its_time(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    first, second = rows.run(group, figures=FIGURES), rows.run(group, figures=FIGURES)
    before = rows.excluded(group, from_run_id=first.pk, until_run_id=second.pk)
    since = rows.excluded(group, from_run_id=second.pk)
    client = sign_in()
    words = text_of(client.get(f"/sync-activity/{first.pk}/excluded/"))
    assert before.remote_id in words
    assert since.remote_id not in words
    assert since.remote_id in text_of(client.get(f"/sync-activity/{second.pk}/excluded/"))


def test_a_silent_run_is_called_stalled(rows: Rows, sign_in: SignIn, settings: object) -> None:
    run = rows.run(rows.group(), "running")
    SyncRun.objects.filter(pk=run.pk).update(started_at=timezone.now() - timezone.timedelta(hours=1))
    assert "Stalled" in text_of(sign_in().get("/sync-activity/"))


def test_r15_whom_a_run_added_is_told_even_after_they_left(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    run, later = rows.run(group, figures=FIGURES), rows.run(group, figures=FIGURES)
    group.counted_run_id = run.pk
    rows.member(group, "stays@lamps.example")
    RunOutcome.objects.create(
        bridge=rows.bridge,
        run=later,
        kind=OutcomeKind.REMOVED,
        remote_id="Left-1",
        remote_key="left-1",
        reason="record_deleted",
        added_run_id=run.pk,
        recorded_at=timezone.now(),
    )
    client = sign_in()
    assert "stays@lamps.example" in text_of(client.get(f"/sync-activity/{run.pk}/added/"))
    assert "Added, left since" in text_of(client.get(f"/sync-activity/{run.pk}/"))
    assert "Left-1" in text_of(client.get(f"/sync-activity/{run.pk}/added_left/"))
    assert "Added, left since" not in text_of(client.get(f"/sync-activity/{later.pk}/"))


def test_r15_a_held_run_opens_no_list_of_exclusions_that_it_did_not_write(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group()
    rows.excluded(group)
    held = rows.run(group, "held", figures=FIGURES | {"would_remove": 30})
    page = sign_in().get(f"/sync-activity/{held.pk}/").content.decode()
    assert f"/sync-activity/{held.pk}/excluded/" not in page
    assert "55" in page
    wrote = rows.run(group, figures=FIGURES)
    assert f"/sync-activity/{wrote.pk}/excluded/" in sign_in().get(f"/sync-activity/{wrote.pk}/").content.decode()


def test_rows_of_the_list_escape_what_others_wrote_and_link_people_for_those_who_may_see_them(
    rows: Rows, sign_in: SignIn
) -> None:
    run = rows.run(rows.group("<b>Lamps</b>"), figures={"added": 3}, sentence="<i>said</i>")
    admin = sign_in()
    User.objects.update(table_preferences={"sync_activity": {"columns": SYNC_ACTIVITY.keys}})
    page = admin.get("/sync-activity/").content.decode()
    assert "&lt;b&gt;Lamps&lt;/b&gt;" in page and "&lt;i&gt;said&lt;/i&gt;" in page
    assert "<b>Lamps" not in page and "<i>said" not in page
    assert f'<a href="/sync-activity/{run.pk}/added/" aria-label="3 added by run {run.pk}">3</a>' in page
    user = User.objects.get()
    user.groups.clear()
    user.user_permissions.add(Permission.objects.get(codename="view_groups"))
    assert f"/sync-activity/{run.pk}/added/" not in admin.get("/sync-activity/").content.decode()
