"""The audit log as a list: its filters, any page of it by an index, and where the things of its entries are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import User
from accounts.permissions import MANAGE_USERS, VIEW_BRIDGE, VIEW_GROUPS, VIEW_SUBSCRIBERS
from accounts.tables import Column
from accounts.views.asking import whole
from accounts.views.tables import Ordering
from audit.models import AuditEntry
from thrive_sync.lib.csv_export import time_cell
from thrive_sync.lib.paging import KeysetPage, key_of, keyset_page
from thrive_sync.lib.words import Words

from .. import rooms
from ..models import Bridge, Folder, Schedule, Subscriber, SyncRun, TargetGroup
from . import audit_words
from .audit_words import BY_THEMSELVES, FAMILIES, THINGS, Difference
from .run_filters import PRESETS, Chip, day_of, in_days, query_without, words_of_time

ORDER = ["at", "id"]
LONGEST_TEXT = 100


@dataclass(frozen=True)
class Filters:
    """What narrows the log; `when` (a word of PRESETS) goes before `since` and `until`, whole days of the reader."""

    who: str = ""
    what: str = ""
    thing: str = ""
    thing_id: str = ""
    when: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def names(self) -> list[str]:
        """The filters that are set, as one each."""
        return [name for name in ("who", "what", "thing", "when", "since", "until") if getattr(self, name)]

    def entries(self, text: str = "") -> QuerySet[AuditEntry]:
        """Return what every filter but `what` leaves, and the search."""
        entries = in_days(AuditEntry.objects.all(), "at", self.when, self.since, self.until)
        if self.who:
            entries = entries.filter(actor_label=self.who)
            if self.who in BY_THEMSELVES:  # not of a user who is called so
                entries = entries.filter(actor__isnull=True)
        if self.thing:
            entries = entries.filter(object_type=self.thing)
        if self.thing_id:
            entries = entries.filter(object_id=self.thing_id)
        for word in text.split():
            named = Q(object_label__icontains=word) | Q(actor_label__icontains=word)
            entries = entries.filter(named | Q(action__in=audit_words.actions_like(word)))
        return entries

    @property
    def parts(self) -> list[Q]:
        return [Q(action=word) for word in audit_words.actions_of(self.what)] if self.what else []

    def without(self, name: str) -> Filters:
        if name == "thing":
            return replace(self, thing="", thing_id="")
        default: Any = Filters.__dataclass_fields__[name].default
        return replace(self, **{name: default})


def filters_of(request: HttpRequest) -> Filters:
    """Read the address; what is not known there filters nothing."""
    asked = request.GET
    when = asked.get("when", "") if asked.get("when") in PRESETS else ""
    thing = asked.get("thing", "") if asked.get("thing") in THINGS else ""
    return Filters(
        who=asked.get("who", "")[:150],
        what=asked.get("what", "") if asked.get("what") in FAMILIES else "",
        thing=thing,
        thing_id=str(number) if thing and (number := whole(request, "thing_id")) else "",
        when=when,
        since=None if when else day_of(asked.get("from", "")),
        until=None if when else day_of(asked.get("to", "")),
    )


def page_of(
    filters: Filters, text: str, *, size: int, order: Ordering, after: int | None, before: int | None
) -> KeysetPage[AuditEntry]:
    keys = [key_of(AuditEntry.objects.all(), ORDER, row_id) for row_id in (after, before)]
    return keyset_page(
        filters.entries(text),
        ORDER,
        size=size,
        after=keys[0],
        before=keys[1],
        is_descending=order.is_descending,
        parts=filters.parts,
    )


def in_order(filters: Filters, text: str, order: Ordering) -> QuerySet[AuditEntry]:
    """Return every entry that the pages of the list show, in the list's order."""
    entries = filters.entries(text)
    if filters.what:
        entries = entries.filter(action__in=audit_words.actions_of(filters.what))
    return entries.order_by(*(f"-{name}" if order.is_descending else name for name in ORDER))


def chips_of(filters: Filters, address: QueryDict) -> list[Chip]:
    parts = {"thing": ("thing", "thing_id")}
    return [
        Chip(name, *_words(filters, name), query=query_without(address, *parts.get(name, (name,))))
        for name in filters.names
    ]


def enough_alone(filters: Filters) -> set[str]:
    """Return which filters, each taken off alone, would leave something to show: asked for an empty list only."""
    rest = {name: filters.without(name) for name in filters.names}
    first = Ordering("at", is_descending=True)
    return {name for name, left in rest.items() if page_of(left, "", size=1, order=first, after=None, before=None).rows}


def selects_of(filters: Filters) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """Return what the form above the list offers: name, label, options, and which is chosen."""
    names = User.objects.order_by("username").values_list("username", "first_name", "last_name")
    users = [(username, f"{first} {last}".strip() or username) for username, first, last in names]
    who = [("", gettext("Everybody")), *users, *_options(BY_THEMSELVES)]
    if filters.who and filters.who not in dict(who):
        who.append((filters.who, filters.who))  # of a user who is no more
    return [
        ("who", gettext("Who"), who, filters.who),
        ("what", gettext("What"), [("", gettext("Everything")), *_options(FAMILIES)], filters.what),
        ("thing", gettext("Done to"), [("", gettext("Anything")), *_options(THINGS)], filters.thing),
    ]


def _options(told: Mapping[str, Words]) -> list[tuple[str, str]]:
    return [(word, str(words)) for word, words in told.items()]


def _words(filters: Filters, name: str) -> tuple[str, str]:
    if name == "who":
        return gettext("Who"), str(BY_THEMSELVES.get(filters.who, filters.who))
    if name == "what":
        return gettext("What"), str(FAMILIES[filters.what])
    if name == "thing":
        thing = str(THINGS[filters.thing])
        # Translators: a kind of thing and its name, for example "Folder Events".
        told = gettext("%(thing)s %(name)s") % {"thing": thing, "name": _label_of(filters)}
        return gettext("Done to"), told if filters.thing_id else thing
    return words_of_time(gettext("When"), name, filters.when, filters.since, filters.until)


def _label_of(filters: Filters) -> str:
    """Name the one thing that the log is narrowed to, as its newest entry does."""
    newest = AuditEntry.objects.filter(object_type=filters.thing, object_id=filters.thing_id).order_by("-at", "-id")
    return newest.values_list("object_label", flat=True).first() or filters.thing_id


# --- lines ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """An entry in words. `address` leads to its thing where that is still there and may be seen; else it is empty."""

    entry: AuditEntry
    what: str
    who: str
    thing: str
    differences: list[Difference]
    address: str = ""
    user_address: str = ""

    @property
    def summary(self) -> str:
        return audit_words.summary(self.differences)

    @property
    def log_of_thing(self) -> str:
        """The address of the log of this thing alone; empty where a filter would not know it."""
        query = QueryDict(mutable=True)
        query.update({"thing": self.entry.object_type, "thing_id": self.entry.object_id})
        is_known = self.entry.object_type in THINGS and self.entry.object_id.isdigit()
        return f"{reverse('targetgroups:audit_log')}?{query.urlencode()}" if is_known else ""


def lines(entries: Sequence[AuditEntry], user: User) -> list[Line]:
    """Put entries in words and look up where their things are: a statement for each kind of thing among them."""
    addresses = _addresses(entries, user)
    sees_users = user.may(MANAGE_USERS)
    return [
        Line(
            entry,
            audit_words.words_of(entry.action),
            audit_words.actor_words(entry),
            audit_words.thing_words(entry),
            audit_words.differences(entry),
            addresses.get((entry.object_type, entry.object_id), ""),
            reverse("accounts:user", args=[entry.actor_id]) if sees_users and entry.actor_id else "",
        )
        for entry in entries
    ]


# What has a page: its model, the page, and the right to see it.
_PAGES: dict[str, tuple[type[Model], Callable[[int], str], str]] = {
    model._meta.label_lower: (model, address, right)
    for model, address, right in (
        (TargetGroup, lambda pk: reverse("targetgroups:info", args=[pk]), VIEW_GROUPS),
        (SyncRun, lambda pk: reverse("targetgroups:run", args=[pk]), VIEW_GROUPS),
        (Folder, lambda pk: f"{reverse('targetgroups:target_groups')}?folder={pk}", VIEW_GROUPS),
        (Bridge, lambda pk: reverse("targetgroups:one_bridge", args=[pk]), VIEW_BRIDGE),
        (Schedule, lambda pk: reverse("targetgroups:schedule", args=[pk]), VIEW_BRIDGE),
        (Subscriber, lambda pk: reverse("targetgroups:subscriber", args=[pk]), VIEW_SUBSCRIBERS),
        (User, lambda pk: reverse("accounts:user", args=[pk]), MANAGE_USERS),
    )
}
_MAILING = "mailings.mailing"


def _addresses(entries: Sequence[AuditEntry], user: User) -> dict[tuple[str, str], str]:
    """Return where the things of entries are; those that are gone, or that the user may not see, are left out."""
    named: dict[str, set[int]] = {}
    for entry in entries:
        if entry.object_id.isdigit():
            named.setdefault(entry.object_type, set()).add(int(entry.object_id))
    found: dict[tuple[str, str], str] = {}
    for kind, ids in named.items():
        if kind == _MAILING:
            links = rooms.mailings(ids).items()
            seen = [(pk, link) for pk, link in links if link.page and (not link.right or user.may(link.right))]
            found |= {(kind, str(pk)): reverse(link.page, args=[link.page_id]) for pk, link in seen}
        elif kind in _PAGES and user.may(_PAGES[kind][2]):
            model, address, _ = _PAGES[kind]
            there = model._default_manager.filter(pk__in=ids).values_list("pk", flat=True)
            found |= {(kind, str(pk)): address(pk) for pk in there}
    return found


def cells(entries: QuerySet[AuditEntry], columns: Sequence[Column], zone: tzinfo) -> Iterator[list[object]]:
    """Give a line of a file an entry: what the page shows, and all that differs."""
    for entry in entries.iterator(chunk_size=2_000):
        yield [_cell(entry, column.key, zone) for column in columns]


def _cell(entry: AuditEntry, key: str, zone: tzinfo) -> object:
    if key == "changes":
        return audit_words.summary(audit_words.differences(entry), most=100)
    return {
        "at": time_cell(entry.at, zone),
        "who": audit_words.actor_words(entry),
        "what": audit_words.words_of(entry.action),
        "kind": audit_words.thing_words(entry),
        "thing": entry.object_label,
        "number": entry.pk,
    }[key]
