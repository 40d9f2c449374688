"""What becomes of each recipient, by what the mail server says, and by what is known at the moment of sending."""

from __future__ import annotations

import socket
from collections import Counter
from datetime import datetime
from functools import partial
from io import BytesIO
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import requests
from anymail.exceptions import AnymailAPIError, AnymailConfigurationError, AnymailRecipientsRefused
from django.core.mail.backends import smtp
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.utils import timezone

from mailings import enqueue
from mailings.models import Mailing, Recipient
from mailings.querysets import figures_of
from mailings.send import deliver, lease, pipeline, turn
from mailings.send.deliver import BACK, Verdict
from mailings.send.tally import move
from mailings.send.turn import Turn
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Membership, Subscriber
from tests.support.post import Post
from tests.support.sink import Sink
from thrive_sync.lib.steps import Step

if TYPE_CHECKING:
    from django.core.mail import EmailMessage
    from pytest_django.fixtures import SettingsWrapper

ADA, BO, CY = "ada@lamps.example", "bo@lamps.example", "cy@lamps.example"
WINDOW = 10


@pytest.fixture(params=["plain", "pipelining"], autouse=True)
def _each_kind_of_server(request: pytest.FixtureRequest, sink: Sink) -> None:
    sink.is_pipelining = request.param == "pipelining"


def many(count: int) -> list[str]:
    return [f"keeper{number:03}@lamps.example" for number in range(count)]


# --- what the mail server says -----------------------------------------------------------------------------------


def test_r13_everybody_gets_one_copy_and_the_mailing_is_sent(post: Post) -> None:
    mailing = post.frozen(post.group(ADA, BO))
    assert post.work(mailing) is Step.DONE
    assert (mailing.status, mailing.finished_at is not None) == ("sent", True)
    assert post.sink.copies() == {ADA: 1, BO: 1}
    assert post.complaints(mailing) == []


def test_a_refused_recipient_has_failed_with_the_servers_words_and_no_log_names_them(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.sink.replies[BO] = f"550 5.1.1 <{BO}>: nobody of that name"
    post.sink.data_replies[CY] = "554 5.7.1 We do not like this"
    mailing = post.frozen(post.group(ADA, BO, CY))
    with caplog.at_level("DEBUG"):
        post.work(mailing)
    assert mailing.status == "sent_with_errors"
    assert post.outcomes(mailing) == {ADA: "sent", BO: "bounced 550", CY: "failed 554"}
    assert "nobody of that name" in Recipient.objects.get(email=BO).said
    assert not [address for address in (ADA, BO, CY) if address in caplog.text]
    assert post.complaints(mailing) == []


def test_each_recipient_reads_their_own_name_and_columns(post: Post) -> None:
    group = post.group()
    ada = post.person(ADA, first_name="Ada", attributes={"Home Town": "Bonn"})
    post.join(group, [ada, post.person(BO, first_name="", attributes={})])
    written = 'Dear {{ first_name | default: "friend" }} of {{ Home_Town | default: "the harbour" }}.'
    post.work(post.frozen(group, text=written, subject="{{ first_name }} lamps"))
    texts = {letter.to: str(letter.message.get_payload(decode=True), "utf-8") for letter in post.sink.letters}
    assert texts[ADA].startswith("Dear Ada of Bonn.")
    assert texts[BO].startswith("Dear friend of the harbour.")
    assert {letter.to: letter.message["Subject"] for letter in post.sink.letters} == {ADA: "Ada lamps", BO: "lamps"}


def test_a_mailing_of_which_nobody_was_sent_anything_has_failed(post: Post) -> None:
    post.sink.replies[ADA] = "550 5.1.1 Nobody"
    mailing = post.frozen(post.group(ADA))
    post.work(mailing)
    assert mailing.status == "failed"


def test_who_was_put_off_is_tried_after_1_5_and_15_minutes_then_has_failed(post: Post) -> None:
    post.sink.replies[BO] = "451 4.7.1 Greylisted"
    mailing = post.frozen(post.group(ADA, BO))
    waits = []
    for _ in range(3):
        assert post.work(mailing) is Step.WAIT
        recipient = Recipient.objects.get(email=BO)
        assert (mailing.status, recipient.outcome, mailing.due_at) == ("sending", "deferred", recipient.due_at)
        waits.append(round((recipient.due_at - timezone.now()).total_seconds() / 60))
        post.hurry(mailing)
    post.work(mailing)
    assert waits == [1, 5, 15]
    assert post.outcomes(mailing) == {ADA: "sent", BO: "failed 451"}
    assert (mailing.status, post.complaints(mailing)) == ("sent_with_errors", [])


def test_who_was_put_off_gets_the_copy_when_the_server_takes_it(post: Post) -> None:
    post.sink.data_replies[ADA] = "451 4.3.0 Later please"
    mailing = post.frozen(post.group(ADA))
    post.work(mailing)
    post.sink.data_replies.clear()
    assert pipeline.advance(mailing.pk) is Step.DONE, "it is not due yet"
    post.hurry(mailing)
    post.work(mailing)
    assert (mailing.status, post.sink.copies()) == ("sent", {ADA: 1})


@pytest.mark.parametrize(("cut", "copies"), [("before", 0), ("after", 1)])
def test_r13_a_message_whose_answer_was_lost_is_unknown_and_never_sent_again_by_itself(
    post: Post, cut: str, copies: int
) -> None:
    addresses = many(8)
    lost = addresses[3]
    post.sink.cuts[lost] = cut
    mailing = post.frozen(post.group(*addresses))
    post.work(mailing)
    assert mailing.status == "sent_with_errors"
    assert post.outcomes(mailing) == dict.fromkeys(addresses, "sent") | {lost: "unknown"}
    assert post.sink.copies() == Counter(dict.fromkeys(addresses, 1) | {lost: copies})
    assert post.complaints(mailing) == []


def test_r13_a_person_counts_unknown_recipients_as_sent_or_sends_again_with_the_same_message_id(post: Post) -> None:
    post.sink.cuts[BO] = "after"
    mailing = post.frozen(post.group(ADA, BO))
    post.work(mailing)
    assert enqueue.decide_unknown(mailing, None, resend=True) == 1
    assert mailing.status == "sending"
    post.work(mailing)
    assert (mailing.status, post.sink.copies()[BO]) == ("sent", 2)
    first, second = (letter.message["Message-ID"] for letter in post.sink.letters if letter.to == BO)
    assert first == second
    assert Recipient.objects.get(email=BO).decided_by == "command"

    other = post.frozen(post.group(ADA, CY, name="Others"))
    post.sink.cuts[CY] = "after"
    post.work(other)
    assert enqueue.decide_unknown(other, None, resend=False) == 1
    assert (other.status, post.outcomes(other), figures_of(other)["left"]) == ("sent", {ADA: "sent", CY: "sent"}, 0)


def test_r13_a_resend_in_the_moment_when_the_mailing_ends_is_not_lost(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.sink.cuts[BO] = "after"
    mailing = post.frozen(post.group(ADA, BO))
    decider, asked = Thread(target=_resend, args=[mailing.pk]), lease.due_at

    def due_at(mailing_id: int) -> datetime | None:
        found = asked(mailing_id)
        if found is None and not decider.ident:  # the worker has seen that nobody is left
            decider.start()
            decider.join(1)  # it waits for the worker's lock
        return found

    monkeypatch.setattr(lease, "due_at", due_at)
    pipeline.advance(mailing.pk)
    decider.join()
    mailing.refresh_from_db()
    assert (mailing.status, post.outcomes(mailing)[BO]) == ("sending", "queued")
    post.work(mailing)
    assert (mailing.status, post.outcomes(mailing)[BO]) == ("sent", "sent")


def _resend(mailing_id: int) -> None:
    try:
        enqueue.decide_unknown(Mailing.objects.get(pk=mailing_id), None, resend=True)
    finally:
        connection.close()


def test_r13_who_is_sent_again_does_not_wait_for_those_put_off(post: Post) -> None:
    post.sink.cuts[BO] = "after"
    mailing = post.frozen(post.group(ADA, BO))
    post.sink.replies[ADA] = "450 4.2.0 try later"
    post.work(mailing)
    assert (mailing.status, post.outcomes(mailing)) == ("sending", {ADA: "deferred 450", BO: "unknown"})
    enqueue.decide_unknown(mailing, None, resend=True)
    assert mailing.due_at is None


def test_a_server_that_breaks_off_each_message_is_left_alone_before_it_makes_everybody_unknown(post: Post) -> None:
    addresses = many(30)
    post.sink.cuts |= dict.fromkeys(addresses, "before")
    mailing = post.frozen(post.group(*addresses))
    for _ in range(6):
        post.work(mailing)
        post.hurry(mailing)
    assert (mailing.status, mailing.stop_code) == ("paused", "mail_server")
    assert figures_of(mailing)["outcomes"] == {"unknown": 6, "queued": 24}
    assert post.sink.copies() == {}


def test_a_connection_lost_before_the_message_costs_nobody_anything(post: Post) -> None:
    addresses = many(8)
    post.sink.cuts[addresses[3]] = "rcpt"
    mailing = post.frozen(post.group(*addresses))
    post.work(mailing)
    assert (mailing.status, post.sink.copies()) == ("sent", dict.fromkeys(addresses, 1))


def test_a_server_that_takes_few_messages_on_one_connection_is_connected_to_again(post: Post) -> None:
    post.sink.most_a_connection = 3
    addresses = many(12)
    mailing = post.frozen(post.group(*addresses))
    post.work(mailing)
    assert (mailing.status, post.sink.copies()) == ("sent", dict.fromkeys(addresses, 1))


def test_a_server_that_is_away_is_waited_for_then_the_mailing_pauses_and_can_be_resumed(post: Post) -> None:
    mailing = post.frozen(post.group(ADA, BO))
    post.sink.stop()
    for tries in range(1, 6):
        post.work(mailing)
        assert (mailing.status, mailing.stop_code, mailing.server_tries) == ("sending", "mail_server", tries)
        assert mailing.due_at > timezone.now()
        assert post.outcomes(mailing) == {ADA: "queued", BO: "queued"}
        post.hurry(mailing)
    post.work(mailing)
    assert (mailing.status, mailing.stop_code) == ("paused", "mail_server")
    assert "can't be reached" in mailing.stop_text
    assert "Nobody was skipped" in mailing.stop_text
    post.sink.behave()
    enqueue.request_resume(mailing, None)
    post.work(mailing)
    assert (mailing.status, mailing.stop_code, post.sink.copies()) == ("sent", "", {ADA: 1, BO: 1})
    assert set(Recipient.objects.values_list("attempts", flat=True)) == {1}
    assert post.complaints(mailing) == []


def test_a_server_that_is_silent_for_longer_than_a_step_is_away_all_the_same(
    post: Post, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "_STEP_SECONDS", 0.01)
    monkeypatch.setattr(pipeline, "_LONE_STEP_SECONDS", 0.01)
    mailing = post.frozen(post.group(ADA))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = silent.getsockname()[1], 0.3
        post.work(mailing)
    assert (mailing.stop_code, mailing.server_tries, post.outcomes(mailing)) == ("mail_server", 1, {ADA: "queued"})
    assert "was silent" in mailing.stop_text


def test_a_server_that_refuses_the_sender_is_waited_for_in_the_same_way(post: Post) -> None:
    post.sink.sender_reply = "553 5.7.1 Who are you?"
    mailing = post.frozen(post.group(ADA, BO))
    post.work(mailing)
    assert mailing.stop_text == 'The mail server refuses the sender: "5.7.1 Who are you?".'
    assert post.outcomes(mailing) == {ADA: "queued", BO: "queued"}
    post.sink.sender_reply = ""
    post.hurry(mailing)
    post.work(mailing)
    assert (mailing.status, mailing.stop_text, mailing.server_tries) == ("sent", "", 0)


def test_an_address_that_few_servers_take_has_failed_and_says_so(post: Post) -> None:
    odd = "jörg@lamps.example"
    post.sink.takes_utf8 = False
    mailing = post.frozen(post.group(ADA, odd))
    post.work(mailing)
    assert post.outcomes(mailing) == {ADA: "sent", odd: "failed address"}
    assert "before the @" in Recipient.objects.get(email=odd).said


def test_an_address_with_letters_of_another_script_is_written_to_where_the_server_takes_them(post: Post) -> None:
    odd = "jörg@straße.example"
    group = post.group(ADA)
    post.join(group, [post.person(odd, first_name="Jörg", last_name="Ørsted")])
    mailing = post.frozen(group)
    post.work(mailing)
    assert post.outcomes(mailing) == {ADA: "sent", odd: "sent"}
    written = "jörg@xn--strae-oqa.example"
    assert post.sink.copies() == {ADA: 1, written: 1}
    [letter] = [letter for letter in post.sink.letters if letter.to == written]
    [to] = [line for line in letter.content.split(b"\r\n") if line.startswith(b"To: ")]
    assert f"<{written}>".encode() in to


def test_a_defect_of_our_own_pauses_the_mailing_with_everybody_still_queued(post: Post) -> None:
    mailing = post.frozen(post.group(ADA, BO))
    Mailing.objects.filter(pk=mailing.pk).update(subject="One\nBcc: everybody@lamps.example")  # past all checks
    post.work(mailing)
    assert (mailing.status, mailing.stop_code) == ("paused", "unexpected")
    assert post.outcomes(mailing) == {ADA: "queued", BO: "queued"}
    assert (post.sink.copies(), post.complaints(mailing)) == ({}, [])


def test_another_of_djangos_backends_is_used_where_no_smtp_server_is(
    post: Post, settings: SettingsWrapper, mailoutbox: list[EmailMessage]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    addresses = many(15)
    mailing = post.frozen(post.group(*addresses), html="<p>The lamps are lit.</p>")
    post.work(mailing)
    assert (mailing.status, post.sink.copies()) == ("sent", {})
    assert sorted(message.to[0].rpartition("<")[2].strip(">") for message in mailoutbox) == addresses
    assert post.complaints(mailing) == []


# --- what people say ---------------------------------------------------------------------------------------------


def test_pause_lets_at_most_a_window_go_and_resume_sends_the_rest_once(
    post: Post, monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper
) -> None:
    settings.MAIL_CONNECTIONS = 1
    monkeypatch.setattr(pipeline, "_STEP_SECONDS", 60)  # it is not the end of a step that stops it
    addresses = many(40)
    mailing = post.frozen(post.group(*addresses))
    post.sink.when_taken(5, partial(enqueue.request_pause, Mailing(pk=mailing.pk), None))
    post.work(mailing)
    gone = len(post.sink.letters)
    assert mailing.status == "paused"
    assert 5 <= gone < 5 + WINDOW
    figures = figures_of(mailing)
    assert (figures["outcomes"], figures["left"]) == ({"sent": gone, "queued": 40 - gone}, 40 - gone)
    enqueue.request_resume(mailing, None)
    post.work(mailing)
    assert (mailing.status, post.sink.copies()) == ("sent", dict.fromkeys(addresses, 1))
    assert post.complaints(mailing) == []


def test_a_pause_while_the_server_is_away_stays_a_pause(post: Post) -> None:
    mailing = post.frozen(post.group(ADA))
    post.sink.most_a_connection = -1  # it says so only after it was asked, when the pause has been written
    post.sink.on_refusal = partial(enqueue.request_pause, Mailing(pk=mailing.pk), None)
    post.work(mailing)
    assert (mailing.status, mailing.worker, post.outcomes(mailing)) == ("paused", "", {ADA: "queued"})


def test_a_person_who_pauses_what_waits_for_the_server_is_the_only_cause(post: Post) -> None:
    mailing = post.frozen(post.group(ADA))
    post.sink.most_a_connection = -1
    post.work(mailing)
    assert (mailing.status, mailing.stop_code, mailing.server_tries) == ("sending", "mail_server", 1)
    enqueue.request_pause(mailing, None)
    mailing.refresh_from_db()
    assert (mailing.status, mailing.stop_code, mailing.stop_text, mailing.server_tries) == ("paused", "", "", 0)


def test_cancel_lets_at_most_a_window_go_and_the_rest_is_skipped_for_that_reason(
    post: Post, settings: SettingsWrapper
) -> None:
    settings.MAIL_CONNECTIONS = 1
    mailing = post.frozen(post.group(*many(40)))
    post.sink.when_taken(5, partial(enqueue.request_cancel, Mailing(pk=mailing.pk), None))
    post.work(mailing)
    gone = len(post.sink.letters)
    assert (mailing.status, mailing.finished_at is not None) == ("cancelled", True)
    assert 5 <= gone < 5 + WINDOW
    assert figures_of(mailing)["outcomes"] == {"sent": gone, "skipped": 40 - gone}
    assert figures_of(mailing)["skipped"] == {"cancelled": 40 - gone}
    assert post.complaints(mailing) == []


def test_pause_lets_at_most_a_window_of_each_connection_go(post: Post, settings: SettingsWrapper) -> None:
    settings.MAIL_CONNECTIONS = 2
    mailing = post.frozen(post.group(*many(80)))
    # Neither connection is answered while that is written.
    post.sink.when_taken(5, partial(enqueue.request_pause, Mailing(pk=mailing.pk), None))
    post.work(mailing)
    gone = len(post.sink.letters)
    assert mailing.status == "paused"
    assert 5 <= gone < 5 + 2 * WINDOW
    assert figures_of(mailing)["outcomes"] == {"sent": gone, "queued": 80 - gone}


def test_a_slow_server_gets_fewer_messages_at_once_so_that_pause_acts_soon(
    post: Post, settings: SettingsWrapper
) -> None:
    settings.MAIL_CONNECTIONS = 1
    mailing = post.frozen(post.group(*many(30)))
    post.sink.seconds_a_message = 0.3
    post.sink.when_taken(2, partial(enqueue.request_pause, Mailing(pk=mailing.pk), None))
    post.work(mailing)
    assert (mailing.status, len(post.sink.letters)) == ("paused", 2)


# --- what is known by then (R14) ---------------------------------------------------------------------------------


def test_r11_r14_who_opted_out_between_freeze_and_send_is_skipped(post: Post) -> None:
    mailing = post.frozen(post.group(ADA, BO, CY))
    suppression.suppress(BO.upper(), SuppressionCause.OPT_OUT)
    suppression.suppress(CY, SuppressionCause.COMPLAINT)
    suppression.lift(CY, SuppressionCause.COMPLAINT)
    post.work(mailing)
    assert post.outcomes(mailing) == {ADA: "sent", BO: "skipped opt_out", CY: "sent"}
    assert (mailing.status, post.sink.copies()) == ("sent", {ADA: 1, CY: 1})
    assert post.complaints(mailing) == []


def test_r14_who_moved_to_an_address_that_is_suppressed_is_skipped(post: Post) -> None:
    mailing = post.frozen(post.group(ADA, BO))
    suppression.suppress("new@lamps.example", SuppressionCause.HARD_BOUNCE)
    Subscriber.objects.filter(email=BO).update(email="new@lamps.example", address_key="new@lamps.example")
    post.work(mailing)
    assert post.outcomes(mailing) == {ADA: "sent", BO: "skipped hard_bounce"}


def test_r14_who_left_all_groups_or_joined_one_not_to_send_to_is_skipped(post: Post) -> None:
    group, others, barred = post.group(ADA, BO, CY), post.group(name="Others"), post.group(name="Barred")
    people = {person.email: person for person in Subscriber.objects.all()}
    post.join(others, [people[ADA]])
    mailing = post.frozen(group, others, not_to=[barred])
    Membership.objects.filter(target_group=group, subscriber__in=[people[ADA], people[BO]]).delete()
    post.join(barred, [people[CY]])
    post.work(mailing)
    expected = {ADA: "sent", BO: "skipped left_group", CY: "skipped not_to_group"}
    assert post.outcomes(mailing) == expected


# --- who may write (R13) -----------------------------------------------------------------------------------------


def test_r13_a_message_delivered_twice_does_nothing_while_a_worker_lives_or_when_all_is_over(post: Post) -> None:
    mailing = post.frozen(post.group(ADA))
    other = Turn(mailing.pk)
    assert other.take()
    assert pipeline.advance(mailing.pk) is Step.DONE
    assert post.outcomes(mailing) == {ADA: "queued"}
    other.release()
    post.work(mailing)
    assert pipeline.advance(mailing.pk) is Step.DONE
    assert post.sink.copies() == {ADA: 1}


def overtaken(post: Post, mailing: Mailing) -> tuple[str, list[int]]:
    """Let a worker put two into flight and be silent until its turn is over; give its token, and whom it looked up."""
    late = Turn(mailing.pk)
    assert late.take()
    ids = lease.next_due(mailing.pk, 0, 4)
    lease.into_flight(mailing.pk, late.token, ids[:2])
    Mailing.objects.filter(pk=mailing.pk).update(worker_until=timezone.now())
    Recipient.objects.filter(leased_by=late.token).update(leased_until=timezone.now())
    return late.token, ids


def test_r13_a_dead_workers_turn_is_anothers_and_its_window_becomes_unknown(post: Post) -> None:
    mailing = post.frozen(post.group(*many(5)))
    overtaken(post, mailing)
    post.work(mailing)
    assert figures_of(mailing)["outcomes"] == {"sent": 3, "unknown": 2}
    assert (mailing.status, post.complaints(mailing)) == ("sent_with_errors", [])


def test_r13_a_worker_that_wakes_up_too_late_can_send_nothing_and_tells_only_what_it_knows(post: Post) -> None:
    mailing = post.frozen(post.group(*many(4)))
    late, ids = overtaken(post, mailing)
    assert Turn(mailing.pk).take()
    lease.recover(mailing.pk)
    assert lease.into_flight(mailing.pk, late, ids[2:]) == []
    lease.settle(mailing.pk, late, [(ids[0], Verdict("sent")), (ids[1], BACK)])
    assert figures_of(mailing)["outcomes"] == {"sent": 1, "unknown": 1, "queued": 2}


class OtherRoad(smtp.EmailBackend):
    """Not Django's own by its name: messages go the way of other libraries."""


@pytest.mark.parametrize("backend", [deliver.SMTP, f"{__name__}.{OtherRoad.__name__}"])
def test_r13_a_sender_that_sleeps_for_longer_than_its_turn_hands_nothing_over_when_it_wakes(
    post: Post, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    settings.MAIL_CONNECTIONS, settings.EMAIL_BACKEND = 1, backend
    addresses = many(20)
    mailing = post.frozen(post.group(*addresses))
    slept: list[float] = []
    awake = turn._awake
    monkeypatch.setattr(turn, "_awake", lambda: awake() + sum(slept))

    def sleep() -> None:
        """Meanwhile another worker finds the turn over, and a person has all unknown ones sent again."""
        slept.append(2 * settings.MAILING_SILENCE_SECONDS)
        Mailing.objects.filter(pk=mailing.pk).update(worker="", worker_until=None)
        Recipient.objects.filter(outcome="in_flight").update(leased_until=timezone.now())
        lease.recover(mailing.pk)
        lease.decide_unknown(mailing.pk, resend=True, decided_by="dana")

    post.sink.when_taken(3, sleep)
    post.work(mailing)
    assert mailing.status == "sent"
    copies = post.sink.copies()
    assert sorted(copies) == addresses
    # Three were in the server's hands before, and are sent again because somebody said so; nobody else is.
    assert sorted(copies.values())[:17] == [1] * 17


def test_what_the_version_before_had_leased_one_by_one_returns(post: Post) -> None:
    """Both versions are at work while a site is upgraded; this one leases nobody by name."""
    mailing = post.frozen(post.group(*many(3)))
    everybody = "SELECT id, outcome, reason FROM mailings_recipient WHERE mailing_id = %(mailing)s"
    move(mailing.pk, everybody, "outcome = 'leased', leased_by = 'killed', leased_until = clock_timestamp()")
    post.work(mailing)
    assert (mailing.status, set(post.sink.copies().values()), post.complaints(mailing)) == ("sent", {1}, [])


def test_r13_a_long_turn_is_kept_while_its_worker_lives(post: Post, settings) -> None:
    settings.MAILING_SILENCE_SECONDS = 0.5
    mailing = post.frozen(post.group(*many(4)))
    post.sink.seconds_a_message = 0.4
    seen: list[Step] = []
    post.sink.when_taken(4, lambda: seen.append(pipeline.advance(mailing.pk)))
    post.work(mailing)
    assert (mailing.status, seen, set(post.sink.copies().values())) == ("sent", [Step.DONE], {1})


def test_r13_never_more_are_in_flight_than_the_connections_may_have(
    post: Post, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_CONNECTIONS = 2
    mailing = post.frozen(post.group(*many(150)))
    exchange = lease.exchange
    counts: list[int] = []

    def counted(*args: Any) -> Any:
        moved = exchange(*args)
        counts.append(Recipient.objects.filter(mailing=mailing, outcome="in_flight").count())
        return moved

    monkeypatch.setattr(lease, "exchange", counted)
    post.work(mailing)
    assert (mailing.status, set(post.sink.copies().values())) == ("sent", {1})
    assert 1 < max(counts) <= 2 * WINDOW


def test_r13_what_is_known_is_written_down_even_if_the_change_that_told_it_fails(
    post: Post, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_CONNECTIONS = 2
    mailing = post.frozen(post.group(*many(80)))
    exchange = lease.exchange
    calls: list[int] = []

    def failing(mailing_id: int, token: str, verdicts: list[Any], ids: list[int]) -> Any:
        calls.append(len(verdicts))
        if sum(calls) >= 20:
            raise RuntimeError("a defect")
        return exchange(mailing_id, token, verdicts, ids)

    monkeypatch.setattr(lease, "exchange", failing)
    post.work(mailing)
    assert mailing.status == "paused"
    gone = len(post.sink.letters)
    assert 20 <= gone < 80
    assert figures_of(mailing)["outcomes"] == {"sent": gone, "queued": 80 - gone}
    monkeypatch.undo()
    enqueue.request_resume(mailing, None)
    post.work(mailing)
    assert (mailing.status, set(post.sink.copies().values()), post.complaints(mailing)) == ("sent", {1}, [])


# --- backends of other libraries -----------------------------------------------------------------------------------


class Provider(BaseEmailBackend):
    """Answers the messages as a mail provider's library does: by raising, or by taking them."""

    answers: ClassVar[dict[str, Exception]] = {}

    def send_messages(self, email_messages: list[EmailMessage]) -> int:  # type: ignore[override]
        for message in email_messages:
            for address, answer in self.answers.items():
                if address in message.to[0]:
                    raise answer
        return len(email_messages)


def told(words: str, code: int) -> AnymailAPIError:
    """Make the error of a provider's answer."""
    answer = requests.Response()
    answer.status_code, answer.reason, answer.raw = code, "Refused", BytesIO()
    return AnymailAPIError(words, status_code=code, response=answer)


@pytest.fixture
def provider(settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch) -> dict[str, Exception]:
    settings.EMAIL_BACKEND = f"{__name__}.Provider"
    answers: dict[str, Exception] = {}
    monkeypatch.setattr(Provider, "answers", answers)
    return answers


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (told("No such box", 400), "failed 400", ""),
        (AnymailRecipientsRefused("All were refused"), "failed refused", ""),
        (told(f"Wrong key for {ADA}", 401), "queued", "mail_server"),
        (AnymailConfigurationError("The key is not set"), "queued", "mail_server"),
        (ValueError("The library stumbled"), "unknown", "mail_server"),
    ],
    ids=["refused", "recipient", "account", "setting", "library"],
)
def test_what_a_providers_library_says_has_its_own_end(
    post: Post, provider: dict[str, Exception], answer: Exception, outcome: str, code: str
) -> None:
    provider[ADA] = answer
    mailing = post.frozen(post.group(ADA))
    post.work(mailing)
    assert post.outcomes(mailing) == {ADA: outcome}
    assert (mailing.status, mailing.stop_code) == ("paused" if code else "failed", code)
    if code:
        assert str(answer.args[0]).replace(ADA, "(an address)") in mailing.stop_text
    assert (ADA in mailing.stop_text, post.complaints(mailing)) == (False, [])


def test_a_provider_that_has_had_enough_is_waited_for(post: Post, provider: dict[str, Exception]) -> None:
    provider[ADA] = told("Slow down", 429)
    mailing = post.frozen(post.group(ADA))
    post.work(mailing)
    assert (mailing.status, mailing.stop_code, post.outcomes(mailing)) == ("sending", "mail_server", {ADA: "queued"})
    assert "Slow down" in mailing.stop_text


def test_a_backend_that_there_is_not_pauses_the_mailing_with_its_words(post: Post, settings: SettingsWrapper) -> None:
    settings.EMAIL_BACKEND = "no.such.Backend"
    mailing = post.frozen(post.group(ADA))
    post.work(mailing)
    assert (mailing.status, mailing.stop_code) == ("paused", "mail_server")
    assert "No module named" in mailing.stop_text


def test_a_sender_that_mail_servers_refuse_is_told_before_and_pauses_what_slipped_through(post: Post) -> None:
    mailing = post.mailing(post.group(ADA))
    Mailing.objects.filter(pk=mailing.pk).update(from_email="grüße@lamps.example")
    mailing.refresh_from_db()
    assert "other letters than a to z" in enqueue.problems(mailing)["from_email"]
    post.freeze(mailing)
    post.work(mailing)
    assert (mailing.status, mailing.stop_code, post.outcomes(mailing)) == ("paused", "mail_server", {ADA: "queued"})
