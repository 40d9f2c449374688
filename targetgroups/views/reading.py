"""What the pages read: bounded, by keyset, never a COUNT over people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from thrive_sync.lib.paging import KeysetPage, keyset_page

from ..choices import ACTIVE, OutcomeKind, RunKind, RunStatus
from ..models import (
    Bridge,
    Exclusion,
    Membership,
    RunOutcome,
    Subscriber,
    Suppression,
    SyncRequest,
    SyncRun,
    TargetGroup,
)

MOST_HITS_COUNTED = 1000
PEOPLE_SORTS = {"email": "sort_email", "name": "sort_name"}
RUNS_IN_CHART = 30


# --- bridges and runs ----------------------------------------------------------------------------------------------


def the_bridge() -> Bridge | None:
    """Return the bridge to work with; with one, nothing asks which."""
    return Bridge.objects.order_by("-is_active", "pk").first()


def newest_run(bridge: Bridge | None, kind: RunKind) -> SyncRun | None:
    return SyncRun.objects.filter(bridge=bridge, kind=kind).select_related("progress").order_by("-id").first()


def run_to_show(group: TargetGroup) -> SyncRun | None:
    """Return the group's run under way, or else its newest one."""
    runs = SyncRun.objects.filter(target_group=group, kind=RunKind.GROUP).select_related("progress", "bridge")
    return runs.filter(status__in=ACTIVE).order_by("status", "id").first() or runs.order_by("-id").first()


def runs_beside(groups: Iterable[TargetGroup]) -> dict[int, SyncRun]:
    """Return the run that deserves a word beside each group: under way, or held and not yet decided."""
    shown = (*ACTIVE, RunStatus.HELD)
    runs = SyncRun.objects.filter(target_group__in=list(groups), kind=RunKind.GROUP, status__in=shown)
    beside: dict[int, SyncRun] = {}
    for run in runs.select_related("progress").order_by("-id"):
        present = beside.get(run.target_group_id or 0)
        if present is None or run.status == RunStatus.RUNNING:
            beside[run.target_group_id or 0] = run
    return beside


def poll_seconds(run: SyncRun | None, now: datetime) -> int | None:
    """Say how often to ask again: each second for the first ten, then slower, never for what is over."""
    if run is None or not run.is_active:
        return None
    waited = (now - run.created_at).total_seconds()
    return 1 if waited < 10 else 2 if waited < 120 else 5


def activity_page(filters: dict[str, Any], *, size: int, after: int | None, before: int | None) -> KeysetPage[SyncRun]:
    names = {"kind": "kind", "trigger": "trigger", "outcome": "status", "group": "target_group_id"}
    runs = SyncRun.objects.for_list().filter(**{names[name]: value for name, value in filters.items()})
    return keyset_page(runs, ["id"], size=size, after=_key(after), before=_key(before), is_descending=True)


def counts_over_time(group: TargetGroup) -> list[tuple[datetime, int]]:
    """Return the group's size after each of its last completed runs, oldest first."""
    runs = SyncRun.objects.good().filter(target_group=group, kind=RunKind.GROUP, figures__has_key="members_after")
    newest = runs.order_by("-id").values_list("finished_at", "figures__members_after")[:RUNS_IN_CHART]
    return [(at, int(count)) for at, count in reversed(list(newest)) if at is not None]


# --- people of a group ----------------------------------------------------------------------------------------------


def people_page(
    group: TargetGroup, *, sort: str, is_descending: bool, text: str, size: int, after: int | None, before: int | None
) -> KeysetPage[Membership]:
    """Read one page of a group's subscribers: the keys from the index, then only these people's rows."""
    column = PEOPLE_SORTS[sort]
    return keyset_page(
        found_people(group, text).prefetch_related(Prefetch("subscriber")),
        [column, "subscriber_id"],
        size=size,
        after=_person_key(after, column),
        before=_person_key(before, column),
        is_descending=is_descending,
    )


def found_people(group: TargetGroup, text: str) -> QuerySet[Membership]:
    """Return the members whose address or name holds every word; one or two characters match beginnings."""
    people = Membership.objects.filter(target_group=group)
    for word in text.split():
        people = people.containing(word)
    return people


def hit_count(group: TargetGroup, text: str) -> int:
    """Count hits, up to one more than MOST_HITS_COUNTED."""
    return len(found_people(group, text).values_list("subscriber_id", flat=True)[: MOST_HITS_COUNTED + 1])


def now_do_not_email_count(group: TargetGroup) -> int:
    """Count the members whom another group's sync has shown as Do Not Email since (R4): few, by the sort index."""
    return Membership.objects.filter(target_group=group).now_do_not_email().count()


def suppressed_addresses(people: Iterable[Subscriber]) -> dict[str, str]:
    """Return why the addresses among these people that are not mailed are not, by address key."""
    keys = {person.address_key for person in people if person.address_key}
    rows = Suppression.objects.filter(address_key__in=keys, lifted_at__isnull=True)
    return {row.address_key: row.get_cause_display() for row in rows.order_by("-suppressed_at")}


def _person_key(subscriber_id: int | None, column: str) -> tuple[Any, ...] | None:
    # Read from the person, who may have left the group since the address of this page was made.
    if subscriber_id is None:
        return None
    key = Subscriber.objects.filter(pk=subscriber_id).values_list(column, flat=True).first()
    return None if key is None else (key, subscriber_id)


# --- people of a run, and who is excluded ----------------------------------------------------------------------------


def excluded_page(
    exclusions: QuerySet[Exclusion], *, size: int, after: int | None, before: int | None
) -> KeysetPage[Exclusion]:
    """Read one page of exclusions in the order of reason and Remote ID."""
    order = ["reason", "remote_key", "id"]
    return keyset_page(
        exclusions, order, size=size, after=_row_key(Exclusion, order, after), before=_row_key(Exclusion, order, before)
    )


def present_exclusions(group: TargetGroup) -> QuerySet[Exclusion]:
    return Exclusion.objects.filter(target_group=group, until_run_id__isnull=True)


def exclusions_of(run: SyncRun) -> QuerySet[Exclusion]:
    """Return who the run left out: rows that began with or before it and had not ended by then."""
    open_or_later = Q(until_run_id__isnull=True) | Q(until_run_id__gt=run.pk)
    return Exclusion.objects.filter(open_or_later, target_group=run.target_group, from_run_id__lte=run.pk)


def left_since(run: SyncRun) -> QuerySet[RunOutcome]:
    """Return those whom this run added and a later one removed."""
    return RunOutcome.objects.filter(added_run_id=run.pk, kind=OutcomeKind.REMOVED)


def outcome_page(
    outcomes: QuerySet[RunOutcome], *, size: int, after: int | None, before: int | None
) -> KeysetPage[RunOutcome]:
    order = ["remote_key", "id"]
    return keyset_page(
        outcomes,
        order,
        size=size,
        after=_row_key(RunOutcome, order, after),
        before=_row_key(RunOutcome, order, before),
    )


def added_page(run: SyncRun, *, size: int, after: int | None, before: int | None) -> KeysetPage[Membership]:
    """Read one page of the members that this run added and that are still members."""
    return keyset_page(
        Membership.objects.filter(target_group=run.target_group, added_run_id=run.pk).select_related("subscriber"),
        ["subscriber_id"],
        size=size,
        after=_key(after),
        before=_key(before),
    )


def people_named(bridge_id: int, remote_keys: Iterable[str]) -> dict[str, Subscriber]:
    """Return the people of these Remote IDs, as far as they (still) exist."""
    people = Subscriber.objects.filter(bridge_id=bridge_id, remote_key__in=set(remote_keys))
    return {person.remote_key: person for person in people}


def groups_to_mark(run: SyncRun) -> QuerySet[TargetGroup]:
    """Return the groups that a held list refresh would mark as gone (R10)."""
    marked = RunOutcome.objects.filter(run=run, kind=OutcomeKind.WOULD_REMOVE).values("remote_key")
    groups = TargetGroup.objects.filter(bridge=run.bridge, search_key__in=marked)
    return groups if run.kind == RunKind.LIST else groups.none()


def requests_of(run: SyncRun) -> QuerySet[SyncRequest]:
    return SyncRequest.objects.filter(run=run).select_related("user").order_by("pk")


def _key(row_id: int | None) -> tuple[int] | None:
    return None if row_id is None else (row_id,)


def _row_key(model: type[Exclusion] | type[RunOutcome], order: list[str], row_id: int | None) -> tuple[Any, ...] | None:
    if row_id is None:
        return None
    return model.objects.filter(pk=row_id).values_list(*order).first()
