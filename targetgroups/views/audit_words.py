"""The audit log in words: what was done, by whom or what, to what, and how before and after differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Choices
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from audit.models import AuditEntry

from .. import rooms
from ..choices import RunStatus, SuppressionCause, Transport, Trigger, reason_label
from .bridge_reading import LABELS

FAMILIES = {
    "groups": "Target groups and folders",
    "syncs": "Syncs and schedules",
    "people": "Subscribers and suppressions",
    "exports": "Exports",
    "mailings": "Mailings",
    "writeback": "Writeback",
    "bridges": "Bridges and keys",
    "users": "Users and sign-in",
}
_OWN = {
    "groups": {
        "target_group.moved": "Target group moved",
        "target_group.deleted": "Target group deleted",
        "target_group.undeleted": "Target group undeleted",
        "target_group.refreshed": "Target group renamed or back in MemberSuite",
        "folder.created": "Folder created",
        "folder.renamed": "Folder renamed",
        "folder.deleted": "Folder deleted",
    },
    "syncs": {
        "list.requested": "List refresh asked for",
        "group.requested": "Group sync asked for",
        "preview.requested": "Preview asked for",
        "check.requested": "Connection test asked for",
        "person.requested": "Check of one person asked for",
        "list.applied": "List refresh applied",
        "schedule.created": "Schedule made",
        "schedule.changed": "Schedule changed",
        "schedule.deleted": "Schedule deleted",
        "schedule.switched_on": "Schedule switched on",
        "schedule.switched_off": "Schedule switched off",
        "schedule.fired": "Schedule ran",
        "run.cancel_wished": "Run cancelled",
        "run.apply": "Held run applied",
        "run.discard": "Held run discarded",
    },
    "people": {
        "opt_out": "Opted out",
        "opt_in": "Opted in again",
        "person.erased": "Person erased",
        "suppressed": "Address suppressed",
        "suppression.lifted": "Suppression lifted",
    },
    "exports": {
        "people.exported": "List of people exported",
        "suppressions.exported": "Suppressions exported",
        "groups.exported": "List of target groups exported",
        "runs.exported": "Sync Activity exported",
        "audit.exported": "Audit log exported",
    },
    "writeback": {
        "writeback.switched_on": "Writeback switched on",
        "writeback.switched_off": "Writeback switched off",
        "writeback.retried": "Failed writebacks queued again",
        "writeback.queued_still_mailable": "Earlier opt-outs queued for writeback",
        "writeback.check_requested": "Check of opt-outs asked for",
        "writeback.written": "Do Not Email written to MemberSuite",
    },
    "bridges": {
        "bridge created": "Bridge created",
        "bridge changed": "Bridge changed",
        "secrets_encrypted_anew": "Secrets encrypted with another key",
    },
    "users": {
        "user.invited": "User invited",
        "user.invited_again": "User invited again",
        "user.invitation_withdrawn": "Invitation withdrawn",
        "user.invitation_accepted": "Invitation accepted",
        "user.roles_changed": "Roles changed",
        "user.deactivated": "User deactivated",
        "user.reactivated": "User reactivated",
        "user.signed_out": "User signed out everywhere",
        "user.signed_out_elsewhere": "Signed out in other places",
        "user.unlocked": "User unlocked",
        "user.link_sent": "Link to a new password made",
        "user.password_changed": "Own password changed",
        "user.password_set_by_link": "New password set by link",
        "user.two_step_on": "Two-step sign-in switched on",
        "user.two_step_off": "Two-step sign-in switched off",
        "user.two_step_reset": "Two-step sign-in reset",
        "user.recovery_codes": "New recovery codes made",
        "api_token.created": "API token made",
        "api_token.revoked": "API token revoked",
    },
}
# What acts by itself, as it is recorded.
BY_THEMSELVES = {
    "schedule": "A schedule",
    "command": "A command on the server",
    "recipient": "The person, by a link in a mail",
    "mailing": "A mailing",
    "sending": "Sending",
    "writeback": "Writeback",
    "system": "The system",
}
THINGS = {
    "targetgroups.targetgroup": "Target group",
    "targetgroups.folder": "Folder",
    "targetgroups.bridge": "Bridge",
    "targetgroups.syncrun": "Run",
    "targetgroups.schedule": "Schedule",
    "targetgroups.subscriber": "Subscriber",
    "targetgroups.suppression": "Suppression",
    "mailings.mailing": "Mailing",
    "accounts.user": "User",
    "accounts.twostep": "Two-step sign-in",
    "accounts.apitoken": "API token",
}
_KEYS = {
    "at": "When",
    "code": "Why",
    "columns": "Columns",
    "to": "Target groups",
    "not_to": "Not to target groups",
    "is_narrowed": "With filters",
    "is_searched": "With a search",
    "not_to_address_count": "Not to addresses",
    "only": "Only",
    "gone_at": "No longer in MemberSuite since",
    "remote_id": "Remote ID",
    "remote_ids": "Remote IDs",
    "search_id": "Search ID",
    "replaced": "Replaced",
}
_CODES: dict[str, type[Choices]] = {
    "cause": SuppressionCause,
    "trigger": Trigger,
    "transport": Transport,
    "status": RunStatus,
}
_CODE = re.compile(r"(?=.{,40}$)[a-z]+(_[a-z0-9]+)*")
# What people typed is never a code, however it looks.
_TYPED = frozenset(
    {
        "name",
        "association_id",
        "tenant_id",
        "record_address",
        "subject",
        "preheader",
        "from_name",
        "folder",
        "target_groups_moved_to",
        "roles",
    }
)
MOST_IN_ROW = 2


@dataclass(frozen=True)
class Difference:
    """One fact of an entry. `is_changed`: before and after both tell it, and differ."""

    label: str
    before: str
    after: str
    is_changed: bool


def actions() -> dict[str, tuple[str, str]]:
    """Return every word of the log with its family and its words, of this room and those above."""
    own = {word: (family, words) for family, every in _OWN.items() for word, words in every.items()}
    return own | {word: (family, str(words)) for word, (family, words) in rooms.actions().items()}


def words_of(action: str) -> str:
    """Put an action in words; one that nobody listed is told by its own."""
    told = actions().get(action)
    return told[1] if told else re.sub(r"[._]+", " ", action).strip().capitalize()


def actions_of(family: str) -> list[str]:
    return [word for word, (name, _) in actions().items() if name == family]


def actions_like(text: str) -> list[str]:
    """Return the actions whose words hold a text."""
    return [word for word, (_, words) in actions().items() if text.casefold() in words.casefold()]


def actor_words(entry: AuditEntry) -> str:
    if entry.actor_id:
        return entry.actor_label
    if entry.actor_label.startswith("run "):
        return entry.actor_label.capitalize()
    known = dict(Trigger.choices) | BY_THEMSELVES
    return str(known.get(entry.actor_label, entry.actor_label))


def thing_words(entry: AuditEntry) -> str:
    return THINGS.get(entry.object_type, entry.object_type.rpartition(".")[2].capitalize())


def differences(entry: AuditEntry) -> list[Difference]:
    """Return what an entry tells, what changed first; facts that stayed the same come last."""
    before, after = _flat(entry.before), _flat(entry.after)
    keys = list(dict.fromkeys([*after, *before]))
    has_both = entry.before is not None and entry.after is not None
    labels = LABELS if entry.object_type == "targetgroups.bridge" else {}
    rows = [(key, before.get(key), after.get(key)) for key in keys]
    told = [
        Difference(
            labels.get(key) or _label(key),
            _value(key, old) if key in before else "",
            _value(key, new) if key in after else "",
            has_both and old != new,
        )
        for key, old, new in rows
    ]
    return sorted(told, key=lambda one: has_both and not one.is_changed)


def summary(told: list[Difference], most: int = MOST_IN_ROW) -> str:
    """Say in one line what changed, or what is told where nothing was before."""
    changed = [one for one in told if one.is_changed] or [one for one in told if not (one.before and one.after)]
    said = [
        f"{one.label}: {one.before or '–'} → {one.after or '–'}" if one.is_changed else f"{one.label}: {_one(one)}"
        for one in changed[:most]
    ]
    more = len(changed) - most
    return "; ".join(said) + (f"; {more:,} more" if more > 0 else "")


def _one(told: Difference) -> str:
    return told.after or told.before or "–"


def _flat(kept: Mapping[str, Any] | None, beginning: str = "") -> dict[str, Any]:
    return dict(_pairs(kept or {}, beginning))


def _pairs(kept: Mapping[str, Any], beginning: str) -> Iterator[tuple[str, Any]]:
    for key, value in kept.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{beginning}{key}.")
        else:
            yield f"{beginning}{key}", value


def _label(key: str) -> str:
    return ", ".join(_KEYS.get(part, part.replace("_", " ").capitalize()) for part in key.split("."))


def _value(key: str, value: Any) -> str:
    if value is None or value == "" or value == []:
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int) and not key.endswith(("id", "run", "mailing", "version", "from", "event", "test")):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(_value(key, one) for one in value)
    return _text(key, str(value))


def _text(key: str, text: str) -> str:
    word = key.rpartition(".")[2]
    if word in _CODES and text in _CODES[word].values:
        return str(_CODES[word](text).label)
    if word == "reason":
        return reason_label(text)
    if word in _TYPED:
        return text
    if len(text) > 15 and text[10] in "T " and (at := _time(text)):
        return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"
    return text.replace("_", " ").capitalize() if _CODE.fullmatch(text) else text


def _time(text: str) -> Any:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return at if at and timezone.is_aware(at) else None
