"""Writeback: what is queued by an opt-out, and how it reaches MemberSuite over both transports, whatever happens."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from targetgroups import enqueue, suppression, wishes, writeback
from targetgroups.choices import SuppressionCause, Transport
from targetgroups.exceptions import NotAllowedNow
from targetgroups.models import Bridge, Outbox, Subscriber, Suppression, Writeback
from tests.targetgroups.views.conftest import Rows
from thrive_sync.lib.steps import Step

if TYPE_CHECKING:
    from tests.support.engine import Engine

GROUP, EVERYBODY = "Current members", "All individuals"
WRITES = {"concierge": "MassUpdate", "rest": "putIndividual"}


@pytest.fixture(params=Transport.values)
def transport(request: pytest.FixtureRequest, engine: Engine) -> str:
    on(transport=request.param)
    return str(request.param)


@pytest.fixture
def mia(transactional_db: None) -> User:
    return get_user_model().objects.create_user("mia")


@pytest.fixture
def people(engine: Engine) -> list[Subscriber]:
    """Three people as a sync would have left them: mailable here and there."""
    on()
    rows = Rows(engine.bridge)
    group = rows.group(member_count=3)
    found = engine.standin.mailable(engine.standin.search_id(EVERYBODY))[:3]
    ids = [str(each["id"]) for each in found]
    return [
        rows.member(group, f"person{number}@lamps.example", "Ada", remote_id=one, remote_key=one.lower())
        for number, one in enumerate(ids)
    ]


def on(**fields: object) -> None:
    Bridge.objects.update(**{"writes_back": True} | fields)


def out(person: Subscriber, cause: SuppressionCause = SuppressionCause.OPT_OUT) -> Suppression:
    return suppression.suppress(person.email, cause)


def back_in(person: Subscriber) -> None:
    assert suppression.lift(person.email, SuppressionCause.OPT_OUT)


def write(engine: Engine) -> Step:
    """Do as a worker does until nothing is due now."""
    while (step := writeback.advance(engine.bridge.pk)) is Step.AGAIN:
        pass
    return step


def let_time_pass() -> None:
    """End every wait, as the clock would."""
    past = timezone.now() - timedelta(seconds=1)
    Writeback.objects.filter(state="pending").update(due_at=past)
    Outbox.objects.filter(paused_until__isnull=False).update(paused_until=past)


def says(engine: Engine, person: Subscriber) -> object:
    return engine.standin.person(person.remote_id)["DoNotEmail"]


def states() -> list[tuple[bool, str]]:
    return list(Writeback.objects.order_by("id").values_list("do_not_email", "state"))


# -- what is queued ---------------------------------------------------------------------------------------------------


def test_an_opt_out_is_written_and_confirmed_over_both_transports(
    engine: Engine, people: list[Subscriber], transport: str
) -> None:
    for person in people[:2]:
        out(person)
    assert states() == [(True, "pending")] * 2
    assert write(engine) is Step.DONE
    assert states() == [(True, "completed")] * 2
    assert [says(engine, person) for person in people] == [True, True, False]
    assert Writeback.objects.filter(is_ours=True, finished_at__isnull=False).count() == 2
    entry = AuditEntry.objects.get(action="writeback.written")
    assert entry.after["do_not_email"] == "Yes" and len(entry.after["remote_ids"]) == 2


def test_nothing_is_queued_while_writeback_is_off(engine: Engine, people: list[Subscriber]) -> None:
    on(writes_back=False)
    out(people[0])
    assert not Writeback.objects.exists()
    assert write(engine) is Step.DONE
    assert says(engine, people[0]) is False


def test_what_waits_is_not_written_once_it_is_switched_off(engine: Engine, people: list[Subscriber]) -> None:
    out(people[0])
    on(writes_back=False)
    assert writeback.sweep() == 0
    write(engine)
    assert (says(engine, people[0]), states()) == (False, [(True, "pending")])


@pytest.mark.parametrize("cause", [SuppressionCause.MANUAL, SuppressionCause.COMPLAINT, SuppressionCause.SOFT_BOUNCES])
def test_only_wishes_of_the_person_are_written(
    engine: Engine, people: list[Subscriber], cause: SuppressionCause
) -> None:
    on(writes_back_bounces=True)
    out(people[0], cause)
    assert not Writeback.objects.exists()


def test_a_hard_bounce_is_written_only_where_it_is_wanted(engine: Engine, people: list[Subscriber]) -> None:
    out(people[0], SuppressionCause.HARD_BOUNCE)
    assert not Writeback.objects.exists()
    on(writes_back_bounces=True)
    out(people[1], SuppressionCause.HARD_BOUNCE)
    write(engine)
    assert Writeback.objects.get().cause == "hard_bounce"
    assert [says(engine, person) for person in people] == [False, True, False]


def test_every_record_at_the_address_is_written(engine: Engine, people: list[Subscriber]) -> None:
    Subscriber.objects.update(email="desk@lamps.example", address_key="desk@lamps.example")
    suppression.suppress("Desk@lamps.example", SuppressionCause.OPT_OUT)
    write(engine)
    assert [says(engine, person) for person in people] == [True, True, True]


def test_many_suppressions_at_once_are_queued_and_taken_back_like_single_ones(
    engine: Engine, people: list[Subscriber]
) -> None:
    addresses = {person.address_key: person.email for person in people}
    suppression.add_many(addresses, SuppressionCause.OPT_OUT, "an old list", by="mia")
    write(engine)
    assert [says(engine, person) for person in people] == [True, True, True]
    suppression.lift_all(Suppression.objects.in_force(), by="mia", because="the list was wrong")
    write(engine)
    assert [says(engine, person) for person in people] == [False, False, False]


def test_a_second_opt_out_queues_nothing_more(engine: Engine, people: list[Subscriber]) -> None:
    out(people[0])
    out(people[0])
    write(engine)
    assert states() == [(True, "completed")]
    assert engine.standin.calls("MassUpdate") == 1


def test_what_is_undone_queues_nothing(engine: Engine, people: list[Subscriber]) -> None:
    from django.db import transaction

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        out(people[0])
        raise ZeroDivisionError
    assert not Writeback.objects.exists() and not Suppression.objects.exists()


# -- taken back -------------------------------------------------------------------------------------------------------


def test_an_opt_in_takes_back_what_we_wrote(engine: Engine, people: list[Subscriber], transport: str) -> None:
    out(people[0])
    write(engine)
    back_in(people[0])
    assert states() == [(True, "completed"), (False, "pending")]
    write(engine)
    assert (says(engine, people[0]), states()) == (False, [(True, "completed"), (False, "completed")])
    out(people[0])
    write(engine)
    assert says(engine, people[0]) is True


def test_an_opt_in_leaves_a_yes_that_somebody_else_wrote(engine: Engine, people: list[Subscriber]) -> None:
    engine.standin.flip_do_not_email(ids=[people[0].remote_id], to=True)
    out(people[0])
    write(engine)
    row = Writeback.objects.get()
    assert (row.state, row.reason_code, row.is_ours) == ("completed", "so_already", False)
    assert engine.standin.calls("MassUpdate") == 0
    back_in(people[0])
    write(engine)
    assert says(engine, people[0]) is True


def test_an_opt_in_before_the_writing_leaves_nothing_to_write(engine: Engine, people: list[Subscriber]) -> None:
    out(people[0])
    back_in(people[0])
    assert not Writeback.objects.exists()
    write(engine)
    assert engine.standin.calls("MassUpdate") == 0


def test_an_opt_in_waits_while_something_else_keeps_the_address(engine: Engine, people: list[Subscriber]) -> None:
    out(people[0])
    out(people[0], SuppressionCause.COMPLAINT)
    write(engine)
    back_in(people[0])
    write(engine)
    assert says(engine, people[0]) is True


def test_a_newer_wish_takes_the_place_of_one_that_waits(engine: Engine, people: list[Subscriber]) -> None:
    out(people[0])
    write(engine)
    back_in(people[0])
    out(people[0])  # before the No was written
    assert states().count((False, "pending")) == 0
    write(engine)
    assert says(engine, people[0]) is True
    back_in(people[0])
    write(engine)
    assert says(engine, people[0]) is False


def test_a_wish_that_changes_while_the_writer_asks_is_not_written(engine: Engine, people: list[Subscriber]) -> None:
    out(people[0])
    with engine.standin.holds("ExecuteSearch", only="look_up") as held:
        writer = _write_beside(engine)
        assert held.wait_until_held()
        back_in(people[0])
    writer.join()
    write(engine)
    assert says(engine, people[0]) is False
    assert not Writeback.objects.filter(state="pending").exists()


def test_whoever_is_do_not_email_by_our_writing_may_opt_in_here(engine: Engine, mia: User) -> None:
    engine.sync(GROUP)
    on()
    person = Subscriber.objects.filter(memberships__target_group=engine.group(GROUP)).order_by("pk")[0]
    wishes.opt_out(person, mia, "by phone")
    write(engine)
    engine.sync(GROUP)
    person.refresh_from_db()
    assert (person.email, person.do_not_email_at is not None) == ("", True)
    wishes.opt_in(person, mia, "signed the form")
    write(engine)
    assert says(engine, person) is False
    assert not Suppression.objects.in_force().exists()


# -- R11 --------------------------------------------------------------------------------------------------------------


def test_r11_a_sync_that_sees_no_does_not_undo_the_opt_out(engine: Engine) -> None:
    engine.sync(GROUP)
    on()
    person = Subscriber.objects.filter(memberships__target_group=engine.group(GROUP)).order_by("pk")[0]
    out(person)
    engine.sync(GROUP)  # before it is written: MemberSuite still says No
    assert suppression.is_suppressed(person.email)
    write(engine)
    engine.standin.flip_do_not_email(ids=[person.remote_id], to=False)  # somebody there says otherwise
    engine.sync(GROUP)
    assert suppression.is_suppressed(person.email)
    row = Writeback.objects.get()
    assert (row.state, row.overtaken_at is not None) == ("completed", True)
    assert list(Subscriber.objects.still_mailable(Bridge.objects.get())) == [person]
    # The Yes no longer stands, so there is none to take back.
    back_in(person)
    assert not Writeback.objects.filter(do_not_email=False).exists()


# -- trouble ----------------------------------------------------------------------------------------------------------


def test_a_write_that_says_it_succeeded_and_changed_nothing_fails_after_a_few_tries(
    engine: Engine, people: list[Subscriber], transport: str
) -> None:
    engine.standin.fails(WRITES[transport], "changes_nothing")
    out(people[0])
    for _ in range(writeback.MOST_UNCHANGED):
        assert states() == [(True, "pending")]
        write(engine)
        let_time_pass()
    row = Writeback.objects.get()
    assert (row.state, row.reason_code, row.is_ours) == ("failed", "not_changed", False)
    assert "the record is as it was" in row.reason


@pytest.mark.parametrize("fault", ["http_429", "http_503", "cut", "no_answer"])
def test_passing_trouble_puts_all_off_and_then_it_goes_on(
    engine: Engine, people: list[Subscriber], transport: str, fault: str
) -> None:
    struck = engine.standin.fails(WRITES[transport], fault)
    out(people[0])
    write(engine)
    row, outbox = Writeback.objects.get(), Outbox.objects.get()
    assert (row.state, row.attempts, outbox.trouble_count, outbox.writer) == ("pending", 1, 1, None)
    assert row.reason and outbox.paused_until is not None and row.due_at > timezone.now()
    seen = struck.seen
    out(people[1])
    write(engine)
    assert struck.seen == seen  # nothing is tried while it pauses
    first = outbox.paused_until - timezone.now()
    let_time_pass()
    write(engine)
    outbox.refresh_from_db()
    assert outbox.trouble_count == 2 and outbox.paused_until - timezone.now() > first
    engine.standin.clear_faults()
    let_time_pass()
    assert writeback.sweep() == 1
    write(engine)
    outbox.refresh_from_db()
    assert states() == [(True, "completed")] * 2
    assert (outbox.trouble_count, outbox.paused_until, outbox.trouble_text) == (0, None, "")
    assert [says(engine, person) for person in people] == [True, True, False]


@pytest.mark.parametrize(("asked", "waited"), [(1800, 1800), (10**12, 24 * 3600)])
def test_a_long_retry_after_is_waited_for_by_the_row_and_holds_no_worker(
    engine: Engine, people: list[Subscriber], transport: str, asked: int, waited: int
) -> None:
    struck = engine.standin.fails(WRITES[transport], "http_429", retry_after=asked)
    out(people[0])
    write(engine)
    row, outbox = Writeback.objects.get(), Outbox.objects.get()
    assert (row.state, row.reason_code, struck.seen) == ("pending", "throttled", 1), "asked once, and not again"
    assert outbox.writer is None
    left = (row.due_at - row.queued_at).total_seconds()
    assert waited <= left < waited + 120
    assert outbox.paused_until == row.due_at


def test_a_wrong_key_fails_with_its_words_and_the_mended_one_retries_all(
    engine: Engine, people: list[Subscriber], mia: User
) -> None:
    on(access_key_id="wrong")
    for person in people[:2]:
        out(person)
    write(engine)
    assert states() == [(True, "failed")] * 2
    assert all(row.reason for row in Writeback.objects.all())
    on(access_key_id=engine.standin.access_key_id)
    one = Writeback.objects.order_by("id")[0]
    assert enqueue.request_write_again(Bridge.objects.get(), mia, one.pk) == 1
    write(engine)
    assert states() == [(True, "completed"), (True, "failed")]
    assert enqueue.request_write_again(Bridge.objects.get(), mia) == 1
    write(engine)
    assert states() == [(True, "completed")] * 2
    retried = AuditEntry.objects.filter(action="writeback.retried").order_by("id")
    assert [(entry.actor_label, entry.after["queued"]) for entry in retried] == [("mia", 1), ("mia", 1)]


def test_nothing_is_retried_while_it_is_off(engine: Engine, people: list[Subscriber], mia: User) -> None:
    on(writes_back=False)
    with pytest.raises(NotAllowedNow, match="off"):
        enqueue.request_write_again(Bridge.objects.get(), mia)


def test_a_record_that_is_gone_fails_alone(engine: Engine, people: list[Subscriber], transport: str) -> None:
    engine.standin.delete(ids=[people[0].remote_id])
    for person in people:
        out(person)
    write(engine)
    assert states() == [(True, "failed"), (True, "completed"), (True, "completed")]
    assert Writeback.objects.get(state="failed").reason


def test_a_killed_writer_leaves_a_state_that_the_next_one_ends_well(
    engine: Engine, people: list[Subscriber], transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    out(people[0])
    with monkeypatch.context() as patch:  # after MemberSuite was told, before anything is noted of it
        patch.setattr(writeback, "_end", _second_time(die))
        with pytest.raises(Killed):
            writeback.advance(engine.bridge.pk)
    assert (says(engine, people[0]), states()) == (True, [(True, "pending")])
    # As if it had not even given its turn back.
    Outbox.objects.update(writer_until=timezone.now() + timedelta(minutes=1), writer="0" * 32)
    assert (writeback.sweep(), write(engine)) == (0, Step.DONE)
    assert states() == [(True, "pending")]
    Outbox.objects.update(writer_until=timezone.now() - timedelta(seconds=1))
    assert writeback.sweep() == 1
    write(engine)
    assert states() == [(True, "completed")]
    assert engine.standin.calls(WRITES[transport]) == 1
    assert Writeback.objects.get().is_ours  # so an opt-in may take it back
    back_in(people[0])
    write(engine)
    assert says(engine, people[0]) is False


def test_two_writers_never_write_at_once(engine: Engine, people: list[Subscriber]) -> None:
    out(people[0])
    with engine.standin.holds("MassUpdate") as held:
        writer = _write_beside(engine)
        assert held.wait_until_held()
        assert writeback.advance(engine.bridge.pk) is Step.DONE
    writer.join()
    assert engine.standin.calls("MassUpdate") == 1
    assert states() == [(True, "completed")]


def test_no_address_is_logged_queued_or_recorded(
    engine: Engine, people: list[Subscriber], transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    engine.standin.fails(WRITES[transport], "http_503", times=8)
    for person in people:
        out(person)
    write(engine)
    let_time_pass()
    engine.standin.clear_faults()
    write(engine)
    assert states() == [(True, "completed")] * 3
    said = caplog.text + str(list(Writeback.objects.values())) + str(list(Outbox.objects.values()))
    assert "@lamps.example" not in said + str(list(AuditEntry.objects.values()))


# -- what MemberSuite does not know of --------------------------------------------------------------------------------


def test_who_opted_out_before_it_was_switched_on_is_counted_and_written_when_asked(
    engine: Engine, people: list[Subscriber], mia: User
) -> None:
    on(writes_back=False)
    for person in people[:2]:
        out(person)
    writeback.check_all()
    assert Outbox.objects.get().still_mailable_count == 2
    with pytest.raises(NotAllowedNow):
        enqueue.request_still_mailable(engine.bridge, mia)
    on()
    enqueue.request_still_mailable(Bridge.objects.get(), mia)
    assert AuditEntry.objects.get(action="writeback.queued_still_mailable").actor_label == "mia"
    assert writeback.queue_still_mailable(engine.bridge.pk) == 2
    assert Outbox.objects.get().still_mailable_count == 0
    write(engine)
    assert [says(engine, person) for person in people] == [True, True, False]


def _write_beside(engine: Engine) -> threading.Thread:
    def perform() -> None:
        try:
            writeback.advance(engine.bridge.pk)
        finally:
            connections.close_all()

    thread = threading.Thread(target=perform)
    thread.start()
    return thread


def _second_time(die: object) -> object:
    """The first call does as ever: it ends what needs no writing."""
    real, calls = writeback._end, []

    def end(*args: object, **kwargs: object) -> None:
        calls.append(args)
        (real if len(calls) == 1 else die)(*args, **kwargs)  # type: ignore[operator]

    return end
