"""Lists and single things: by the rules of the pages, whole whatever changes meanwhile, nobody's data in an address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import ApiToken
from audit.models import AuditEntry
from mailings.choices import MailingStatus
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Membership, Subscriber, Suppression, TargetGroup
from tests.api.conftest import Desk, Programs, Rows, is_problem
from tests.support.pseudo import marking

pytestmark = pytest.mark.django_db


def ids(rows: list[Any]) -> list[int]:
    return [row["id"] for row in rows]


# --- paging ---------------------------------------------------------------------------------------------------------


def test_a_list_is_read_page_by_page_to_its_end(program: Programs, rows: Rows) -> None:
    groups = [rows.group(f"Group {number}").pk for number in range(7)]
    one = program()
    assert ids(one.everything("groups", limit=3)) == groups
    assert one.get("groups", limit=7).json()["next"] is None


def test_who_reads_a_group_to_its_end_gets_each_once_whatever_changes_meanwhile(program: Programs, rows: Rows) -> None:
    group = rows.group(member_count=6)
    people = [rows.member(group, f"{letter}@lamps.example") for letter in "fedcba"]
    one = program()
    first = one.get(f"groups/{group.pk}/members", limit=3).json()
    # The last one read is erased, one is renamed to the front, one leaves, one comes.
    Subscriber.objects.filter(pk=people[2].pk).update(email="", address_key="", sort_email="")
    Membership.objects.filter(subscriber=people[2]).update(sort_email="")
    Subscriber.objects.filter(pk=people[3].pk).update(email="0@lamps.example", sort_email="0@lamps.example")
    Membership.objects.filter(subscriber=people[0]).delete()
    newcomer = rows.member(group, "new@lamps.example")
    rest = one.get(f"groups/{group.pk}/members", limit=50, cursor=first["next_cursor"]).json()
    assert ids(first["results"] + rest["results"]) == [person.pk for person in people] + [newcomer.pk]


def test_each_member_is_told_with_since_when_in_this_group(program: Programs, rows: Rows) -> None:
    group, other, before = rows.group(member_count=2), rows.group(member_count=1), timezone.now() - timedelta(days=9)
    people = [rows.member(group, f"{letter}@lamps.example") for letter in "ab"]
    Membership.objects.filter(target_group=group, subscriber=people[0]).update(subscribed_at=before)
    Membership.objects.create(target_group=other, subscriber=people[0], added_run_id=1, subscribed_at=timezone.now())
    told = program().get(f"groups/{group.pk}/members").json()["results"]
    since = dict(Membership.objects.filter(target_group=group).values_list("subscriber", "subscribed_at"))
    assert {each["id"]: parse_datetime(each["subscribed_at"]) for each in told} == since
    assert since[people[0].pk] == before


def test_new_runs_do_not_move_the_pages_of_the_old_ones(program: Programs, rows: Rows) -> None:
    runs = [rows.run(rows.group()).pk for _ in range(5)]
    one = program()
    first = one.get("runs", limit=2, since="2020-01-01").json()
    rows.run(rows.group())
    rest = one.get("runs", limit=50, since="2020-01-01", cursor=first["next_cursor"]).json()
    assert ids(first["results"] + rest["results"]) == runs[::-1]


def test_a_suppression_lifted_meanwhile_breaks_no_page(program: Programs, rows: Rows) -> None:
    made = [suppression.suppress(f"{word}@lamps.example", SuppressionCause.MANUAL) for word in "abcd"]
    one = program()
    first = one.get("suppressions", limit=2).json()
    suppression.lift(made[2].address, SuppressionCause.MANUAL)  # the one that the cursor names
    rest = one.get("suppressions", cursor=first["next_cursor"]).json()
    assert ids(first["results"] + rest["results"]) == [one.pk for one in reversed(made)]


def test_a_cursor_is_of_its_list_its_filters_and_its_user(program: Programs, rows: Rows) -> None:
    group = rows.group(member_count=2)
    for word in "ab":
        rows.member(group, f"{word}@lamps.example")
        rows.group()
    one = program()
    members = one.get(f"groups/{group.pk}/members", limit=1).json()["next_cursor"]
    groups = one.get("groups", limit=1, name="m").json()["next_cursor"]
    assert is_problem(one.get("groups", cursor=members), 400, "invalid")
    assert is_problem(one.get("groups", cursor=groups), 400, "invalid")
    assert is_problem(one.get("groups", cursor=groups[:-2] + "xx", name="m"), 400, "invalid")
    assert is_problem(one.get("groups", cursor="2", name="m"), 400, "invalid")
    assert is_problem(program("Manager").get(f"groups/{group.pk}/members", cursor=members), 400, "invalid")
    assert one.get("groups", cursor=groups, name="m").status_code == 200


def test_a_cursor_holds_nobodys_data(program: Programs, rows: Rows) -> None:
    group = rows.group(member_count=2)
    for word in ("ada", "bea"):
        rows.member(group, f"{word}@lamps.example", word)
    page = program().get("subscribers", limit=1).json()
    from django.core import signing

    assert "lamps" not in str(signing.loads(page["next_cursor"], salt="api.cursor"))
    assert "ada" not in page["next"]


def test_no_list_counts_and_none_asks_for_each_row(program: Programs, rows: Rows, desk: Desk) -> None:
    group = rows.group(member_count=30)
    for number in range(30):
        rows.member(group, f"p{number}@lamps.example")
        rows.run(group)
        rows.group()
        suppression.suppress(f"p{number}@lamps.example", SuppressionCause.MANUAL)
        desk.mailing(group)
    mailing = desk.frozen(group, sent=30)
    one = program()
    for address in ("groups", f"groups/{group.pk}/members", "runs", "subscribers", "suppressions", "mailings"):
        _assert_few(one, address)
    _assert_few(one, f"mailings/{mailing.pk}/recipients")


def _assert_few(one: Any, address: str) -> None:
    one.get(address)
    with CaptureQueriesContext(
        connection,
    ) as few:
        one.get(address, limit=2)
    with CaptureQueriesContext(connection) as many:
        assert len(one.get(address, limit=25).json()["results"]) == 25, address
    assert len(many) == len(few) <= 14, address
    assert not [query["sql"] for query in many if "COUNT(*)" in query["sql"].upper()], address


# --- groups and their people ----------------------------------------------------------------------------------------


def test_groups_are_narrowed_by_name_state_folder_and_bridge(program: Programs, rows: Rows) -> None:
    members = rows.group("Members", member_count=3)
    failed = rows.group("Board", error_code="timed_out", error_text="MemberSuite took too long.", folder=rows.main)
    gone = rows.group("Guests", gone_at=timezone.now(), member_count=1)
    new = rows.group("New")
    rows.group("Deleted", deleted_at=timezone.now())
    one = program()
    assert ids(one.get("groups").json()["results"]) == [members.pk, failed.pk, gone.pk, new.pk]
    for query, found in (
        ({"name": "MEM"}, members),
        ({"state": "error"}, failed),
        ({"state": "unavailable"}, gone),
        ({"state": "not_counted"}, new),
        ({"state": "counted"}, members),
        ({"folder": rows.main.pk}, failed),
    ):
        assert ids(one.get("groups", **query).json()["results"]) == [found.pk], query
    for row in one.get("groups").json()["results"]:
        assert row["state"] == TargetGroup.objects.get(pk=row["id"]).state


def test_a_group_that_nobody_counted_has_no_number(program: Programs, rows: Rows) -> None:
    told = program().get(f"groups/{rows.group().pk}").json()
    assert told["state"] == "not_counted" and told["count"]["members"] is None and told["receiving"] is None


def test_a_deleted_group_is_not_there(program: Programs, rows: Rows) -> None:
    group = rows.group(deleted_at=timezone.now())
    for address in (f"groups/{group.pk}", f"groups/{group.pk}/members"):
        assert is_problem(program().get(address), 404)


def test_members_come_with_the_count_and_with_why_one_gets_nothing(program: Programs, rows: Rows) -> None:
    group = rows.group(member_count=4, attribute_names=["Chapter"])
    rows.member(group, "ada@lamps.example", "Ada", "Lovelace", attributes={"Chapter": "North"})
    rows.member(group, "", do_not_email_at=timezone.now())
    rows.member(group, "", "Nobody")
    rows.member(group, "bea@lamps.example")
    suppression.suppress("bea@lamps.example", SuppressionCause.MANUAL)
    suppression.suppress("BEA@lamps.example", SuppressionCause.OPT_OUT)
    told = program().get(f"groups/{group.pk}/members").json()
    assert told["count"]["members"] == 4 and told["count"]["counted_at"].endswith("Z")
    assert [row["not_receiving"] for row in told["results"]] == [None, "do_not_email", "no_address", "opt_out"]
    assert told["results"][0]["attributes"] == {"Chapter": "North"}


def test_taking_people_out_is_recorded_once_as_an_export(program: Programs, rows: Rows, desk: Desk) -> None:
    group = rows.group(member_count=3)
    for word in "abc":
        rows.member(group, f"{word}@lamps.example")
    mailing = desk.frozen(group, sent=3)
    for word in "ab":
        suppression.suppress(f"{word}@lamps.example", SuppressionCause.MANUAL)
    one = program()
    for address, action in (
        (f"groups/{group.pk}/members", "people.exported"),
        ("subscribers", "people.exported"),
        (f"mailings/{mailing.pk}/recipients", "mailing.exported"),
        ("suppressions", "suppressions.exported"),
    ):
        before = AuditEntry.objects.filter(action=action).count()
        one.everything(address, limit=1)
        entry = AuditEntry.objects.filter(action=action).order_by("id").last()
        assert AuditEntry.objects.filter(action=action).count() == before + 1, address
        assert entry.actor == one.token.user and "nightly report" in entry.after["by"]


# --- people ---------------------------------------------------------------------------------------------------------


def test_people_are_found_by_address_name_or_remote_id(program: Programs, rows: Rows) -> None:
    group = rows.group()
    ada = rows.member(group, "ada@lamps.example", "Ada", "Lovelace")
    rows.member(group, "bea@lamps.example", "Bea")
    one = program()
    for body in ({"email": "ADA@lamps.example"}, {"text": "lovel"}, {"remote_id": ada.remote_id.upper()}):
        assert ids(one.post("subscribers/search", body).json()["results"]) == [ada.pk], body
    assert one.post("subscribers/search", {"email": ""}).status_code == 400
    assert is_problem(one.post("subscribers/search", {"email": "a@b.example", "text": "ada"}), 400, "invalid")
    assert one.get("subscribers/search", text="ada").status_code == 405


def test_the_list_of_whom_a_mailing_may_reach(program: Programs, rows: Rows) -> None:
    group = rows.group()
    ada = rows.member(group, "ada@lamps.example")
    bea = rows.member(group, "bea@lamps.example")
    suppression.suppress("bea@lamps.example", SuppressionCause.OPT_OUT)
    assert ids(program().everything("subscribers", show="active")) == [ada.pk]
    assert ids(program().everything("subscribers")) == [ada.pk, bea.pk]


def test_one_person_and_whether_they_can_be_mailed_and_why_not(program: Programs, rows: Rows) -> None:
    group = rows.group("Members")
    ada = rows.member(group, "ada@lamps.example", attributes={"Chapter": "North"})
    one = program("Reporter")
    told = one.get(f"subscribers/{ada.pk}").json()
    assert told["can_be_mailed"] and told["reasons"] == []
    assert [(line["group"]["name"], line["state"]) for line in told["groups"]] == [("Members", "in")]
    with marking():  # the state is for programs: the same in every language
        elsewhere = one.get(f"subscribers/{ada.pk}").json()
    assert elsewhere["can_be_mailed"] and [line["state"] for line in elsewhere["groups"]] == ["in"]
    suppression.suppress("ada@lamps.example", SuppressionCause.OPT_OUT, "here: asked by phone")
    told = one.get(f"subscribers/{ada.pk}").json()
    assert not told["can_be_mailed"] and told["reasons"][0]["what"] == "Opted out"
    assert told["not_receiving"] == "opt_out"


# --- runs -----------------------------------------------------------------------------------------------------------


def test_runs_are_narrowed_as_sync_activity_is(program: Programs, rows: Rows) -> None:
    group = rows.group()
    failed = rows.run(group, "failed", error_code="timed_out", error_text="MemberSuite took too long.")
    rows.run()
    one = program()
    for query in ({"group": group.pk}, {"kind": "group"}, {"status": "failed"}):
        (told,) = one.get("runs", **query).json()["results"]
        assert told["id"] == failed.pk and told["error"]["code"] == "timed_out"
    assert len(one.get("runs", since="2020-01-01").json()["results"]) == 2
    assert one.get("runs", until="2020-01-01").json()["results"] == []
    assert is_problem(one.get("runs", group=999_999), 400, "invalid")
    assert is_problem(one.get("runs", since="9999-12-31"), 400, "invalid")


def test_a_run_says_how_far_it_is_and_when_to_ask_again(program: Programs, rows: Rows) -> None:
    from targetgroups.models import RunProgress

    run = rows.run(rows.group(), "running")
    now = timezone.now()
    RunProgress.objects.create(
        run=run, phase="reading", beat_at=now, phase_started_at=now, rows_read=50, rows_total=200, rows_per_second=50
    )
    told = program("Reporter").get(f"runs/{run.pk}").json()
    assert told["progress"]["phase"] == "reading" and told["progress"]["seconds_left"] == 3
    assert told["ask_again_seconds"] == 1 and told["requests"][0]["trigger"] == "resync_now"
    assert program().get(f"runs/{rows.run().pk}").json()["ask_again_seconds"] is None


# --- mailings and suppressions --------------------------------------------------------------------------------------


def test_a_report_adds_up_and_is_empty_before_the_freeze(program: Programs, rows: Rows, desk: Desk) -> None:
    group = rows.group(member_count=5)
    mailing = desk.frozen(group, sent=2, failed=1, queued=1)
    one = program("Manager")
    told = one.get(f"mailings/{mailing.pk}/report").json()
    assert told["total"] == told["settled"] + told["left"] == sum(told["outcomes"].values()) == 4
    assert told["left_out_total"] == sum(told["left_out"].values()) == 2
    assert one.get(f"mailings/{desk.mailing(group).pk}/report").json()["total"] is None
    assert len(one.everything(f"mailings/{mailing.pk}/recipients", outcome="to_send")) == 1


def test_a_mailing_says_what_it_lacks_and_how_many_would_get_it(program: Programs, rows: Rows, desk: Desk) -> None:
    mailing = desk.mailing(rows.group(member_count=5), subject="")
    told = program().get(f"mailings/{mailing.pk}").json()
    assert set(told["lacks"]) == {"subject"} and told["numbers"]["most"] == 5
    assert [group["role"] for group in told["groups"]] == ["to"]
    desk.mailing(status=MailingStatus.SENT)
    assert len(program().get("mailings", status="sent").json()["results"]) == 1


def test_suppressions_by_cause_lifted_and_of_one_address(program: Programs, rows: Rows) -> None:
    kept = suppression.suppress("ada@lamps.example", SuppressionCause.OPT_OUT)
    suppression.suppress("bea@lamps.example", SuppressionCause.MANUAL)
    suppression.lift("bea@lamps.example", SuppressionCause.MANUAL, by="dana", because="asked by phone")
    one = program()
    assert ids(one.get("suppressions", cause="opt_out").json()["results"]) == [kept.pk]
    (lifted,) = one.get("suppressions", show="lifted").json()["results"]
    assert lifted["lifted_because"] == "asked by phone"
    assert ids(one.post("suppressions/search", {"address": "ADA@lamps.example"}).json()["results"]) == [kept.pk]
    assert Suppression.objects.count() == 2 and ApiToken.objects.count() == 1
