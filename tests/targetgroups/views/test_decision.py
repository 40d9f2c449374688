"""A held run's page: why, what would happen, what changed, who may decide, and what was decided (R6, R10)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from targetgroups.choices import OutcomeKind
from targetgroups.models import SyncRun
from tests.targetgroups.views.conftest import FIGURES, Rows, SignIn, outcome, text_of

READ = {"in_search": 20, "eligible": 10, "do_not_email": 9, "no_address": 1, "malformed_address": 0, "duplicate_row": 0}
HELD = READ | {
    "members_before": 40, "would_remove": 30, "would_remove_by_reason": {"": 30},
    "limit_percent": 20, "limit_people": 25,
}  # fmt: skip


@pytest.fixture
def held(rows: Rows) -> SyncRun:
    """A group whose search shrank from 100 rows to 20: thirty of forty members would go."""
    group = rows.group("Members", member_count=40)
    rows.run(group, figures=FIGURES)
    run = rows.run(group, "held", figures=HELD, sentence="This sync would remove 30 of 40 people.")
    goes = rows.member(group, "goes@lamps.example", "Gus", "Goes")
    rows.member(group, "stays@lamps.example", "Stella", "Stays")
    outcome(run, goes, OutcomeKind.WOULD_REMOVE)
    return run


def test_r6_it_tells_why_what_would_happen_and_what_changed(held: SyncRun, sign_in: SignIn) -> None:
    held.bridge.guard_percent = 99  # set since: what held it is told
    held.bridge.save()
    words = text_of(sign_in().get(f"/sync-activity/{held.pk}/"))
    for part in (
        "Decide: may 30 people be removed?",
        "more than 20 % and more than 25 people",
        "30 of 40 (75 %)",
        "40 now − 30 = 10 stay",
        "In the search 100 20 −80",
        "Do Not Email is Yes 55 9 −46",
        "The search finds fewer rows than last time",
        "Would be removed (30) Would stay (10)",
        "goes@lamps.example",
    ):
        assert part in words


def test_r6_the_likely_reason_is_the_one_that_explains_at_least_half(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("Members", member_count=40)
    rows.run(group, figures=FIGURES)
    more = rows.run(group, "held", figures=HELD | {"in_search": 100, "do_not_email": 85})
    assert "Many more rows are left out than last time: Do Not Email is Yes." in text_of(
        sign_in().get(f"/sync-activity/{more.pk}/")
    )
    other = rows.run(group, "held", figures=HELD | {"in_search": 100, "do_not_email": 55})
    assert "but other people" in text_of(sign_in().get(f"/sync-activity/{other.pk}/"))


def test_r6_one_person_is_told_in_the_number_that_one_has(rows: Rows, sign_in: SignIn) -> None:
    run = rows.run(rows.group("Pair"), "held", figures=HELD | {"would_remove": 1, "members_before": 2})
    words = text_of(sign_in().get(f"/sync-activity/{run.pk}/"))
    for part in (
        "Decide: may 1 person be removed?",
        "2 now − 1 = 1 stays",
        "at most the 1 person listed here goes",
        "Remove 1 person from Pair?",
        "Yes, remove 1 person",
    ):
        assert part in words


def test_r6_who_would_stay_is_a_list_of_its_own(held: SyncRun, sign_in: SignIn) -> None:
    client = sign_in()
    stay = text_of(client.get(f"/sync-activity/{held.pk}/would_stay/"))
    assert "stays@lamps.example" in stay and "goes@lamps.example" not in stay
    found = text_of(client.post(f"/sync-activity/{held.pk}/would_stay/", {"q": "stella"}))
    assert "stays@lamps.example" in found
    assert "Nobody found" in text_of(client.post(f"/sync-activity/{held.pk}/would_stay/", {"q": "gus"}))


def test_r6_few_who_would_stay_are_found_without_a_walk_past_all_who_would_go(
    held: SyncRun, rows: Rows, sign_in: SignIn
) -> None:
    group = held.target_group
    assert group
    outcome(held, rows.member(group, "last@lamps.example", "Lea", "Last"), OutcomeKind.WOULD_STAY)
    outcome(held, rows.member(rows.group("Others"), "left@lamps.example", "Leo", "Left"), OutcomeKind.WOULD_STAY)
    client, address = sign_in(), f"/sync-activity/{held.pk}/would_stay/"
    with CaptureQueriesContext(connection) as asked:
        stay = text_of(client.get(address))
    page = next(query["sql"] for query in asked.captured_queries if "LIMIT 51" in query["sql"])
    assert "would_stay" in page and "would_remove" not in page
    # By the run's own list, of which one is no longer a member.
    assert "last@lamps.example" in stay and "left@lamps.example" not in stay and "stays@lamps.example" not in stay
    assert "last@lamps.example" in text_of(client.post(address, {"q": "lea"}))
    assert "Nobody found" in text_of(client.post(address, {"q": "stella"}))


def test_r6_apply_needs_the_number_that_it_is_about(held: SyncRun, sign_in: SignIn) -> None:
    client = sign_in()
    page = client.get(f"/sync-activity/{held.pk}/").content.decode()
    assert "Yes, remove 30 people" in page and 'name="confirmed" value="30"' in page
    for wrong in ({}, {"confirmed": "29"}):
        answer = client.post(f"/sync-activity/{held.pk}/apply/", wrong, follow=True)
        assert "Nothing was started" in text_of(answer)
    assert not SyncRun.objects.filter(applies=held).exists()
    client.post(f"/sync-activity/{held.pk}/apply/", {"confirmed": "30"})
    assert SyncRun.objects.filter(applies=held, status="waiting").count() == 1


def test_r6_without_the_right_it_names_who_may_decide(held: SyncRun, sign_in: SignIn) -> None:
    sign_in("Administrator")
    User.objects.filter(username="administrator").update(first_name="Ada", last_name="Boss")
    words = text_of(sign_in("Subscribers").get(f"/sync-activity/{held.pk}/"))
    assert "Your role does not let you decide; ask Ada Boss." in words
    assert "Sync again" in words


def test_r6_without_the_right_to_see_people_the_numbers_are_all(held: SyncRun, sign_in: SignIn) -> None:
    from django.contrib.auth.models import Permission

    client, user = sign_in("Manager"), User.objects.get(username="manager")
    user.groups.clear()
    user.user_permissions.add(Permission.objects.get(codename="view_groups"))
    words = text_of(client.get(f"/sync-activity/{held.pk}/"))
    assert "30 of 40" in words and "goes@lamps.example" not in words


def test_r6_afterwards_it_tells_what_was_decided_and_what_came_of_it(held: SyncRun, sign_in: SignIn) -> None:
    client, address = sign_in(), f"/sync-activity/{held.pk}/"
    client.post(f"{address}apply/", {"confirmed": "30"})
    assert "administrator applied it just now" in text_of(client.get(address))
    assert "Decide: may" not in text_of(client.get(address))
    applied = SyncRun.objects.get(applies=held)
    SyncRun.objects.filter(pk=applied.pk).update(status="failed", error_text="It broke.", finished_at=timezone.now())
    again = text_of(client.get(address))
    assert "Applied before administrator" in again and "Decide: may 30 people be removed?" in again
    SyncRun.objects.filter(pk=applied.pk).update(status="completed", sentence="30 removed.")
    SyncRun.objects.filter(pk=held.pk).update(status="superseded")
    assert f"Group sync {applied.pk} Completed 30 removed." in text_of(client.get(address))


def test_r6_a_discarded_and_an_overtaken_run_say_so(held: SyncRun, rows: Rows, sign_in: SignIn) -> None:
    client, address = sign_in(), f"/sync-activity/{held.pk}/"
    client.post(f"{address}discard/")
    assert "administrator discarded it just now . It would have removed 30 people; nothing was changed." in text_of(
        client.get(address)
    )
    newer = rows.run(held.target_group, figures=FIGURES, sentence="4 added.")
    SyncRun.objects.filter(pk=held.pk).update(status="superseded", decided_at=None)
    assert f"Group sync {newer.pk} was completed just now : 4 added." in text_of(client.get(address))
