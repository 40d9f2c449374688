"""The product's own sync path over rows that are decoded already: everything of a run but MemberSuite itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Protocol, Self
from unittest.mock import patch

from django.db import connection

from bench import population
from bench.population import Row
from memberSuite import PeoplePage, Person, Search
from targetgroups.choices import GOOD, Queue, RunKind, Trigger
from targetgroups.models import Bridge, Folder, SyncRun, TargetGroup
from targetgroups.sync import pipeline

ROWS_A_PAGE = 1000
SEARCH_ID = "5a1c7e70-0007-4c1d-0001-000000000001"


class Source:
    """What a search gives at one step, its rows made as they are read; `making` is the seconds that took."""

    def __init__(self, people: int, step: str) -> None:
        self.total = population.row_count(people, step)
        self.flagged_total = sum(map(population.is_flagged, population.rows(people, step)))
        self.making = 0.0
        self._people, self._step = people, step

    def mailable(self) -> Iterable[list[Person]]:
        return self._pages(_person, flagged=False)

    def flagged(self) -> Iterable[list[Person]]:
        return self._pages(_flag_alone, flagged=True)

    def _pages(self, make: Callable[[Row], Person], *, flagged: bool) -> Iterator[list[Person]]:
        rows = population.rows(self._people, self._step)
        wanted = (row for row in rows if population.is_flagged(row) is flagged)
        while True:
            began = time.perf_counter()
            page = [make(row) for row in islice(wanted, ROWS_A_PAGE)]
            self.making += time.perf_counter() - began
            if not page:
                return
            yield page


class Answered(Protocol):
    """What a canned client answers from."""

    total: int
    flagged_total: int

    def mailable(self) -> Iterable[list[Person]]: ...

    def flagged(self) -> Iterable[list[Person]]: ...


class CannedClient:
    """As much of MemberSuiteClient as a group's sync calls; its answers are there at once."""

    def __init__(self, source: Answered, search: Search, clock: Callable[[], datetime]) -> None:
        self._search = search
        self._source = source
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def get_search(self, _remote_id: str) -> Search:
        return self._search

    def read_people(self, _search: Search) -> CannedReading:
        source = self._source
        return CannedReading(source.mailable(), source.total - source.flagged_total, self._clock)

    def read_do_not_email(self, _search: Search) -> CannedReading:
        return CannedReading(self._source.flagged(), self._source.flagged_total, self._clock)

    def count_rows(self, _search: Search, *, only_mailable: bool) -> int:
        return self._source.total - (self._source.flagged_total if only_mailable else 0)

    def look_up(self, _search: Search, _remote_ids: Iterable[str]) -> Iterator[PeoplePage]:
        """Answer that nobody who was missed is in the search."""
        yield PeoplePage([], [], self._clock(), False, 1)

    def look_up_records(self, _remote_ids: Iterable[str]) -> Iterator[PeoplePage]:
        """Answer that their records are deleted."""
        yield PeoplePage([], [], self._clock(), False, 1)


class CannedReading:
    """A reading that is complete and had no trouble."""

    is_limited = False
    filter_ignored = False
    is_complete = True

    def __init__(self, pages: Iterable[list[Person]], total: int, clock: Callable[[], datetime]) -> None:
        self.total_before = total
        self.rows_received = 0
        self._pages = pages
        self._clock = clock

    def start(self) -> None:
        pass

    def __iter__(self) -> Iterator[PeoplePage]:
        for number, people in enumerate(self._pages, 1):
            self.rows_received += len(people)
            yield PeoplePage(people, [], self._clock(), False, number)


class ProductSync:
    """One target group that is synced again and again, by `pipeline.perform` as a worker calls it."""

    def __init__(self, people: int) -> None:
        self.people = people

    def step(self, step: str) -> float:
        """Do one step and return its seconds: from a run that waits to one that is over, without making its rows."""
        if step == "first":
            forget_everybody()
        search = Search(SEARCH_ID, "Everybody", output_columns=population.OWN_COLUMNS, search_type="Individual")
        source = Source(self.people, step)
        seconds, run = sync_from(source, search, group_to_sync())
        for name, count in population.expected(self.people, step).items():
            if run.figures[name] != count:
                raise RuntimeError(f"{step}: {name} is {run.figures[name]}, but must be {count}.")
        return seconds - source.making


def sync_from(source: Answered, search: Search, group: TargetGroup) -> tuple[float, SyncRun]:
    """Sync a group from answers that are there already; return the seconds and the run."""

    def connect(_bridge: Bridge, *, clock: Callable[[], datetime], stop: threading.Event) -> CannedClient:
        return CannedClient(source, search, clock)

    with patch.object(pipeline, "connect", connect):
        return timed_sync(group)


def timed_sync(group: TargetGroup) -> tuple[float, SyncRun]:
    """Do a run of a group here, as a worker does; return the seconds and the run. Raises if it does not complete."""
    run = SyncRun.objects.create(
        bridge=group.bridge, kind=RunKind.GROUP, target_group=group, trigger=Trigger.COMMAND, queue=Queue.INTERACTIVE
    )
    began = time.perf_counter()
    pipeline.perform(run.pk)
    seconds = time.perf_counter() - began
    run = SyncRun.objects.get(pk=run.pk)
    if run.status not in GOOD:
        raise RuntimeError(f"The run is {run.status}: {run.error_text or run.sentence}")
    return seconds, run


def group_to_sync(search_id: str = SEARCH_ID, **bridge_fields: object) -> TargetGroup:
    """Return the group of a search; it and its bridge are made if they are not there."""
    found = TargetGroup.objects.select_related("bridge").filter(search_id=search_id).first()
    if found is not None:
        return found
    bridge = Bridge.objects.create(**{"name": "Canned", "service_address": "http://127.0.0.1:9/", **bridge_fields})
    folder = Folder.objects.get(name=Folder.MEMBERSUITE)
    return TargetGroup.objects.create(
        bridge=bridge, name="Everybody", search_id=search_id, search_key=search_id.lower(), folder=folder
    )


def forget_everybody() -> None:
    """Empty the tables that a sync fills, as on a new site."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE targetgroups_bridge, targetgroups_subscriber, targetgroups_membership, targetgroups_exclusion,"
            " targetgroups_runoutcome CASCADE"
        )


def _person(row: Row) -> Person:
    return Person(
        remote_id=row[0],
        local_id=int(row[1]),
        first_name=row[2],
        last_name=row[3],
        email=row[4],
        do_not_email=False,
        attributes=dict(zip(population.OWN_COLUMNS, row[population.FLAG + 1 :], strict=True)),
    )


def _flag_alone(row: Row) -> Person:
    return Person(remote_id=row[0], local_id=int(row[1]), do_not_email=True)
