"""Admin > Users as a list: who is here, with which roles, in which state; searched, narrowed and sorted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from accounts import links, lockout
from accounts.languages import chosen_by
from accounts.models import ApiToken, User
from accounts.permissions import ROLES, role_words
from accounts.tables import Column
from thrive_sync.lib.csv_export import in_steps, time_cell


class State(models.TextChoices):
    ACTIVE = "active", pgettext_lazy("user", "Active")
    INVITED = "invited", gettext_lazy("Invited")
    EXPIRED = "expired", gettext_lazy("Invitation expired")
    DEACTIVATED = "deactivated", gettext_lazy("Deactivated")
    LOCKED = "locked", gettext_lazy("Locked")


# state -> (tone, icon)
LOOK = {
    State.ACTIVE: ("ok", "check-circle-fill"),
    State.INVITED: ("busy", "envelope"),
    State.EXPIRED: ("warn", "clock-history"),
    State.DEACTIVATED: ("quiet", "slash-circle"),
    State.LOCKED: ("warn", "lock"),
}
SORTS: dict[str, list[Any]] = {
    "name": [Lower("shown_name"), "username"],
    "username": [Lower("username")],
    "email": [Lower("email"), "username"],
    "seen": [F("last_seen_at").asc(nulls_first=True), "username"],
    "added": ["date_joined", "username"],
    "invited": [F("invited_at").asc(nulls_first=True), "username"],
    "invited_by": [Lower("invited_by__username").asc(nulls_first=True), "username"],
    "time_zone": ["timezone", "username"],
}
MOST_PAGES = 10_000
FILTERED = (State.ACTIVE, State.INVITED, State.DEACTIVATED, State.LOCKED)


@dataclass(frozen=True)
class Wanted:
    """What the address and the search ask for; what is not known falls back to everybody, by name."""

    text: str = ""
    role: str = ""
    state: str = ""
    sort: str = "name"
    is_descending: bool = False

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.role or self.state)


@dataclass(frozen=True)
class Line:
    user: User
    state: State
    token_count: int = 0

    @property
    def tone(self) -> str:
        return LOOK[self.state][0]

    @property
    def icon(self) -> str:
        return LOOK[self.state][1]

    @property
    def name(self) -> str:
        return self.user.get_full_name() or self.user.username

    @property
    def roles(self) -> str:
        return ", ".join(sorted(role_words(role.name) for role in self.user.groups.all()))

    @property
    def time_zone(self) -> str:
        return self.user.timezone.replace("_", " ")

    @property
    def language(self) -> str:
        """Name the language that the user chose, in itself."""
        return str(dict(settings.LANGUAGES).get(chosen_by(self.user)) or gettext("The browser’s"))


def wanted(address: Mapping[str, str], text: str, sort: str, is_descending: bool) -> Wanted:
    role, state = address.get("role", ""), address.get("state", "")
    return Wanted(
        text=text.strip()[:200],
        role=role if role in {each.name for each in ROLES} else "",
        state=state if state in FILTERED else "",
        sort=sort,
        is_descending=is_descending,
    )


def page_of(asked: Wanted, columns: Sequence[Column], page: int, size: int) -> tuple[list[Line], bool]:
    """Return the lines of one page, and whether there are more."""
    locked, begin = lockout.locked_names(), (page - 1) * size
    users = list(_found(asked, columns, locked)[begin : begin + size + 1])
    return _lines(users[:size], columns, locked), len(users) > size


def cells(asked: Wanted, columns: Sequence[Column], zone: tzinfo) -> Iterator[list[object]]:
    """Give a line of cells for everybody whom the pages of the list show, in its order."""
    locked = lockout.locked_names()
    return (
        [_cell(line, column.key, zone) for column in columns]
        for step in in_steps(_found(asked, columns, locked))
        for line in _lines(step, columns, locked)
    )


def _lines(users: Sequence[User], columns: Sequence[Column], locked: set[str]) -> list[Line]:
    counts = _token_counts({user.pk for user in users}) if has(columns, "tokens") else Counter[int]()
    return [Line(user, state_of(user, locked), counts[user.pk]) for user in users]


def _token_counts(users: Collection[int]) -> Counter[int]:
    """Count the tokens that still work, of a few people: those have a few each."""
    live = ApiToken.objects.filter(user__in=users, revoked_at=None, expires_at__gt=timezone.now())
    return Counter(live.values_list("user_id", flat=True))


def _cell(line: Line, key: str, zone: tzinfo) -> object:
    user = line.user
    times = {"seen": user.last_seen_at, "added": user.date_joined, "invited": user.invited_at}
    if key in times:
        return time_cell(times[key], zone)
    if key == "two_step":
        return gettext("On") if user.has_two_step else gettext("Off")
    if key == "invited_by":
        return user.invited_by.username if user.invited_by else ""
    if key in ("roles", "name", "language", "time_zone"):
        return getattr(line, key)
    return {"username": user.username, "email": user.email, "state": line.state.label, "tokens": line.token_count}[key]


def state_of(user: User, locked: set[str]) -> State:
    if user.invitation:
        return State.EXPIRED if links.is_expired(user) else State.INVITED
    if not user.is_active:
        return State.DEACTIVATED
    return State.LOCKED if user.username in locked else State.ACTIVE


def has(columns: Sequence[Column], key: str) -> bool:
    return any(column.key == key for column in columns)


def _found(asked: Wanted, columns: Sequence[Column], locked: set[str]) -> QuerySet[Any]:
    """Return who is asked for, each with what the columns show."""
    named = Trim(Concat("first_name", models.Value(" "), "last_name"))
    shown = Coalesce(NullIf(named, models.Value("")), "username")
    users = User.objects.annotate(shown_name=shown)
    for one in ("two_step", "invited_by"):
        if has(columns, one):
            users = users.select_related(one)
    if has(columns, "roles"):
        users = users.prefetch_related("groups")
    for word in asked.text.split():
        users = users.filter(Q(shown_name__icontains=word) | Q(username__icontains=word) | Q(email__icontains=word))
    if asked.role:
        users = users.filter(groups__name=asked.role)
    if asked.state:
        users = users.filter(_is(asked.state, locked))
    ordered = users.order_by(*SORTS[asked.sort])
    return ordered.reverse() if asked.is_descending else ordered


def _is(state: str, locked: set[str]) -> Q:
    return {
        State.ACTIVE: Q(is_active=True) & ~Q(username__in=locked),
        State.LOCKED: Q(is_active=True, username__in=locked),
        State.INVITED: ~Q(invitation=""),
        State.DEACTIVATED: Q(is_active=False, invitation=""),
    }[State(state)]
