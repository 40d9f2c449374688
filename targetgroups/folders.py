"""Folders: made, named and deleted by people. Every change is recorded; no group is ever lost with its folder."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext, gettext_lazy

import audit

from .exceptions import FolderRefused
from .models import Folder, TargetGroup

LONGEST_NAME = 100
ALL_FOLDERS = gettext_lazy("All Folders")  # what the list calls no folder at all


@transaction.atomic
def create_folder(name: str, user: AbstractBaseUser) -> Folder:
    """Make a folder. Raises FolderRefused if the name can't be used."""
    folder = Folder(name=_usable(name))
    _save(folder)
    audit.record(user, "folder.created", folder, None, {"name": folder.name})
    return folder


@transaction.atomic
def rename_folder(folder: Folder, name: str, user: AbstractBaseUser) -> None:
    """Name a folder differently. Raises FolderRefused if the name can't be used, or this folder's must stay."""
    _refuse_built_in(folder)
    before, folder.name = folder.name, _usable(name)
    if folder.name == before:
        return
    _save(folder)
    audit.record(user, "folder.renamed", folder, {"name": before}, {"name": folder.name})


@transaction.atomic
def delete_folder(folder: Folder, user: AbstractBaseUser) -> int:
    """Delete a folder and return how many groups moved to Main Folder. Raises FolderRefused if it must stay."""
    _refuse_built_in(folder)
    # Locked, so that no group comes in between the move and the end.
    locked = Folder.objects.select_for_update().filter(pk=folder.pk).first()
    if locked is None:
        raise FolderRefused(gettext("Somebody has deleted this folder already."))
    if locked.schedules.exists():
        said = gettext("A schedule syncs the groups in “%(folder)s”. Change or delete the schedule first.")
        raise FolderRefused(said % {"folder": locked.name})
    groups = TargetGroup.objects.filter(folder=locked)
    group_ids = sorted(groups.values_list("pk", flat=True))
    groups.update(folder=Folder.objects.get(name=Folder.MAIN))
    before = {"name": locked.name, "target_groups": group_ids}
    audit.record(user, "folder.deleted", locked, before, {"target_groups_moved_to": Folder.MAIN})
    shown = TargetGroup.objects.present().filter(pk__in=group_ids).count()
    locked.delete()
    return shown


def _save(folder: Folder) -> None:
    try:
        with transaction.atomic():
            folder.save()
    except IntegrityError:  # folder_name_once
        raise FolderRefused(gettext("There is a folder “%(folder)s” already.") % {"folder": folder.name}) from None


def _usable(name: str) -> str:
    tidy = " ".join(name.split())
    if not tidy:
        raise FolderRefused(gettext("Give the folder a name."))
    if len(tidy) > LONGEST_NAME:
        said = gettext("A folder's name has at most %(most)s characters; this one has %(count)s.")
        raise FolderRefused(said % {"most": LONGEST_NAME, "count": len(tidy)})
    if not tidy.isprintable():
        raise FolderRefused(gettext("A folder's name can't hold control characters."))
    if tidy.casefold() == ALL_FOLDERS.casefold():
        said = gettext("“%(name)s” is what the list calls all of them. Choose another name.")
        raise FolderRefused(said % {"name": ALL_FOLDERS})
    return tidy


def _refuse_built_in(folder: Folder) -> None:
    if folder.is_built_in:
        said = gettext("“%(folder)s” is always there: it can be neither renamed nor deleted.")
        raise FolderRefused(said % {"folder": folder.name})
