"""What people do with many target groups at once: the possible ones are done, the rest come back with a reason each.

Nothing here waits for MemberSuite (R8). Every change is recorded (R16).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_noop, ngettext

import audit
from thrive_sync.lib.words import number

from . import enqueue
from .choices import RunStatus, Trigger
from .folders import create_folder
from .models import Folder, SyncRun, TargetGroup
from .rooms import uses_of

_MOST_USES_NAMED = 2
_DELETED = gettext_noop("It is deleted. Undelete it first.")


@dataclass(frozen=True)
class Refusal:
    """A group that stays as it was. `is_used` and `not_runnable_code` let a page say more than the reason."""

    group: TargetGroup
    reason: str
    is_used: bool = False
    not_runnable_code: str = ""


@dataclass
class Done:
    """What became of the groups that somebody ticked, each in one of the two lists."""

    groups: list[TargetGroup] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


Check = Callable[[TargetGroup], Refusal | None]


def resync_groups(group_ids: Sequence[int], user: AbstractBaseUser) -> Done:
    """Ask for a sync of each group that can be synced; a group whose sync is under way joins that run (R7)."""
    done = _sort(TargetGroup.objects.filter(pk__in=group_ids).select_related("bridge"), _why_not_synced)
    for group in done.groups:
        enqueue.request_sync(group, Trigger.RESYNC_NOW, user)
    return done


@transaction.atomic
def move_groups(group_ids: Sequence[int], folder: Folder, user: AbstractBaseUser) -> Done:
    """Move groups to a folder."""
    # Against a folder that is deleted at this moment: its deletion waits, and finds the groups in it.
    Folder.objects.select_for_update(no_key=True).get(pk=folder.pk)

    def why_not(group: TargetGroup) -> Refusal | None:
        if group.deleted_at:
            return Refusal(group, gettext(_DELETED))
        if group.folder_id != folder.pk:
            return None
        return Refusal(group, gettext("It is in “%(folder)s” already.") % {"folder": folder.name})

    done = _sort(_locked(group_ids), why_not)
    _change(done).update(folder=folder)
    for group in done.groups:
        audit.record(user, "target_group.moved", group, {"folder": group.folder.name}, {"folder": folder.name})
    return done


@transaction.atomic
def move_groups_to_new_folder(group_ids: Sequence[int], name: str, user: AbstractBaseUser) -> Done:
    """Make a folder and move groups to it. Raises FolderRefused if the name can't be used; then nothing moves."""
    return move_groups(group_ids, create_folder(name, user), user)


def deletable(group_ids: Sequence[int]) -> Done:
    """Say which groups could be deleted now, and why the others could not. Changes nothing."""
    groups = TargetGroup.objects.filter(pk__in=group_ids).with_same_name_flags()
    return _sort(groups, _why_not_deleted(group_ids))


@transaction.atomic
def delete_groups(group_ids: Sequence[int], user: AbstractBaseUser) -> Done:
    """Delete groups: they are hidden and no longer synced; members and counts stay as they are until undelete.

    A run that still waits is cancelled. What is used by something unfinished, or is being synced, stays.
    """
    done = _sort(_locked(group_ids), _why_not_deleted(group_ids))
    waiting = SyncRun.objects.filter(target_group__in=done.groups, status=RunStatus.WAITING)
    for run in waiting:
        enqueue.request_cancel(run, user)  # if a worker has just taken it, this is the wish that it should stop
    _change(done).update(deleted_at=Now())
    for group in done.groups:
        before = {"folder": group.folder.name, "search_id": group.search_id, "is_deleted": False}
        audit.record(user, "target_group.deleted", group, before, {"is_deleted": True})
    return done


@transaction.atomic
def undelete_groups(group_ids: Sequence[int], user: AbstractBaseUser) -> Done:
    """Bring deleted groups back, as they were: with their folder, their members and the age of their counts."""

    def why_not(group: TargetGroup) -> Refusal | None:
        return None if group.deleted_at else Refusal(group, gettext("It is not deleted."))

    done = _sort(_locked(group_ids), why_not)
    _change(done).update(deleted_at=None)
    for group in done.groups:
        audit.record(user, "target_group.undeleted", group, {"is_deleted": True}, {"is_deleted": False})
    return done


def _why_not_deleted(group_ids: Sequence[int]) -> Check:
    uses = uses_of(group_ids)
    running = SyncRun.objects.filter(target_group__in=group_ids, status=RunStatus.RUNNING)
    running_ids = set(running.values_list("target_group_id", flat=True))

    def why_not(group: TargetGroup) -> Refusal | None:
        if group.deleted_at:
            return Refusal(group, gettext("It is deleted already."))
        if group.pk in uses:
            return Refusal(group, _used_by(uses[group.pk]), is_used=True)
        if group.pk in running_ids:
            return Refusal(group, gettext("It is being synced. Cancel the sync or wait until it has ended."))
        return None

    return why_not


def _why_not_synced(group: TargetGroup) -> Refusal | None:
    if group.deleted_at:
        return Refusal(group, gettext(_DELETED))
    if group.is_gone:
        return Refusal(group, gettext("Its search is no longer in MemberSuite."))
    if group.not_runnable_code:
        return Refusal(group, gettext("Its search can't be synced."), not_runnable_code=group.not_runnable_code)
    return None


def _locked(group_ids: Sequence[int]) -> QuerySet[TargetGroup]:
    # In one order, so that two people's actions never wait for each other both ways.
    groups = TargetGroup.objects.filter(pk__in=group_ids).order_by("pk").select_related("folder")
    return groups.select_for_update(no_key=True, of=("self",))


def _sort(groups: Iterable[TargetGroup], why_not: Check) -> Done:
    done = Done()
    for group in sorted(groups, key=lambda one: (one.name.casefold(), one.pk)):
        refusal = why_not(group)
        if refusal is None:
            done.groups.append(group)
        else:
            done.refused.append(refusal)
    return done


def _change(done: Done) -> QuerySet[TargetGroup]:
    return TargetGroup.objects.filter(pk__in=[group.pk for group in done.groups])


def _used_by(uses: Sequence[str]) -> str:
    named = ", ".join(uses[:_MOST_USES_NAMED])
    more = len(uses) - _MOST_USES_NAMED
    if more <= 0:
        # Translators: %(uses)s is, for example: the mailing “News” (Draft)
        return gettext("It is used by %(uses)s.") % {"uses": named}
    told = ngettext("It is used by %(uses)s and %(count)s more.", "It is used by %(uses)s and %(count)s more.", more)
    return told % {"uses": named, "count": number(more)}
