"""What a token of the API is for. The one list: the form, the API and its document read it here."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop

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

# Scope -> what a program may do with it, in English, as the API's document has it. It never may more than the token's
# user.
SCOPES: dict[str, str] = {
    READ_GROUPS: gettext_noop("Read target groups and sync activity"),
    READ_PEOPLE: gettext_noop("Read the people in target groups, and suppressions"),
    START_SYNCS: gettext_noop("Start and cancel syncs, and preview changes"),
    APPLY: gettext_noop("Apply or discard held runs"),
    READ_MAILINGS: gettext_noop("Read mailings and their reports"),
    SEND: gettext_noop("Send mailings; pause, resume and cancel them"),
    SUPPRESS: gettext_noop("Suppress addresses and lift suppressions"),
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
    return {scope: scope_words(scope) for scope in SCOPES if _LEAST_RIGHT[scope] in rights}


def scope_words(scope: str) -> str:
    """Return what a scope is for, as the pages say it; one that is no more keeps its name."""
    return gettext(SCOPES[scope]) if scope in SCOPES else scope
