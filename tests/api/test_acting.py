"""What programs start and change: through the services of the pages, by their rules, once for each Idempotency-Key."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from api import idempotency
from api.models import IdempotentAnswer
from audit.models import AuditEntry
from mailings.models import Mailing
from targetgroups import suppression
from targetgroups.choices import RunStatus, SuppressionCause, Trigger
from targetgroups.models import CancelWish, SyncRequest, SyncRun
from tests.api.conftest import Desk, Program, Programs, Rows, is_problem

pytestmark = pytest.mark.django_db
LIFT = {"reason": "asked by phone, 3 May"}


# --- runs -----------------------------------------------------------------------------------------------------------


def test_a_sync_is_asked_for_and_a_second_request_joins_it(program: Programs, rows: Rows) -> None:
    group, one = rows.group(), program("Subscribers")
    first, second = one.post(f"groups/{group.pk}/sync"), one.post("runs", {"kind": "group", "group": group.pk})
    assert first.status_code == second.status_code == 202
    assert first.json()["id"] == second.json()["id"] and first.json()["trigger"] == "api"
    assert one.get(first["Location"]).json()["id"] == first.json()["id"]
    assert SyncRequest.objects.filter(trigger=Trigger.API, user=one.token.user).count() == 2


def test_a_preview_and_a_list_refresh_are_runs_too(program: Programs, rows: Rows) -> None:
    one = program()
    assert one.post(f"groups/{rows.group().pk}/preview").json()["kind"] == "preview"
    assert one.post("runs", {"kind": "list"}).json()["bridge"]["id"] == rows.bridge.pk
    assert one.post("runs", {"kind": "preview", "group": rows.group().pk}).json()["kind"] == "preview"


def test_what_can_not_be_synced_is_refused_in_words(program: Programs, rows: Rows) -> None:
    one = program()
    for group in (rows.group(gone_at=timezone.now()), rows.group(not_runnable_code="not_people")):
        assert is_problem(one.post(f"groups/{group.pk}/sync"), 409, "not_runnable")
        assert is_problem(one.post("runs", {"kind": "group", "group": group.pk}), 409, "not_runnable")
    assert is_problem(one.post(f"groups/{rows.group(deleted_at=timezone.now()).pk}/sync"), 404)
    for body in (
        {"kind": "group"},
        {"kind": "list", "group": 1},
        {"kind": "check"},
        {"kind": "list", "bridge": 999_999},
    ):
        assert is_problem(one.post("runs", body), 400, "invalid"), body
    assert not SyncRun.objects.exists()


def test_a_run_is_cancelled_while_it_is_under_way(program: Programs, rows: Rows) -> None:
    one = program()
    waiting, running, done = (
        rows.run(rows.group(), "waiting"),
        rows.run(rows.group(), "running"),
        rows.run(rows.group()),
    )
    assert one.post(f"runs/{waiting.pk}/cancel").json()["status"] == "cancelled"
    assert one.post(f"runs/{running.pk}/cancel").json()["is_cancelling"]
    assert CancelWish.objects.get().run == running
    assert is_problem(one.post(f"runs/{done.pk}/cancel"), 409, "not_allowed_now")


def test_a_held_run_is_applied_by_the_number_that_was_looked_at(program: Programs, rows: Rows) -> None:
    held = rows.run(rows.group(), "held", figures={"would_remove": 30, "members_before": 40})
    one = program()
    assert one.get(f"runs/{held.pk}").json()["going_count"] == 30
    assert is_problem(one.post(f"runs/{held.pk}/apply", {"confirmed": 29}), 409, "other_number")
    assert is_problem(one.post(f"runs/{held.pk}/apply"), 400, "invalid")
    answer = one.post(f"runs/{held.pk}/apply", {"confirmed": 30})
    assert answer.status_code == 202 and answer.json()["applies"] == held.pk


def test_a_held_run_is_discarded_once(program: Programs, rows: Rows) -> None:
    held = rows.run(rows.group(), "held", figures={"would_remove": 30})
    one = program()
    assert one.post(f"runs/{held.pk}/discard").json()["status"] == "cancelled"
    assert is_problem(one.post(f"runs/{held.pk}/discard"), 409)
    assert is_problem(one.post(f"runs/{held.pk}/apply", {"confirmed": 30}), 409)


# --- mailings -------------------------------------------------------------------------------------------------------


def test_a_mailing_is_sent_as_it_was_looked_at(program: Programs, rows: Rows, desk: Desk) -> None:
    mailing, one = desk.mailing(rows.group(member_count=5)), program("Publisher")
    looked_at = one.get(f"mailings/{mailing.pk}").json()
    seen = {"version": looked_at["version"], "seen": looked_at["numbers"]["seen"]}
    assert is_problem(one.post(f"mailings/{mailing.pk}/send", seen | {"version": 99}), 409)
    assert is_problem(one.post(f"mailings/{mailing.pk}/send", seen | {"seen": "0-0"}), 409)
    assert is_problem(one.post(f"mailings/{mailing.pk}/send"), 400, "invalid")
    answer = one.post(f"mailings/{mailing.pk}/send", seen)
    assert answer.status_code == 202 and answer.json()["status"] == "scheduled"
    assert Mailing.objects.get().sent_by == one.token.user
    assert is_problem(one.post(f"mailings/{mailing.pk}/send", seen), 409)


def test_a_mailing_is_sent_at_a_time_to_come(program: Programs, rows: Rows, desk: Desk) -> None:
    mailing, one = desk.mailing(rows.group()), program()
    at = (timezone.now() + timedelta(days=1)).replace(microsecond=0)
    past = {"version": 1, "at": (timezone.now() - timedelta(minutes=1)).isoformat()}
    assert is_problem(one.post(f"mailings/{mailing.pk}/send", past), 400, "invalid")
    one.post(f"mailings/{mailing.pk}/send", {"version": 1, "at": at.isoformat()})
    assert Mailing.objects.get().scheduled_for == at


def test_what_a_mailing_lacks_is_told_by_field(program: Programs, rows: Rows, desk: Desk) -> None:
    mailing = desk.mailing(rows.group(), subject="", name="")
    answer = program().post(f"mailings/{mailing.pk}/send", {"version": 1})
    assert is_problem(answer, 409, "not_ready")
    assert {error["field"] for error in answer.json()["errors"]} == {"subject", "name"}


def test_who_may_not_send_does_not_with_the_scope_alone(program: Programs, rows: Rows, desk: Desk) -> None:
    mailing = desk.mailing(rows.group())
    for one in (program("Reporter"), program("Publisher", scopes=["read:mailings"])):
        assert is_problem(one.post(f"mailings/{mailing.pk}/send", {"version": 1}), 403)
    assert Mailing.objects.get().status == "draft"


def test_a_mailing_is_paused_and_goes_on(program: Programs, rows: Rows, desk: Desk) -> None:
    mailing, one = desk.frozen(rows.group(), status="sending", queued=3, sent=1), program("Publisher")
    paused = one.post(f"mailings/{mailing.pk}/pause")
    assert paused.status_code == 202 and paused.json()["status"] == "paused"
    assert one.get(paused["Location"]).json()["id"] == mailing.pk
    again = one.post(f"mailings/{mailing.pk}/pause")
    assert is_problem(again, 409, "not_allowed_now") and "paused" in again.json()["detail"]
    assert one.post(f"mailings/{mailing.pk}/resume").json()["status"] == "sending"
    assert is_problem(one.post(f"mailings/{mailing.pk}/resume"), 409)
    entries = AuditEntry.objects.filter(actor=one.token.user, action__startswith="mailing.").order_by("pk")
    assert [entry.action for entry in entries] == ["mailing.pause", "mailing.resume"]


def test_a_mailing_is_cancelled_for_good_and_once(program: Programs, rows: Rows, desk: Desk) -> None:
    mailing, one = desk.frozen(rows.group(), status="sending", queued=3), program("Publisher")
    first = one.post(f"mailings/{mailing.pk}/cancel", Idempotency_Key="a")
    assert first.status_code == 202 and first.json()["status"] == "cancelled"
    assert one.post(f"mailings/{mailing.pk}/cancel", Idempotency_Key="a").content == first.content
    assert is_problem(one.post(f"mailings/{mailing.pk}/cancel", Idempotency_Key="b"), 409)
    assert AuditEntry.objects.get(action="mailing.cancel").actor == one.token.user
    for wish in ("pause", "resume", "cancel"):
        assert is_problem(one.post(f"mailings/{desk.mailing(rows.group()).pk}/{wish}"), 409)
        assert is_problem(one.post(f"mailings/999999/{wish}"), 404)


def test_who_may_not_send_stops_nothing(program: Programs, rows: Rows, desk: Desk) -> None:
    mailing = desk.frozen(rows.group(), status="sending", queued=3)
    for one in (program("Reporter"), program("Manager"), program("Publisher", scopes=["read:mailings"])):
        for wish in ("pause", "resume", "cancel"):
            assert is_problem(one.post(f"mailings/{mailing.pk}/{wish}"), 403)
    mailing.refresh_from_db()
    assert mailing.status == "sending"


# --- suppressions ---------------------------------------------------------------------------------------------------


def test_addresses_are_suppressed_with_a_cause_and_a_note(program: Programs, rows: Rows) -> None:
    one = program("Subscribers")
    body = {"addresses": ["Ada@lamps.example", "ada@lamps.example"], "cause": "opt_out", "note": " by   letter "}
    told = one.post("suppressions", body)
    assert told.status_code == 201 and len(told.json()["added"]) == 1 and told.json()["already_count"] == 0
    assert one.post("suppressions", body).json() == {"added": [], "already_count": 1}
    (row,) = suppression.in_force("ada@lamps.example")
    assert (row.note, row.added_by, row.address) == ("by letter", one.token.user.username, "Ada@lamps.example")
    assert AuditEntry.objects.filter(action="suppressed", actor=one.token.user).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"addresses": ["nobody"]}, {"addresses": []}, {"cause": "erased"}, {"note": " "}, {"note": 1}, {"because": "so"}],
)
def test_one_wrong_address_or_name_refuses_all(wrong: dict[str, Any], program: Programs, rows: Rows) -> None:
    body = {"addresses": ["ada@lamps.example"], "cause": "manual", "note": "by letter"} | wrong
    assert is_problem(program().post("suppressions", body), 400, "invalid")
    assert not suppression.is_suppressed("ada@lamps.example")


def test_an_opt_out_is_lifted_only_if_the_person_asked(program: Programs, rows: Rows) -> None:
    row = suppression.suppress("ada@lamps.example", SuppressionCause.OPT_OUT)
    erased = suppression.suppress("bea@lamps.example", SuppressionCause.ERASED)
    one, both = program(), {"suppressions": [row.pk, erased.pk], **LIFT}
    assert is_problem(one.post("suppressions/lift", both), 409, "not_allowed_now")
    assert one.post("suppressions/lift", both | {"is_asked_for": True}).json()["lifted"] == [row.pk]
    assert suppression.is_suppressed("bea@lamps.example") and not suppression.is_suppressed("ada@lamps.example")
    assert is_problem(one.post("suppressions/lift", both | {"reason": ""}), 400, "invalid")


# --- once -----------------------------------------------------------------------------------------------------------


def test_a_repeat_is_answered_as_the_first_and_does_nothing(program: Programs, rows: Rows) -> None:
    group, one = rows.group(), program()
    first = one.post(f"groups/{group.pk}/sync", Idempotency_Key="a")
    SyncRun.objects.update(status=RunStatus.COMPLETED)  # or the second would join it
    again = one.post(f"groups/{group.pk}/sync", Idempotency_Key="a")
    assert (again.status_code, again.content, again["Location"]) == (202, first.content, first["Location"])
    assert again["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first
    assert SyncRun.objects.count() == SyncRequest.objects.count() == 1
    assert one.post(f"groups/{group.pk}/sync", Idempotency_Key="b").json()["id"] != first.json()["id"]


def test_a_key_is_for_one_request_of_one_token(program: Programs, rows: Rows) -> None:
    one = program()
    body = {"addresses": ["ada@lamps.example"], "cause": "manual", "note": "by letter"}
    assert one.post("suppressions", body, Idempotency_Key="a").status_code == 201
    other = one.post("suppressions", body | {"note": "by phone"}, Idempotency_Key="a")
    assert is_problem(other, 422, "idempotency_key_reused")
    assert is_problem(one.post("runs", {"kind": "list"}, Idempotency_Key="a"), 422)
    assert program().post("suppressions", body, Idempotency_Key="a").json()["already_count"] == 1


def test_a_refused_request_is_tried_again_by_its_repeat(program: Programs, rows: Rows) -> None:
    group = rows.group(gone_at=timezone.now())
    one = program()
    assert is_problem(one.post(f"groups/{group.pk}/sync", Idempotency_Key="a"), 409)
    type(group).objects.update(gone_at=None)
    assert one.post(f"groups/{group.pk}/sync", Idempotency_Key="a").status_code == 202


@pytest.mark.parametrize("key", ["", "a" * 256, "k\u00e9y"])
def test_what_is_no_key_is_refused(key: str, program: Programs, rows: Rows) -> None:
    assert is_problem(program().post("runs", {"kind": "list"}, Idempotency_Key=key), 400, "invalid")


def test_answers_are_kept_for_a_day_and_hold_no_address(program: Programs, rows: Rows) -> None:
    one = program()
    body = {"addresses": ["ada@lamps.example"], "cause": "manual", "note": "by letter"}
    one.post("suppressions", body, Idempotency_Key="a")
    assert "ada" not in str(IdempotentAnswer.objects.values())
    idempotency.forget_old()
    assert IdempotentAnswer.objects.exists()
    IdempotentAnswer.objects.update(answered_at=timezone.now() - idempotency.KEPT - timedelta(seconds=1))
    idempotency.forget_old()
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_does_it_and_both_are_told_the_same(
    program: Programs, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one finds the key taken and not done yet: it waits for the database, and for nothing else."""
    from api.views import runs
    from targetgroups import enqueue

    first, inside, answers = program(), threading.Event(), []
    real, both = enqueue.request_list_refresh, threading.Barrier(2, timeout=20)

    def slow(*args: Any) -> SyncRun:
        inside.set()
        both.wait()  # the second has been sent by then
        return real(*args)

    monkeypatch.setattr(runs.enqueue, "request_list_refresh", slow)

    def ask() -> None:
        one = Program.__new__(Program)
        one.__dict__ = {**first.__dict__, "client": type(first.client)(raise_request_exception=False)}
        answers.append(one.post("runs", {"kind": "list"}, Idempotency_Key="a"))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    threads[0].start()
    assert inside.wait(20)
    threads[1].start()
    both.wait()
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    assert SyncRequest.objects.count() == 1
