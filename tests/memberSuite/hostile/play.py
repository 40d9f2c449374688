"""Play one case: a client of its own does one thing at an address where it is lied to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from memberSuite import MemberSuiteClient, MemberSuiteError, connect
from tests.memberSuite.connecting import clock, concierge_settings, rest_settings
from tests.memberSuite.hostile import judge, wire
from tests.memberSuite.hostile.judge import Heard
from tests.memberSuite.hostile.kinds import KINDS
from tests.memberSuite.hostile.pages import PAGES
from tests.memberSuite.hostile.script import NAMES, WEIGHTS, Script
from tests.memberSuite.hostile.server import HostileServer
from tests.memberSuite.hostile.truth import Truth, TruthOfSearch

LONGEST = 120.0  # seconds on the slowest machine; the time-outs below end each case in a few
# How often each is done, and about how many calls it makes.
_DOES = {
    "read_people": (6, 9),
    "look_up": (3, 3),
    "do_not_email": (2, 7),
    "list": (2, 3),
    "get": (2, 2),
    "count": (1, 3),
    "check": (1, 6),
    "write": (1, 4),
}
_WITH_ROWS = ("read_people", "read_people", "look_up", "do_not_email")


@dataclass(frozen=True)
class Case:
    transport: str
    does: str
    script: Script
    in_flight: int

    @classmethod
    def draw(cls, seed: str, *, name: str = "", transport: str = "", does: str = "") -> Case:
        """Draw a case; what is given is not drawn."""
        random = Random(f"case {seed}")
        transport = transport or random.choice(("concierge", "concierge", "rest"))
        name = name or random.choices(NAMES, WEIGHTS)[0]
        is_of_rows = name in PAGES or (name in KINDS and KINDS[name].is_of_rows)
        weights = [weight for weight, _ in _DOES.values()]
        does = does or (random.choice(_WITH_ROWS) if is_of_rows else random.choices(list(_DOES), weights)[0])
        calls = _DOES[does][1] * (3 if transport == "rest" else 1)
        return cls(transport, does, Script.draw(seed, name, calls), random.choice((1, 1, 1, 3)))

    def __str__(self) -> str:
        script = self.script
        return f"case {script.seed}: {self.transport} {self.does}, {script.name} after {script.skip} x{script.times}"


@dataclass(frozen=True)
class Verdict:
    complaints: list[str]
    ended: str  # "well", or the code of the error
    struck: int


def play(case: Case, server: HostileServer, truths: dict[str, Truth]) -> Verdict:
    """Do it, and judge how it ended; every end but a result or an error of the client's own tree is a complaint."""
    stop = threading.Event()
    watchdog = threading.Timer(LONGEST, stop.set)
    watchdog.start()
    try:
        with _client(case, server, stop) as client:
            ended, complaints = "well", _do(case, client, truths[case.transport])
    except MemberSuiteError as error:
        ended, complaints = error.code, judge.error(error)
    except Exception as error:  # that there is none is what is shown
        ended, complaints = type(error).__name__, [f"raised {error!r:.300}"]
    finally:
        watchdog.cancel()
    if stop.is_set():
        complaints.append("it did not end")
    return Verdict([f"{case}: {complaint}" for complaint in complaints], ended, case.script.struck)


def _client(case: Case, server: HostileServer, stop: threading.Event) -> MemberSuiteClient:
    patience = {"connect_timeout": 0.2, "read_timeout": 0.1} if case.script.name in wire.STALLS else {}
    settings = (concierge_settings if case.transport == "concierge" else rest_settings)(
        server.address_of(case.script),
        **{"page_size": 25, "in_flight": case.in_flight, "retry_wait": 0.001, "throttle_cap": 0.01, **patience},
    )
    return connect(settings, clock=clock, stop=stop)


def _do(case: Case, client: MemberSuiteClient, truth: Truth) -> list[str]:
    random = Random(f"does {case.script.seed}")
    of = truth.searches[random.choice(list(truth.searches))]
    return _HOW[case.does](client, truth, of, lambda: Heard.of(case.script), random)


Hear = Callable[[], Heard]
How = Callable[[MemberSuiteClient, Truth, TruthOfSearch, Hear, Random], list[str]]


def _read_people(client: MemberSuiteClient, truth: Truth, of: TruthOfSearch, heard: Hear, random: Random) -> list[str]:
    reading = client.read_people(of.search)
    pages = list(reading)
    return judge.reading(reading, pages, truth, of, heard(), mailable=True)


def _do_not_email(client: MemberSuiteClient, truth: Truth, of: TruthOfSearch, heard: Hear, random: Random) -> list[str]:
    reading = client.read_do_not_email(of.search)
    pages = list(reading)
    return judge.reading(reading, pages, truth, of, heard(), mailable=False)


def _look_up(client: MemberSuiteClient, truth: Truth, of: TruthOfSearch, heard: Hear, random: Random) -> list[str]:
    asked = set(random.sample(sorted(truth.everybody), random.choice((1, 5, 40))))
    if random.random() < 0.3:
        pages = list(client.look_up_records(asked))
        return judge.people(pages, truth, {}, heard())
    pages = list(client.look_up(of.search, asked))
    return judge.look_up(pages, asked, truth, of, heard())


def _list(client: MemberSuiteClient, truth: Truth, of: TruthOfSearch, heard: Hear, random: Random) -> list[str]:
    return judge.searches(client.list_searches(), truth, heard())


def _get(client: MemberSuiteClient, truth: Truth, of: TruthOfSearch, heard: Hear, random: Random) -> list[str]:
    return judge.search(client.get_search(of.search.remote_id), of.search, heard())


def _count(client: MemberSuiteClient, truth: Truth, of: TruthOfSearch, heard: Hear, random: Random) -> list[str]:
    only_mailable = random.random() < 0.5
    counted = client.count_rows(of.search, only_mailable=only_mailable)
    return judge.count(counted, of, heard(), only_mailable=only_mailable)


def _check(client: MemberSuiteClient, truth: Truth, of: TruthOfSearch, heard: Hear, random: Random) -> list[str]:
    steps = list(client.check())
    return [] if len(steps) == 4 and all(step.said for step in steps) else [f"a check of {len(steps)} steps"]


def _write(client: MemberSuiteClient, truth: Truth, of: TruthOfSearch, heard: Hear, random: Random) -> list[str]:
    asked = random.sample(sorted(of.not_mailable), min(3, len(of.not_mailable)))
    return judge.writing(client.set_do_not_email(asked, True), truth, heard())


_HOW: dict[str, How] = {
    "read_people": _read_people,
    "do_not_email": _do_not_email,
    "look_up": _look_up,
    "list": _list,
    "get": _get,
    "count": _count,
    "check": _check,
    "write": _write,
}
