"""Sending a mailing: messages a second handed to a local mail server, beside other senders and the limits.

The product writes down each recipient's flight and outcome in PostgreSQL meanwhile; of the others only
django-post-office keeps any books. Every message is personal, with text and HTML, and about 9 KB. Two servers take
them: Postfix's smtp-sink, which answers at once, and one of ours that answers each time 20 ms later, as a relay does.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from django.conf import settings

from bench import goals, mailing_message, peers
from bench.goals import Goal, ItemResult, Scale
from bench.mailing_product import Product
from bench.mailing_programs import ListmonkPool, Nodemailer, Postfix, Sink
from bench.peers import PeerMissing

PRODUCT, LISTMONK, LIMIT = "product", "listmonk's SMTP pool", "smtp-source, 10 sessions"
POST_OFFICE, DJANGO = "django-post-office", "Django send_messages"
MASS_MAIL, SMTPLIB, NODEMAILER = "Django send_mass_mail, text only", "smtplib, 8 threads", "nodemailer"
# What the driver in the peers' own environment calls them.
_DRIVEN = {DJANGO: "send_messages", MASS_MAIL: "send_mass_mail", POST_OFFICE: "post_office", SMTPLIB: "smtplib"}
LAG_MS = 20.0
_SESSIONS = 10
_PROOF = 20  # messages of each that are read one by one, before anything is measured

# What part of the product's number of messages each gets, so that all take about as long.
_AT_ONCE = {
    PRODUCT: 1.0,
    LISTMONK: 1.0,
    LIMIT: 1.5,
    SMTPLIB: 0.4,
    MASS_MAIL: 0.12,
    DJANGO: 0.08,
    POST_OFFICE: 0.06,
    NODEMAILER: 0.1,
}
_WITH_LAG = {PRODUCT: 0.2, LISTMONK: 0.025, SMTPLIB: 0.025, POST_OFFICE: 0.02, DJANGO: 0.003}
_NEEDED_AT_ONCE = {LISTMONK: 1.5, DJANGO: 12.0, POST_OFFICE: 12.0, LIMIT: 1.0}

Send = Callable[[int, int], float]  # to a port, so many messages: the seconds it took
Rates = dict[str, list[float]]


def measure(scale: Scale) -> ItemResult:
    logging.disable(logging.INFO)
    with ExitStack() as stack:
        missing: dict[str, str] = {}
        senders = _senders(stack, scale, missing)
        lagging, proving = stack.enter_context(_own_sink(LAG_MS)), stack.enter_context(_own_sink(0))
        complaints = _prove(senders, proving, missing)
        with_lag = _rates(senders, _WITH_LAG, scale, missing, lagging)
        complaints += lagging.complaints
        at_once: Rates = {}
        try:
            postfix = Postfix()
            sink = _Counted(stack.enter_context(postfix.sink()))
        except PeerMissing as error:
            missing[LIMIT] = str(error)
        else:
            if LIMIT not in missing:
                size = len(mailing_message.text(0).encode()) + len(mailing_message.html(0).encode()) + 800
                senders[LIMIT] = lambda port, count: _timed(lambda: postfix.source(port, count, _SESSIONS, size))
            at_once = _rates(senders, _AT_ONCE, scale, missing, sink)
            complaints += sink.complaints
    return ItemResult(_figures(at_once, with_lag), _goals(at_once, with_lag, missing), _notes(missing), complaints)


def _senders(stack: ExitStack, scale: Scale, missing: dict[str, str]) -> dict[str, Send]:
    connections = settings.MAIL_CONNECTIONS
    product = Product(scale.people)
    found: dict[str, Send] = {PRODUCT: product.seconds}
    wanted = [name for name in (*_DRIVEN, LISTMONK, NODEMAILER, LIMIT) if scale.wants(name)]
    missing |= {name: "not asked for" for name in (*_DRIVEN, LISTMONK, NODEMAILER, LIMIT) if name not in wanted}
    for name, program in ((LISTMONK, ListmonkPool), (NODEMAILER, Nodemailer)):
        if name in wanted:
            try:
                found[name] = partial(program().seconds, connections=connections)
            except PeerMissing as error:
                missing[name] = str(error)
    driven = [name for name in _DRIVEN if name in wanted]
    try:
        driver = stack.enter_context(_driver()) if driven else None
    except PeerMissing as error:
        missing |= dict.fromkeys(driven, str(error))
    else:
        for name in driven:
            found[name] = partial(_asked, driver, _DRIVEN[name])
    return found


def _prove(senders: dict[str, Send], sink: OwnSink, missing: dict[str, str]) -> list[str]:
    """Let each send a few messages that are read: one for each address, with its reader's name."""
    for name, send in senders.items():
        try:
            send(sink.port, _PROOF)
        except PeerMissing as error:
            missing[name] = str(error)
            sink.told()
        else:
            sink.check(name, _PROOF)
    return sink.complaints


def _rates(
    senders: dict[str, Send], shares: dict[str, float], scale: Scale, missing: dict[str, str], sink: OwnSink | _Counted
) -> Rates:
    def rate(name: str) -> float:
        count = max(8, round(scale.people * shares[name]))
        if name in missing:
            return float("nan")
        try:
            seconds = senders[name](sink.port, count)
        except PeerMissing as error:
            missing[name] = str(error)
            sink.told()
            return float("nan")
        sink.check(name, count)
        return count / seconds

    cases = {name: partial(rate, name) for name in shares if name in senders}
    found = goals.interleaved(cases, scale.rounds)
    return {name: [value for value in values if value == value] for name, values in found.items()}


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


# --- what is told -------------------------------------------------------------------------------------------------


def _figures(at_once: Rates, with_lag: Rates) -> list[goals.Figure]:
    cases = (("smtp-sink", at_once), (f"{LAG_MS:g} ms a reply", with_lag))
    return [
        figure
        for case, rates in cases
        for name, values in rates.items()
        for figure in goals.figures_of("mailing", name, case, values, "messages/s")
    ]


def _goals(at_once: Rates, with_lag: Rates, missing: dict[str, str]) -> list[Goal]:
    found = [_goal("4a", "smtp-sink", name, needed, at_once, missing) for name, needed in _NEEDED_AT_ONCE.items()]
    found.append(_goal("4b", f"{LAG_MS:g} ms a reply", LISTMONK, 4.0, with_lag, missing))
    best = settings.MAIL_CONNECTIONS / LAG_MS * 1000
    what = f"{LAG_MS:g} ms a reply: product over connections / round trip"
    found.append(goals.at_least("4b", what, with_lag.get(PRODUCT, []), [best], 0.8))
    return found


def _goal(number: str, case: str, name: str, needed: float, rates: Rates, missing: dict[str, str]) -> Goal:
    what = f"{case}: product over {name}"
    if not rates.get(name):
        why = missing.get(name) or missing.get(LIMIT, "it was not measured")
        return goals.not_measured(number, what, needed, "at least", why)
    return goals.at_least(number, what, rates[PRODUCT], rates[name], needed)


def _notes(missing: dict[str, str]) -> list[str]:
    notes = [
        f"The product, listmonk's pool and nodemailer have {settings.MAIL_CONNECTIONS} connections.",
        "The product writes down each recipient's flight and outcome; post-office what it queued and sent.",
        "smtp-source sends one message again and again, and is the limit of what does not pipeline.",
    ]
    return notes + [f"{name} was not measured: {why}." for name, why in sorted(missing.items())]


# --- who takes the messages ---------------------------------------------------------------------------------------


class OwnSink:
    """Our own server, in a process of its own; it reads every message, when it is asked."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process, self.port = process, port
        self.complaints: list[str] = []

    def told(self) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        print("told", file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def check(self, name: str, count: int) -> None:
        found = self.told()
        if found["count"] != count or found["addresses"] != count:
            self.complaints.append(
                f"{name}: {found['count']} messages to {found['addresses']} addresses came of {count}"
            )
        self.complaints += [f"{name}: {wrong}" for wrong in found["wrong"]]


@contextmanager
def _own_sink(lag_ms: float) -> Iterator[OwnSink]:
    command = [sys.executable, "-m", "bench.mailing_sink", str(lag_ms)]
    process = subprocess.Popen(command, cwd=peers.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield OwnSink(process, int(process.stdout.readline()))
    finally:
        _end(process)


class _Counted:
    """smtp-sink, which counts and forgets."""

    def __init__(self, sink: Sink) -> None:
        self._sink, self.port = sink, sink.port
        self._counted = 0
        self.complaints: list[str] = []

    def told(self) -> int:
        before, self._counted = self._counted, self._sink.count()
        return self._counted - before

    def check(self, name: str, count: int) -> None:
        if (came := self.told()) != count:
            self.complaints.append(f"{name}: {came} messages came of {count}")


# --- the peers in Python ------------------------------------------------------------------------------------------


@contextmanager
def _driver() -> Iterator[subprocess.Popen[str]]:
    environment = {"POST_OFFICE_URL": os.environ["DATABASE_URL"], "PATH": os.environ["PATH"]}
    process = subprocess.Popen(
        [str(peers.python_of("mailing")), str(peers.ROOT / "bench" / "mailing_peers.py")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        _end(process)


def _asked(driver: subprocess.Popen[str] | None, name: str, port: int, count: int) -> float:
    if driver is None or driver.stdin is None or driver.stdout is None:
        raise PeerMissing("its driver is away")
    print(name, port, count, file=driver.stdin, flush=True)
    answer = json.loads(driver.stdout.readline() or '{"why": "its driver ended"}')
    if isinstance(answer, dict):
        raise PeerMissing(str(answer["why"]))
    return float(answer)


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
