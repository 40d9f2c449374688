"""The list of Target Groups: what its address asks for, and what it shows. Every action's answer shows it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import F
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext

from accounts.models import User
from accounts.permissions import EDIT_GROUPS, EXPORT, SYNC, VIEW_SUBSCRIBERS
from accounts.preferences import remember_table
from accounts.views.asking import person, whole
from accounts.views.tables import Ordering, ordering, page_size

from .. import criteria
from ..choices import RunKind
from ..columns import TARGET_GROUPS
from ..criteria import Criterion
from ..models import Bridge, Folder, SyncRun, TargetGroup
from ..querysets import TargetGroupQuerySet
from . import reading, refreshes

SORTS: dict[str, Lower | F] = {
    "name": Lower("name"),
    "type": Lower("search_type"),
    "folder": Lower("folder__name"),
    "association": Lower("bridge__name"),
    "search_id": F("search_id"),
}
ALL_FOLDERS = "all"
FOLDER = "folder"  # in a person's preferences for the table


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to."""

    folder: str
    bridge: Bridge | None
    text: str
    criteria: list[Criterion]
    refresh: SyncRun | None
    part: str
    is_with_deleted: bool

    @property
    def is_narrowed(self) -> bool:
        """Say whether groups are left out for another reason than their folder."""
        return bool(self.text or self.criteria or self.refresh)


def list_context(request: HttpRequest) -> dict[str, Any]:
    user, order, bridges = person(request), ordering(request, TARGET_GROUPS, "name"), reading.bridges()
    wanted = wanted_by(request, bridges)
    page = Paginator(groups_shown(wanted, order), page_size(request, TARGET_GROUPS)).get_page(
        whole(request, "page") or 1
    )
    beside = reading.runs_beside(page.object_list)
    bridge = wanted.bridge or next(iter(bridges), None)
    refresh_run = reading.newest_run(bridge, RunKind.LIST)
    running = [run for run in (refresh_run, *beside.values()) if run and run.is_active]
    now = timezone.now()
    return {
        "page": page,
        "rows": [(group, beside.get(group.pk)) for group in page.object_list],
        "table": TARGET_GROUPS,
        "columns": TARGET_GROUPS.shown_to(user),
        "order": order,
        "wanted": wanted,
        "folder": wanted.folder,
        "folders": Folder.objects.order_by("-is_built_in", Lower("name")),
        "text": wanted.text,
        "chips": _chips(request, wanted),
        "former_names": refreshes.former_names(wanted.refresh) if wanted.part == refreshes.RENAMED else {},
        "bridge": bridge,
        "bridges": bridges,
        "refresh_run": refresh_run,
        "poll_seconds": min((reading.poll_seconds(run, now) or 5 for run in running), default=None),
        "may_sync": user.may(SYNC),
        "may_edit": user.may(EDIT_GROUPS),
        "may_export": user.may(EXPORT),
        "sees_people": user.may(VIEW_SUBSCRIBERS),
        "silence_seconds": settings.SYNC_SILENCE_SECONDS,
    }


def groups_shown(wanted: Wanted, order: Ordering) -> TargetGroupQuerySet:
    """Return every group that the pages of the list show, in the list's order."""
    return _sorted(_filtered(wanted), order)


def wanted_by(request: HttpRequest, bridges: Sequence[Bridge] = ()) -> Wanted:
    """Read the address. An association is chosen among several only."""
    run, part = refreshes.part_asked_for(whole(request, "refresh"), request.GET.get("part", ""))
    return Wanted(
        folder=request.GET.get("folder", ALL_FOLDERS),
        bridge=next((one for one in bridges[1:] and bridges if one.pk == whole(request, "bridge")), None),
        text=request.GET.get("q", "").strip(),
        criteria=criteria.read(request.GET.getlist("is"), request.GET.getlist("term")),
        refresh=run,
        part=part,
        is_with_deleted=request.GET.get("deleted") == "1",
    )


def remembered_folder(user: User) -> str:
    """Return the folder that this person looked at last, while it exists; "" is none."""
    chosen = str(user.table_preference(TARGET_GROUPS.name).get(FOLDER, ""))
    return chosen if chosen.isdigit() and Folder.objects.filter(pk=int(chosen)).exists() else ""


def remember_folder(user: User, folder: str) -> None:
    """Open the list on this folder from now on."""
    if user.table_preference(TARGET_GROUPS.name).get(FOLDER, ALL_FOLDERS) != folder:
        remember_table(user, TARGET_GROUPS.name, **{FOLDER: folder})


def _filtered(wanted: Wanted) -> TargetGroupQuerySet:
    groups = TargetGroup.objects.all() if wanted.is_with_deleted else TargetGroup.objects.present()
    groups = groups.select_related("folder", "bridge").with_same_name_flags()
    if _is_number(wanted.folder):
        groups = groups.filter(folder_id=int(wanted.folder))
    if wanted.bridge:
        groups = groups.filter(bridge=wanted.bridge)
    if wanted.text:
        groups = groups.filter(name__icontains=wanted.text)
    for criterion in wanted.criteria:
        if criterion.filter is not None:
            groups = groups.filter(criterion.filter)
    return groups.filter(refreshes.in_part(wanted.refresh, wanted.part)) if wanted.refresh else groups


def _sorted(groups: TargetGroupQuerySet, order: Ordering) -> TargetGroupQuerySet:
    if order.sort == "count":
        return groups.by_count(descending=order.is_descending)
    if order.sort == "last_synced":
        key = F("counted_at").desc(nulls_last=True) if order.is_descending else F("counted_at").asc(nulls_first=True)
        return groups.order_by(key, Lower("name"), "pk")
    by = SORTS[order.sort]
    return groups.order_by(by.desc() if order.is_descending else by.asc(), Lower("name"), "pk")


def _chips(request: HttpRequest, wanted: Wanted) -> list[dict[str, str]]:
    """Say each criterion in words, with the address of the list without it."""
    chips = []
    pairs = [(one.condition.key, one.term) for one in wanted.criteria]
    for number, criterion in enumerate(wanted.criteria):
        others = [pair for place, pair in enumerate(pairs) if place != number]
        chips.append({"words": criterion.words, "problem": criterion.problem, "without": _address(request, others)})
    if wanted.refresh:
        # Translators: %(part)s is "new", "renamed" and so on.
        words = gettext("The refresh told of them as “%(part)s”") % {"part": refreshes.word_of(wanted.part)}
        chips.append({"words": words, "problem": "", "without": _address(request, pairs, without=("refresh", "part"))})
    return chips


def _address(request: HttpRequest, pairs: list[tuple[str, str]], without: tuple[str, ...] = ()) -> str:
    kept = request.GET.copy()
    for name in ("page", "search", "more", "is", "term", *without):
        kept.pop(name, None)
    given = [(name, value) for name, values in kept.lists() for value in values]
    asked = [item for key, term in pairs for item in (("is", key), ("term", term))]
    return f"?{urlencode([*given, *asked])}"


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 10
