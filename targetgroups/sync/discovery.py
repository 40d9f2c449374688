"""The list refresh: MemberSuite's active public searches become target groups. Never a count, never a member (R3)."""

from dataclasses import dataclass, field

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext

import audit
from thrive_sync.lib.words import number

from ..choices import OutcomeKind, RefreshPart, refreshed
from ..exceptions import Held
from ..models import Folder, RunOutcome, SyncRun, TargetGroup
from ..remote import Search, SearchList
from . import guard

_LONGEST_NAME = 500
_LONGEST_SEARCH_ID = 100


@dataclass
class Changes:
    """What a refresh does, by the search's ID."""

    new: list[Search] = field(default_factory=list)
    renamed: list[tuple[TargetGroup, Search]] = field(default_factory=list)
    altered: list[tuple[TargetGroup, Search]] = field(default_factory=list)
    returned: list[tuple[TargetGroup, Search]] = field(default_factory=list)
    gone: list[TargetGroup] = field(default_factory=list)
    unchanged_count: int = 0
    # Deleted here, with its search while MemberSuite offers that: followed, so that undeleting gives a true group back,
    # but told of as nothing else.
    deleted: list[tuple[TargetGroup, Search | None]] = field(default_factory=list)

    def sentence(self) -> str:
        """Say what happened, in one sentence; what did not happen is left out, except "unchanged"."""
        counts = self.counts()
        told = [part for part in RefreshPart if counts[part] or part == RefreshPart.UNCHANGED]
        return ", ".join(refreshed(part, counts[part]) for part in told)

    def counts(self) -> dict[RefreshPart, int]:
        return {
            RefreshPart.NEW: len(self.new),
            RefreshPart.RENAMED: len(self.renamed),
            RefreshPart.RETURNED: len(self.returned),
            RefreshPart.GONE: len(self.gone),
            RefreshPart.UNCHANGED: self.unchanged_count,
            RefreshPart.DELETED: len(self.deleted),
        }

    def as_figures(self) -> dict[str, object]:
        return {
            **{str(part): count for part, count in self.counts().items()},
            "new_search_ids": [search.remote_id for search in self.new],
            "renamed_groups": [[group.pk, group.name, search.name] for group, search in self.renamed],
            "returned_groups": [group.pk for group, _ in self.returned],
            "gone_groups": [group.pk for group in self.gone],
            "deleted_groups": [group.pk for group, _ in self.deleted],
        }


def compare(run: SyncRun, listed: SearchList) -> Changes:
    """Compare the list with the groups. Raises Held if it is not whole, or too many groups would go (R10)."""
    if not listed.is_complete:
        raise Held(
            gettext(
                "MemberSuite announced %(total)s searches but sent %(count)s. "
                "Nothing was changed. Refresh again, or look at the run."
            )
            % {"total": number(listed.total), "count": number(len(listed.searches))}
        )
    groups = {group.search_key: group for group in TargetGroup.objects.filter(bridge=run.bridge)}
    searches = {search.remote_id.lower(): search for search in _offered(listed)}
    changes = Changes()
    changes.deleted = [(group, searches.get(key)) for key, group in groups.items() if group.deleted_at]
    for key, search in searches.items():
        group = groups.get(key)
        if group is not None and group.deleted_at:
            continue
        if group is None:
            changes.new.append(search)
        else:
            _sort_known(changes, group, search)
    present = [group for group in groups.values() if not group.is_gone and not group.deleted_at]
    changes.gone = [group for group in present if group.search_key not in searches]
    _guard_gone(run, len(present), changes.gone)
    return changes


def _offered(listed: SearchList) -> list[Search]:
    """Leave out what is private or inactive, whatever the server was asked for."""
    return [s for s in listed.searches if s.is_public and s.is_active and len(s.remote_id) <= _LONGEST_SEARCH_ID]


def _sort_known(changes: Changes, group: TargetGroup, search: Search) -> None:
    is_renamed = group.name != search.name[:_LONGEST_NAME]
    if group.is_gone:
        changes.returned.append((group, search))
    elif is_renamed:
        changes.renamed.append((group, search))
    else:
        changes.unchanged_count += 1
        if (group.description, group.search_type, group.not_runnable_code) != _details(search):
            changes.altered.append((group, search))


def _guard_gone(run: SyncRun, present_count: int, gone: list[TargetGroup]) -> None:
    approved_count = 0
    if run.applies_id:
        keys = [group.search_key for group in gone]
        approved = RunOutcome.objects.filter(run_id=run.applies_id, kind=OutcomeKind.WOULD_REMOVE, remote_key__in=keys)
        approved_count = approved.count()
    guard.check_gone(present_count, len(gone), approved_count)


def record_would_mark(run: SyncRun, listed: SearchList) -> None:
    """Keep which groups a held refresh would mark as gone."""
    keys = [search.remote_id.lower() for search in _offered(listed)]
    present = TargetGroup.objects.present().filter(bridge=run.bridge, gone_at__isnull=True)
    RunOutcome.objects.bulk_create(
        RunOutcome(
            bridge=run.bridge,
            run=run,
            kind=OutcomeKind.WOULD_REMOVE,
            remote_id=group.search_id,
            remote_key=group.search_key,
            recorded_at=timezone.now(),
        )
        for group in present.exclude(search_key__in=keys)
    )


def apply(run: SyncRun, changes: Changes) -> None:
    """Write the changes; the caller's transaction makes them one."""
    folder = Folder.objects.get(name=Folder.MEMBERSUITE)
    for search in changes.new:
        description, search_type, not_runnable_code = _details(search)
        TargetGroup.objects.create(
            bridge=run.bridge,
            folder=folder,
            search_id=search.remote_id,
            search_key=search.remote_id.lower(),
            name=search.name[:_LONGEST_NAME],
            description=description,
            search_type=search_type,
            not_runnable_code=not_runnable_code,
        )
    for group, search in (*changes.renamed, *changes.altered, *changes.returned):
        before = {"name": group.name, "gone_at": group.gone_at and group.gone_at.isoformat()}
        _follow(group, search)
        audit.record(f"run {run.pk}", "target_group.refreshed", group, before, {"name": search.name, "gone_at": None})
    for group in changes.gone:
        mark_gone(group.pk)
    for group, offered in changes.deleted:
        if offered is None:
            mark_gone(group.pk)
        else:
            _follow(group, offered)


def _follow(group: TargetGroup, search: Search) -> None:
    """Let a group say what its search says now; folder and deletion are people's alone."""
    description, search_type, not_runnable_code = _details(search)
    TargetGroup.objects.filter(pk=group.pk).update(
        name=search.name[:_LONGEST_NAME],
        description=description,
        search_type=search_type,
        not_runnable_code=not_runnable_code,
        gone_at=None,
        error_code="" if group.error_code == "search_gone" else F("error_code"),
        error_text="" if group.error_code == "search_gone" else F("error_text"),
    )


def mark_gone(group_id: int) -> None:
    """Mark a group whose search is no longer offered; its members stay (R10)."""
    TargetGroup.objects.filter(pk=group_id, gone_at__isnull=True).update(gone_at=Now())


def _details(search: Search) -> tuple[str, str, str]:
    search_type = search.search_type or search.applicable_type or ""
    return search.description or "", search_type[:100], search.not_runnable
