"""What the search box finds, kind by kind. Each asks for a few rows by an index, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext

from accounts.models import User
from accounts.permissions import VIEW_GROUPS, VIEW_SUBSCRIBERS
from thrive_sync.lib.words import Words, number

from ..models import Subscriber, SyncRun, TargetGroup
from ..rooms import Hit, above
from .site_map import find_places

SHORTEST_NAME = 2


@dataclass(frozen=True)
class Kind:
    """Something that can be searched by those who have the right."""

    label: Words
    right: str
    find: Callable[[str, int], Sequence[Hit]]


@dataclass(frozen=True)
class Finding:
    """The hits of one kind; `has_more` tells that narrower words would help."""

    label: Words
    hits: Sequence[Hit]
    has_more: bool


def everywhere(user: User, text: str, most: int) -> list[Finding]:
    """Return what this person may find, kinds without a hit left out."""
    others = [Kind(str(room.label), room.right, room.find) for room in above()]
    kinds = [(kind.label, kind.find) for kind in (*_HERE, *others) if user.may(kind.right)]
    findings = [_finding(gettext("Pages"), find_places(user, text, most + 1), most)]
    findings += [_finding(label, find(text, most + 1), most) for label, find in kinds]
    return [finding for finding in findings if finding.hits]


def groups(text: str, most: int) -> list[Hit]:
    """Find groups by name, every word of it, or by the beginning of a search's ID."""
    named = Q()
    for word in text.split():
        named &= Q(name__icontains=word)
    rows = TargetGroup.objects.present().filter(named | Q(search_key__startswith=text.lower()))
    return [
        Hit(group.name, reverse("targetgroups:info", args=[group.pk]), "collection", _about_group(group))
        for group in rows.order_by("name", "pk")[:most]
    ]


def subscribers(text: str, most: int) -> list[Hit]:
    """Find people by e-mail or name, every word, or by the beginning of a Remote ID."""
    if len(text) < SHORTEST_NAME:
        return []
    people = Subscriber.objects.containing_or_numbered(text).filter(erased_at__isnull=True)
    return [_person(one) for one in people[:most]]


def runs(text: str, most: int) -> list[Hit]:
    """Find a run by its number, also as "run 12" or "#12"."""
    digits = text.lower().removeprefix("run").removeprefix(gettext("run")).strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        return []
    rows = SyncRun.objects.filter(pk=int(digits)).select_related("target_group", "bridge")
    return [
        Hit(
            str(run), reverse("targetgroups:run", args=[run.pk]), "activity",
            f"{run.target_group or run.bridge} · {run.get_status_display()}",
        )
        for run in rows[:most]
    ]  # fmt: skip


_HERE = (
    Kind(gettext_lazy("Target Groups"), VIEW_GROUPS, groups),
    Kind(gettext_lazy("Sync runs"), VIEW_GROUPS, runs),
    Kind(gettext_lazy("Subscribers"), VIEW_SUBSCRIBERS, subscribers),
)


def _finding(label: Words, hits: Sequence[Hit], most: int) -> Finding:
    return Finding(label, hits[:most], len(hits) > most)


def _about_group(group: TargetGroup) -> str:
    if group.is_gone:
        return gettext("No longer in MemberSuite")
    if group.member_count is None:
        return str(group.state.label)
    told = ngettext("%(count)s subscribers", "%(count)s subscribers", group.member_count)
    return told % {"count": number(group.member_count)}


def _person(person: Subscriber) -> Hit:
    remote_id = gettext("Remote ID %(remote_id)s") % {"remote_id": person.remote_id}
    known = [part for part in (person.email if person.name else "", remote_id) if part]
    address = reverse("targetgroups:subscriber", args=[person.pk])
    return Hit(person.name or person.email or person.remote_id, address, "person-circle", " · ".join(known))
