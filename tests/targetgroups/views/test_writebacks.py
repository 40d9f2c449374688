"""Writeback List: every state of the page, who may see and do what, and what is asked for is asked of a worker."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Bridge, Outbox, Subscriber, Writeback
from tests.targetgroups.views.conftest import Rows, SignIn, text_of
from tests.targetgroups.views.test_bridge import FILLED

NOW = timezone.now()


@pytest.fixture
def bridge(rows: Rows) -> Bridge:
    Bridge.objects.update(writes_back=True)
    return Bridge.objects.get()


@pytest.fixture
def address(rows: Rows) -> str:
    return f"/bridge-configuration/{rows.bridge.pk}/writeback/"


@pytest.fixture
def listed(bridge: Bridge, rows: Rows) -> list[Writeback]:
    """One of each state."""
    group = rows.group()
    made = []
    for state, name in (("pending", "Ada"), ("completed", "Bo"), ("failed", "Cy")):
        person = rows.member(group, f"{name.lower()}@lamps.example", name, "Lamp")
        suppression.suppress(person.email, SuppressionCause.OPT_OUT)
        row = Writeback.objects.get(remote_key=person.remote_key)
        row.state, row.finished_at = state, None if state == "pending" else NOW
        if state == "failed":
            row.reason_code, row.reason, row.remote_said = "refused", "MemberSuite refused this.", "<no access>"
        row.save()
        made.append(row)
    return made


def rows_of(page: Any) -> int:
    return int(page.content.decode().count('<th scope="row">'))


def test_each_state_has_its_people_and_its_number(listed: list[Writeback], address: str, sign_in: SignIn) -> None:
    client = sign_in()
    page = client.get(address)
    assert rows_of(page) == 3
    said = text_of(page)
    for words in ("Pending 1", "Completed 1", "Failed 1", "ada@lamps.example", "MemberSuite refused this.", "Lamp"):
        assert words in said, words
    assert "“<no access>”" in said and b"<no access>" not in page.content
    for state in ("pending", "completed", "failed"):
        assert rows_of(client.get(f"{address}?state={state}")) == 1
    assert rows_of(client.get(f"{address}?state=old-word&after=zzz&sort=none")) == 3
    found = client.post(address, {"q": "cy@"})
    assert rows_of(found) == 1
    assert "Nobody found" in text_of(client.post(address, {"q": "nobody"}))


def test_what_is_pending_is_followed_live_and_what_is_over_is_not(
    listed: list[Writeback], address: str, sign_in: SignIn
) -> None:
    client = sign_in()
    assert b"data-poll" in client.get(address).content
    part = client.get(address, headers={"hx-request": "true", "hx-target": "people"})
    assert part.content.lstrip().startswith(b'<div id="people"') and rows_of(part) == 3
    Writeback.objects.filter(state="pending").update(state="completed", finished_at=NOW)
    assert b"data-poll" not in client.get(address).content


def test_every_empty_list_says_why(bridge: Bridge, address: str, sign_in: SignIn) -> None:
    client = sign_in()
    assert "Nothing to write back yet" in text_of(client.get(address))
    assert "Nothing is failed" in text_of(client.get(f"{address}?state=failed"))
    assert "MemberSuite knows of every opt-out" in text_of(client.get(f"{address}?state=still_mailable"))
    assert "Not counted yet" in text_of(client.get(address))
    Bridge.objects.update(writes_back=False)
    page = text_of(client.get(address))
    assert "Writeback is off." in page and "Nothing was ever written back" in page
    assert client.get("/bridge-configuration/999999/writeback/").status_code == 404


def test_a_pause_tells_why_and_until_when(listed: list[Writeback], address: str, sign_in: SignIn) -> None:
    later = NOW + timezone.timedelta(hours=1)
    Outbox.objects.update(paused_until=later, trouble_text="MemberSuite is overloaded.")
    page = text_of(sign_in().get(address))
    assert "Writing waits until" in page and "MemberSuite is overloaded." in page


def test_one_or_all_that_failed_are_queued_again(listed: list[Writeback], address: str, sign_in: SignIn) -> None:
    client, failed = sign_in(), listed[2]
    page = client.get(address).content.decode()
    assert f'id="retry-{failed.pk}"' in page and 'id="retry-all"' in page
    said = text_of(client.post(f"{address}retry/", {"writeback": failed.pk}, follow=True))
    assert "Queued again: 1." in said
    failed.refresh_from_db()
    assert (failed.state, failed.reason) == ("pending", "")
    Writeback.objects.update(state="failed")
    client.post(f"{address}retry/")
    assert not Writeback.objects.exclude(state="pending").exists()
    Bridge.objects.update(writes_back=False)
    assert "Writeback is off for this association" in text_of(client.post(f"{address}retry/", follow=True))


def test_who_opted_out_unknown_to_member_suite_is_listed_and_may_be_queued(
    rows: Rows, address: str, sign_in: SignIn
) -> None:
    person = rows.member(rows.group(member_count=1), "ada@lamps.example", "Ada", "Lamp")
    suppression.suppress(person.email, SuppressionCause.OPT_OUT)
    Outbox.objects.create(bridge=rows.bridge, still_mailable_count=1, checked_at=NOW)
    client = sign_in()
    page = client.get(f"{address}?state=still_mailable")
    assert rows_of(page) == 1 and "ada@lamps.example" in text_of(page)
    assert "queue-opt-outs" not in page.content.decode()  # off
    assert "Writeback is off" in text_of(client.post(f"{address}queue/", follow=True))
    Bridge.objects.update(writes_back=True)
    assert "Write 1 to MemberSuite" in text_of(client.get(address))
    assert "Still mailable there" in text_of(client.get("/"))
    assert "They are being queued" in text_of(client.post(f"{address}queue/", follow=True))
    assert "It is being counted" in text_of(client.post(f"{address}check/", follow=True))
    actions = set(AuditEntry.objects.values_list("actor_label", "action"))
    wanted = {("administrator", f"writeback.{what}") for what in ("queued_still_mailable", "check_requested")}
    assert actions >= wanted


def test_who_may_not_see_people_or_write_sees_numbers_alone(
    listed: list[Writeback], address: str, sign_in: SignIn
) -> None:
    client = sign_in("Manager")
    page = client.get(address)
    assert (
        rows_of(page) == 3 and "retry-" not in page.content.decode() and "check-opt-outs" not in page.content.decode()
    )
    for what in ("retry", "queue", "check"):
        assert client.post(f"{address}{what}/").status_code == 403
    user = User.objects.get(username="manager")
    user.groups.clear()
    user.user_permissions.set(Permission.objects.filter(codename="view_bridge"))
    for seen in (
        client.get(address),
        client.post(address, {"q": "ada@"}),
        client.get(f"{address}?state=still_mailable"),
    ):
        assert rows_of(seen) == 3
        assert "lamps.example" not in text_of(seen) and "Lamp," not in text_of(seen)
    assert client.post(f"{address}csv/").status_code == 403


def test_the_list_is_exported_as_it_is_shown(listed: list[Writeback], address: str, sign_in: SignIn) -> None:
    answer = sign_in().post(f"{address}csv/?state=failed")
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")  # type: ignore[attr-defined]
    head, line = list(csv.reader(io.StringIO(text, newline="")))
    assert head[:5] == ["Remote ID", "E-mail", "Name", "Do Not Email", "State"]
    assert line[1] == "cy@lamps.example" and line[3:5] == ["Yes", "Failed: MemberSuite refused this."]
    assert AuditEntry.objects.get(action="people.exported").after["list"] == "writebacks"


def test_the_home_page_and_the_person_tell_of_it(listed: list[Writeback], rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    rows.group(member_count=3)
    assert "Not written back" in text_of(client.get("/"))
    person = Subscriber.objects.get(remote_key=listed[2].remote_key)
    page = text_of(client.get(f"/subscribers/{person.pk}/"))
    assert "Not written back" in page and "Do Not Email = Yes in MemberSuite. MemberSuite refused this." in page


def save(client: Client, bridge: Bridge, **changed: Any) -> Any:
    return client.post("/bridge-configuration/save/", FILLED | {"bridge": bridge.pk} | changed, follow=True)


def test_r16_switching_it_on_and_off_is_recorded_and_counts_what_is_not_told(rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    save(client, rows.bridge, writes_back="on", writes_back_bounces="on")
    bridge = Bridge.objects.get()
    assert (bridge.writes_back, bridge.writes_back_bounces) == (True, True)
    save(client, bridge)
    assert not Bridge.objects.get().writes_back
    said = AuditEntry.objects.filter(action__startswith="writeback.switched").order_by("pk")
    assert list(said.values_list("action", flat=True)) == ["writeback.switched_on", "writeback.switched_off"]


def test_a_post_without_the_right_keeps_what_is_stored(bridge: Bridge, sign_in: SignIn) -> None:
    client = sign_in()
    user = User.objects.get(username="administrator")
    user.groups.clear()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_bridge", "edit_bridge"]))
    assert "Your role does not let you switch on writeback" in text_of(client.get("/bridge-configuration/"))
    for stored in (True, False):
        Bridge.objects.update(writes_back=stored)
        posted = {} if stored else {"writes_back": "on"}
        save(client, bridge, guard_percent=str(30 + stored), **posted)
        kept = Bridge.objects.get()
        assert (kept.writes_back, kept.guard_percent) == (stored, 30 + stored)
    assert not AuditEntry.objects.filter(action__startswith="writeback").exists()
