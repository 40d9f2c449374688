"""Two who move the same mailing's recipients at once never wait for each other for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import connection, connections
from django.utils import timezone

from mailings import optout
from mailings.choices import MailingStatus, Outcome
from mailings.models import Mailing, Recipient
from mailings.send import lease
from mailings.send.turn import _in_a_while

if TYPE_CHECKING:
    from tests.support.post import Post

LONGEST = 20.0


@contextmanager
def other_session() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(**connection.get_connection_params()) as session:  # type: ignore[call-overload]
        yield session


@pytest.fixture
def errors() -> list[BaseException]:
    return []


def take_turn(mailing: Mailing, token: str) -> None:
    Mailing.objects.filter(pk=mailing.pk).update(worker=token)


def in_flight(mailing: Mailing, token: str, count: int) -> list[int]:
    """Put the next ones into flight, by the turn of a worker of that name."""
    take_turn(mailing, token)
    moved = lease.into_flight(mailing.pk, token, lease.next_due(mailing.pk, 0, count))
    return [recipient.pk for recipient in moved]


def begin(act: Callable[..., object], errors: list[BaseException], waiting: int) -> threading.Thread:
    """Do something on a connection of its own, and come back when so many sessions wait for a lock."""

    def run() -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    until = time.monotonic() + LONGEST
    while _waiting() < waiting:
        assert thread.is_alive(), f"it did not wait: {errors}"
        assert time.monotonic() < until
        time.sleep(0.01)
    return thread


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def test_a_living_sender_keeps_its_own_while_some_of_them_are_being_moved(post: Post) -> None:
    mailing = post.frozen(post.group(*(f"keeper{number}@lamps.example" for number in range(3))))
    first, *others = in_flight(mailing, "me", 3)
    Recipient.objects.filter(mailing=mailing).update(leased_until=None)
    with other_session() as session, connection.cursor() as cursor:
        session.execute("SELECT id FROM mailings_recipient WHERE id = %s FOR UPDATE", [first])
        cursor.execute("SET lock_timeout = '5s'")
        try:
            lease.keep(mailing.pk, "me", _in_a_while())
        finally:
            cursor.execute("RESET lock_timeout")
    kept = Recipient.objects.filter(mailing=mailing, leased_until__isnull=False).values_list("pk", flat=True)
    assert sorted(kept) == others


@pytest.mark.parametrize("kind", ["in_flight", "queued"])
def test_a_sender_that_gives_back_and_one_that_goes_on_count_one_after_the_other(
    post: Post, errors: list[BaseException], kind: str
) -> None:
    mailing = post.frozen(post.group(*(f"keeper{number}@lamps.example" for number in range(6))))
    back = [(pk, lease.BACK) for pk in in_flight(mailing, "overtaken", 2)]
    others = lease.next_due(mailing.pk, 0, 2)
    take_turn(mailing, "next")
    with other_session() as session:
        session.execute(
            "SELECT id FROM mailings_tally WHERE mailing_id = %s AND kind = %s FOR UPDATE", [mailing.pk, kind]
        )
        threads = [begin(lambda: lease.settle(mailing.pk, "overtaken", back), errors, 1)]
        threads.append(begin(lambda: lease.into_flight(mailing.pk, "next", others), errors, 2))
    for thread in threads:
        thread.join(LONGEST)
    assert errors == []
    assert post.complaints(mailing) == []


def test_answers_of_all_kinds_are_written_together(post: Post) -> None:
    mailing = post.frozen(post.group(*(f"keeper{number}@lamps.example" for number in range(4))))
    sent, put_off, refused, back = in_flight(mailing, "me", 4)
    answers = {
        sent: lease.TAKEN,
        put_off: lease.with_patience(lease.Verdict(Outcome.DEFERRED, "451", "4.3.0 not now"), 1),
        refused: lease.Verdict(Outcome.FAILED, "552", "5.2.2 too large"),
        back: lease.BACK,
    }
    lease.settle(mailing.pk, "me", answers.items())
    rows = Recipient.objects.filter(mailing=mailing)
    assert dict(rows.values_list("pk", "outcome")) == {pk: verdict.outcome for pk, verdict in answers.items()}
    assert list(rows.filter(due_at__gt=timezone.now()).values_list("pk", flat=True)) == [put_off]
    assert post.complaints(mailing) == []


def test_what_was_sent_and_who_goes_next_are_written_at_once_and_each_is_asked_for_its_own_state(post: Post) -> None:
    mailing = post.frozen(post.group(*(f"keeper{number}@lamps.example" for number in range(8))))
    sent, others_answer, late = in_flight(mailing, "me", 3)
    first, barred, others, early, put_off = lease.next_due(mailing.pk, late, 8)
    rows = Recipient.objects.filter(mailing=mailing)
    lease.into_flight(mailing.pk, "me", [others])
    rows.filter(pk__in=[others_answer, others]).update(leased_by="another")
    rows.filter(pk=put_off).update(due_at=timezone.now() + timedelta(hours=1))
    rows.filter(pk=late).update(leased_until="2020-01-01T00:00Z")
    lease.recover(mailing.pk)
    optout.opt_out(rows.get(pk=barred), "page")
    told = [(pk, lease.TAKEN) for pk in (sent, others_answer, late, early)]
    moved = lease.exchange(mailing.pk, "me", told, [first, barred, others, sent, put_off])
    assert [(one.pk, one.outcome) for one in moved] == [(first, "in_flight"), (barred, "skipped")]
    found = dict(rows.values_list("pk", "outcome"))
    assert found == {
        sent: "sent",
        others_answer: "in_flight",
        late: "sent",  # it was unknown, and now it is known
        first: "in_flight",
        barred: "skipped",
        others: "in_flight",
        early: "queued",  # nobody is sent who was not in flight
        put_off: "queued",
    }
    assert post.complaints(mailing) == []


@pytest.mark.parametrize(
    ("values", "outcomes"),
    [
        ("leased_until = now() + interval '1 hour'", ["sent", "in_flight"]),
        ("leased_by = 'another', due_at = now() + interval '1 hour'", ["in_flight", "queued"]),
    ],
)
def test_who_was_changed_while_the_move_waited_is_asked_for_the_state_they_are_in_now(
    post: Post, errors: list[BaseException], values: str, outcomes: list[str]
) -> None:
    mailing = post.frozen(post.group("ada@lamps.example", "bo@lamps.example"))
    [sent] = in_flight(mailing, "me", 1)
    due = lease.next_due(mailing.pk, sent, 1)
    with other_session() as session:
        session.execute(f"UPDATE mailings_recipient SET {values} WHERE mailing_id = %s".encode(), [mailing.pk])
        thread = begin(lambda: lease.exchange(mailing.pk, "me", [(sent, lease.TAKEN)], due), errors, 1)
    thread.join(LONGEST)
    assert errors == []
    assert list(Recipient.objects.filter(mailing=mailing).order_by("pk").values_list("outcome", flat=True)) == outcomes
    assert post.complaints(mailing) == []


def test_r13_what_was_sent_is_written_though_nothing_more_may_go_out(post: Post) -> None:
    mailing = post.frozen(post.group("ada@lamps.example", "bo@lamps.example"))
    [sent] = in_flight(mailing, "me", 1)
    [queued] = lease.next_due(mailing.pk, sent, 2)
    Mailing.objects.filter(pk=mailing.pk).update(status=MailingStatus.PAUSED)
    assert lease.exchange(mailing.pk, "me", [(sent, lease.TAKEN)], [queued]) == []
    assert list(Recipient.objects.filter(mailing=mailing).order_by("pk").values_list("outcome", "attempts")) == [
        ("sent", 1),
        ("queued", 0),
    ]


def test_whose_turn_is_over_puts_nobody_into_flight_though_everybody_still_waits(post: Post) -> None:
    mailing = post.frozen(post.group("ada@lamps.example", "bo@lamps.example"))
    [sent] = in_flight(mailing, "me", 1)
    queued = lease.next_due(mailing.pk, 0, 2)
    take_turn(mailing, "another")
    assert lease.into_flight(mailing.pk, "me", queued) == []
    assert lease.exchange(mailing.pk, "me", [(sent, lease.TAKEN)], queued) == []
    assert sorted(Recipient.objects.filter(mailing=mailing).values_list("outcome", flat=True)) == ["queued", "sent"]
