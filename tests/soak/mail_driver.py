"""The driver of a soak of mailings: sends, does what people and bad luck do meanwhile, and asks the checker."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from mailings import enqueue
from mailings.choices import FINAL, MailingStatus, Outcome, StopCode
from mailings.exceptions import NotAllowedNow
from mailings.models import Mailing, MailingGroup, Recipient
from mailings.send import pipeline
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Subscriber
from tests.soak import mail_checker, mail_people, mail_weather, steps
from tests.soak.journal import Journal
from tests.soak.mail_checker import LEFT_OUT, Happened, Sent
from tests.soak.mail_log import MailServer
from tests.soak.servers import Servers, patiently
from tests.soak.workers import Nursery, Process

PEOPLE = int(os.environ.get("SOAK_RECIPIENTS") or 2000)
LONGEST_ROUND = 120.0  # seconds until a mailing that is not over counts as stuck
STALLED = 1.5  # seconds without a message after which the next event comes all the same
WORKERS = 2
TEXT = "Dear {name},\n\nthe lamps are lit.\n. One dot\n.. and dots\n.\n\nWith many thanks\n"
HTML = "<style>p{{color:#222}}</style><p>Dear {name},</p>\n<p>the lamps are lit, and æther glows.</p>"
PERSONAL = '{{ first_name | default: "friend" }} {{ last_name }}'
# What a worker may log when its database, its broker or its pool's process went away. Anything else is a defect.
_EXCUSES = {
    "PostgreSQL": re.compile(r"^(psycopg(\.errors)?\.|django\.db\.utils\.(OperationalError|InterfaceError))"),
    "Valkey": re.compile(
        r"^(redis\.exceptions\.|kombu\.exceptions\.OperationalError|Connection\w*Error|BrokenPipeError"
        # kombu acknowledges on a connection that it has just given up
        r"|AttributeError: 'NoneType' object has no attribute 'hostname')"
    ),
    "process": re.compile(r"^billiard\.exceptions\.WorkerLostError"),
}
_WRAPPER = "billiard.einfo.ExceptionWithTraceback"  # around another traceback


@dataclass
class Later:
    at: float
    do: Callable[[], str]


@dataclass
class MailSoak:
    """Workers that send and a mail server that takes; `journal` tells what happened to them."""

    servers: Servers
    nursery: Nursery
    switch: steps.Switch
    server: MailServer
    journal: Journal = field(default_factory=lambda: Journal(0))
    counts: Counter[str] = field(default_factory=Counter)
    excuses: set[str] = field(default_factory=set)  # for what workers log

    def begin(self) -> None:
        """Make the tables and the people; start the workers and a beat."""
        call_command("migrate", interactive=False, verbosity=0)
        self.people = mail_people.make(PEOPLE)
        self.connection = self.servers.connected()
        self.beat = self.nursery.beat()
        self._read_to: dict[Path, int] = {}
        self._begin_round(0, random.Random(0))
        self._live()

    def round(self, number: int, chance: random.Random) -> list[str]:
        """Play one round and return what is wrong after it."""
        self._begin_round(number, chance)
        drawn = mail_weather.plan(chance, PEOPLE)
        self.server.begin(drawn.manners)
        self.journal.tell(_manners(drawn.manners))
        patiently(lambda: self._send(drawn))
        is_over = self._play(drawn.events)
        wrong = [] if is_over else [f"R13: not over after {LONGEST_ROUND:.0f} s: {self._states()}"]
        wrong += self._clear_up()
        self.connection = patiently(lambda: self.servers.connected(self.connection))
        found = mail_checker.complaints(self.connection, self.sent, self.server, self.happened)
        found += self._ends()
        self._count()
        patiently(self.people.restore)
        return [*wrong, *found, *self._logged()]

    def tally(self) -> dict[str, int]:
        return dict(self.counts)

    # --- a round's beginning and end ---

    def _begin_round(self, number: int, chance: random.Random) -> None:
        self.chance, self.journal, self.happened = chance, Journal(number), Happened()
        self._began = time.monotonic()
        self.sent: list[Sent] = []
        self.laters: list[Later] = []
        self.frozen: set[int] = set()
        self.armed: dict[int, tuple[str, float]] = {}
        self.paused: set[int] = set()  # by a person who will resume
        # What a worker was in the middle of when Valkey went it may log when the next round has begun.
        self.excuses_before, self.excuses = self.excuses, set()
        self.valkey_is_down = False

    def _send(self, drawn: mail_weather.Plan) -> None:
        groups = [self.people.everybody, *([self.people.some] if drawn.has_second else [])]
        for number, group in enumerate(groups[len(self.sent) :]):
            name = PERSONAL if drawn.is_personal else "keeper"
            values = {"name": f"Letter {self.journal.number}.{number}", "from_name": "Society of Lamp Keepers"}
            values |= {"from_email": mail_checker.SENDER, "subject": f"Lamps, für {name}"}
            values |= {"text": TEXT.format(name=name), "html": HTML.format(name=name)}
            with transaction.atomic():
                mailing = enqueue.create_mailing(None)
                mailing = enqueue.save_mailing(
                    mailing, values, [group.pk], None, version=1, not_to_ids=[self.people.not_to.pk]
                )
                enqueue.request_send(mailing, None)
                # Nothing is synced here: the mailing goes to the lists as they are.
                MailingGroup.objects.filter(mailing=mailing).update(stale_read_at=timezone.now())
            left_out = LEFT_OUT if group == self.people.everybody else {}
            self.sent.append(Sent(mailing.pk, self.people.keys[group.pk], left_out, drawn.is_personal))

    def _tell(self, what: str) -> None:
        self.journal.tell(f"{time.monotonic() - self._began:.1f} {what}")

    def _play(self, events: list[mail_weather.Event]) -> bool:
        """Let the events come, each when its number of messages has been taken, until everything is over."""
        moved = looked = self._began
        taken, waiting = 0, list(events)
        while (now := time.monotonic()) < self._began + LONGEST_ROUND:
            if (count := self.server.look()) != taken:
                taken, moved = count, now
            is_stalled = now - moved > STALLED
            while waiting and (taken >= waiting[0].after or is_stalled):
                event, moved, is_stalled = waiting.pop(0), now, False
                self.counts[event.name] += 1
                self._tell(event.do(self))
            for later in [one for one in self.laters if one.at <= now]:
                self.laters.remove(later)
                self._tell(later.do())
            self._watch()
            if now - looked > 0.05:
                looked = now
                self._live()
                if self._is_over() and not self.laters:
                    return True
            time.sleep(0.005)
        return False

    def _is_over(self) -> bool:
        """Say whether all mailings have ended; whoever sees one that paused by itself resumes it."""
        states = self._states()
        for pk, (status, stop_code) in states.items():
            if status == MailingStatus.PAUSED and pk not in self.paused and stop_code == StopCode.MAIL_SERVER:
                self._tell(self._click(pk, enqueue.request_resume))
                self.counts["paused by itself"] += 1
        return all(status in FINAL and is_settled for status, is_settled in self._ended().values())

    def _states(self) -> dict[int, tuple[str, str]]:
        rows = patiently(
            lambda: list(Mailing.objects.filter(pk__in=self._pks()).values_list("pk", "status", "stop_code"))
        )
        return {pk: (status, stop_code) for pk, status, stop_code in rows}

    def _ended(self) -> dict[int, tuple[str, bool]]:
        rows = patiently(
            lambda: list(Mailing.objects.filter(pk__in=self._pks()).values_list("pk", "status", "finished_at"))
        )
        return {pk: (status, finished_at is not None) for pk, status, finished_at in rows}

    def _pks(self) -> list[int]:
        return [one.pk for one in self.sent]

    def _clear_up(self) -> list[str]:
        """Wake up and start again whatever is not there, and wait until nobody sends any more."""
        self.switch.disarm_waiting()
        self._watch()
        for later in self.laters:
            self._tell(later.do())
        self.laters = []
        if self.server.is_frozen:
            self.server.wake()
        if not self.server.wait_until_nobody_is_connected():
            return ["R13: all is over, but somebody is still connected to the mail server"]
        if self.happened.freezes:
            time.sleep(0.4)  # what woke up late writes down what it knows
        return []

    def _ends(self) -> list[str]:
        """A mailing's last word fits its people, unless a frozen sender knew better after it."""
        found = []
        for one in self.sent:
            mailing = patiently(lambda pk=one.pk: Mailing.objects.get(pk=pk))
            if mailing.status == MailingStatus.CANCELLED and (one.is_cancelled or one.may_be_cancelled):
                continue
            outcomes = set(Recipient.objects.filter(mailing=one.pk).values_list("outcome", flat=True))
            is_whole = not outcomes & {Outcome.FAILED, Outcome.BOUNCED, Outcome.UNKNOWN}
            expected = MailingStatus.SENT if is_whole else MailingStatus.SENT_WITH_ERRORS
            if one.is_cancelled or (mailing.status != expected and not self.happened.freezes):
                found.append(f"R13: {one.pk} is {mailing.status} ({mailing.stop_text}); its people are {outcomes}")
        return found

    def _count(self) -> None:
        for one in self.sent:
            rows = Recipient.objects.filter(mailing=one.pk).values_list("outcome", flat=True)
            for outcome, count in Counter(rows).items():
                self.counts[f"people {outcome}"] += count
            self.counts["mailings"] += 1
        unknown = Recipient.objects.filter(mailing__in=self._pks(), outcome=Outcome.UNKNOWN).count()
        self.journal.tell(f"{self.server.taken_count} taken, {unknown} unknown")
        self.counts["copies taken"] += self.server.taken_count
        self.counts["senders killed or frozen"] += self.happened.senders
        self.counts["cuts in doubt"] += self.server.doubts()

    # --- the workers' logs ---

    def _logged(self) -> list[str]:
        """Return the errors in the workers' logs that nothing in this round excuses."""
        found = []
        for log in sorted(self.servers.folder.glob("worker*.log")):
            with log.open("rb") as file:
                file.seek(self._read_to.get(log, 0))
                said = file.read()
            self._read_to[log] = self._read_to.get(log, 0) + len(said)
            found += [
                f"log: {error}" for error in _errors(said.decode("utf-8", "replace")) if not self._is_excused(error)
            ]
        return list(dict.fromkeys(found))[:5]

    def _is_excused(self, error: str) -> bool:
        return any(_EXCUSES[what].match(error) for what in self.excuses | self.excuses_before)

    # --- watching over the programs ---

    def _live(self) -> None:
        """See to it that there are workers and a beat, as an operator's supervisor would."""
        for _ in range(WORKERS - len(self.nursery.workers())):
            self.nursery.worker()
        if not self.beat.is_alive:
            self.beat = self.nursery.beat()

    def _watch(self) -> None:
        """Notice which steps were reached."""
        for number, (pid, mode) in self.switch.struck().items():
            if number not in self.armed:
                continue
            name, seconds = self.armed.pop(number)
            self._tell(f"{mode} {name}")
            self.counts[f"{mode}: {name}"] += 1
            self.excuses.add("process")
            self.happened.senders += 1
            if mode == steps.FREEZE:
                self.happened.freezes += 1
                self._wake_later(pid, seconds)

    def _wake_later(self, pid: int, seconds: float) -> None:
        self.frozen.add(pid)
        self._later(seconds, lambda: self._wake(pid))

    def _wake(self, pid: int) -> str:
        self.frozen.discard(pid)
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            return "the frozen one was dead"
        return "awake"

    def _later(self, seconds: float, do: Callable[[], str]) -> None:
        self.laters.append(Later(time.monotonic() + seconds, do))

    # --- what people do ---

    def _click(self, pk: int, request: Callable[..., None]) -> str:
        """Press a button; what was answered is done, and an error promises nothing."""
        name = request.__name__.partition("_")[2]
        try:
            close_old_connections()
            request(Mailing.objects.get(pk=pk), None)
        except NotAllowedNow:
            return f"{name} came too late"
        except DatabaseError:
            connection.close()
            return f"{name} found no database"
        return f"{name} {pk}"

    def pause(self, seconds: float) -> str:
        one = self.chance.choice(self.sent)
        if one.pk in self.paused:
            return "paused already"
        self.paused.add(one.pk)
        told = self._click(one.pk, enqueue.request_pause)
        since = time.time() if told.endswith(str(one.pk)) else None
        self._later(seconds, lambda: self._resume(one, since))
        return told

    def _resume(self, one: Sent, since: float | None) -> str:
        """Go on. Between the answer to Pause and the request of Resume only what was in flight may go out."""
        if since is not None:
            one.quiet.append((since, time.time()))
        status = self._states()[one.pk][0]
        told = self._click(one.pk, enqueue.request_resume) if status == MailingStatus.PAUSED else "not paused any more"
        if told.endswith("no database"):
            self._later(0.2, lambda: self._resume(one, None))
        else:
            self.paused.discard(one.pk)
        return told

    def cancel(self) -> str:
        one = self.chance.choice(self.sent)
        told = self._click(one.pk, enqueue.request_cancel)
        if told.endswith(str(one.pk)):
            one.is_cancelled = True
            one.quiet.append((time.time(), float("inf")))
        elif told.endswith("no database"):
            one.may_be_cancelled = True
        return told

    def wake_again(self) -> str:
        """Have the broker deliver a mailing's message once more."""
        for one in self.sent:
            for _ in range(2):
                pipeline.wake(one.pk)
        return "delivered again"

    def bar(self, kind: str, count: int) -> str:
        """Bar people while they are queued: whoever is still queued after the commit must never get it (R14)."""
        try:
            close_old_connections()
            if Mailing.objects.filter(pk__in=self._pks(), frozen_at__isnull=True).exists():
                self._later(0.2, lambda: self.bar(kind, count))
                return "not frozen yet"
            return self._bar(kind, count)
        except DatabaseError:
            connection.close()
            return f"no database for {kind}"

    def _bar(self, kind: str, count: int) -> str:
        queued = Recipient.objects.filter(mailing__in=self._pks(), outcome__in=("queued", "deferred"))
        ids = sorted({recipient.subscriber_id for recipient in queued.only("subscriber_id").order_by("?")[:count]})
        for one in self.sent:  # noted first: the commit may succeed although its answer is lost
            one.touched |= set(
                Recipient.objects.filter(mailing=one.pk, subscriber__in=ids).values_list("pk", flat=True)
            )
        self._change(kind, ids)
        for one in self.sent:
            still = Recipient.objects.filter(mailing=one.pk, subscriber__in=ids, outcome__in=("queued", "deferred"))
            one.barred |= set(still.values_list("pk", flat=True))
        self.counts[f"people barred: {kind}"] += len(ids)
        return f"{len(ids)} {kind}"

    def _change(self, kind: str, ids: list[int]) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            if kind == "opt_out":
                for address in Subscriber.objects.filter(pk__in=ids).values_list("email", flat=True):
                    suppression.suppress(address, SuppressionCause.OPT_OUT, "soak")
            elif kind == "do_not_email":
                Subscriber.objects.filter(pk__in=ids).update(do_not_email_at=timezone.now())
            elif kind == "not_to_group":
                cursor.execute(mail_people.JOIN, [self.people.not_to.pk, ids])
            else:
                groups = [self.people.everybody.pk, self.people.some.pk]
                cursor.execute(
                    "DELETE FROM targetgroups_membership WHERE target_group_id = ANY(%s) AND subscriber_id = ANY(%s)",
                    [groups, ids],
                )

    # --- what happens to programs ---

    def arm(self, name: str, count: int, mode: str, seconds: float = 0.0) -> str:
        self.armed[self.switch.arm(name, count, mode)] = (name, seconds)
        return f"armed: {mode} {name} ({count})"

    def _sender(self) -> int | None:
        """Find the process that has a turn now."""
        tokens = patiently(
            lambda: list(Mailing.objects.filter(pk__in=self._pks()).exclude(worker="").values_list("worker", flat=True))
        )
        pids = [int(token.split(":")[-2]) for token in tokens]
        mine = {pid for worker in self.nursery.workers() for pid in worker.pool()}
        living = [pid for pid in pids if pid in mine and pid not in self.frozen]
        return self.chance.choice(living) if living else None

    def _worker_of(self, pid: int) -> Process | None:
        return next((worker for worker in self.nursery.workers() if pid in worker.pool()), None)

    def kill_sender(self, *, is_whole: bool) -> str:
        """Kill the process that sends, or its whole worker; any worker if nobody sends."""
        pid = self._sender()
        worker = self._worker_of(pid) if pid else self.chance.choice(self.nursery.workers() or [None])
        if worker is None:
            return "no sender to kill"
        self.happened.senders += 1
        self.excuses.add("process")
        if pid and not is_whole:
            os.kill(pid, signal.SIGKILL)
            return "the sending process killed"
        worker.kill()
        self.nursery.wait_until_dead(worker)
        self._live()
        return "the sending worker killed" if pid else "an idle worker killed"

    def freeze_sender(self, seconds: float) -> str:
        if (pid := self._sender()) is None:
            return "no sender to freeze"
        os.kill(pid, signal.SIGSTOP)
        self.happened.senders += 1
        self.happened.freezes += 1
        self._wake_later(pid, seconds)
        return f"the sender frozen for {seconds:.1f} s"

    def kill_server(self, seconds: float) -> str:
        if not self.server.is_running:
            return "the mail server is down already"
        self.server.kill()
        self.happened.servers += 1
        self._later(seconds, self._start_server)
        return f"the mail server killed for {seconds:.1f} s"

    def _start_server(self) -> str:
        self.server.start()
        return "started"

    def freeze_server(self, seconds: float) -> str:
        if not self.server.is_running or self.server.is_frozen:
            return "the mail server is down already"
        self.server.freeze()
        self.happened.servers += 1
        self._later(seconds, self._wake_server)
        return f"the mail server silent for {seconds:.1f} s"

    def _wake_server(self) -> str:
        if self.server.is_frozen:
            self.server.wake()
        return "it talks"

    def restart_postgres(self, how: str) -> str:
        self.excuses.add("PostgreSQL")
        self.happened.senders += 1
        self.servers.restart_postgres(how)
        return f"PostgreSQL stopped ({how}) and started"

    def stop_valkey(self, seconds: float) -> str:
        if self.valkey_is_down:
            return "Valkey is down already"
        self.excuses.add("Valkey")
        self.valkey_is_down = True
        self.servers.stop_valkey()
        self._later(seconds, self._start_valkey)
        return "Valkey killed"

    def _start_valkey(self) -> str:
        self.servers.start_valkey()
        self.valkey_is_down = False
        return "Valkey started, empty"

    def empty_valkey(self) -> str:
        if self.valkey_is_down:
            return "Valkey is down already"
        self.excuses.add("Valkey")
        self.servers.empty_valkey()
        return "Valkey emptied"


def _manners(manners: Any) -> str:
    parts = ["pipelining" if manners.is_pipelining else "plain", *([] if manners.takes_utf8 else ["ASCII"])]
    parts += [f"{manners.seconds * 1000:.0f} ms"] if manners.seconds else []
    parts += [
        f"{name} {value}"
        for name, value in (("each", manners.most_a_connection), ("at once", manners.most_connections))
        if value
    ]
    parts += [f"{share}/1000 {reply}" for reply, share in manners.shares.items()]
    parts += [f"{place}@{number}" for number, place in sorted((manners.cuts | manners.busy).items())]
    return " ".join(parts)


def _errors(said: str) -> list[str]:
    """Find the last line of each traceback in a log."""
    found, is_inside = [], False
    for line in said.splitlines():
        if "Traceback (most recent call last)" in line:
            is_inside = True
        elif is_inside and line and not line[0].isspace():
            found.append(line[:300])
            is_inside = False
    return [error for error in found if not error.startswith(_WRAPPER)]
