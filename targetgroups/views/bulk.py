"""Resync, move, delete and undelete target groups, one or many. The list's filters stand in each address."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.decorators import requires
from accounts.permissions import EDIT_GROUPS, SYNC, VIEW_GROUPS
from accounts.views.asking import is_part, person

from .. import bulk
from ..bulk import Done
from ..exceptions import FolderRefused
from ..models import Folder, TargetGroup
from . import group_list

MOST = 1000  # groups at once; a page shows 250
NEW_FOLDER = "new"


@requires(VIEW_GROUPS, SYNC)
@require_POST
def resync_many(request: HttpRequest) -> HttpResponse:
    return _answer(request, bulk.resync_groups(_ticked(request), person(request)), "resynced")


@requires(VIEW_GROUPS, EDIT_GROUPS)
@require_POST
def move(request: HttpRequest) -> HttpResponse:
    """Ask where to; then move, to a folder that exists or to a new one."""
    ids, folder_id = _ticked(request), request.POST.get("folder")
    if not ids or folder_id is None:
        return _ask(request, ids, "move")
    try:
        if folder_id == NEW_FOLDER:
            done = bulk.move_groups_to_new_folder(ids, request.POST.get("new_folder", ""), person(request))
        else:
            done = bulk.move_groups(ids, _folder(folder_id), person(request))
    except FolderRefused as error:
        return _ask(request, ids, "move", problem=error.sentence)
    return _answer(request, done, "moved")


@requires(VIEW_GROUPS, EDIT_GROUPS)
@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Say what would be deleted and what would stay; then, when somebody is sure, delete."""
    ids = _ticked(request)
    if not ids or "sure" not in request.POST:
        return _ask(request, ids, "delete", **({"done": bulk.deletable(ids)} if ids else {}))
    return _answer(request, bulk.delete_groups(ids, person(request)), "deleted")


@requires(VIEW_GROUPS, EDIT_GROUPS)
@require_POST
def undelete(request: HttpRequest) -> HttpResponse:
    ids = _ticked(request)
    done = bulk.undelete_groups(ids, person(request))
    if request.POST.get("to") == "info" and ids:  # asked for at the group's own address
        _say(request, done, "undeleted")
        return redirect("targetgroups:info", group_id=ids[0])
    return _answer(request, done, "undeleted")


def _ticked(request: HttpRequest) -> list[int]:
    words = request.POST.getlist("group")[:MOST]
    return [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19]


def _folder(folder_id: str) -> Folder:
    """Find the folder to move to. Raises FolderRefused if somebody has deleted it meanwhile."""
    known = (
        Folder.objects.filter(pk=folder_id) if folder_id.isascii() and folder_id.isdigit() else Folder.objects.none()
    )
    if (folder := known.first()) is None:
        raise FolderRefused(gettext("There is no such folder any more. Choose another."))
    return folder


def _ask(request: HttpRequest, ids: list[int], action: str, **context: Any) -> HttpResponse:
    """Ask before an action: in the dialog, or on a page of its own."""
    if not ids:
        return _answer(request, Done(), "")
    context |= {"action": action, "groups": TargetGroup.objects.filter(pk__in=ids).order_by(Lower("name"), "pk")}
    if action == "move":
        context |= {"folders": Folder.objects.order_by("-is_built_in", Lower("name")), "typed": request.POST}
    is_in_dialog = is_part(request, "ask-body", "groups")
    template = "targetgroups/_ask.html" if is_in_dialog else "targetgroups/ask.html"
    response = render(request, template, context, status=422 if "problem" in context and not is_in_dialog else 200)
    if is_in_dialog:
        response["HX-Retarget"], response["HX-Reswap"] = "#ask-body", "innerHTML"
    return response


def _answer(request: HttpRequest, done: Done, verb: str) -> HttpResponse:
    """Say what was done and why the rest was not, over the list as it is now."""
    _say(request, done, verb)
    if is_part(request, "groups", "ask-body"):
        response = render(request, "targetgroups/_groups_answer.html", group_list.list_context(request))
        response["HX-Retarget"], response["HX-Reswap"] = "#groups", "morph:outerHTML"
        return response
    filters = request.GET.urlencode()
    return redirect(reverse("targetgroups:target_groups") + (f"?{filters}" if filters else ""))


def _say(request: HttpRequest, done: Done, verb: str) -> None:
    level = messages.SUCCESS if not done.refused else messages.WARNING if done.groups else messages.ERROR
    if not done.groups and not done.refused:
        messages.warning(request, gettext("Tick at least one target group first."))
    else:
        said = render_to_string("targetgroups/_outcome.html", {"done": done, "verb": verb})
        messages.add_message(request, level, said)
