"""The pages, by the words of both of the reference product's interfaces: the search box knows where things are."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from accounts.models import User
from accounts.permissions import MANAGE_USERS, VIEW_AUDIT, VIEW_BRIDGE, VIEW_GROUPS, VIEW_MAILINGS, VIEW_SUBSCRIBERS

from ..rooms import Hit


@dataclass(frozen=True)
class Place:
    """A page: where the menu has it, and what else it is called (the newer interface's words first)."""

    label: str
    path: str
    page: str
    icon: str
    right: str = ""
    aliases: tuple[str, ...] = ()
    # Asked in a question or by a task; found, but not shown.
    words: str = ""

    @property
    def address(self) -> str:
        return reverse(self.page)


PLACES = (
    Place("Home", "Home", "targetgroups:home", "compass", "", ("Dashboard", "Overview"), "start attention today"),
    Place(
        "Target Groups", "Subscribers > Target Groups", "targetgroups:target_groups", "collection", VIEW_GROUPS,
        ("Contacts > Groups",),
        "lists segments audiences searches folders resync refresh target group list counts info",
    ),
    Place(
        "Manage Subscribers", "Subscribers > Manage Subscribers", "targetgroups:people", "people", VIEW_SUBSCRIBERS,
        ("Contacts > List", "Reports > Unsubscribes"),
        "people contacts members opted out unsubscribed bounced excluded remote id",
    ),
    Place(
        "Suppressions", "Subscribers > Suppressions", "targetgroups:suppressions", "envelope-slash", VIEW_SUBSCRIBERS,
        (),
        "suppression list bounces bounced complaints complained opted out opt-outs blocked do not mail lift unblock",
    ),
    Place(
        "Sync Activity", "Subscribers > Sync Activity", "targetgroups:sync_activity", "activity", VIEW_GROUPS,
        ("Upload > Upload History",),
        "runs jobs history log held failed apply discard",
    ),
    Place(
        "Mailings", "Mailings", "mailings:mailings", "envelope", VIEW_MAILINGS,
        ("Messages > List", "Mailings > View", "Messages > Track"),
        "messages campaigns send schedule report sent",
    ),
    Place(
        "Bridge Configuration", "Admin > Bridge Configuration", "targetgroups:bridge_configuration", "plug",
        VIEW_BRIDGE,
        ("Admin > Setup > Bridge Configuration", "Check Bridge Status", "Settings > Integrations"),
        "connection test keys membersuite removal guard association writeback list do not email",
    ),
    Place(
        "Mail Providers", "Admin > Mail Providers", "mailings:mail_providers", "envelope-exclamation", VIEW_BRIDGE,
        (),
        "webhooks events bounces complaints refused signature mailgun postmark sendgrid amazon ses sparkpost",
    ),
    Place(
        "Schedules", "Admin > Schedules", "targetgroups:schedules", "clock-history", VIEW_BRIDGE,
        ("Settings > Scheduled Tasks",),
        "nightly automatic refresh sync every hour daily clock cron when next run",
    ),
    Place(
        "Users", "Admin > Users", "accounts:users", "person-plus", MANAGE_USERS,
        ("Settings > Users", "Admin > User Management"),
        "people accounts roles invite permissions deactivate unlock two-step sign-in sessions",
    ),
    Place(
        "Audit Log", "Admin > Audit Log", "targetgroups:audit_log", "clock-history", VIEW_AUDIT,
        ("Reports > User Activity",),
        "who changed what when history exports exported recorded trail before after",
    ),
    Place(
        "Preferences", "Account > Preferences", "accounts:preferences", "person-circle", "",
        ("Settings > Profile", "My Account"),
        "time zone password theme two-step sessions signed in",
    ),
)  # fmt: skip


def places_for(user: User) -> list[Place]:
    """Return the pages that this person may open."""
    return [place for place in PLACES if not place.right or user.may(place.right)]


def find_places(user: User, text: str, most: int) -> list[Hit]:
    """Return the pages whose words all of the typed ones begin or are in; a page found by its name goes first."""
    typed = _words(text)
    ranked = [(_rank(place, typed), place) for place in places_for(user)] if typed else []
    found = sorted((pair for pair in ranked if pair[0] is not None), key=lambda pair: pair[0] or 0)
    return [Hit(place.label, place.address, place.icon, _note(place, typed)) for _, place in found[:most]]


def _rank(place: Place, typed: list[str]) -> int | None:
    told = (place.path, " ".join(place.aliases), place.words)
    reached = " "
    for rank, words in enumerate(told):
        reached += " ".join(_words(words)) + " "
        if all(f" {word}" in reached for word in typed):
            return rank
    return None


def _note(place: Place, typed: list[str]) -> str:
    """Say where the page is, and, where another name of it was typed, that this is the one."""
    for alias in place.aliases:
        other = " " + " ".join(_words(alias))
        if all(f" {word}" in other for word in typed) and not all(f" {word}" in _spaced(place.path) for word in typed):
            return f"{alias} is here: {place.path}"
    return place.path


def _spaced(text: str) -> str:
    return " " + " ".join(_words(text))


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
