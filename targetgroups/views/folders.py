"""The folders of Target Groups: make, rename, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import EDIT_GROUPS, VIEW_GROUPS
from accounts.views.asking import is_part, person, whole
from thrive_sync.lib.words import number

from .. import folders
from ..exceptions import FolderRefused
from ..models import Folder


@requires(VIEW_GROUPS)
@require_GET
def folder_list(request: HttpRequest) -> HttpResponse:
    """List the folders; the address says which one is being renamed, or asked about before it is deleted."""
    return _page(request, renamed=whole(request, "rename"), asked=whole(request, "delete"))


@requires(VIEW_GROUPS, EDIT_GROUPS)
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    name = request.POST.get("name", "")
    try:
        folder = folders.create_folder(name, person(request))
    except FolderRefused as error:
        return _page(request, typed=name, problem=error.sentence)
    return _done(request, gettext("The folder “%(folder)s” was created.") % {"folder": folder.name})


@requires(VIEW_GROUPS, EDIT_GROUPS)
@require_POST
def rename(request: HttpRequest, folder_id: int) -> HttpResponse:
    folder, name = get_object_or_404(Folder, pk=folder_id), request.POST.get("name", "")
    before = folder.name
    try:
        folders.rename_folder(folder, name, person(request))
    except FolderRefused as error:
        return _page(request, renamed=folder_id, typed=name, problem=error.sentence)
    said = gettext("The folder “%(before)s” is called “%(after)s” now.")
    return _done(request, said % {"before": before, "after": folder.name})


@requires(VIEW_GROUPS, EDIT_GROUPS)
@require_POST
def delete(request: HttpRequest, folder_id: int) -> HttpResponse:
    folder = get_object_or_404(Folder, pk=folder_id)
    try:
        moved = folders.delete_folder(folder, person(request))
    except FolderRefused as error:
        return _page(request, problem=error.sentence)
    said = ngettext(
        "The folder “%(folder)s” was deleted; %(count)s target group moved to %(main)s.",
        "The folder “%(folder)s” was deleted; %(count)s target groups moved to %(main)s.",
        moved,
    )
    return _done(request, said % {"folder": folder.name, "count": number(moved), "main": Folder.MAIN})


def _done(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return _page(request) if is_part(request, "folders") else redirect("targetgroups:folders")


def _page(request: HttpRequest, **context: Any) -> HttpResponse:
    present = Count("target_groups", filter=Q(target_groups__deleted_at__isnull=True))
    deleted = Count("target_groups", filter=Q(target_groups__deleted_at__isnull=False))
    found = Folder.objects.annotate(group_count=present, deleted_count=deleted)
    context |= {
        "folders": found.order_by("-is_built_in", Lower("name")),
        "may_edit": person(request).may(EDIT_GROUPS),
        "longest_name": folders.LONGEST_NAME,
        "main_folder": Folder.MAIN,
    }
    if is_part(request, "folders"):
        return render(request, "targetgroups/_folders_answer.html", context)
    return render(request, "targetgroups/folders.html", context, status=422 if "problem" in context else 200)
