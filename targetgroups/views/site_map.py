"""The pages, by the words of both of the reference product's interfaces: the search box knows where things are."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from accounts.permissions import MANAGE_USERS, VIEW_AUDIT, VIEW_BRIDGE, VIEW_GROUPS, VIEW_MAILINGS, VIEW_SUBSCRIBERS
from thrive_sync.lib.words import Words

from ..rooms import Hit


@dataclass(frozen=True)
class Place:
    """A page: where the menu has it, and what else it is called (the newer interface's words first)."""

    label: Words
    path: Words
    page: str
    icon: str
    right: str = ""
    aliases: tuple[Words, ...] = ()
    # Asked in a question or by a task; found, but not shown.
    words: Words = ""

    @property
    def address(self) -> str:
        return reverse(self.page)


PLACES = (
    Place(
        gettext_lazy("Home"), gettext_lazy("Home"),
        "targetgroups:home", "compass", "",
        (gettext_lazy("Dashboard"), gettext_lazy("Overview")),
        gettext_lazy("start attention today"),
    ),
    Place(
        gettext_lazy("Target Groups"), gettext_lazy("Subscribers > Target Groups"),
        "targetgroups:target_groups", "collection", VIEW_GROUPS,
        (gettext_lazy("Contacts > Groups"),),
        gettext_lazy("lists segments audiences searches folders resync refresh target group list counts info"),
    ),
    Place(
        gettext_lazy("Manage Subscribers"), gettext_lazy("Subscribers > Manage Subscribers"),
        "targetgroups:people", "people", VIEW_SUBSCRIBERS,
        (gettext_lazy("Contacts > List"), gettext_lazy("Reports > Unsubscribes")),
        gettext_lazy("people contacts members opted out unsubscribed bounced excluded remote id"),
    ),
    Place(
        gettext_lazy("Suppressions"), gettext_lazy("Subscribers > Suppressions"),
        "targetgroups:suppressions", "envelope-slash", VIEW_SUBSCRIBERS,
        (),
        gettext_lazy(
            "suppression list bounces bounced complaints complained opted out opt-outs blocked do not mail lift unblock"
        ),
    ),
    Place(
        gettext_lazy("Sync Activity"), gettext_lazy("Subscribers > Sync Activity"),
        "targetgroups:sync_activity", "activity", VIEW_GROUPS,
        (gettext_lazy("Upload > Upload History"),),
        gettext_lazy("runs jobs history log held failed apply discard"),
    ),
    Place(
        gettext_lazy("Mailings"), gettext_lazy("Mailings"),
        "mailings:mailings", "envelope", VIEW_MAILINGS,
        (gettext_lazy("Messages > List"), gettext_lazy("Mailings > View"), gettext_lazy("Messages > Track")),
        gettext_lazy("messages campaigns send schedule report sent"),
    ),
    Place(
        gettext_lazy("Bridge Configuration"), gettext_lazy("Admin > Bridge Configuration"),
        "targetgroups:bridge_configuration", "plug",
        VIEW_BRIDGE,
        (
            gettext_lazy("Admin > Setup > Bridge Configuration"),
            gettext_lazy("Check Bridge Status"),
            gettext_lazy("Settings > Integrations"),
        ),
        gettext_lazy("connection test keys membersuite removal guard association writeback list do not email"),
    ),
    Place(
        gettext_lazy("Mail Providers"), gettext_lazy("Admin > Mail Providers"),
        "mailings:mail_providers", "envelope-exclamation", VIEW_BRIDGE,
        (),
        gettext_lazy(
            "webhooks events bounces complaints refused signature mailgun postmark sendgrid amazon ses sparkpost"
        ),
    ),
    Place(
        gettext_lazy("Schedules"), gettext_lazy("Admin > Schedules"),
        "targetgroups:schedules", "clock-history", VIEW_BRIDGE,
        (gettext_lazy("Settings > Scheduled Tasks"),),
        gettext_lazy("nightly automatic refresh sync every hour daily clock cron when next run"),
    ),
    Place(
        gettext_lazy("Users"), gettext_lazy("Admin > Users"),
        "accounts:users", "person-plus", MANAGE_USERS,
        (gettext_lazy("Settings > Users"), gettext_lazy("Admin > User Management")),
        gettext_lazy("people accounts roles invite permissions deactivate unlock two-step sign-in sessions"),
    ),
    Place(
        gettext_lazy("Audit Log"), gettext_lazy("Admin > Audit Log"),
        "targetgroups:audit_log", "clock-history", VIEW_AUDIT,
        (gettext_lazy("Reports > User Activity"),),
        gettext_lazy("who changed what when history exports exported recorded trail before after"),
    ),
    Place(
        gettext_lazy("Preferences"), gettext_lazy("Account > Preferences"),
        "accounts:preferences", "person-circle", "",
        (gettext_lazy("Settings > Profile"), gettext_lazy("My Account")),
        gettext_lazy("time zone password theme two-step sessions signed in"),
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
    return [Hit(str(place.label), place.address, place.icon, _note(place, typed)) for _, place in found[:most]]


def _rank(place: Place, typed: list[str]) -> int | None:
    told = (str(place.path), " ".join(map(str, place.aliases)), str(place.words))
    reached = " "
    for rank, words in enumerate(told):
        reached += " ".join(_words(words)) + " "
        if all(f" {word}" in reached for word in typed):
            return rank
    return None


def _note(place: Place, typed: list[str]) -> str:
    """Say where the page is, and, where another name of it was typed, that this is the one."""
    for alias in place.aliases:
        other = " " + " ".join(_words(str(alias)))
        if all(f" {word}" in other for word in typed) and not all(
            f" {word}" in _spaced(str(place.path)) for word in typed
        ):
            # Translators: %(other)s is what the reference product calls the page.
            return gettext("%(other)s is here: %(path)s") % {"other": alias, "path": place.path}
    return str(place.path)


def _spaced(text: str) -> str:
    return " " + " ".join(_words(text))


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
