"""The lists of people of a run: whom it added, changed, removed and left out, or would have. Names while they exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.tables import Table
from thrive_sync.lib.paging import KeysetPage, keyset_page
from thrive_sync.lib.words import Words

from ..choices import ExclusionReason, OutcomeKind, RemovalReason, RunKind, reason_label
from ..columns import ADDED_BY_RUN, CHANGED_BY_RUN, EXCLUDED, KEPT_BY_RUN, REMOVED_BY_RUN, WOULD_BE_ADDED
from ..models import Exclusion, Membership, RunOutcome, Subscriber, SyncRun, TargetGroup
from .reading import found_people, present_exclusions
from .sums import NO_REASON, REASONS

Entry = Membership | RunOutcome | Exclusion


@dataclass(frozen=True)
class PeopleList:
    """A list of a run, by its word in the address."""

    word: str
    label: Words
    table: Table
    kind: OutcomeKind | None = None  # None: told by the members, or by the exclusions

    @property
    def has_reasons(self) -> bool:
        return any(column.key == "reason" for column in self.table.columns)

    @property
    def default_sort(self) -> str:
        return "email" if self.is_of_members else "remote_id"

    @property
    def is_of_members(self) -> bool:
        """Say whether it lists members of the group as it is now."""
        return self.word in ("added", "would_stay")


LISTS = {
    one.word: one
    for one in (
        PeopleList("added", gettext_lazy("Added"), ADDED_BY_RUN),
        PeopleList("added_left", gettext_lazy("Added, left since"), REMOVED_BY_RUN, OutcomeKind.REMOVED),
        PeopleList("changed", gettext_lazy("Changed"), CHANGED_BY_RUN, OutcomeKind.CHANGED),
        PeopleList("removed", gettext_lazy("Removed"), REMOVED_BY_RUN, OutcomeKind.REMOVED),
        PeopleList("kept", gettext_lazy("Kept on doubt"), KEPT_BY_RUN, OutcomeKind.KEPT),
        PeopleList("would_add", gettext_lazy("Would be added"), WOULD_BE_ADDED, OutcomeKind.WOULD_ADD),
        PeopleList("would_change", gettext_lazy("Would be changed"), CHANGED_BY_RUN, OutcomeKind.WOULD_CHANGE),
        PeopleList("would_remove", gettext_lazy("Would be removed"), REMOVED_BY_RUN, OutcomeKind.WOULD_REMOVE),
        PeopleList("would_stay", gettext_lazy("Would stay"), ADDED_BY_RUN),
        PeopleList("excluded", gettext_lazy("Excluded"), EXCLUDED),
    )
}
_WOULD = {"would_add": "added", "would_change": "changed", "would_remove": "removed"}
_BY_REASON = {"removed": "removed_by_reason", "would_remove": "would_remove_by_reason"}
MEMBER_ORDERS = {"email": ["sort_email", "subscriber_id"], "name": ["sort_name", "subscriber_id"]}


@dataclass(frozen=True)
class Named:
    """One line of a list: the row, and the person as far as known (R1: whoever is Do Not Email is a Remote ID)."""

    row: Entry
    person: Subscriber | None

    @property
    def pk(self) -> int:
        return self.row.subscriber_id if isinstance(self.row, Membership) else int(self.row.pk)

    @property
    def remote_id(self) -> str:
        return self.row.subscriber.remote_id if isinstance(self.row, Membership) else self.row.remote_id

    @property
    def is_erased(self) -> bool:
        return self.person is not None and self.person.do_not_email_at is not None


def run_or_404(run_id: int) -> SyncRun:
    runs = SyncRun.objects.select_related("bridge", "target_group", "progress", "applies", "decided_by")
    return get_object_or_404(runs, pk=run_id)


def run_after(run: SyncRun) -> SyncRun | None:
    """Return the run that tried the same again, by itself or because somebody asked: the newest one."""
    slot = {"bridge": run.bridge_id, "kind": run.kind, "target_group": run.target_group_id, "remote_id": run.remote_id}
    same = SyncRun.objects.filter(**slot)
    return same.filter(pk__gt=run.pk).select_related("progress").order_by("-id").first()


def list_or_404(run: SyncRun, word: str) -> PeopleList:
    if word not in LISTS or run.target_group is None:
        raise Http404
    return LISTS[word]


def lists_of(run: SyncRun, now: datetime | None = None) -> list[tuple[str, Words, int | None]]:
    """Return the lists that this run has, word, label and number: none before its end, or once they are cleared."""
    if run.target_group is None or not run.is_final or not run.keeps_people(now or timezone.now()):
        return []
    if not (run.is_good and run.kind == RunKind.GROUP):
        words = [*_WOULD, "would_stay"] if run.is_held else _WOULD
        return [(word, LISTS[word].label, figure(run, word)) for word in words if figure(run, word)]
    lists = [(word, LISTS[word].label, figure(run, word)) for word in ("added", "changed", "removed", "excluded")]
    # Whom it added is told by the members; those who have left since are told by their leaving.
    if run.figures.get("added") and left_since(run).exists():
        lists.insert(1, ("added_left", LISTS["added_left"].label, None))
    if kept := figure(run, "kept"):
        lists.append(("kept", LISTS["kept"].label, kept))
    return lists


def reasons_of(run: SyncRun, word: str) -> list[tuple[str, str, int]]:
    """Return the reasons by which a list can be narrowed, with their numbers."""
    if word == "excluded":
        return reasons_among(run.figures)
    return reasons_among(run.figures.get(_BY_REASON.get(word, ""), {}))


def reasons_among(counts: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """Return word, label and number of each reason that somebody has, in the order of the words' list."""
    return [(word or NO_REASON, reason_label(word), counts[word]) for word in REASONS if counts.get(word)]


def figure(run: SyncRun, word: str) -> int | None:
    if word == "excluded":
        in_search, eligible = run.figures.get("in_search"), run.figures.get("eligible")
        return None if in_search is None or eligible is None else in_search - eligible
    if word == "would_stay":
        return max(run.figures.get("members_before", 0) - run.figures.get("would_remove", 0), 0)
    found = run.figures.get(word, run.figures.get(_WOULD.get(word, word)))
    return found if isinstance(found, int) else None


def known_reason(word: str, reason: str) -> str:
    """Return a reason that the list can be narrowed by, or "" for what an old address may say."""
    known = ExclusionReason.values if word == "excluded" else [*RemovalReason.values, NO_REASON]
    return reason if reason in known else ""


# --- the rows ------------------------------------------------------------------------------------------------------


def rows_of(run: SyncRun, one: PeopleList, *, text: str = "", reason: str = "") -> QuerySet[Any]:
    """Return a list's rows; `text` is looked for in address and name, and as the beginning of a Remote ID."""
    if one.is_of_members:
        return _members(run, text, _added(run) if one.word == "added" else _staying(run))
    rows: QuerySet[Any]
    if one.word == "excluded":
        rows = exclusions_of(run)
    elif one.word == "added_left":
        rows = left_since(run)
    else:
        rows = run.outcomes.filter(kind=one.kind)
    if reason:
        rows = rows.filter(reason="" if reason == NO_REASON else reason)
    return matching(rows, run.bridge_id, text)


def present_rows(group: TargetGroup, *, text: str = "", reason: str = "") -> QuerySet[Any]:
    """Return who is left out of a group now: the Excluded tab's rows."""
    rows = present_exclusions(group)
    return matching(rows.filter(reason=reason) if reason else rows, group.bridge_id, text)


def matching(rows: QuerySet[Any], bridge_id: int, text: str) -> QuerySet[Any]:
    """Narrow rows that bear a Remote ID to those of the people looked for."""
    if not text:
        return rows
    people = Subscriber.objects.filter(bridge_id=bridge_id, remote_key=OuterRef("remote_key"))
    return rows.filter(Q(remote_key__startswith=text.lower()) | Exists(people.containing(text)))


def _added(run: SyncRun) -> QuerySet[Membership]:
    return Membership.objects.filter(target_group=run.target_group, added_run_id=run.pk)


def _staying(run: SyncRun) -> QuerySet[Membership]:
    """Return the members whom a held run would not remove: by the run's own list of them where they are few."""
    members = Membership.objects.filter(target_group=run.target_group)
    stays = run.outcomes.filter(kind=OutcomeKind.WOULD_STAY)
    if stays.exists():
        people = Subscriber.objects.filter(bridge=run.bridge_id, remote_key__in=stays.values("remote_key"))
        return members.filter(subscriber_id__in=people.values("pk"))
    goes = RunOutcome.objects.filter(
        run=run, kind=OutcomeKind.WOULD_REMOVE, remote_key=OuterRef("subscriber__remote_key")
    )
    return members.filter(~Exists(goes))


def _members(run: SyncRun, text: str, members: QuerySet[Membership]) -> QuerySet[Membership]:
    members = members.select_related("subscriber")
    if not text or run.target_group is None:
        return members
    by_name = found_people(run.target_group, text).values("subscriber_id")
    by_id = Subscriber.objects.filter(bridge=run.bridge_id, remote_key__startswith=text.lower()).values("pk")
    return members.filter(Q(subscriber_id__in=by_name) | Q(subscriber_id__in=by_id))


def exclusions_of(run: SyncRun) -> QuerySet[Exclusion]:
    """Return who the run left out: rows that began with or before it and had not ended by then."""
    open_or_later = Q(until_run_id__isnull=True) | Q(until_run_id__gt=run.pk)
    return Exclusion.objects.filter(open_or_later, target_group=run.target_group, from_run_id__lte=run.pk)


def left_since(run: SyncRun) -> QuerySet[RunOutcome]:
    """Return those whom this run added and a later one removed."""
    return RunOutcome.objects.filter(added_run_id=run.pk, kind=OutcomeKind.REMOVED)


def named(bridge_id: int, rows: Sequence[Entry]) -> list[Named]:
    """Join the people of some rows, as far as they (still) exist."""
    keys = {row.remote_key for row in rows if not isinstance(row, Membership)}
    people = Subscriber.objects.filter(bridge_id=bridge_id, remote_key__in=keys) if keys else []
    by_key = {person.remote_key: person for person in people}
    return [Named(row, row.subscriber if isinstance(row, Membership) else by_key.get(row.remote_key)) for row in rows]


# --- in order, a page or everything ----------------------------------------------------------------------


def order_of(one: PeopleList, sort: str) -> list[str]:
    if one.is_of_members:
        return MEMBER_ORDERS[sort]
    # Nobody is left out twice for one reason, now or at any one run; with the ID behind them no index had this order.
    return ["reason", "remote_key"] if one.word == "excluded" else ["remote_key", "id"]


def in_order(rows: QuerySet[Any], order: list[str], *, is_descending: bool) -> QuerySet[Any]:
    """Return everybody that the pages of a list show, in the list's order."""
    return rows.order_by(*(f"-{name}" if is_descending else name for name in order))


def page_of(
    rows: QuerySet[Any], order: list[str], *, size: int, after: int | None, before: int | None, is_descending: bool
) -> KeysetPage[Any]:
    """Read one page; the cursors are IDs of rows, whose keys are read first."""
    return keyset_page(
        rows,
        order,
        size=size,
        after=key_of(rows, order, after),
        before=key_of(rows, order, before),
        is_descending=is_descending,
    )


def key_of(rows: QuerySet[Any], order: list[str], row_id: int | None) -> tuple[Any, ...] | None:
    """Read the key of the row that an address names as a cursor."""
    if row_id is None:
        return None
    if rows.model is Membership:  # read from the person, who may have left since the address of this page was made
        found = Subscriber.objects.filter(pk=row_id).values_list(order[0]).first()
        return None if found is None else (*found, row_id)
    return rows.model._default_manager.filter(pk=row_id).values_list(*order).first()
