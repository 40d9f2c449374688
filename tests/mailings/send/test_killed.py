"""R13: workers are killed at every step of a mailing, and nobody gets two copies. Real workers, real mail server."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from mailings import enqueue
from mailings.choices import UNSETTLED
from mailings.models import Mailing, Recipient
from mailings.querysets import figures_of
from mailings.send import pipeline
from targetgroups.sync import single_flight
from tests.support import mortal
from tests.support.engine import Engine
from tests.support.post import Post
from tests.support.workers import Worker
from thrive_sync.lib.steps import Step

if TYPE_CHECKING:
    from targetgroups.models import Bridge
    from tests.support.sink import Sink

LONGEST = 240.0
WINDOW = 10
IN_FLIGHT = ("in flight, before sending", "after sending, before the outcome")
# At these steps the connections that followed the first have something in flight, too.
ALL_IN_FLIGHT = ("after the outcome, before sending the next", "before the last outcome")

StartMortal = Callable[[], Worker]


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def start_mortal(engine: Engine, sink: Sink, steps: Path, start_worker: Callable[..., Worker]) -> StartMortal:
    """Start workers that can be killed at a step, and whose silence is noticed within a second."""
    environment = {
        "MORTAL_STEPS": str(steps),
        "EMAIL_URL": f"smtp://127.0.0.1:{sink.port}",
        "SITE_URL": settings.SITE_URL,
        "MAIL_POSTAL_ADDRESS": settings.MAIL_POSTAL_ADDRESS,
        "MAILING_SILENCE_SECONDS": "1",
        "SYNC_HEARTBEAT_SECONDS": "0.25",
        "SYNC_SILENCE_SECONDS": "2",
        "MEMBERSUITE_RETRY_WAIT_SECONDS": "0.05",
    }

    def start() -> Worker:
        # As many processes as there are steps to die at: a pool looks for its dead every five seconds only.
        return start_worker(
            "mailings",
            "interactive",
            app="tests.support.mortal",
            environment=environment,
            concurrency=len(mortal.STEPS),
        )

    return start


@pytest.fixture
def post(engine: Engine, bridge: Bridge, sink: Sink) -> Post:
    engine.refresh()
    return Post(bridge, sink)


def until_over(*mailings: Mailing) -> None:
    """Sweep, as the clock would, until the mailings have ended."""
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        for mailing in mailings:
            mailing.refresh_from_db()
        if all(mailing.is_final for mailing in mailings):
            return
        pipeline.sweep()
        single_flight.sweep_stalled()
        time.sleep(0.2)
    raise AssertionError([(mailing.status, mailing.stop_text) for mailing in mailings])


def copies_by_mailing(post: Post) -> dict[tuple[str, str], int]:
    """Say by the mail server's own log how often each mailing came to each address."""
    found: dict[tuple[str, str], int] = {}
    for letter in post.sink.letters:
        key = (str(letter.message["Subject"]), letter.to)
        found[key] = found.get(key, 0) + 1
    return found


def accounts_for_everybody(post: Post, mailing: Mailing) -> None:
    copies = copies_by_mailing(post)
    recipients = Recipient.objects.filter(mailing=mailing)
    assert recipients.count() > 0
    assert not recipients.filter(outcome__in=UNSETTLED).exists()
    for email, outcome in recipients.values_list("email", "outcome"):
        got = copies.get((mailing.subject, ascii_of(email)), 0)
        assert got == 1 if outcome == "sent" else got <= 1, f"{outcome} got {got} copies"
    assert [wrong for wrong in post.complaints(mailing) if "copies" not in wrong] == []


def ascii_of(email: str) -> str:
    from mailings.send.render import ascii_address

    return ascii_address(email)


def test_r13_a_worker_killed_at_any_step_leaves_nobody_with_two_copies_and_everybody_accounted_for(
    post: Post, engine: Engine, steps: Path, start_mortal: StartMortal
) -> None:
    for step in mortal.STEPS:
        mortal.arm(steps, step)
    start_mortal()
    mailings = [post.mailing(engine.group("Board of directors"), subject=f"Letter {number}") for number in range(3)]
    mailings.append(post.mailing(engine.group("Current members"), subject="Letter 4"))
    for mailing in mailings:
        enqueue.request_send(mailing, None)
    until_over(*mailings)
    assert mortal.unreached(steps) == [], "each step has killed a process"
    unknown = 0
    for mailing in mailings:
        accounts_for_everybody(post, mailing)
        unknown += figures_of(mailing)["outcomes"].get("unknown", 0)
    assert max(copies_by_mailing(post).values()) == 1
    assert 0 < unknown <= WINDOW * (len(IN_FLIGHT) + settings.MAIL_CONNECTIONS * len(ALL_IN_FLIGHT))


@pytest.mark.parametrize("step", IN_FLIGHT[1:])
def test_r13_when_the_whole_worker_is_lost_another_goes_on_and_a_second_delivery_does_nothing(
    post: Post, engine: Engine, steps: Path, start_mortal: StartMortal, step: str
) -> None:
    mortal.arm(steps, step, mortal.WORKER)
    first = start_mortal()
    mailing = post.mailing(engine.group("Current members"))
    enqueue.request_send(mailing, None)
    first.process.wait(LONGEST)
    before: list[Any] = list(post.sink.letters)
    assert before
    start_mortal()
    until_over(mailing)
    accounts_for_everybody(post, mailing)
    figures = figures_of(mailing)
    assert 0 < figures["outcomes"]["unknown"] <= WINDOW
    taken = len(post.sink.letters)
    assert pipeline.advance(mailing.pk) == Step.DONE
    assert len(post.sink.letters) == taken
