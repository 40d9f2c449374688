"""What Bridge Configuration reads beside the connection itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from audit.models import AuditEntry
from thrive_sync.lib.words import Words, number

from ..forms import BRIDGE_LABELS
from ..models import Bridge, Schedule, Subscriber

CHANGES_SHOWN = 8
LABELS: dict[str, Words] = BRIDGE_LABELS | {
    "guard_percent": gettext_lazy("Removal guard, percentage"),
    "guard_people": gettext_lazy("Removal guard, people"),
}


@dataclass(frozen=True)
class Mapped:
    """One field of MemberSuite and what becomes of it here."""

    field: str
    becomes: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Change:
    at: datetime
    who: str
    action: str
    details: list[str]


def associations() -> list[Bridge]:
    """Return every bridge by name; with one, the page does not ask which."""
    return list(Bridge.objects.order_by("name", "pk"))


def schedules_of(bridge: Bridge) -> list[Schedule]:
    return list(bridge.schedules.select_related("folder", "target_group"))


def mapping(bridge: Bridge, after: int | None) -> dict[str, Any]:
    """Return the mapping with the values of the person who follows `after`, the first again after the last."""
    people = Subscriber.objects.filter(bridge=bridge, do_not_email_at__isnull=True).exclude(email="").order_by("pk")
    person = people.filter(pk__gt=after).first() if after else None
    person = person or people.first()
    return {"mapping": _rows(person), "example": person}


def _rows(person: Subscriber | None) -> list[Mapped]:
    def said(name: str) -> str:
        value = getattr(person, name, None) if person else None
        return "" if value is None else str(value)

    rows = [
        Mapped(
            "ID",
            gettext("Remote ID"),
            said("remote_id"),
            gettext("Tells one person from another, whatever the address."),
        ),
        Mapped("LocalID", gettext("Local ID"), said("local_id"), gettext("The order in which a search is read.")),
        Mapped(
            "EmailAddress",
            gettext("E-mail"),
            said("email"),
            gettext("Without one, or with one no mail can reach: excluded."),
        ),
        Mapped("FirstName", gettext("First Name"), said("first_name")),
        Mapped("LastName", gettext("Last Name"), said("last_name")),
        Mapped(
            "DoNotEmail",
            gettext("Do Not Email"),
            gettext("No") if person else "",
            gettext("Anything but a clear No: excluded and erased."),
        ),
    ]
    attributes, note = (
        person.attributes if person else {},
        gettext("An extra field of a search: a column and personalization."),
    )
    return rows + [Mapped(name, name, str(value), note) for name, value in sorted(attributes.items())]


def changes(bridge: Bridge) -> list[Change]:
    """Return the last changes of the connection, newest first, each with what was before and after."""
    entries = AuditEntry.objects.filter(
        object_type=Bridge._meta.label_lower, object_id=str(bridge.pk), action__in=("bridge changed", "bridge created")
    )
    words = {"bridge changed": gettext("bridge changed"), "bridge created": gettext("bridge created")}
    return [Change(one.at, one.actor_label, words[one.action], _details(one)) for one in entries[:CHANGES_SHOWN]]


def _details(entry: AuditEntry) -> list[str]:
    before, after = entry.before or {}, entry.after or {}
    if not before:
        return []
    changed = [name for name in after if name != "replaced" and before.get(name) != after[name]]
    told = [f"{LABELS.get(name, name)}: {_word(before.get(name))} → {_word(after[name])}" for name in changed]
    # Translators: %(secret)s is a field that holds a secret, such as "API user password".
    replaced = gettext("%(secret)s was replaced")
    return told + [replaced % {"secret": LABELS.get(name, name)} for name in after.get("replaced", ())]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("on") if value else gettext("off")
    return number(value) if isinstance(value, int) else str(value or "–")
