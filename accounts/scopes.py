"""What a token of the API is for. The one list: the form, the API and its document read it here."""

from __future__ import annotations

from accounts.permissions import (
    APPLY_HELD_RUN,
    EDIT_SUBSCRIBERS,
    SEND_MAILING,
    SYNC,
    VIEW_GROUPS,
    VIEW_MAILINGS,
    VIEW_SUBSCRIBERS,
)

READ_GROUPS = "read:groups"
READ_PEOPLE = "read:people"
START_SYNCS = "sync"
APPLY = "apply"
READ_MAILINGS = "read:mailings"
SEND = "send"
SUPPRESS = "suppress"

# Scope -> what a program may do with it, in the words of the pages. It never may more than the token's user.
SCOPES: dict[str, str] = {
    READ_GROUPS: "Read target groups and sync activity",
    READ_PEOPLE: "Read the people in target groups, and suppressions",
    START_SYNCS: "Start and cancel syncs, and preview changes",
    APPLY: "Apply or discard held runs",
    READ_MAILINGS: "Read mailings and their reports",
    SEND: "Send mailings",
    SUPPRESS: "Suppress addresses and lift suppressions",
}
# Without this right a scope would be of no use at all, so the form does not offer it.
_LEAST_RIGHT = {
    READ_GROUPS: VIEW_GROUPS,
    READ_PEOPLE: VIEW_SUBSCRIBERS,
    START_SYNCS: SYNC,
    APPLY: APPLY_HELD_RUN,
    READ_MAILINGS: VIEW_MAILINGS,
    SEND: SEND_MAILING,
    SUPPRESS: EDIT_SUBSCRIBERS,
}


def scopes_for(rights: set[str]) -> dict[str, str]:
    """Return the scopes that somebody with these rights, by codename, can make use of."""
    return {scope: words for scope, words in SCOPES.items() if _LEAST_RIGHT[scope] in rights}
