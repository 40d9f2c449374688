"""Permission codenames and the five roles. The one list: views, templates and the data migration read it here."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop, pgettext_lazy

from thrive_sync.lib.words import Words

APP_LABEL = "accounts"
MODEL_NAME = "right"

VIEW_GROUPS = "view_groups"
EDIT_GROUPS = "edit_groups"
VIEW_SUBSCRIBERS = "view_subscribers"
EDIT_SUBSCRIBERS = "edit_subscribers"
EXPORT = "export"
SYNC = "sync"
APPLY_HELD_RUN = "apply_held_run"
VIEW_BRIDGE = "view_bridge"
EDIT_BRIDGE = "edit_bridge"
VIEW_MAILINGS = "view_mailings"
CREATE_MAILING = "create_mailing"
SEND_MAILING = "send_mailing"
SEND_STALE_MAILING = "send_stale_mailing"
WRITEBACK = "writeback"
MANAGE_USERS = "manage_users"
VIEW_AUDIT = "view_audit"
MANAGE_SETTINGS = "manage_settings"

# Codename -> what a person may do with it, in English, as Django keeps it; `right_words` has it as the pages say it.
RIGHTS: dict[str, str] = {
    VIEW_GROUPS: gettext_noop("see target groups and sync activity"),
    EDIT_GROUPS: gettext_noop("move, delete and edit target groups"),
    VIEW_SUBSCRIBERS: gettext_noop("see the people in target groups"),
    EDIT_SUBSCRIBERS: gettext_noop("opt people out or in, or erase them"),
    EXPORT: gettext_noop("export lists"),
    SYNC: gettext_noop("start and cancel syncs"),
    APPLY_HELD_RUN: gettext_noop("apply or discard a held run"),
    VIEW_BRIDGE: gettext_noop("see the bridge configuration"),
    EDIT_BRIDGE: gettext_noop("change the bridge configuration"),
    VIEW_MAILINGS: gettext_noop("see mailings and their reports"),
    CREATE_MAILING: gettext_noop("create mailings"),
    SEND_MAILING: gettext_noop("send mailings"),
    SEND_STALE_MAILING: gettext_noop("send a mailing to a group that could not be synced"),
    WRITEBACK: gettext_noop("switch on and retry writeback"),
    MANAGE_USERS: gettext_noop("manage users"),
    VIEW_AUDIT: gettext_noop("read the audit log"),
    MANAGE_SETTINGS: gettext_noop("change system settings"),
}


@dataclass(frozen=True)
class Role:
    name: str  # its key, as Django keeps it
    label: Words
    rights: frozenset[str]


REPORTER = Role(
    "Reporter",
    pgettext_lazy("role", "Reporter"),
    frozenset({VIEW_GROUPS, VIEW_SUBSCRIBERS, VIEW_MAILINGS, CREATE_MAILING}),
)
PUBLISHER = Role("Publisher", pgettext_lazy("role", "Publisher"), REPORTER.rights | {SEND_MAILING})
SUBSCRIBERS = Role(
    "Subscribers",
    pgettext_lazy("role", "Subscribers"),
    frozenset({VIEW_GROUPS, EDIT_GROUPS, VIEW_SUBSCRIBERS, EDIT_SUBSCRIBERS, EXPORT, SYNC}),
)
MANAGER = Role(
    "Manager",
    pgettext_lazy("role", "Manager"),
    frozenset({VIEW_GROUPS, VIEW_SUBSCRIBERS, EXPORT, VIEW_MAILINGS, VIEW_BRIDGE, VIEW_AUDIT}),
)
ADMINISTRATOR = Role("Administrator", pgettext_lazy("role", "Administrator"), frozenset(RIGHTS))
ROLES: tuple[Role, ...] = (REPORTER, PUBLISHER, SUBSCRIBERS, MANAGER, ADMINISTRATOR)


def right_words(codename: str) -> str:
    """Return what a person may do with a permission: "start and cancel syncs"."""
    return gettext(RIGHTS[codename])


def role_words(name: str) -> str:
    """Return what the pages call a role; a group that is none keeps its name."""
    return next((str(role.label) for role in ROLES if role.name == name), name)


def full_name(codename: str) -> str:
    """Return the name Django's has_perm() wants; an unknown codename is a programming error and fails at import."""
    if codename not in RIGHTS:
        raise KeyError(f"no such permission: {codename}")
    return f"{APP_LABEL}.{codename}"
