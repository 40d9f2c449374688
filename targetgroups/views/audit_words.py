"""The audit log in words: what was done, by whom or what, to what, and how before and after differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Choices
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, gettext_lazy, ngettext

from audit.models import AuditEntry
from thrive_sync.lib.words import Words, number

from .. import rooms
from ..choices import RunStatus, SuppressionCause, Transport, Trigger, reason_label
from .bridge_reading import LABELS

FAMILIES: dict[str, Words] = {
    "groups": gettext_lazy("Target groups and folders"),
    "syncs": gettext_lazy("Syncs and schedules"),
    "people": gettext_lazy("Subscribers and suppressions"),
    "exports": gettext_lazy("Exports"),
    "mailings": gettext_lazy("Mailings"),
    "writeback": gettext_lazy("Writeback"),
    "bridges": gettext_lazy("Bridges and keys"),
    "users": gettext_lazy("Users and sign-in"),
}
_OWN: dict[str, dict[str, Words]] = {
    "groups": {
        "target_group.moved": gettext_lazy("Target group moved"),
        "target_group.deleted": gettext_lazy("Target group deleted"),
        "target_group.undeleted": gettext_lazy("Target group undeleted"),
        "target_group.refreshed": gettext_lazy("Target group renamed or back in MemberSuite"),
        "folder.created": gettext_lazy("Folder created"),
        "folder.renamed": gettext_lazy("Folder renamed"),
        "folder.deleted": gettext_lazy("Folder deleted"),
    },
    "syncs": {
        "list.requested": gettext_lazy("List refresh asked for"),
        "group.requested": gettext_lazy("Group sync asked for"),
        "preview.requested": gettext_lazy("Preview asked for"),
        "check.requested": gettext_lazy("Connection test asked for"),
        "person.requested": gettext_lazy("Check of one person asked for"),
        "list.applied": gettext_lazy("List refresh applied"),
        "schedule.created": gettext_lazy("Schedule made"),
        "schedule.changed": gettext_lazy("Schedule changed"),
        "schedule.deleted": gettext_lazy("Schedule deleted"),
        "schedule.switched_on": gettext_lazy("Schedule switched on"),
        "schedule.switched_off": gettext_lazy("Schedule switched off"),
        "schedule.fired": gettext_lazy("Schedule ran"),
        "run.cancel_wished": gettext_lazy("Run cancelled"),
        "run.apply": gettext_lazy("Held run applied"),
        "run.discard": gettext_lazy("Held run discarded"),
    },
    "people": {
        "opt_out": gettext_lazy("Opted out"),
        "opt_in": gettext_lazy("Opted in again"),
        "person.erased": gettext_lazy("Person erased"),
        "suppressed": gettext_lazy("Address suppressed"),
        "suppression.lifted": gettext_lazy("Suppression lifted"),
    },
    "exports": {
        "people.exported": gettext_lazy("List of people exported"),
        "suppressions.exported": gettext_lazy("Suppressions exported"),
        "groups.exported": gettext_lazy("List of target groups exported"),
        "runs.exported": gettext_lazy("Sync Activity exported"),
        "audit.exported": gettext_lazy("Audit log exported"),
        "users.exported": gettext_lazy("List of users exported"),
    },
    "writeback": {
        "writeback.switched_on": gettext_lazy("Writeback switched on"),
        "writeback.switched_off": gettext_lazy("Writeback switched off"),
        "writeback.retried": gettext_lazy("Failed writebacks queued again"),
        "writeback.queued_still_mailable": gettext_lazy("Earlier opt-outs queued for writeback"),
        "writeback.check_requested": gettext_lazy("Check of opt-outs asked for"),
        "writeback.written": gettext_lazy("Do Not Email written to MemberSuite"),
    },
    "bridges": {
        "bridge created": gettext_lazy("Bridge created"),
        "bridge changed": gettext_lazy("Bridge changed"),
        "secrets_encrypted_anew": gettext_lazy("Secrets encrypted with another key"),
    },
    "users": {
        "user.invited": gettext_lazy("User invited"),
        "user.invited_again": gettext_lazy("User invited again"),
        "user.invitation_withdrawn": gettext_lazy("Invitation withdrawn"),
        "user.invitation_accepted": gettext_lazy("Invitation accepted"),
        "user.roles_changed": gettext_lazy("Roles changed"),
        "user.deactivated": gettext_lazy("User deactivated"),
        "user.reactivated": gettext_lazy("User reactivated"),
        "user.signed_out": gettext_lazy("User signed out everywhere"),
        "user.signed_out_elsewhere": gettext_lazy("Signed out in other places"),
        "user.unlocked": gettext_lazy("User unlocked"),
        "user.link_sent": gettext_lazy("Link to a new password made"),
        "user.password_changed": gettext_lazy("Own password changed"),
        "user.password_set_by_link": gettext_lazy("New password set by link"),
        "user.two_step_on": gettext_lazy("Two-step sign-in switched on"),
        "user.two_step_off": gettext_lazy("Two-step sign-in switched off"),
        "user.two_step_reset": gettext_lazy("Two-step sign-in reset"),
        "user.recovery_codes": gettext_lazy("New recovery codes made"),
        "api_token.created": gettext_lazy("API token made"),
        "api_token.revoked": gettext_lazy("API token revoked"),
    },
}
# What acts by itself, as it is recorded.
BY_THEMSELVES: dict[str, Words] = {
    "schedule": gettext_lazy("A schedule"),
    "command": gettext_lazy("A command on the server"),
    "recipient": gettext_lazy("The person, by a link in a mail"),
    "mailing": gettext_lazy("A mailing"),
    "sending": gettext_lazy("Sending"),
    "writeback": gettext_lazy("Writeback"),
    "system": gettext_lazy("The system"),
}
THINGS: dict[str, Words] = {
    "targetgroups.targetgroup": gettext_lazy("Target group"),
    "targetgroups.folder": gettext_lazy("Folder"),
    "targetgroups.bridge": gettext_lazy("Bridge"),
    "targetgroups.syncrun": gettext_lazy("Run"),
    "targetgroups.schedule": gettext_lazy("Schedule"),
    "targetgroups.subscriber": gettext_lazy("Subscriber"),
    "targetgroups.suppression": gettext_lazy("Suppression"),
    "mailings.mailing": gettext_lazy("Mailing"),
    "accounts.user": gettext_lazy("User"),
    "accounts.twostep": gettext_lazy("Two-step sign-in"),
    "accounts.apitoken": gettext_lazy("API token"),
}
# Keys of what is kept of a change; one that is not here is told by its own word.
_KEYS: dict[str, Words] = {
    "at": gettext_lazy("When"),
    "code": gettext_lazy("Why"),
    "columns": gettext_lazy("Columns"),
    "to": gettext_lazy("Target groups"),
    "not_to": gettext_lazy("Not to target groups"),
    "is_narrowed": gettext_lazy("With filters"),
    "is_searched": gettext_lazy("With a search"),
    "not_to_address_count": gettext_lazy("Not to addresses"),
    "only": gettext_lazy("Only"),
    "gone_at": gettext_lazy("No longer in MemberSuite since"),
    "remote_id": gettext_lazy("Remote ID"),
    "remote_ids": gettext_lazy("Remote IDs"),
    "search_id": gettext_lazy("Search ID"),
    "replaced": gettext_lazy("Replaced"),
    "active": gettext_lazy("Active"),
    "address": gettext_lazy("Address"),
    "at_time": gettext_lazy("At time"),
    "by": gettext_lazy("By"),
    "cause": gettext_lazy("Cause"),
    "checked_at": gettext_lazy("Checked at"),
    "count": gettext_lazy("Count"),
    "deleted": gettext_lazy("Deleted"),
    "deleted_groups": gettext_lazy("Deleted groups"),
    "delivery": gettext_lazy("Delivery"),
    "do_not_email": gettext_lazy("Do not email"),
    "event": gettext_lazy("Event"),
    "events": gettext_lazy("Events"),
    "every_minutes": gettext_lazy("Every minutes"),
    "fields": gettext_lazy("Fields"),
    "filters": gettext_lazy("Filters"),
    "folder": gettext_lazy("Folder"),
    "from": gettext_lazy("From"),
    "from_name": gettext_lazy("From name"),
    "gone": gettext_lazy("Gone"),
    "gone_groups": gettext_lazy("Gone groups"),
    "group": gettext_lazy("Group"),
    "groups": gettext_lazy("Groups"),
    "hard_bounces": gettext_lazy("Hard bounces"),
    "how": gettext_lazy("How"),
    "html_length": gettext_lazy("Html length"),
    "is_deleted": gettext_lazy("Is deleted"),
    "is_on": gettext_lazy("Is on"),
    "is_only_in_use": gettext_lazy("Is only in use"),
    "joined": gettext_lazy("Joined"),
    "kind": gettext_lazy("Kind"),
    "list": gettext_lazy("List"),
    "mailing": gettext_lazy("Mailing"),
    "mailings": gettext_lazy("Mailings"),
    "members": gettext_lazy("Members"),
    "missed": gettext_lazy("Missed"),
    "name": gettext_lazy("Name"),
    "new": gettext_lazy("New"),
    "new_search_ids": gettext_lazy("New search ids"),
    "outcome": gettext_lazy("Outcome"),
    "of": gettext_lazy("Of"),
    "people": gettext_lazy("People"),
    "preheader": gettext_lazy("Preheader"),
    "queued": gettext_lazy("Queued"),
    "reason": gettext_lazy("Reason"),
    "recipient": gettext_lazy("Recipient"),
    "recipients": gettext_lazy("Recipients"),
    "renamed": gettext_lazy("Renamed"),
    "renamed_groups": gettext_lazy("Renamed groups"),
    "resend": gettext_lazy("Resend"),
    "returned": gettext_lazy("Returned"),
    "returned_groups": gettext_lazy("Returned groups"),
    "reviewed": gettext_lazy("Reviewed"),
    "role": gettext_lazy("Role"),
    "roles": gettext_lazy("Roles"),
    "run": gettext_lazy("Run"),
    "runs": gettext_lazy("Runs"),
    "scopes": gettext_lazy("Scopes"),
    "sent": gettext_lazy("Sent"),
    "signed_out": gettext_lazy("Signed out"),
    "spread_minutes": gettext_lazy("Spread minutes"),
    "state": gettext_lazy("State"),
    "status": gettext_lazy("Status"),
    "still_mailable": gettext_lazy("Still mailable"),
    "stopped": gettext_lazy("Stopped"),
    "subject": gettext_lazy("Subject"),
    "target_group": gettext_lazy("Target group"),
    "target_groups": gettext_lazy("Target groups"),
    "target_groups_moved_to": gettext_lazy("Target groups moved to"),
    "text_length": gettext_lazy("Text length"),
    "time_zone": gettext_lazy("Time zone"),
    "total": gettext_lazy("Total"),
    "trigger": gettext_lazy("Trigger"),
    "unchanged": gettext_lazy("Unchanged"),
    "version": gettext_lazy("Version"),
    "weekdays": gettext_lazy("Weekdays"),
    "why": gettext_lazy("Why"),
    "writeback": gettext_lazy("Writeback"),
}
_CODES: dict[str, type[Choices]] = {
    "cause": SuppressionCause,
    "trigger": Trigger,
    "transport": Transport,
    "status": RunStatus,
}
_CODE = re.compile(r"(?=.{,40}$)[a-z]+(_[a-z0-9]+)*")
# Words that are kept as they are, of schedules.
_KEPT: dict[str, Words] = {
    "Monday": gettext_lazy("Monday"),
    "Tuesday": gettext_lazy("Tuesday"),
    "Wednesday": gettext_lazy("Wednesday"),
    "Thursday": gettext_lazy("Thursday"),
    "Friday": gettext_lazy("Friday"),
    "Saturday": gettext_lazy("Saturday"),
    "Sunday": gettext_lazy("Sunday"),
    "list": gettext_lazy("List"),
    "groups": gettext_lazy("Groups"),
}
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


def actions() -> dict[str, tuple[str, Words]]:
    """Return every word of the log with its family and its words, of this room and those above."""
    own = {word: (family, words) for family, every in _OWN.items() for word, words in every.items()}
    return own | {word: (family, str(words)) for word, (family, words) in rooms.actions().items()}


def words_of(action: str) -> str:
    """Put an action in words; one that nobody listed is told by its own."""
    told = actions().get(action)
    return str(told[1]) if told else re.sub(r"[._]+", " ", action).strip().capitalize()


def actions_of(family: str) -> list[str]:
    return [word for word, (name, _) in actions().items() if name == family]


def actions_like(text: str) -> list[str]:
    """Return the actions whose words hold a text."""
    return [word for word, (_, words) in actions().items() if text.casefold() in str(words).casefold()]


def actor_words(entry: AuditEntry) -> str:
    if entry.actor_id:
        return entry.actor_label
    if entry.actor_label.startswith("run "):
        return gettext("Run %(number)s") % {"number": entry.actor_label.removeprefix("run ")}
    known = dict(Trigger.choices) | BY_THEMSELVES
    return str(known.get(entry.actor_label, entry.actor_label))


def thing_words(entry: AuditEntry) -> str:
    return str(THINGS.get(entry.object_type) or entry.object_type.rpartition(".")[2].capitalize())


def differences(entry: AuditEntry) -> list[Difference]:
    """Return what an entry tells, what changed first; facts that stayed the same come last."""
    before, after = _flat(entry.before), _flat(entry.after)
    keys = list(dict.fromkeys([*after, *before]))
    has_both = entry.before is not None and entry.after is not None
    labels = LABELS if entry.object_type == "targetgroups.bridge" else {}
    rows = [(key, before.get(key), after.get(key)) for key in keys]
    told = [
        Difference(
            str(labels.get(key) or _label(key)),
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
    if more > 0:
        # Translators: ends a list: "Folder: a → b; 3 more".
        said.append(ngettext("%(count)s more", "%(count)s more", more) % {"count": number(more)})
    return "; ".join(said)


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
    return ", ".join(str(_KEYS.get(part) or part.replace("_", " ").capitalize()) for part in key.split("."))


def _value(key: str, value: Any) -> str:
    if value is None or value == "" or value == []:
        return "–"
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, int) and not key.endswith(("id", "run", "mailing", "version", "from", "event", "test")):
        return number(value)
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
    if text in _KEPT:
        return str(_KEPT[text])
    return text.replace("_", " ").capitalize() if _CODE.fullmatch(text) else text


def _time(text: str) -> Any:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return at if at and timezone.is_aware(at) else None
