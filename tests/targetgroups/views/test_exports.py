"""CSV: what the page shows, recorded, and safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEntry
from targetgroups import suppression
from targetgroups.choices import OutcomeKind, SuppressionCause
from targetgroups.columns import SUBSCRIBERS, SYNC_ACTIVITY
from targetgroups.models import RunOutcome, SyncRun, TargetGroup
from tests.targetgroups.views.conftest import FIGURES, Rows, SignIn, outcome

NOW = timezone.now()


def download(client: Client, address: str, **data: Any) -> list[list[str]]:
    answer = client.post(address, data)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.fixture
def group(rows: Rows) -> TargetGroup:
    group = rows.group("Members", member_count=3, attribute_names=["Chapter"])
    rows.member(group, "b@lamps.example", "=HYPERLINK(1)", "Evil", attributes={"Chapter": "@north"})
    rows.member(group, "a@lamps.example", "Anna", "Berg")
    rows.member(group, "", do_not_email_at=NOW)
    return group


def test_the_subscribers_are_exported_as_they_are_shown(group: TargetGroup, sign_in: SignIn) -> None:
    client = sign_in()
    client.post("/tables/subscribers/columns/", {"columns": ["first_name", "status", "attribute:Chapter"]})
    address = f"/target-groups/{group.pk}/subscribers/csv/"
    assert download(client, f"{address}?sort=-email") == [
        ["E-mail", "First Name", "Status", "Chapter"],
        ["b@lamps.example", "'=HYPERLINK(1)", "Active", "'@north"],
        ["a@lamps.example", "Anna", "Active", ""],
        ["", "", "Do Not Email", ""],
    ]
    assert [row[0] for row in download(client, address, q="anna")] == ["E-mail", "a@lamps.example"]
    assert [row[2] for row in download(client, f"{address}?only=do_not_email")] == ["Status", "Do Not Email"]


def test_every_column_of_the_subscribers_has_its_cell(group: TargetGroup, sign_in: SignIn) -> None:
    client = sign_in(timezone="Asia/Kathmandu")
    every = [column.key for column in SUBSCRIBERS.columns]
    client.post("/tables/subscribers/columns/", {"columns": [*every, "attribute:Chapter"]})
    suppression.suppress("a@lamps.example", SuppressionCause.OPT_OUT)
    header, anna, evil = download(client, f"/target-groups/{group.pk}/subscribers/csv/", q="lamps")
    person = group.memberships.get(subscriber__email="a@lamps.example").subscriber
    moment = person.changed_at.astimezone(ZoneInfo("Asia/Kathmandu")).isoformat(" ", "seconds")
    assert dict(zip(header, anna, strict=True)) == {
        "E-mail": "a@lamps.example", "First Name": "Anna", "Last Name": "Berg", "Name": "Anna Berg",
        "Remote ID": person.remote_id, "Status": "Opted out", "Subscribed": moment, "Last Changed": moment,
        "Local ID": "", "Chapter": "",
    }  # fmt: skip
    assert evil[-1] == "'@north"


@pytest.mark.parametrize(
    ("columns", "is_asked_why", "has_fields"),
    [(["remote_id"], False, False), (["status"], True, False), (["attribute:Chapter"], False, True)],
)
def test_an_export_reads_only_what_its_columns_show(
    columns: list[str], is_asked_why: bool, has_fields: bool, group: TargetGroup, sign_in: SignIn
) -> None:
    client = sign_in()
    client.post("/tables/subscribers/columns/", {"columns": columns})
    with CaptureQueriesContext(connection) as captured:
        download(client, f"/target-groups/{group.pk}/subscribers/csv/")
    asked = "\n".join(query["sql"] for query in captured.captured_queries)
    assert ('FROM "targetgroups_suppression"' in asked) == is_asked_why
    assert ('"attributes"' in asked) == has_fields


def test_r16_an_export_is_recorded_without_what_was_searched_for(group: TargetGroup, sign_in: SignIn) -> None:
    answer = sign_in("Manager").post(f"/target-groups/{group.pk}/subscribers/csv/", {"q": "anna"})
    entry = AuditEntry.objects.get(action="people.exported")
    assert (entry.actor_label, entry.object_id) == ("manager", str(group.pk))
    assert entry.after["list"] == "subscribers"
    assert entry.after["is_searched"] is True
    assert "anna" not in str(entry.after)
    assert answer["Content-Disposition"] == f'attachment; filename="group-{group.pk}-subscribers.csv"'


def test_who_may_not_export_is_neither_offered_it_nor_let(group: TargetGroup, sign_in: SignIn) -> None:
    client = sign_in("Reporter")
    assert 'id="export"' not in client.get(f"/target-groups/{group.pk}/subscribers/").content.decode()
    assert client.post(f"/target-groups/{group.pk}/subscribers/csv/").status_code == 403
    assert 'id="export"' in sign_in().get(f"/target-groups/{group.pk}/subscribers/").content.decode()


def test_the_excluded_are_exported_by_reason(group: TargetGroup, rows: Rows, sign_in: SignIn) -> None:
    one, other = rows.excluded(group), rows.excluded(group, "no_address")
    address = f"/target-groups/{group.pk}/excluded/csv/"
    header, *lines = download(sign_in(), address)
    assert header == ["Remote ID", "Name", "Reason", "Rows", "Detail", "Seen"]
    assert [(line[0], line[2]) for line in lines] == [
        (one.remote_id, "Do Not Email is Yes"),
        (other.remote_id, "No e-mail address"),
    ]
    assert len(download(sign_in(), f"{address}?reason=no_address")) == 2


def test_one_list_of_a_run_is_exported_with_its_reason_or_its_changes(eventful: SyncRun, sign_in: SignIn) -> None:
    client, address = sign_in(), f"/sync-activity/{eventful.pk}"
    header, *lines = download(client, f"{address}/removed/csv/")
    assert header == ["Remote ID", "E-mail", "Name", "Why"]
    assert {line[3] for line in lines} == {"Record deleted", "No longer in the search", "Do Not Email is now Yes"}
    assert [line[2] for line in lines if line[3] == "Do Not Email is now Yes"] == ["erased: Do Not Email"]
    assert len(download(client, f"{address}/removed/csv/?reason=record_deleted")) == 2
    header, line = download(client, f"{address}/changed/csv/")
    assert header[3:] == ["Field", "Before", "After"]
    assert line[3:] == ["E-mail", "z@lamps.example", "zoe@lamps.example"]


def test_a_list_of_a_run_is_exported_with_the_columns_that_were_chosen(eventful: SyncRun, sign_in: SignIn) -> None:
    client = sign_in()
    client.post("/tables/changed_by_run/columns/", {"columns": ["changes", "first_name", "remote_id"]})
    header, line = download(client, f"/sync-activity/{eventful.pk}/changed/csv/")
    assert header == ["Field", "Before", "After", "First Name", "Remote ID"]
    assert line[:4] == ["E-mail", "z@lamps.example", "zoe@lamps.example", "Zoë"]
    assert AuditEntry.objects.get(action="people.exported").after["columns"] == ["changes", "first_name", "remote_id"]


def test_sync_activity_is_exported_as_it_is_narrowed_and_sorted(eventful: SyncRun, rows: Rows, sign_in: SignIn) -> None:
    failed = rows.run(eventful.target_group, "failed", error_text="=No")
    client = sign_in()
    every = [column.key for column in SYNC_ACTIVITY.columns]
    client.post("/tables/sync_activity/columns/", {"columns": every})
    header, first, second = download(client, "/sync-activity/csv/?kind=group&sort=run")
    assert header[:7] == ["Run", "Outcome", "Target Group", "Trigger", "Who", "Started", "Took (seconds)"]
    assert first[:3] == [f"Group sync {eventful.pk}", "Completed", "Members"]
    assert dict(zip(header, first, strict=True))["Removed"] == "3"
    assert second[0] == f"Group sync {failed.pk}"
    assert second[-1] == "'=No"
    assert len(download(client, "/sync-activity/csv/?outcome=failed")) == 2
    entry = AuditEntry.objects.filter(action="runs.exported").order_by("pk").first()
    assert entry is not None
    assert entry.after["filters"] == ["kind"]
    page = client.get("/sync-activity/?sort=run").content.decode()
    assert page.index(f'id="run-{eventful.pk}"') < page.index(f'id="run-{failed.pk}"')


def test_all_people_of_a_run_are_one_file(eventful: SyncRun, rows: Rows, sign_in: SignIn) -> None:
    excluded = rows.excluded(eventful.target_group, from_run_id=eventful.pk)
    _, *lines = download(sign_in(), f"/sync-activity/{eventful.pk}/all/csv/")
    outcomes = [line[0] for line in lines]
    assert sorted(outcomes) == ["Changed", "Excluded", "Removed", "Removed", "Removed"]
    assert lines[outcomes.index("Excluded")][1] == excluded.remote_id


def test_a_long_list_is_read_in_steps(
    rows: Rows, sign_in: SignIn, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thrive_sync.lib.csv_export.STEP", 10)
    long_run = rows.run(rows.group(), figures=FIGURES)
    for number in range(45):
        outcome(long_run, f"Id-{number:02}", OutcomeKind.REMOVED, reason="record_deleted")
    answer = sign_in().post(f"/sync-activity/{long_run.pk}/removed/csv/")
    with django_assert_max_num_queries(6):  # the list itself, and the names beside each ten
        lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 46
    assert RunOutcome.objects.count() == 45
