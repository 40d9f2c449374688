"""The filters of Sync Activity: what the address says of them, which runs they leave, and how each is taken off again.

An unknown value filters nothing instead of failing: addresses get old.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from thrive_sync.lib import words
from thrive_sync.lib.paging import KeysetPage, keyset_page

from ..choices import RunKind, RunStatus, Trigger
from ..models import ScheduleFiring, SyncRequest, SyncRun, TargetGroup
from ..querysets import SyncRunQuerySet

Rows = TypeVar("Rows", bound="QuerySet[Any]")
PRESETS = {"today": (gettext_lazy("Today"), 1), "7d": (gettext_lazy("7 days"), 7), "30d": (gettext_lazy("30 days"), 30)}
_PRESETS_WITHIN = {
    "today": gettext_lazy("today"),
    "7d": gettext_lazy("in the last 7 days"),
    "30d": gettext_lazy("in the last 30 days"),
}
MOST_OFFERED = 20
_PAGE_OF_A_LIST = ("after", "before")
# The parts of an address that make one filter, by the filter's name.
_PARTS = {"group": ("group", "group_name"), "when": ("when",), "since": ("from",), "until": ("to",)}


@dataclass(frozen=True)
class RunFilters:
    """What narrows the list; `when` (a word of PRESETS) goes before `since` and `until`, whole days of the reader."""

    group: TargetGroup | None = None
    kind: str = ""
    trigger: str = ""
    who: User | None = None
    outcome: str = ""
    firing: ScheduleFiring | None = None
    when: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def names(self) -> list[str]:
        """The filters that are set."""
        return [name for name in self.__dataclass_fields__ if getattr(self, name)]

    @property
    def has_time(self) -> bool:
        return bool(self.when or self.since or self.until)

    def runs(self, today: date) -> SyncRunQuerySet:
        """Return the runs that every filter leaves."""
        words = {"target_group": self.group, "kind": self.kind, "trigger": self.trigger, "status": self.outcome}
        runs = SyncRun.objects.filter(**{field: value for field, value in words.items() if value})
        if self.who:
            runs = runs.filter(Exists(SyncRequest.objects.filter(user=self.who, run=OuterRef("pk"))))
        if self.firing:
            runs = runs.filter(Exists(SyncRequest.objects.filter(firing=self.firing, run=OuterRef("pk"))))
        return in_days(runs, "created_at", self.when, self.since, self.until, today)

    def without(self, name: str) -> RunFilters:
        default: Any = RunFilters.__dataclass_fields__[name].default
        return replace(self, **{name: default})


@dataclass(frozen=True)
class Chip:
    """A filter that is set, and the address of the list without it."""

    name: str
    label: str
    value: str
    query: str


def filters_of(request: HttpRequest) -> RunFilters:
    asked = request.GET
    when = asked.get("when", "") if asked.get("when") in PRESETS else ""
    return RunFilters(
        group=_group(asked),
        kind=_known(asked.get("kind", ""), RunKind.values),
        trigger=_known(asked.get("trigger", ""), Trigger.values),
        who=User.objects.filter(pk=_number(asked.get("who", ""))).first() if asked.get("who") else None,
        outcome=_known(asked.get("outcome", ""), RunStatus.values),
        firing=_firing(asked),
        when=when,
        since=None if when else day_of(asked.get("from", "")),
        until=None if when else day_of(asked.get("to", "")),
    )


def page_of_runs(
    filters: RunFilters, *, size: int, after: int | None, before: int | None, is_descending: bool = True
) -> KeysetPage[SyncRun]:
    """Read a page, in the order in which the runs were asked for."""
    runs, order = filters.runs(timezone.localdate()).for_list(), _order(filters)
    keys = {"after": _key(after, order), "before": _key(before, order)}
    return keyset_page(runs, order, size=size, is_descending=is_descending, after=keys["after"], before=keys["before"])


def runs_in_order(filters: RunFilters, *, is_descending: bool) -> QuerySet[SyncRun]:
    """Return every run that the pages of the list show, in the list's order."""
    order = [f"-{name}" if is_descending else name for name in _order(filters)]
    return filters.runs(timezone.localdate()).for_list().order_by(*order)


def chips_of(filters: RunFilters, address: QueryDict) -> list[Chip]:
    return [Chip(name, *_words(filters, name), query=query_without(address, name)) for name in filters.names]


def enough_alone(filters: RunFilters) -> set[str]:
    """Return which filters, each taken off alone, would leave a run to show: asked for an empty list only."""
    today = timezone.localdate()
    return {name for name in filters.names if filters.without(name).runs(today).order_by().exists()}


def query_without(address: QueryDict, *names: str) -> str:
    """Return the list's address without these filters, from its first page on."""
    left = address.copy()
    for name in names:
        for part in _PARTS.get(name, (name,)):
            left.pop(part, None)
    for part in [name for name, value in left.items() if name in _PAGE_OF_A_LIST or not value]:
        del left[part]
    return left.urlencode()


def presets_of(when: str, address: QueryDict) -> Iterator[tuple[str, str, bool]]:
    """Give label, address and whether it is chosen, of each span of days that one click chooses."""
    for word, (label, _) in PRESETS.items():
        rest = query_without(address, "when", "since", "until")
        yield str(label), f"{rest}&when={word}" if rest else f"when={word}", when == word


def bar_of(filters: RunFilters, address: QueryDict) -> dict[str, Any]:
    """Return what the form above the list shows."""
    typed = "" if filters.group else address.get("group_name", "").strip()
    people = [(user.pk, user.get_full_name() or user.username) for user in User.objects.order_by("username")]
    who = str(filters.who.pk) if filters.who else ""
    return {
        "selects": [
            ("kind", gettext("Kind"), [("", gettext("All kinds")), *RunKind.choices], filters.kind),
            ("trigger", gettext("Trigger"), [("", gettext("All triggers")), *Trigger.choices], filters.trigger),
            ("who", gettext("Who"), [("", gettext("Everybody")), *people], who),
            ("outcome", gettext("Outcome"), [("", gettext("All outcomes")), *RunStatus.choices], filters.outcome),
        ],
        "presets": list(presets_of(filters.when, address)),
        "group_name": typed,
        "candidates": options_of(address)[:MOST_OFFERED] if typed else [],
    }


def options_of(address: QueryDict) -> list[tuple[TargetGroup, str]]:
    """Return the groups of the name that is typed, with the address of the list narrowed to each."""
    rest = query_without(address, "group")
    found = groups_named(address.get("group_name", ""))
    return [(group, f"{rest}&group={group.pk}" if rest else f"group={group.pk}") for group in found]


def groups_named(text: str) -> list[TargetGroup]:
    """Return the groups whose names hold every word, the exact name first; one more than MOST_OFFERED tells of more."""
    groups = TargetGroup.objects.present()
    for word in text.split():
        groups = groups.filter(name__icontains=word)
    found = list(groups.order_by("name", "pk")[: MOST_OFFERED + 1])
    return sorted(found, key=lambda group: group.name.casefold() != text.strip().casefold())


def _group(asked: QueryDict) -> TargetGroup | None:
    """Return the group that is chosen; a name that was only typed counts if there is no doubt whose it is."""
    if chosen := _number(asked.get("group", "")):
        return TargetGroup.objects.filter(pk=chosen).first()
    if not (text := asked.get("group_name", "").strip()):
        return None
    found = groups_named(text)
    exact = [group for group in found if group.name.casefold() == text.casefold()]
    return found[0] if len(found) == 1 or len(exact) == 1 else None


def _firing(asked: QueryDict) -> ScheduleFiring | None:
    rows = ScheduleFiring.objects.select_related("schedule__folder", "schedule__target_group")
    return rows.filter(pk=number).first() if (number := _number(asked.get("firing", ""))) else None


def _words(filters: RunFilters, name: str) -> tuple[str, str]:
    if name == "who":
        return gettext("Who"), str(filters.who.get_full_name() or filters.who) if filters.who else ""
    if name == "firing" and filters.firing:
        # Translators: what a schedule does, and when it did: "Sync of all groups, May 3, 2031, 02:00:00 UTC".
        told = gettext("%(what)s, %(time)s")
        named = {"what": filters.firing.schedule.what, "time": words.exact(filters.firing.fired_at)}
        return gettext("Schedule"), told % named
    if name == "group":
        return gettext("Target group"), str(filters.group)
    if name in ("when", "since", "until"):
        return words_of_time(gettext("Asked for"), name, filters.when, filters.since, filters.until)
    if name == "kind":
        return gettext("Kind"), str(RunKind(filters.kind).label)
    if name == "trigger":
        return gettext("Trigger"), str(Trigger(filters.trigger).label)
    return gettext("Outcome"), str(RunStatus(filters.outcome).label)


def _order(filters: RunFilters) -> list[str]:
    # Between two times it follows the index on times, or old runs would be far to seek.
    return ["created_at", "id"] if filters.has_time else ["id"]


def _key(run_id: int | None, order: list[str]) -> tuple[object, ...] | None:
    if run_id is None or order == ["id"]:
        return None if run_id is None else (run_id,)
    return SyncRun.objects.filter(pk=run_id).values_list(*order).first()


def in_days(
    rows: Rows, field: str, when: str, since: date | None, until: date | None, today: date | None = None
) -> Rows:
    """Return the rows whose time lies within whole days of the reader: those of a word of PRESETS, or between two."""
    if when:
        since, until = (today or timezone.localdate()) - timedelta(days=PRESETS[when][1] - 1), None
    if since:
        rows = rows.filter(**{f"{field}__gte": _midnight(since)})
    if until:
        rows = rows.filter(**{f"{field}__lt": _midnight(until + timedelta(days=1))})
    return rows


def words_of_time(label: str, name: str, when: str, since: date | None, until: date | None) -> tuple[str, str]:
    """Put one of the filters of time in words."""
    if name == "when":
        return label, str(_PRESETS_WITHIN[when])
    day = since if name == "since" else until
    told = gettext("from %(day)s") if name == "since" else gettext("up to %(day)s")
    return label, told % {"day": words.day(_midnight(day)) if day else ""}


def day_of(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:  # well formed, but no such day
        return None
    return day if day and 2000 <= day.year <= 2100 else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _known(word: str, words: list[str]) -> str:
    return word if word in words else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
