"""What webhooks tell, how it is signed, and what is done about an address that fails."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone, translation

from accounts.models import User
from alerts import calling, delivery, outbox, signing, webhooks
from alerts.choices import DeliveryState, Event
from alerts.models import MOST_SAID, MOST_TRIES_KEPT, Alert, Delivery, Try, Webhook
from audit.models import AuditEntry
from mailings.models import Mailing
from targetgroups.models import TargetGroup
from tests.alerts.conftest import Desk, Rows, Watch
from tests.alerts.receiver import Receiver, receiving
from tests.support.pseudo import naming
from thrive_sync.lib.steps import Step

pytestmark = pytest.mark.django_db
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.ALLOW_PRIVATE_ADDRESSES = True
    with receiving() as there:
        yield there


@pytest.fixture
def hook(receiver: Receiver, admin: User) -> Webhook:
    return webhooks.create(admin, "Office", receiver.address, Event.values)[0]


@pytest.fixture
def admin(person: Callable[..., User]) -> User:
    return person("Administrator")


def deliver_all(hook: Webhook) -> None:
    while delivery.deliver(hook.pk) is Step.AGAIN:
        pass


def let_time_come() -> None:
    Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def test_the_check_of_the_document_takes_what_is_sent_and_nothing_else(hook: Webhook, receiver: Receiver) -> None:
    found: dict[str, Any] = {}
    code = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S)
    assert code
    exec(code[1], found)
    is_genuine = found["is_genuine"]
    outbox.write_for(hook, "test", {})
    deliver_all(hook)
    headers, body = receiver.got[0]
    assert is_genuine(hook.secret, headers, body)
    assert not is_genuine(hook.secret, headers, body + b" ")
    assert not is_genuine(signing.new_secret(), headers, body)
    assert not is_genuine(hook.secret, headers | {"webhook-id": "msg_other"}, body)
    assert not is_genuine(hook.secret, headers | {"webhook-timestamp": "1700000000"}, body)


def test_the_signature_is_the_one_of_the_standards_example() -> None:
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    given = signing.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body, secret)
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_replaced_both_sign_and_a_day_later_one(
    hook: Webhook, receiver: Receiver, admin: User
) -> None:
    old, new = hook.secret, webhooks.rotate(admin, hook)
    outbox.write_for(hook, "test", {})
    deliver_all(hook)
    headers, body = receiver.got[0]
    named, seconds = headers["webhook-id"], headers["webhook-timestamp"]
    both = [signing.signature(named, seconds, body, secret or "") for secret in (new, old)]
    assert headers["webhook-signature"].split() == both
    Webhook.objects.update(old_secret_until=timezone.now())
    outbox.write_for(hook, "test", {})
    deliver_all(hook)
    assert " " not in receiver.got[1][0]["webhook-signature"]


def test_r17_secrets_are_in_no_column_and_no_record_in_the_clear(hook: Webhook, admin: User) -> None:
    secret = webhooks.rotate(admin, hook)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret || old_secret FROM alerts_webhook")
        stored = cursor.fetchone()[0]
    assert secret not in stored and (hook.secret or "") not in stored
    told = json.dumps(list(AuditEntry.objects.values_list("before", "after")))
    assert "whsec_" not in told


def test_runs_mailings_and_alerts_are_told_once_each_however_often_the_sweep_looks(
    hook: Webhook, receiver: Receiver, rows: Rows, desk: Desk, watch: Watch
) -> None:
    group = rows.group("Members", member_count=5)
    rows.run(group, figures={"members_before": 5, "members_after": 5, "sums": {"a": 1}})
    rows.run(group, "held", sentence="This sync would remove everybody.")
    rows.run(group, "failed", error_code="timed_out")
    rows.run(group, kind="person", remote_id="Remote-1")
    now = timezone.now()
    sent, stopped = desk.mailing(group, name="News"), desk.mailing(group, name="Later")
    Mailing.objects.filter(pk=sent.pk).update(status="sent", finished_at=now)
    Mailing.objects.filter(pk=stopped.pk).update(status="stopped", stopped_at=now, stop_code="sync_held")
    for _ in range(3):
        watch.look()
    deliver_all(hook)
    assert sorted(receiver.events) == sorted(
        [*["run.ended"] * 3, "run.held", "run.failed", "mailing.sent", "mailing.stopped", *["alert.raised"] * 2]
    )


def test_what_is_told_has_no_person_in_it(hook: Webhook, receiver: Receiver, rows: Rows, watch: Watch) -> None:
    group = rows.group("Members", member_count=1)
    person = rows.member(group, "ada@lamps.example", "Ada", "Wick")
    rows.run(group, "failed", error_text="No ada@lamps.example", remote_said="Ada Wick", figures={"who": "Ada"})
    TargetGroup.objects.update(error_code="timed_out", error_text="No ada@lamps.example")
    watch.look()
    deliver_all(hook)
    told = b"".join(body for _, body in receiver.got).decode()
    assert "Members" in told
    assert not [each for each in ("ada@", "Ada", "Wick", person.remote_id) if each in told]


def test_a_recovery_is_told(hook: Webhook, receiver: Receiver, rows: Rows, watch: Watch) -> None:
    rows.group("Members", error_code="timed_out", error_text="No answer.")
    watch.look()
    TargetGroup.objects.update(error_code="")
    watch.look()
    watch.let_settle()
    watch.look()
    deliver_all(hook)
    assert receiver.events == ["alert.raised", "alert.recovered", "run.recovered"]


def test_only_chosen_events_are_told_and_none_of_before(
    receiver: Receiver, rows: Rows, watch: Watch, admin: User
) -> None:
    rows.run(rows.group("Before"), "failed")
    hook, _ = webhooks.create(admin, "Office", receiver.address, ["run.failed"])
    rows.run(rows.group("After"), "failed")
    rows.run(rows.group("Good"))
    watch.look()
    deliver_all(hook)
    assert [json.loads(body)["data"]["group"]["name"] for _, body in receiver.got] == ["After"]


def test_a_failed_try_waits_longer_each_time_and_is_given_up_after_a_day(hook: Webhook, receiver: Receiver) -> None:
    receiver.status, receiver.body = 503, b"Closed for lunch"
    one = outbox.write_for(hook, "test", {})
    waits = []
    for _ in range(delivery.MOST_TRIES):
        let_time_come()
        assert delivery.deliver(hook.pk) is Step.DONE
        one.refresh_from_db()
        assert one.tried_at is not None
        waits.append(one.due_at - one.tried_at)
    assert (one.state, one.status_code, one.said) == (DeliveryState.FAILED, 503, "Closed for lunch")
    assert waits[:-1] == sorted(set(waits[:-1])) and sum(waits[:-1], timedelta()) == timedelta(hours=24)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    tries = one.past_tries
    assert [(each.status_code, each.problem, each.said) for each in tries] == [
        (503, "HTTP 503", "Closed for lunch")
    ] * 6
    assert [each.at for each in tries] == sorted({each.at for each in tries}) and tries[-1].at == one.tried_at
    assert None not in [each.took_ms for each in tries]
    let_time_come()
    delivery.deliver(hook.pk)
    assert len(receiver.got) == delivery.MOST_TRIES


def test_of_many_tries_the_last_are_kept_and_of_a_long_answer_the_beginning(hook: Webhook, receiver: Receiver) -> None:
    receiver.status, receiver.body = 503, b"x" * 900
    one = outbox.write_for(hook, "test", {})
    before = [Try(timezone.now(), 500 + number).kept() for number in range(MOST_TRIES_KEPT)]
    Delivery.objects.update(history=before)
    delivery.deliver(hook.pk)
    one.refresh_from_db()
    assert [each.status_code for each in one.past_tries] == [*range(501, 500 + MOST_TRIES_KEPT), 503]
    assert one.past_tries[-1].said == "x" * MOST_SAID and one.said == "x" * 900


def test_a_try_whose_worker_died_is_kept_without_an_answer(
    hook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = outbox.write_for(hook, "test", {})
    with monkeypatch.context() as worker, pytest.raises(SystemExit):
        worker.setattr(delivery, "_call", lambda *_: sys.exit())
        delivery.deliver(hook.pk)
    let_time_come()
    deliver_all(hook)
    one.refresh_from_db()
    assert [(each.status_code, each.problem) for each in one.past_tries] == [(None, ""), (200, "")]


def test_a_try_during_which_another_was_asked_for_is_kept(
    hook: Webhook, receiver: Receiver, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.status = 503
    one, call = outbox.write_for(hook, "test", {}), delivery._call

    def asked_meanwhile(*given: Any) -> calling.Answer:
        webhooks.request_again(admin, one)
        return call(*given)

    monkeypatch.setattr(delivery, "_call", asked_meanwhile)
    delivery.deliver(hook.pk)
    one.refresh_from_db()
    assert (one.state, one.tries) == (DeliveryState.WAITING, 0)
    assert [each.status_code for each in one.past_tries] == [503]


def test_one_that_was_given_up_can_be_tried_again(hook: Webhook, receiver: Receiver, admin: User) -> None:
    one = outbox.write_for(hook, "test", {})
    Delivery.objects.update(state=DeliveryState.FAILED, tries=6)
    assert webhooks.request_again(admin, one)
    deliver_all(hook)
    one.refresh_from_db()
    assert (one.state, receiver.events) == (DeliveryState.DELIVERED, ["test"])
    assert not webhooks.request_again(admin, one)


def test_two_workers_deliver_nothing_twice(hook: Webhook, receiver: Receiver) -> None:
    outbox.write_for(hook, "test", {})
    Webhook.objects.update(busy_until=timezone.now() + timedelta(minutes=1))
    assert delivery.deliver(hook.pk) is Step.DONE
    assert receiver.got == []
    Webhook.objects.update(busy_until=timezone.now() - timedelta(seconds=1))  # its worker died
    deliver_all(hook)
    deliver_all(hook)
    assert len(receiver.got) == 1


def test_days_of_failures_switch_it_off_and_raise_an_alert(
    hook: Webhook, receiver: Receiver, watch: Watch, admin: User
) -> None:
    receiver.status = 500
    outbox.write_for(hook, "test", {})
    delivery.deliver(hook.pk)
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=6))
    let_time_come()
    delivery.deliver(hook.pk)
    assert watch.look() == ["Webhook switched off: Office"]
    hook.refresh_from_db()
    assert not hook.is_on and hook.off_text == "Every try of 5 days failed. The last: HTTP 500."
    assert AuditEntry.objects.filter(action="webhook.switched_off", actor_label="system").exists()
    webhooks.switch(admin, hook, on=True)
    watch.look()
    watch.let_settle()
    assert watch.look() == []


def test_why_nothing_was_sent_is_kept_in_the_sites_language_whoever_switched_it_off(hook: Webhook, admin: User) -> None:
    outbox.write_for(hook, "test", {})
    with naming(), translation.override("en-gb"):
        webhooks.switch(admin, hook, on=False)
    assert Delivery.objects.get().problem == "en:The webhook was switched off."


def test_a_success_between_failures_begins_the_days_anew(hook: Webhook, receiver: Receiver) -> None:
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=6))
    outbox.write_for(hook, "test", {})
    deliver_all(hook)
    assert Webhook.objects.get().failing_since is None


def test_who_answers_gone_is_told_no_more(hook: Webhook, receiver: Receiver) -> None:
    receiver.status = 410
    outbox.write_for(hook, "test", {})
    delivery.deliver(hook.pk)
    assert not Webhook.objects.get().is_on


def test_a_redirect_is_not_followed(hook: Webhook, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 302, {"Location": f"{receiver.address}/elsewhere"}
    answer = calling.post(receiver.address, b"{}", {})
    assert (answer.status, answer.is_good, len(receiver.got)) == (302, False, 1)
    assert "redirects are not followed" in answer.problem


def test_of_a_long_answer_only_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.body = b"\x00<b>" * 1_000_000
    answer = calling.post(receiver.address, b"{}", {})
    assert answer.is_good and len(answer.said) == calling.MOST_BYTES and "\x00" not in answer.said


def test_nobody_there_is_told_in_words(receiver: Receiver) -> None:
    assert calling.post("http://127.0.0.1:9/", b"{}", {}).problem == "The host could not be reached."


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "localhost", "2130706433", "0x7f.1"],
)
def test_a_private_host_is_refused_before_anything_is_sent(host: str, settings: Any) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    assert calling.post(f"https://{host}/", b"{}", {}).problem == "The address leads into a private network."


def test_a_name_that_leads_into_the_private_network_is_refused_at_the_call(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    found = [(2, 1, 6, "", ("192.168.0.7", 443))]
    monkeypatch.setattr("memberSuite.public.socket.getaddrinfo", lambda *_args, **_more: found)
    assert calling.refusal("https://lamps.example/hook") == ""
    problem = calling.post("https://lamps.example/hook", b"{}", {}).problem
    assert problem == "The address leads into a private network."


@pytest.mark.parametrize(
    "address", ["http://lamps.example/", "ftp://lamps.example/", "https://", "https://me:pass@lamps.example/", "lamps",
                "https://lamps.example/#x", "https://[::1", "https://lamps.example:99999/", "http://127.0.0.1/"]
)  # fmt: skip
def test_an_address_that_can_be_no_webhooks_is_refused_when_it_is_typed(address: str, settings: Any) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    assert calling.refusal(address)


def test_the_log_is_kept_for_some_days(hook: Webhook, settings: Any) -> None:
    outbox.write_for(hook, "test", {})
    outbox.write_for(hook, "test", {})
    Delivery.objects.filter(pk=Delivery.objects.first().pk).update(created_at=timezone.now() - timedelta(days=31))  # type: ignore[union-attr]
    delivery.forget_old(timezone.now())
    assert Delivery.objects.count() == 1


def test_the_sweep_hands_over_whatever_is_due(hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, int, str]] = []
    monkeypatch.setattr(delivery, "hand_over", lambda *what: sent.append(what))
    assert delivery.send_due() == 0
    outbox.write_for(hook, "test", {})
    assert delivery.send_due() == 1
    assert sent == [("alerts.tasks.deliver", hook.pk, "mailings")]
    webhooks.switch(User.objects.first(), hook, on=False)  # type: ignore[arg-type]
    assert delivery.send_due() == 0
    assert Alert.objects.count() == 0  # a person's own doing
