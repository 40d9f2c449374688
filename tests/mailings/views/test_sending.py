"""Send: problems, the question, the moment, the steps, and what can be wished when."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from mailings.forms import SendForm
from mailings.models import Mailing
from targetgroups.models import TargetGroup
from tests.mailings.views.conftest import Desk, SignIn, text_of
from tests.targetgroups.views.conftest import Rows

LATER = {"when": "later", "date": "2031-04-30", "time": "09:30"}


@pytest.fixture
def ready(rows: Rows, desk: Desk) -> Mailing:
    return desk.mailing(rows.group("Members", member_count=1234))


def ask(client: Any, mailing: Mailing, **values: Any) -> Any:
    return client.post(f"/mailings/{mailing.pk}/send/ask/", values)


def test_what_lacks_is_listed_with_links_to_the_fields_and_send_is_out_of_reach(desk: Desk, sign_in: SignIn) -> None:
    mailing = desk.mailing(subject="", from_email="")
    page = sign_in().get(f"/mailings/{mailing.pk}/send/").content.decode()
    for place in ("id_subject", "id_from_email", "groups"):
        assert f'href="/mailings/{mailing.pk}/#{place}"' in page
    assert '<button class="btn btn-primary" disabled>' in page
    assert "<dialog" not in ask(sign_in(), mailing, when="now").content.decode()


def test_send_asks_once_more_naming_number_and_groups_and_starts_nothing(ready: Mailing, sign_in: SignIn) -> None:
    answer = ask(sign_in(), ready, when="now")
    dialog = text_of(answer).partition("Send “Spring letter” now?")[2]
    assert "at most 1,234" in dialog
    assert "Members" in dialog
    ready.refresh_from_db()
    assert ready.status == "draft"


def test_a_confirmed_send_is_for_now_or_for_a_moment_in_the_persons_own_zone(ready: Mailing, sign_in: SignIn) -> None:
    with time_machine.travel("2031-04-01T12:00:00Z", tick=False):
        client = sign_in(timezone="America/New_York")
        ask(client, ready, confirmed="1", version=1, **LATER)
        words = text_of(client.get(f"/mailings/{ready.pk}/send/"))
    ready.refresh_from_db()
    assert (ready.status, ready.time_zone) == ("scheduled", "America/New_York")
    assert ready.scheduled_for == dt.datetime(2031, 4, 30, 13, 30, tzinfo=dt.UTC)
    assert "Goes out Apr 30, 2031, 09:30:00 EDT" in words


def test_a_text_that_changed_after_the_question_is_not_sent(ready: Mailing, sign_in: SignIn) -> None:
    Mailing.objects.filter(pk=ready.pk).update(version=2)
    answer = sign_in().post(
        f"/mailings/{ready.pk}/send/ask/", {"when": "now", "confirmed": "1", "version": "1"}, follow=True
    )
    assert "Somebody changed this mailing meanwhile." in text_of(answer)
    ready.refresh_from_db()
    assert ready.status == "draft"


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        ({"date": "2031-03-30", "time": "09:00"}, "This is over: it is 2031-04-01 14:00"),
        ({"date": "2033-01-01", "time": "09:00"}, "This is more than a year away."),
        ({"date": "2032-03-28", "time": "02:30"}, "There is no such time that day"),
        ({"date": "", "time": "09:00"}, "Choose a date."),
        ({"date": "soon", "time": "09:00"}, "Write the date as"),
    ],
)
def test_a_moment_that_can_not_be_meant_is_refused(moment: dict[str, str], sentence: str) -> None:
    with time_machine.travel("2031-04-01T12:00:00Z", tick=False), timezone.override("Europe/Berlin"):
        form = SendForm({"when": "later", **moment})
        assert not form.is_valid()
    assert sentence in str(form.errors)


def test_who_may_not_send_is_told_who_may(ready: Mailing, sign_in: SignIn) -> None:
    page = sign_in("Reporter").get(f"/mailings/{ready.pk}/send/")
    assert "Your role lets you write mailings, not send them." in text_of(page)
    assert "send/ask/" not in page.content.decode()


@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        ("scheduled", {"cancel"}),
        ("resyncing", {"cancel"}),
        ("stopped", {"retry", "cancel"}),
        ("sending", {"pause", "cancel"}),
        ("paused", {"resume", "cancel"}),
        ("sent", set()),
        ("cancelled", set()),
    ],
)
def test_each_state_offers_what_can_be_done_with_it_and_polls_while_it_moves(
    status: str, buttons: set[str], rows: Rows, desk: Desk, sign_in: SignIn
) -> None:
    group = rows.group("Members", member_count=3)
    is_frozen = status in ("sending", "paused", "sent")
    mailing = desk.frozen(group, status, sent=1, queued=1) if is_frozen else desk.mailing(group, status=status)
    if status == "cancelled":
        Mailing.objects.filter(pk=mailing.pk).update(finished_at=timezone.now())
    page = sign_in().get(f"/mailings/{mailing.pk}/send/").content.decode()
    offered = {word for word in ("retry", "pause", "resume", "cancel") if f"/mailings/{mailing.pk}/{word}/" in page}
    assert offered == buttons
    assert ("data-poll" in page) == (status in ("scheduled", "resyncing", "sending", "paused"))


def test_wishes_reach_the_mailing_and_one_that_comes_too_late_says_so(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    mailing = desk.frozen(rows.group(), "sending", sent=1, queued=1)
    client = sign_in()
    for wish, status in (("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")):
        client.post(f"/mailings/{mailing.pk}/{wish}/")
        mailing.refresh_from_db()
        assert mailing.status == status
    late = client.post(f"/mailings/{mailing.pk}/pause/", follow=True)
    assert "This mailing can't be paused: it is cancelled." in text_of(late)


def test_the_steps_show_each_groups_run_and_a_stop_says_why(rows: Rows, desk: Desk, sign_in: SignIn) -> None:
    group = rows.group("Members", member_count=3)
    run = rows.run(group, "running")
    mailing = desk.mailing(group, status="resyncing", moment_at=timezone.now())
    mailing.groups.update(run=run)
    client, address = sign_in(), f"/mailings/{mailing.pk}/send/"
    part = client.get(address, headers={"HX-Request": "true", "HX-Target": "steps"})
    assert part.content.decode().lstrip().startswith('<div id="steps"')
    assert "Resync 0 of 1 group" in text_of(part)
    assert f'href="/sync-activity/{run.pk}/"' in part.content.decode()
    Mailing.objects.filter(pk=mailing.pk).update(
        status="stopped",
        stop_code="sync_failed",
        stop_text="“Members” could not be resynced.",
        stopped_at=run.created_at,
    )
    words = text_of(client.get(address))
    assert "Resync stopped here" in words
    assert "“Members” could not be resynced." in words


def test_a_mailing_that_came_too_late_says_when_it_was_to_go_out_and_asks(
    rows: Rows, desk: Desk, sign_in: SignIn
) -> None:
    moment = dt.datetime(2031, 4, 30, 13, 30, tzinfo=dt.UTC)
    mailing = desk.mailing(rows.group(), status="stopped", stop_code="too_late", scheduled_for=moment)
    answer = sign_in().get(f"/mailings/{mailing.pk}/send/")
    words = text_of(answer)
    assert "It was to go out Apr 30, 2031" in words
    assert "Resync not begun in time" in words
    for offered in ("Send now anyway", "Choose another time", "Cancel mailing"):
        assert offered in words
    assert "Retry now" not in words
    assert 'href="#when"' in answer.content.decode()


def test_a_page_that_followed_a_mailing_until_it_stopped_is_read_anew_once(
    rows: Rows, desk: Desk, sign_in: SignIn
) -> None:
    mailing = desk.mailing(rows.group(), status="resyncing", moment_at=timezone.now())
    client, address, part = sign_in(), f"/mailings/{mailing.pk}/send/", {"HX-Request": "true", "HX-Target": "steps"}
    assert '{"X-Was": "resyncing"}' in client.get(address).content.decode()
    assert "HX-Refresh" not in client.get(address, headers=part | {"X-Was": "resyncing"}).headers
    Mailing.objects.filter(pk=mailing.pk).update(status="stopped", stop_code="too_late")
    assert client.get(address, headers=part | {"X-Was": "resyncing"})["HX-Refresh"] == "true"
    assert "HX-Refresh" not in client.get(address, headers=part | {"X-Was": "stopped"}).headers


@pytest.fixture
def blocked(rows: Rows, desk: Desk) -> Mailing:
    """A mailing that stopped because its group is gone; its last good list is of three days ago."""
    read_at = timezone.now() - dt.timedelta(days=3)
    group = rows.group("Past members", member_count=9, gone_at=timezone.now(), read_at=read_at)
    other = rows.group("Members", member_count=5)
    return desk.mailing(group, other, status="stopped", stop_code="group_gone", stop_text="The search is gone.")


def test_r12_a_stopped_mailing_offers_the_last_good_list_with_its_age_to_those_who_may(
    blocked: Mailing, sign_in: SignIn
) -> None:
    address = f"/mailings/{blocked.pk}/send/"
    answer = sign_in().get(address)
    assert "Past members 3 days ago" in text_of(answer).partition("Last good list")[2]
    assert "send-stale/" in answer.content.decode()
    assert "Retry now" in text_of(answer)
    publisher = sign_in("Publisher").get(address)
    assert "send-stale/" not in publisher.content.decode()
    assert "a right of its own, which an Administrator has" in text_of(publisher)


def test_r12_the_last_good_list_is_sent_to_only_with_the_tick_and_only_as_it_was_seen(
    blocked: Mailing, sign_in: SignIn
) -> None:
    client, address = sign_in(), f"/mailings/{blocked.pk}/send-stale/"
    seen = client.get(f"/mailings/{blocked.pk}/send/").context["seen_stale"]
    assert "Tick that you know" in text_of(client.post(address, {"seen": seen}, follow=True))
    assert "The lists are others by now." in text_of(client.post(address, {"sure": "1", "seen": "1at2"}, follow=True))
    assert sign_in("Publisher").post(address, {"sure": "1", "seen": seen}).status_code == 403
    sign_in().post(address, {"sure": "1", "seen": seen})
    blocked.refresh_from_db()
    assert blocked.status == "scheduled"
    stale = blocked.groups.exclude(stale_read_at=None).get().target_group
    assert (stale.name, stale.read_at is not None) == ("Past members", True)


def test_a_group_that_was_never_synced_has_no_last_good_list(blocked: Mailing, sign_in: SignIn) -> None:
    group = blocked.groups.order_by("pk")[0].target_group
    group.read_at = None
    group.save()
    page = sign_in().get(f"/mailings/{blocked.pk}/send/")
    assert "None: it was never synced" in text_of(page)
    assert "send-stale/" not in page.content.decode()


@pytest.fixture
def moved(rows: Rows, desk: Desk) -> Mailing:
    """A mailing that stopped because its group went from 1,234 members to 900."""
    group = rows.group("Members", member_count=900)
    reviewed_at = timezone.now() - dt.timedelta(hours=1)
    mailing = desk.mailing(
        group,
        status="stopped",
        stop_code="list_moved",
        stop_text="It would go to 880 people now.",
        stopped_at=timezone.now(),
        reviewed=kept(group, 1200, 1234) | {"at": reviewed_at.isoformat(), "by": "mia"},
        found=kept(group, 880, 900),
    )
    rows.run(group, "completed", figures={"added": 6, "removed": 340}, finished_at=timezone.now())
    rows.run(group, "completed", figures={"added": 77}, finished_at=reviewed_at - dt.timedelta(hours=1))
    return mailing


def kept(group: Any, count: int, members: int) -> dict[str, Any]:
    return {"least": count, "most": count, "is_known": True, "groups": [[group.pk, "to", members]]}


def test_a_list_that_moved_shows_before_and_after_who_came_and_left_and_asks(moved: Mailing, sign_in: SignIn) -> None:
    answer = sign_in().get(f"/mailings/{moved.pk}/send/")
    words, page = text_of(answer), answer.content.decode()
    assert "Would receive it 1,200 880" in words
    assert "Members of Members 1,234 900" in words
    assert "6 came , 340 left" in words.replace("came,", "came ,")
    assert "77 came" not in words
    assert "Compare moved: 1,200 → 880" in words
    run = moved.groups.get().target_group.runs.order_by("pk")[0]
    assert f"/sync-activity/{run.pk}/removed/" in page
    assert f"/mailings/{moved.pk}/accept/" in page
    assert f"/mailings/{moved.pk}/retry/" not in page
    reader = sign_in("Reporter").get(f"/mailings/{moved.pk}/send/").content.decode()
    assert f"/mailings/{moved.pk}/accept/" not in reader


def test_send_to_the_list_as_it_is_now_takes_exactly_the_number_shown(moved: Mailing, sign_in: SignIn) -> None:
    client, address = sign_in(), f"/mailings/{moved.pk}/accept/"
    for wrong in ("879", "", "x"):
        assert "Its numbers are others by now." in text_of(client.post(address, {"count": wrong}, follow=True))
    moved.refresh_from_db()
    assert moved.status == "stopped"


def test_other_numbers_than_those_that_the_question_named_are_not_taken_for_reviewed(
    ready: Mailing, sign_in: SignIn
) -> None:
    client = sign_in()
    seen = ask(client, ready, when="now").context["seen"]
    group = ready.groups.get().target_group
    group.member_count = 5
    group.save()
    answer = client.post(
        f"/mailings/{ready.pk}/send/ask/", {"when": "now", "confirmed": "1", "version": "1", "seen": seen}, follow=True
    )
    assert "A sync changed the numbers meanwhile." in text_of(answer)
    ask(client, ready, when="now", confirmed="1", version=1, seen=ask(client, ready, when="now").context["seen"])
    ready.refresh_from_db()
    assert (ready.status, ready.reviewed["most"]) == ("scheduled", 5)


@pytest.mark.parametrize("role", ["to", "not_to"])
def test_a_scheduled_mailing_whose_group_went_says_before_its_time_that_it_would_stop(
    desk: Desk, rows: Rows, sign_in: SignIn, role: str
) -> None:
    later = timezone.now() + dt.timedelta(days=2)
    group, other = rows.group("Members", member_count=5), rows.group("Board", member_count=2)
    mailing = desk.mailing(group, other, status="scheduled", scheduled_for=later)
    mailing.groups.filter(target_group=other).update(role=role)
    address = f"/mailings/{mailing.pk}/send/"
    assert "would stop" not in text_of(sign_in().get(address))
    TargetGroup.objects.filter(pk=other.pk).update(gone_at=timezone.now())
    words = text_of(sign_in().get(address))
    assert "It would stop when its time comes." in words
    assert '"Board" is no longer in MemberSuite.' in words
    assert "Board" in text_of(sign_in().get(f"/mailings/{mailing.pk}/"))
    assert "No longer in MemberSuite: a mailing to it stops." in text_of(sign_in().get(f"/mailings/{mailing.pk}/"))
