"""Admin > Users as a list: who is here, with which roles, in which state; searched, narrowed and sorted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts import links, lockout
from accounts.models import User
from accounts.permissions import ROLES, role_words

PAGE = 100


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
}
FILTERED = (State.ACTIVE, State.INVITED, State.DEACTIVATED, State.LOCKED)


@dataclass(frozen=True)
class Wanted:
    """What the address and the search ask for; what is not known falls back to everybody, by name."""

    text: str = ""
    role: str = ""
    state: str = ""
    sort: str = "name"
    is_descending: bool = False
    page: int = 1

    @property
    def direction(self) -> str:
        """The word of aria-sort."""
        return "descending" if self.is_descending else "ascending"

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.role or self.state)


@dataclass(frozen=True)
class Line:
    user: User
    state: State

    @property
    def tone(self) -> str:
        return LOOK[self.state][0]

    @property
    def icon(self) -> str:
        return LOOK[self.state][1]

    @property
    def roles(self) -> str:
        return ", ".join(sorted(role_words(role.name) for role in self.user.groups.all()))


def wanted(address: Mapping[str, str], text: str) -> Wanted:
    sort, page = address.get("sort", "name"), address.get("page", "1")
    role, state = address.get("role", ""), address.get("state", "")
    return Wanted(
        text=text.strip()[:200],
        role=role if role in {each.name for each in ROLES} else "",
        state=state if state in FILTERED else "",
        sort=sort.removeprefix("-") if sort.removeprefix("-") in SORTS else "name",
        is_descending=sort.startswith("-"),
        page=int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 5 else 1,
    )


def page_of(asked: Wanted) -> tuple[list[Line], bool]:
    """Return the lines of one page, and whether there are more."""
    locked, begin = lockout.locked_names(), (max(asked.page, 1) - 1) * PAGE
    users = list(_found(asked, locked)[begin : begin + PAGE + 1])
    return [Line(user, state_of(user, locked)) for user in users[:PAGE]], len(users) > PAGE


def state_of(user: User, locked: set[str]) -> State:
    if user.invitation:
        return State.EXPIRED if links.is_expired(user) else State.INVITED
    if not user.is_active:
        return State.DEACTIVATED
    return State.LOCKED if user.username in locked else State.ACTIVE


def _found(asked: Wanted, locked: set[str]) -> QuerySet[Any]:
    named = Trim(Concat("first_name", models.Value(" "), "last_name"))
    shown = Coalesce(NullIf(named, models.Value("")), "username")
    users = User.objects.annotate(shown_name=shown).select_related("two_step").prefetch_related("groups")
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
