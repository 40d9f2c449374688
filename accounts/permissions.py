"""Permission codenames and the five roles. The one list: views, templates and the data migration read it here."""

from __future__ import annotations

from dataclasses import dataclass

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

# Codename -> what a person may do with it, in the words of the pages.
RIGHTS: dict[str, str] = {
    VIEW_GROUPS: "see target groups and sync activity",
    EDIT_GROUPS: "move, delete and edit target groups",
    VIEW_SUBSCRIBERS: "see the people in target groups",
    EDIT_SUBSCRIBERS: "opt people out or in, or erase them",
    EXPORT: "export lists",
    SYNC: "start and cancel syncs",
    APPLY_HELD_RUN: "apply or discard a held run",
    VIEW_BRIDGE: "see the bridge configuration",
    EDIT_BRIDGE: "change the bridge configuration",
    VIEW_MAILINGS: "see mailings and their reports",
    CREATE_MAILING: "create mailings",
    SEND_MAILING: "send mailings",
    SEND_STALE_MAILING: "send a mailing to a group that could not be synced",
    WRITEBACK: "switch on and retry writeback",
    MANAGE_USERS: "manage users",
    VIEW_AUDIT: "read the audit log",
    MANAGE_SETTINGS: "change system settings",
}


@dataclass(frozen=True)
class Role:
    name: str
    rights: frozenset[str]


REPORTER = Role("Reporter", frozenset({VIEW_GROUPS, VIEW_SUBSCRIBERS, VIEW_MAILINGS, CREATE_MAILING}))
PUBLISHER = Role("Publisher", REPORTER.rights | {SEND_MAILING})
SUBSCRIBERS = Role(
    "Subscribers", frozenset({VIEW_GROUPS, EDIT_GROUPS, VIEW_SUBSCRIBERS, EDIT_SUBSCRIBERS, EXPORT, SYNC})
)
MANAGER = Role("Manager", frozenset({VIEW_GROUPS, VIEW_SUBSCRIBERS, EXPORT, VIEW_MAILINGS, VIEW_BRIDGE, VIEW_AUDIT}))
ADMINISTRATOR = Role("Administrator", frozenset(RIGHTS))
ROLES: tuple[Role, ...] = (REPORTER, PUBLISHER, SUBSCRIBERS, MANAGER, ADMINISTRATOR)


def full_name(codename: str) -> str:
    """Return the name Django's has_perm() wants; an unknown codename is a programming error and fails at import."""
    if codename not in RIGHTS:
        raise KeyError(f"no such permission: {codename}")
    return f"{APP_LABEL}.{codename}"
