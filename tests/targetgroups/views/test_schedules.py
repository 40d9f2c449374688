"""Admin > Schedules: made, changed, switched, run and deleted by people; what is wrong is said, and nothing is lost."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from targetgroups.models import Bridge, Schedule, ScheduleFiring, SyncRun
from targetgroups.sync import firing
from tests.targetgroups.views.conftest import Rows, SignIn, text_of

PAGE, NEW = "/schedules/", "/schedules/new/"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (firing, firing.single_flight):
        monkeypatch.setattr(module, "hand_over", lambda *_message: None)


def typed(rows: Rows, **changes: Any) -> dict[str, Any]:
    given = {
        "bridge": rows.bridge.pk, "kind": "groups", "scope": "all", "is_only_in_use": "on", "rhythm": "at",
        "at_time": "02:30", "weekdays": ["0", "4"], "every_minutes": "60", "spread_minutes": "30", "group": "",
    }  # fmt: skip
    return {name: value for name, value in (given | changes).items() if value is not None}


def test_a_schedule_is_made_as_it_was_typed(rows: Rows, sign_in: SignIn) -> None:
    page = sign_in().post(NEW, typed(rows), follow=True)
    one = Schedule.objects.get()
    assert (one.what, one.when) == ("Sync of groups in use", "Monday, Friday at 02:30")
    assert (one.spread_minutes, one.is_on, one.next_at is not None) == (30, True, True)
    text = text_of(page)
    assert "The schedule was made." in text and "Sync of groups in use" in text and "spread over 30 min" in text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": "list", "spread_minutes": "30"}, ("List refresh", "Monday, Friday at 02:30", 0)),
        ({"scope": "group", "group": "nEws"}, ("Sync of “News”", "Monday, Friday at 02:30", 0)),
        ({"scope": "folder", "is_only_in_use": None}, ("Sync of all groups in “Main Folder”", None, 30)),
        ({"rhythm": "every", "every_minutes": "120"}, ("Sync of groups in use", "Every 2 hours", 30)),
        ({"weekdays": list("01234")}, (None, "Monday to Friday at 02:30", 30)),
    ],
)
def test_what_another_choice_makes_pointless_is_left_aside(
    changes: dict[str, Any], expected: tuple[Any, ...], rows: Rows, sign_in: SignIn
) -> None:
    rows.group("News")
    assert sign_in().post(NEW, typed(rows, folder=rows.main.pk, **changes)).status_code == 302
    one = Schedule.objects.get()
    told = (one.what, one.when, one.spread_minutes)
    assert all(word is None or word == said for word, said in zip(expected, told, strict=True)), told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"at_time": "25:00"}, "Write the time as hours and minutes"),
        ({"at_time": ""}, "Say at which time."),
        ({"weekdays": None}, "Tick at least one day."),
        ({"weekdays": ["9"]}, "Select a valid choice"),
        ({"scope": "folder"}, "Choose the folder."),
        ({"scope": "folder", "folder": "99999"}, "Select a valid choice"),
        ({"scope": "group"}, "Say which target group."),
        ({"scope": "group", "group": "<b>Nowhere"}, "No target group of this association is called “<b>Nowhere”."),
        ({"scope": "group", "group": "Twin"}, "Several target groups are called so. Give the Search ID of one:"),
        ({"rhythm": "every", "every_minutes": "7"}, "Select a valid choice"),
        ({"rhythm": "every", "every_minutes": "30"}, "This must be shorter than the time until it runs again."),
        ({"kind": "nonsense"}, "Select a valid choice"),
    ],
)
def test_wrong_input_is_refused_with_its_reason_and_stays_typed(
    changes: dict[str, Any], words: str, rows: Rows, sign_in: SignIn
) -> None:
    rows.group("Twin"), rows.group("Twin")
    answer = sign_in().post(NEW, typed(rows, **changes))
    assert answer.status_code == 422
    text = text_of(answer)
    assert "Nothing was saved." in text and (words in text or changes.get("kind") == "nonsense")
    assert not Schedule.objects.exists()
    if changes.get("group"):
        assert f'value="{"Twin" if changes["group"] == "Twin" else "&lt;b&gt;Nowhere"}"' in answer.content.decode()


def test_a_refused_change_leaves_the_schedule_as_it_was(rows: Rows, sign_in: SignIn) -> None:
    one = Schedule.objects.create(bridge=rows.bridge, kind="list", at_time=time(2))
    answer = sign_in().post(f"{PAGE}{one.pk}/", typed(rows, at_time=""))
    assert answer.status_code == 422 and "List refresh" in text_of(answer)
    one.refresh_from_db()
    assert (one.kind, one.at_time) == ("list", time(2))


def test_the_form_shows_what_is_and_changes_it(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("News")
    one = Schedule.objects.create(bridge=rows.bridge, kind="groups", target_group=group, every_minutes=240)
    page = sign_in().get(f"{PAGE}{one.pk}/").content.decode()
    assert f'value="{group.search_id}"' in page and '<option value="240" selected>4 hours</option>' in page
    sign_in().post(f"{PAGE}{one.pk}/", typed(rows, scope="group", group=group.search_id))
    one.refresh_from_db()
    assert (one.target_group, one.every_minutes, one.at_time) == (group, None, time(2, 30))


def test_a_group_leads_to_a_schedule_of_its_own(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("News", member_count=1)
    assert f"{NEW}?group={group.pk}" in sign_in().get(f"/target-groups/{group.pk}/").content.decode()
    page = sign_in().get(f"{NEW}?group={group.pk}").content.decode()
    assert f'value="{group.search_id}"' in page and 'value="group" id="id_scope_group" checked' in page


def test_the_list_says_what_the_last_time_did_and_leads_to_its_runs(rows: Rows, sign_in: SignIn) -> None:
    rows.group("A"), rows.group("B")
    rows.run(rows.group("Other", gone_at=timezone.now()))
    one = Schedule.objects.create(bridge=rows.bridge, kind="groups", every_minutes=60, next_at=timezone.now())
    fired = firing.fire(one.pk, timezone.now() + timedelta(hours=5))
    assert fired
    SyncRun.objects.filter(target_group__name="A").update(status="failed", finished_at=timezone.now())
    firing.sweep()
    client = sign_in()
    page = client.get(PAGE)
    assert "1 failed, 1 waiting" in text_of(page) and "Caught up: " in text_of(page)
    assert "data-poll" in page.content.decode()
    address = f"/sync-activity/?firing={fired.pk}"
    assert address in page.content.decode()
    activity = client.get(address)
    assert len(activity.context["page"].rows) == 2 and "Schedule: Sync of all groups" in text_of(activity)
    assert "data-poll" not in client.get(PAGE + "?x").content.decode() or fired.finished_at is None


def test_it_is_switched_off_and_on_run_and_deleted(rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    client.post(NEW, typed(rows, kind="list"))
    one = Schedule.objects.get()
    assert "is switched off" in text_of(client.post(f"{PAGE}{one.pk}/switch/", {"is_on": "no"}, follow=True))
    assert "1 run was asked for." in text_of(client.post(f"{PAGE}{one.pk}/run/", follow=True))
    assert "still going" in text_of(client.post(f"{PAGE}{one.pk}/run/", follow=True))
    assert SyncRun.objects.get().trigger == "schedule" and ScheduleFiring.objects.count() == 1
    assert "is switched on" in text_of(client.post(f"{PAGE}{one.pk}/switch/", {"is_on": "yes"}, follow=True))
    assert "Runs that it asked for go on." in text_of(client.post(f"{PAGE}{one.pk}/delete/", follow=True))
    assert not Schedule.objects.exists() and SyncRun.objects.count() == 1
    assert client.get(f"{PAGE}{one.pk}/").status_code == 404


def test_nothing_to_sync_is_said(rows: Rows, sign_in: SignIn) -> None:
    one = Schedule.objects.create(bridge=rows.bridge, kind="groups", every_minutes=60)
    text = text_of(sign_in().post(f"{PAGE}{one.pk}/run/", follow=True))
    assert "Nothing was asked for. There was no group to sync." in text


def test_an_association_of_before_is_offered_the_usual_two_once(rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    assert "Nothing is done by the clock yet" in text_of(client.get(PAGE))
    for _ in range(2):
        client.post("/schedules/usual/", {"bridge": rows.bridge.pk})
    assert Schedule.objects.count() == 2
    assert "Make these two" not in text_of(client.get(PAGE))
    assert client.post("/schedules/usual/", {"bridge": "x"}).status_code == 404


@pytest.mark.django_db
def test_without_an_association_it_leads_to_the_bridge(sign_in: SignIn) -> None:
    assert "There is no association yet" in text_of(sign_in().get(PAGE))
    assert sign_in().get(NEW)["Location"] == "/bridge-configuration/"


def test_a_new_association_has_the_usual_two_and_its_page_says_so(rows: Rows, sign_in: SignIn) -> None:
    Bridge.objects.all().delete()
    client = sign_in()
    assert "list refreshed every night at 02:00" in text_of(client.get("/bridge-configuration/"))
    form = {
        "bridge": "new", "name": "Lamps", "transport": "concierge", "association_id": "a-1", "page_size": 200,
        "service_address": "https://soap.example.org/", "access_key_id": "key", "secret_access_key": "c2VjcmV0",
        "requests_in_flight": 4, "guard_percent": 20, "guard_people": 25,
    }  # fmt: skip
    text = text_of(client.post("/bridge-configuration/save/", form, follow=True))
    assert Schedule.objects.filter(is_on=True).count() == 2
    assert "List refresh, daily at 02:00" in text


def test_a_manager_reads_and_changes_nothing(rows: Rows, sign_in: SignIn) -> None:
    one = Schedule.objects.create(bridge=rows.bridge, kind="list", every_minutes=60)
    client = sign_in("Manager")
    listed, shown = client.get(PAGE).content.decode(), client.get(f"{PAGE}{one.pk}/").content.decode()
    assert "Run now" not in listed and "New schedule" not in listed and "Switch off" not in listed
    assert '<fieldset class="stack" disabled>' in shown and "not change it" in shown
    assert client.post(f"{PAGE}{one.pk}/", typed(rows)).status_code == 403


def test_many_schedules_are_listed_by_as_many_statements_as_few(rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PAGE).status_code == 200
        return len(captured)

    Schedule.objects.create(bridge=rows.bridge, kind="groups", folder=rows.main, every_minutes=60)
    few = statements()
    for number in range(20):
        one = Schedule.objects.create(
            bridge=rows.bridge, kind="groups", target_group=rows.group(f"{number}"), every_minutes=60
        )
        firing.begin(one, timezone.now(), due_at=timezone.now())
    assert statements() <= few + 1  # the last times, of all together
