"""The driver of a soak: does what people, operators and bad luck do, lets it all end, and asks the checker."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from django.core.management import call_command
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from targetgroups import enqueue, suppression
from targetgroups.choices import ACTIVE, GOOD, RunKind, RunStatus, SuppressionCause, Trigger
from targetgroups.exceptions import NotAllowedNow
from targetgroups.management.commands.seed_demo import ensure_bridge
from targetgroups.models import Bridge, Suppression, SyncRun, TargetGroup
from tests.soak import checker, record, steps, story, weather
from tests.soak.history import History
from tests.soak.journal import Asked, Journal
from tests.soak.servers import Servers, patiently
from tests.soak.workers import Nursery, Process

if TYPE_CHECKING:
    from memberSuite.standin.server import StandIn

WATCHED = ("All individuals", "Current members", "Newsletter readers", "Registered for a 2026 event")
LONGEST_ROUND = 90.0  # seconds until runs that have not ended count as stuck
CLEARS_UP = 1.0  # seconds after a round's last event until the remote is well again
FROZEN_PATIENCE = 30.0  # seconds after which a frozen worker's run should long have been taken over
FAULTS = [name.strip() for name in os.environ.get("FAULTS", "").split(",") if name.strip()]
GUARD_PERCENT, GUARD_PEOPLE = 20, 12


_ACTIVE = "SELECT id, kind, status, attempt, due_at FROM targetgroups_syncrun WHERE status IN ('waiting', 'running')"


@dataclass
class Frozen:
    """A process that was stopped, and the run that it had then."""

    pid: int
    run: int | None
    attempt: int
    since: float
    wake_at: float


@dataclass
class Armed:
    name: str
    changes: list[str]
    mode: str


@dataclass
class Soak:
    """A bridge to a stand-in, its workers, and verbs for everything that may happen; `journal` tells what did."""

    standin: StandIn
    servers: Servers
    nursery: Nursery
    switch: steps.Switch
    chance: random.Random = field(default_factory=random.Random)
    journal: Journal = field(default_factory=lambda: Journal(0))
    counts: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Make the tables, the bridge and the groups; start one worker and a beat."""
        call_command("migrate", interactive=False, verbosity=0)
        ensure_bridge(self.standin.url)
        # Small pages, so that a fault finds one; a guard that a small group can meet.
        Bridge.objects.update(page_size=25, guard_percent=GUARD_PERCENT, guard_people=GUARD_PEOPLE)
        self.connection = self.servers.connected()
        record.make(self.connection)
        self._arm_round(random.Random(0), 0)
        self.history = History(self.standin, [self.standin.search_id(name) for name in WATCHED])
        self.bridge = Bridge.objects.get()
        self.beat = self.nursery.beat()
        self.nursery.worker()
        self._until_over([self._request("list", None, Trigger.REFRESH)])
        keys = [self.standin.search_id(name) for name in WATCHED]
        self.members = keys[1]  # names change
        self.groups = list(TargetGroup.objects.select_related("bridge").filter(search_id__in=keys).order_by("pk"))
        record.forget(self.connection)
        self.begun = story.snapshot(self.connection)

    def round(self, number: int, chance: random.Random) -> list[str]:
        """Play one round and return what is wrong after it."""
        self._arm_round(chance, number)
        self._live()
        events, began = weather.plan(chance, FAULTS), time.monotonic()
        for event in events:
            while (wait := began + event.at - time.monotonic()) > 0:
                self._watch()
                time.sleep(min(wait, 0.02))
            self.journal.tell(event.do(self))
            self.counts[event.name] += 1
        is_over = self._until_quiet()
        wrong = [] if is_over else [f"R9: not everything ended in {LONGEST_ROUND:.0f} s: {self._active()}"]
        return wrong + self._afterwards()

    def tally(self) -> dict[str, int]:
        """Count what happened in all rounds: runs by kind and end, attempts, and what the weather was."""
        for run in SyncRun.objects.all():
            self.counts[f"{run.kind} {run.status}"] += 1
            self.counts["attempts"] += run.attempt
        return dict(self.counts)

    # --- what a round ends with ---

    def _afterwards(self) -> list[str]:
        """Clear the weather, decide what is held, sync everything undisturbed, and check."""
        self._decide()
        wrong, synced = self._undisturbed()
        self.connection = patiently(lambda: self.servers.connected(self.connection))
        found = checker.complaints(self.connection, self.standin.url, self.history, self.journal, self.begun, synced)
        record.forget(self.connection)
        self.history.forget()
        self.begun = story.snapshot(self.connection)
        return [*wrong, *self._frozen_too_long, *found]

    def _decide(self) -> None:
        for run in SyncRun.objects.filter(status=RunStatus.HELD).order_by("pk"):
            decision = self.chance.choice(("apply", "discard", "leave"))
            self.journal.tell(f"run {run.pk} held: {decision}")
            try:
                if decision == "apply":
                    self._apply_held(run)
                elif decision == "discard":
                    enqueue.request_discard(run, None)
            except NotAllowedNow:
                pass
        self._until_quiet()

    def _apply_held(self, run: SyncRun) -> SyncRun:
        at = time.time()
        new = enqueue.request_apply(run, None)
        self.journal.asked.append(Asked(run.kind, run.target_group_id, "apply", new.pk, at))
        return new

    def _undisturbed(self) -> tuple[list[str], list[int]]:
        """Offer the searches again, refresh the list and sync every watched group with nothing in the way."""
        for search in self.standin.searches():
            if search["is_deleted"] or not search["is_active"] or not search["is_public"]:
                self._restore(str(search["id"]))
        refresh = self._request("list", None, Trigger.REFRESH)
        runs = [refresh, *(self._request("group", group, Trigger.RESYNC_NOW) for group in self.groups)]
        ended = self._until_over(runs)
        while held := [run for run in ended if run.status == RunStatus.HELD]:
            again = self._until_over([self._apply_held(run) for run in held])
            ended = [run for run in ended if run not in held] + again
        self._run_in_worker("targetgroups.tasks.clean_up")
        wrong = [
            f"R9: the undisturbed run {run.pk} ({run.kind}) is {run.status} ({run.error_code} {run.remote_said})"
            for run in ended
            if run.status not in GOOD
        ]
        return wrong, [run.target_group_id for run in ended if run.status in GOOD and run.target_group_id]

    def _restore(self, search: str) -> None:
        if search.lower() in self.never_offered:
            return
        self.standin.world.catalogue.searches[search.lower()].is_active = None
        self.standin.show_search(search)

    def _run_in_worker(self, task: str) -> None:
        from celery import current_app

        current_app.send_task(task, queue="interactive")
        until = time.monotonic() + 10
        while self._stages() and time.monotonic() < until:
            time.sleep(0.03)

    def _stages(self) -> bool:
        from tests.support import truth

        self.connection = self.servers.connected(self.connection)
        return bool(truth.stages(self.connection))

    # --- letting it end ---

    def _until_quiet(self) -> bool:
        """End the weather and wait until no run is waiting or running and nobody is frozen; say whether that came."""
        began = time.monotonic()
        if self.valkey_is_down:
            self.journal.tell(self.start_valkey())
        while time.monotonic() - began < LONGEST_ROUND:
            self._watch()
            self._live()
            if time.monotonic() - began > CLEARS_UP:
                self.standin.clear_faults()
            if not self.frozen and not self._active():
                self.standin.clear_faults()
                self.switch.disarm_waiting()
                return True
            time.sleep(0.05)
        return False

    def _active(self) -> list[tuple[Any, ...]]:
        """Tell which runs are not over; asked so often that it goes past the ORM."""
        try:
            return self.connection.execute(_ACTIVE).fetchall()
        except psycopg.Error:
            self.connection = patiently(lambda: self.servers.connected(self.connection))
            return self._active()

    def _until_over(self, runs: list[SyncRun | None]) -> list[SyncRun]:
        """Wait until these runs have ended, and return them as they ended."""
        until = time.monotonic() + LONGEST_ROUND
        keys = {run.pk for run in runs if run is not None}
        while keys & {run[0] for run in self._active()} and time.monotonic() < until:
            self._watch()
            self._live()
            time.sleep(0.05)
        return patiently(lambda: list(SyncRun.objects.filter(pk__in=keys).order_by("pk")))

    def _arm_round(self, chance: random.Random, number: int) -> None:
        self.chance = chance
        self.journal = Journal(number)
        self.journal.suppressed = set(
            patiently(lambda: list(Suppression.objects.filter(lifted_at=None).values_list("address", flat=True)))
        )
        self.armed: dict[int, Armed] = {}
        self.frozen: list[Frozen] = []
        self.followers: list[int] = []
        self._frozen_too_long: list[str] = []
        self.valkey_is_down = self.valkey_was_down = self.has_worker_beside = False
        self.never_offered = {
            key for key, search in self.standin.world.catalogue.searches.items() if search.name in NEVER_OFFERED
        }

    def _live(self) -> None:
        """See to it that there is a worker and a beat, as an operator's supervisor would."""
        if not self.nursery.workers():
            self.nursery.worker()
        if not self.beat.is_alive:
            self.beat = self.nursery.beat()

    def _watch(self) -> None:
        """Notice which steps were reached, and wake up who was stopped long enough."""
        for number, (pid, mode) in self.switch.struck().items():
            if (armed := self.armed.pop(number, None)) is None:
                continue
            self.journal.tell(f"{mode} {armed.name}")
            self.counts[f"{mode}: {armed.name}"] += 1
            if mode == steps.FREEZE:
                self._note_frozen(pid)
            for kind in armed.changes:
                self.change(kind, 3)
            if mode == steps.DELAY:
                for group in self.followers:
                    self.click(group, "resync_now")
        for frozen in list(self.frozen):
            if self._may_wake(frozen):
                self._wake(frozen)

    def _note_frozen(self, pid: int) -> None:
        run = patiently(
            lambda: SyncRun.objects.filter(status=RunStatus.RUNNING, worker__endswith=f":{pid}").order_by("-pk").first()
        )
        now = time.monotonic()
        self.frozen.append(Frozen(pid, run.pk if run else None, run.attempt if run else 0, now, now + 0.5))
        self._add_worker_beside_the_frozen()

    def _add_worker_beside_the_frozen(self) -> None:
        """Celery does not come back from a lost broker while a process of its pool is frozen; a site has others."""
        if self.frozen and self.valkey_was_down and not self.has_worker_beside:
            self.nursery.worker()
            self.has_worker_beside = True

    def _may_wake(self, frozen: Frozen) -> bool:
        """Say whether its run was done by another meanwhile: only then is waking up a test."""
        if frozen.run is None:
            return time.monotonic() > frozen.wake_at
        run = patiently(lambda: SyncRun.objects.filter(pk=frozen.run).first())
        if run is None or (run.attempt > frozen.attempt and run.is_final):
            return True
        if time.monotonic() - frozen.since < FROZEN_PATIENCE:
            return False
        self._frozen_too_long.append(f"R9: run {frozen.run} was not taken over from a worker that is frozen")
        return True

    def _wake(self, frozen: Frozen) -> None:
        self.frozen.remove(frozen)
        try:
            os.kill(frozen.pid, 18)  # SIGCONT
        except ProcessLookupError:
            return
        time.sleep(0.3)  # let it do whatever it would

    # --- what people do ---

    def click(self, number: int, trigger: str) -> str:
        group = self.groups[number % len(self.groups)]
        self._request("group", group, Trigger(trigger))
        return f"{trigger} for {group.name}"

    def ask(self, kind: str, number: int) -> str:
        self._request(kind, self.groups[number % len(self.groups)] if kind == "preview" else None, Trigger.COMMAND)
        return f"a {kind}"

    def _request(self, kind: str, group: TargetGroup | None, trigger: Trigger) -> SyncRun | None:
        """Ask as a view would; what was answered is written down, and an error promises nothing."""
        at = time.time()
        try:
            close_old_connections()
            if kind == RunKind.LIST:
                run = enqueue.request_list_refresh(self.bridge, trigger)
            elif kind == RunKind.CHECK:
                run = enqueue.request_check(self.bridge, None, trigger)
            elif kind == RunKind.PREVIEW:
                run = enqueue.request_preview(group, None, trigger)
            else:
                run = enqueue.request_sync(group, trigger)
        except DatabaseError:
            connection.close()
            self.journal.unsure += 1
            return None
        self.journal.asked.append(Asked(kind, group.pk if group else None, str(trigger), run.pk, at))
        return run

    def follow(self, groups: list[int]) -> str:
        self.followers = groups
        return "others follow"

    def cancel(self, number: int) -> str:
        active = patiently(lambda: list(SyncRun.objects.filter(status__in=ACTIVE).order_by("pk")))
        if not active:
            return "nothing to cancel"
        run = active[number % len(active)]
        try:
            enqueue.request_cancel(run)
        except NotAllowedNow:
            return f"run {run.pk} was over before it was cancelled"
        except DatabaseError:
            connection.close()
        return f"run {run.pk} cancelled"

    def opt_out(self) -> str:
        people = [p for p in self.standin.mailable(self.members) if p["email"]]
        if not people:
            return "nobody to opt out"
        address = str(self.chance.choice(people)["email"]).strip()
        if patiently(lambda: suppression.is_suppressed(address)):
            return "opted out already"
        patiently(lambda: suppression.suppress(address, SuppressionCause.OPT_OUT))
        self.journal.suppressed.add(address)
        return "an opt-out"

    # --- what changes at the remote ---

    def change(self, kind: str, count: int) -> str:
        standin, number = self.standin, self.chance.randrange(10**6)
        if kind == "rename":
            standin.change({"LastName": f"Renamed {number} {{n}}"}, count=count)
        elif kind == "address":
            standin.change({"EmailAddress": f"new{number}.{{n}}@lamps.example"}, count=count)
        elif kind == "no_address":
            standin.change({"EmailAddress": None}, count=1)
        elif kind in ("flag", "unflag"):
            standin.flip_do_not_email(count=count, to=kind == "flag")
        elif kind == "delete":
            standin.delete(count=count)
        elif kind == "join":
            standin.insert(count, {"Membership.ReceivesMemberBenefits": True, "NewsletterReader__c": True})
        else:
            is_member = kind == "enter"
            fields = {"Membership.ReceivesMemberBenefits": is_member, "NewsletterReader__c": is_member}
            standin.change(fields, count=count)
        return f"{kind} {count}"

    def flag_many(self, number: int) -> str:
        group = self.groups[number % len(self.groups)]
        self.standin.flip_do_not_email(search=group.search_id, percent=55, to=True)
        return f"more than half of {group.name} become Do Not Email"

    def touch_search(self, kind: str, number: int) -> str:
        offered = [s for s in self.standin.searches() if s["is_public"] and s["is_active"] and not s["is_deleted"]]
        search = offered[number % len(offered)]
        wanted, name = str(search["id"]), str(search["name"])
        if kind == "make":
            self.standin.make_search(f"Made {number}", wanted)
        elif kind == "rename":
            self.standin.rename_search(wanted, f"{name.partition(' (')[0]} ({number})")
        else:
            self.journal.remote_failed = True
            {"hide": self.standin.hide_search, "delete": self.standin.delete_search}.get(
                kind, self.standin.deactivate_search
            )(wanted)
        return f"{kind} {name}"

    def hide_many(self) -> str:
        self.journal.remote_failed = True
        keys = {group.search_id for group in self.groups}
        offered = [s for s in self.standin.searches() if s["is_public"] and s["is_active"] and not s["is_deleted"]]
        for search in [s for s in offered if s["id"] not in keys][:9]:
            self.standin.hide_search(str(search["id"]))
        return "9 searches become private"

    def vanish(self, number: int, kind: str) -> str:
        self.journal.remote_failed = True
        search = self.groups[number % len(self.groups)].search_id
        self.standin.fails("ExecuteSearch", kind, search=search, only="page", on_page=None, times=1, skip=2)
        return f"{kind} under a read"

    def fault(self, kind: str, options: dict[str, Any]) -> str:
        if kind in weather.BY_PLACE or kind in dict(weather.TWISTED):
            self.journal.twisted = True
        # Asked again too often, even what passes may end a run; only when there was no fault at all may none fail.
        self.journal.remote_failed = True
        operation = "*" if kind.startswith("http_") or kind in ANYWHERE else "ExecuteSearch"
        self.standin.fails(operation, kind, **options)
        return f"remote: {kind} {options or ''}".strip()

    def expire_sessions(self) -> str:
        self.journal.remote_failed = True  # one that ends again at once fails the run
        self.standin.expire_sessions()
        return "sessions expired"

    # --- what happens to programs ---

    def arm(self, name: str, count: int, mode: str, changes: list[str]) -> str:
        self.armed[self.switch.arm(name, count, mode)] = Armed(name, changes, mode)
        return f"armed: {mode} {name} ({count})"

    def _some_worker(self) -> Process | None:
        workers = self.nursery.workers()
        return self.chance.choice(workers) if workers else None

    def kill_worker(self) -> str:
        if (worker := self._some_worker()) is None:
            return "no worker to kill"
        worker.kill()
        self.nursery.wait_until_dead(worker)
        self._live()
        return "a worker killed"

    def kill_pool(self) -> str:
        worker = self._some_worker()
        pool = worker.pool() if worker else []
        for pid in pool[:1]:
            os.kill(pid, 9)
        return f"{len(pool[:1])} pool process killed"

    def freeze_worker(self) -> str:
        if (worker := self._some_worker()) is None:
            return "no worker to freeze"
        worker.signal(19)  # type: ignore[arg-type]  # SIGSTOP
        self.nursery.worker()
        now = time.monotonic()
        self.frozen.append(Frozen(-worker.pid, None, 0, now, now + 2.6))
        return "a whole worker frozen"

    def kill_beat(self) -> str:
        self.beat.kill()
        return "beat killed"

    def restart_postgres(self, how: str) -> str:
        self.servers.restart_postgres(how)
        return f"PostgreSQL stopped ({how}) and started"

    def stop_valkey(self) -> str:
        if not self.valkey_is_down:
            self.servers.stop_valkey()
        self.valkey_is_down = self.valkey_was_down = True
        self._add_worker_beside_the_frozen()
        return "Valkey killed"

    def start_valkey(self) -> str:
        if self.valkey_is_down:
            self.servers.start_valkey()
        self.valkey_is_down = False
        return "Valkey started, empty"

    def empty_valkey(self) -> str:
        if not self.valkey_is_down:
            self.servers.empty_valkey()
        return "Valkey emptied"


# Faults that may strike any call, not only a search.
ANYWHERE = frozenset(
    {"soap_fault", "no_answer", "slow", "session_expires", "new_session", "bom", "truncated", "malformed"}
)
# Private and inactive from the beginning: the stand-in has one of each.
NEVER_OFFERED = frozenset({"Staff only: fees to chase", "Annual Congress 2019 delegates"})
