"""What the pages read: bounded, by keyset, never a COUNT over people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Subquery

from thrive_sync.lib.paging import KeysetPage, keyset_page
from thrive_sync.lib.sorting import sort_key
from thrive_sync.lib.statements import ById

from ..choices import ACTIVE, RECEIVING, NotReceiving, OutcomeKind, RunKind, RunStatus, SuppressionCause
from ..listed import ListedPerson, people_of
from ..models import (
    Bridge,
    Exclusion,
    Membership,
    ReceivingCount,
    RunOutcome,
    Subscriber,
    Suppression,
    SyncRequest,
    SyncRun,
    TargetGroup,
)

MOST_HITS_COUNTED = 1000
PEOPLE_SORTS = {"email": "sort_email", "name": "sort_name"}


# --- bridges and runs ----------------------------------------------------------------------------------------------


def bridges() -> list[Bridge]:
    """Return every bridge, the one to work with first; with one, nothing asks which."""
    return list(Bridge.objects.order_by("-is_active", "pk"))


def chosen(bridges: Sequence[Bridge], number: int | None) -> Bridge | None:
    """Return the bridge that an address names, or the one to work with where it names none that there is."""
    return next((one for one in bridges if one.pk == number), next(iter(bridges), None))


def attribute_names(bridge: Bridge) -> list[str]:
    """Return the extra fields that any search of a bridge brings; those of a deleted group's people are kept too."""
    groups = TargetGroup.objects.filter(bridge=bridge).exclude(attribute_names=[])
    found = groups.order_by().values_list("attribute_names", flat=True).distinct()
    return sorted({name for names in found for name in names}, key=lambda name: (sort_key(name), name))


def newest_run(bridge: Bridge | None, kind: RunKind) -> SyncRun | None:
    return SyncRun.objects.filter(bridge=bridge, kind=kind).select_related("progress").order_by("-id").first()


def run_to_show(group: TargetGroup) -> SyncRun | None:
    """Return the group's run under way, or else its newest one; a running one comes before one that waits."""
    ranks = {RunStatus.RUNNING: 0, RunStatus.WAITING: 1}
    return min(_RUNS_TO_SHOW.rows(group.pk), key=lambda run: ranks.get(RunStatus(run.status), 2), default=None)


def _runs_to_show(group_id: int) -> QuerySet[SyncRun]:
    runs = SyncRun.objects.filter(target_group=group_id, kind=RunKind.GROUP)
    newest = runs.order_by("-id").values("pk")[:1]
    return runs.filter(Q(status__in=ACTIVE) | Q(pk=Subquery(newest))).order_by()


_RUNS_TO_SHOW = ById(_runs_to_show)


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


# --- people of a group ----------------------------------------------------------------------------------------------


def people_page(
    found: QuerySet[Membership],
    *,
    sort: str,
    is_descending: bool,
    size: int,
    after: int | None,
    before: int | None,
) -> KeysetPage[ListedPerson]:
    """Read one page of `found_people`: as many memberships as it shows, and only these people's rows."""
    column = PEOPLE_SORTS[sort]
    return keyset_page(
        found,
        [column, "subscriber_id"],
        size=size,
        after=_person_key(after, column),
        before=_person_key(before, column),
        is_descending=is_descending,
        read=lambda found, downwards: people_of(found, column, is_descending=downwards),
    )


def people_in_order(
    group: TargetGroup, *, sort: str, is_descending: bool, text: str, only: str
) -> QuerySet[Membership]:
    """Return everybody that the pages of a list show, in the list's order."""
    order = (PEOPLE_SORTS[sort], "subscriber_id")
    people = found_people(group, text, only)
    return people.order_by(*(f"-{name}" if is_descending else name for name in order))


def found_people(group: TargetGroup, text: str, only: str = "") -> QuerySet[Membership]:
    """Return the members whose address or name holds every word; one or two characters match beginnings.

    `only` is RECEIVING, or a word of NotReceiving: those whom a mailing reaches, or does not, and why.
    """
    people = Membership.objects.filter(target_group=group)
    if only:
        people = people.narrowed(only, group)
    return people.containing(text, group.bridge_id)


def hits_of(page: KeysetPage[ListedPerson], found: QuerySet[Membership]) -> int:
    """Count `found_people`; most searches have them on one page, and nothing is asked for."""
    is_all = not page.has_previous and not page.has_next
    return len(page.rows) if is_all else hits_among(found.values_list("subscriber_id", flat=True))


def hits_among(rows: QuerySet[Any]) -> int:
    """Count hits, up to one more than MOST_HITS_COUNTED."""
    return len(rows[: MOST_HITS_COUNTED + 1])


def only_word(word: str) -> str:
    """Return what the list of a group's people can be narrowed to, or "" for what an old address may say."""
    return word if word == RECEIVING or word in NotReceiving.values else ""


def receiving_count(group: TargetGroup) -> ReceivingCount | None:
    """Return whom a mailing reaches of the members that the group has now; None: not counted yet."""
    counted = ReceivingCount.objects.filter(target_group=group).first()
    return counted if counted and counted.counted_run_id == group.counted_run_id else None


def present_exclusions(group: TargetGroup) -> QuerySet[Exclusion]:
    return Exclusion.objects.filter(target_group=group, until_run_id__isnull=True)


def now_do_not_email_count(group: TargetGroup) -> int:
    """Count the members whom another group's sync has shown as Do Not Email since (R4): few, by the sort index."""
    return Membership.objects.filter(target_group=group).now_do_not_email().count()


def suppressed_addresses(address_keys: Iterable[str]) -> dict[str, str]:
    """Return why those of these addresses that are not mailed are not, in words, by address key."""
    rows = Suppression.objects.in_force().filter(address_key__in=set(address_keys) - {""})
    causes = rows.order_by("-suppressed_at").values_list("address_key", "cause")
    return {address_key: str(SuppressionCause(cause).label) for address_key, cause in causes}


def _person_key(subscriber_id: int | None, column: str) -> tuple[Any, ...] | None:
    # Read from the person, who may have left the group since the address of this page was made.
    if subscriber_id is None:
        return None
    key = Subscriber.objects.filter(pk=subscriber_id).values_list(column, flat=True).first()
    return None if key is None else (key, subscriber_id)


# --- what a run asks for and shows ----------------------------------------------------------------------------------


def groups_to_mark(run: SyncRun) -> QuerySet[TargetGroup]:
    """Return the groups that a held list refresh would mark as gone (R10)."""
    marked = RunOutcome.objects.filter(run=run, kind=OutcomeKind.WOULD_REMOVE).values("remote_key")
    groups = TargetGroup.objects.filter(bridge=run.bridge, search_key__in=marked)
    return groups if run.kind == RunKind.LIST else groups.none()


def checked_person(run: SyncRun) -> Subscriber | None:
    """Return whom a person check is about, if anything is kept of them."""
    if run.kind != RunKind.PERSON:
        return None
    return Subscriber.objects.filter(bridge=run.bridge_id, remote_key=run.remote_id.lower()).first()


def requests_of(run: SyncRun) -> QuerySet[SyncRequest]:
    return SyncRequest.objects.filter(run=run).select_related("user").order_by("pk")


def _key(row_id: int | None) -> tuple[int] | None:
    return None if row_id is None else (row_id,)
