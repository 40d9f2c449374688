"""The column chooser, order and page size of every table: what the address asks for, and what a person chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.preferences import remember_table
from accounts.tables import ATTRIBUTE, Column, Table, merged
from accounts.views.asking import person, whole

LONGEST_KEY = 600
MOST_COLUMNS = 200
STEPS = {"up": -1, "down": 1}


@dataclass(frozen=True)
class Ordering:
    sort: str
    is_descending: bool

    @property
    def word(self) -> str:
        return f"-{self.sort}" if self.is_descending else self.sort

    @property
    def direction(self) -> str:
        """The word of aria-sort."""
        return "descending" if self.is_descending else "ascending"


def ordering(request: HttpRequest, table: Table, default: str) -> Ordering:
    """Return the order that the address asks for, or the default: a word of the address, perhaps none of a column."""
    word = request.GET.get("sort", default)
    if word.removeprefix("-") not in table.sorts:
        word = default
    return Ordering(word.removeprefix("-"), word.startswith("-"))


def page_size(request: HttpRequest, table: Table) -> int:
    """Return the page size that the address asks for, or the one this person chose last."""
    user = person(request)
    size = whole(request, "size")
    if size not in table.page_sizes:
        return table.page_size_for(user)
    return size


@dataclass(frozen=True)
class Choice:
    """What the chooser says: every column it offered, in order, and those that are ticked."""

    order: list[str]
    ticked: list[str]

    @classmethod
    def of(cls, request: HttpRequest) -> Choice:
        order, ticked = (request.POST.getlist(name)[:MOST_COLUMNS] for name in ("order", "columns"))
        return cls([key[:LONGEST_KEY] for key in order], [key[:LONGEST_KEY] for key in ticked])

    def moved(self, wish: str) -> Choice:
        """Return the choice with one column a place further up or down, as a button says: "up:remote_id"."""
        step, _, key = wish.partition(":")
        if step not in STEPS or key not in self.order:
            return self
        rest = [other for other in self.order if other != key]
        rest.insert(max(self.order.index(key) + STEPS[step], 0), key)
        return Choice(rest, self.ticked)


def choose(request: HttpRequest, tables: Mapping[str, Table], name: str, otherwise: str) -> HttpResponse:
    """Answer the chooser of a table; `otherwise` names the page to go to when the form does not say where from."""
    if name not in tables:
        raise Http404
    table = tables[name]
    choice, user = Choice.of(request), person(request)
    if "move" in request.POST:  # without JavaScript: the form again, as a page, with one column elsewhere
        return _form(request, table, choice.moved(request.POST["move"]))
    size = request.POST.get("size", "")
    choices = {"page_size": int(size)} if size in map(str, table.page_sizes) else {}
    columns = merged(choice.ticked, choice.order or table.keys, table.chosen_by(user) or [])[:MOST_COLUMNS]
    remember_table(user, table.name, columns=None if "reset" in request.POST else columns, **choices)
    if "keep" in request.POST and getattr(request, "htmx", False):
        # What was searched for stands in the list's own form alone: that asks again by itself.
        return HttpResponse(status=204, headers={"HX-Trigger": "columns-chosen"})
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if is_ours and back.startswith("/") else otherwise)


def _form(request: HttpRequest, table: Table, choice: Choice) -> HttpResponse:
    known = {column.key: column for column in table.columns}
    attributes = [key for key in choice.order if key.startswith(ATTRIBUTE)]
    known |= {key: Column(key, key.removeprefix(ATTRIBUTE), is_default=False) for key in attributes}
    offered = [known[key] for key in choice.order if key in known]
    context = {
        "table": table,
        "offered": offered,
        "columns": [column for column in offered if column.key in choice.ticked or column.is_fixed],
        "back": request.POST.get("back", ""),
        "size": request.POST.get("size", ""),
    }
    return render(request, "targetgroups/columns.html", context)
