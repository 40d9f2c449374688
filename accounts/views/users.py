"""Admin > Users: one user, and what an Administrator does with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, gettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import letters, links, listing, lockout, people, presence
from accounts.decorators import requires
from accounts.exceptions import NotAllowedNow
from accounts.forms import InviteForm, RolesForm
from accounts.models import User
from accounts.permissions import MANAGE_USERS, RIGHTS, ROLES, VIEW_AUDIT, right_words, role_words
from audit.models import AuditEntry
from thrive_sync.lib.words import Words

ACTIONS: dict[str, Words] = {
    "user.invited": gettext_lazy("Invited"),
    "user.invited_again": gettext_lazy("Invited again"),
    "user.invitation_accepted": gettext_lazy("Accepted the invitation"),
    "user.deactivated": gettext_lazy("Deactivated"),
    "user.reactivated": gettext_lazy("Reactivated"),
    "user.signed_out": gettext_lazy("Signed out everywhere by an administrator"),
    "user.signed_out_elsewhere": gettext_lazy("Signed out in other places"),
    "user.unlocked": gettext_lazy("Unlocked"),
    "user.link_sent": gettext_lazy("Link to a new password made"),
    "user.password_changed": gettext_lazy("Changed the password"),
    "user.password_set_by_link": gettext_lazy("Set a new password by link"),
    "user.two_step_on": gettext_lazy("Switched two-step sign-in on"),
    "user.two_step_off": gettext_lazy("Switched two-step sign-in off"),
    "user.two_step_reset": gettext_lazy("Two-step sign-in reset by an administrator"),
    "user.recovery_codes": gettext_lazy("Made new recovery codes"),
}
ONCE = "link_shown_once"


@requires(MANAGE_USERS)
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = people.invite(cast(User, request.user), form.cleaned_data["email"], form.cleaned_data["roles"])
        except NotAllowedNow as error:
            form.add_error("email", error.sentence)
        else:
            said = gettext("%(address)s is invited.") % {"address": made.email}
            return _after_link(request, made, links.invitation_link(made), said)
    context = {"form": form, "is_mailed": letters.is_set_up(), "days": settings.INVITATION_DAYS, "roles": _roles()}
    return render(request, "accounts/invite.html", context, status=422 if form.errors else 200)


@requires(MANAGE_USERS)
@require_GET
def user(request: HttpRequest, user_id: int) -> HttpResponse:
    return _page(request, _the_user(user_id))


@requires(MANAGE_USERS)
@require_POST
def change_roles(request: HttpRequest, user_id: int) -> HttpResponse:
    changed, form = _the_user(user_id), RolesForm(request.POST)
    if not form.is_valid():
        return _page(request, changed, form)
    return _do(
        request,
        changed,
        lambda actor: people.change_roles(actor, changed, form.cleaned_data["roles"]),
        gettext("The roles of %(who)s were saved.") % {"who": changed},
    )


@requires(MANAGE_USERS)
@require_POST
def deactivate(request: HttpRequest, user_id: int) -> HttpResponse:
    changed = _the_user(user_id)
    said = gettext("%(who)s is deactivated and signed out everywhere.") % {"who": changed}
    return _do(request, changed, lambda actor: people.deactivate(actor, changed), said)


@requires(MANAGE_USERS)
@require_POST
def reactivate(request: HttpRequest, user_id: int) -> HttpResponse:
    changed = _the_user(user_id)
    said = gettext("%(who)s can sign in again, with the password and roles of before.") % {"who": changed}
    return _do(request, changed, lambda actor: people.reactivate(actor, changed), said)


@requires(MANAGE_USERS)
@require_POST
def sign_out(request: HttpRequest, user_id: int) -> HttpResponse:
    changed = _the_user(user_id)
    said = gettext("%(who)s is signed out everywhere.") % {"who": changed}
    return _do(request, changed, lambda actor: people.sign_out(actor, changed), said)


@requires(MANAGE_USERS)
@require_POST
def unlock(request: HttpRequest, user_id: int) -> HttpResponse:
    changed = _the_user(user_id)
    said = gettext("%(who)s can try again at once.") % {"who": changed}
    return _do(request, changed, lambda actor: people.unlock(actor, changed), said)


@requires(MANAGE_USERS)
@require_POST
def reset_two_step(request: HttpRequest, user_id: int) -> HttpResponse:
    changed = _the_user(user_id)
    said = gettext("%(who)s signs in with the password alone now, and was signed out everywhere.") % {"who": changed}
    return _do(request, changed, lambda actor: people.reset_two_step(actor, changed), said)


@requires(MANAGE_USERS)
@require_POST
def send_link(request: HttpRequest, user_id: int) -> HttpResponse:
    """Send a link to a new password; without e-mail, show it once."""
    changed = _the_user(user_id)
    try:
        people.send_password_link(cast(User, request.user), changed)
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
        return redirect("accounts:user", user_id)
    said = gettext("A link goes to %(address)s.") % {"address": changed.email}
    return _after_link(request, changed, links.password_link(changed), said)


@requires(MANAGE_USERS)
@require_POST
def invite_again(request: HttpRequest, user_id: int) -> HttpResponse:
    invited = _the_user(user_id)
    try:
        people.invite_again(cast(User, request.user), invited)
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
        return redirect("accounts:user", user_id)
    invited.refresh_from_db()
    said = gettext("%(address)s is invited again. The link sent before works no more.") % {"address": invited.email}
    return _after_link(request, invited, links.invitation_link(invited), said)


@requires(MANAGE_USERS)
@require_POST
def withdraw(request: HttpRequest, user_id: int) -> HttpResponse:
    invited = _the_user(user_id)
    try:
        people.withdraw(cast(User, request.user), invited)
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
        return redirect("accounts:user", user_id)
    said = gettext("The invitation of %(address)s is withdrawn. Its link works no more.")
    messages.success(request, said % {"address": invited.email})
    return redirect("accounts:users")


def _the_user(user_id: int) -> User:
    return get_object_or_404(User.objects.select_related("invited_by", "two_step"), pk=user_id)


def _do(request: HttpRequest, changed: User, act: Callable[[User], Any], said: str) -> HttpResponse:
    try:
        act(cast(User, request.user))
        messages.success(request, said)
    except NotAllowedNow as error:
        messages.error(request, error.sentence)
    return redirect("accounts:user", changed.pk)


def _after_link(request: HttpRequest, about: User, link: str, said: str) -> HttpResponse:
    """Say that the e-mail goes out; where none can, keep the link for the one page that shows it."""
    if letters.is_set_up() and about.email:
        messages.success(request, said)
    else:
        whole = settings.SITE_URL + link if settings.SITE_URL else request.build_absolute_uri(link)
        request.session[ONCE] = {"user": about.pk, "link": whole}
    return redirect("accounts:user", about.pk)


def _page(request: HttpRequest, shown: User, form: RolesForm | None = None) -> HttpResponse:
    kept = request.session.pop(ONCE, None) if request.session.get(ONCE, {}).get("user") == shown.pk else None
    actor, locked = cast(User, request.user), lockout.locked_names()
    # Lists that a user exported are kept as theirs too, and change nothing about them.
    entries = AuditEntry.objects.filter(
        object_type=shown._meta.label_lower, object_id=str(shown.pk), action__startswith="user."
    )
    context = {
        "shown": shown,
        "line": listing.Line(shown, listing.state_of(shown, locked)),
        "form": form,
        "chosen_roles": {role.name for role in shown.groups.all()},
        "roles": _roles(),
        "link": kept["link"] if kept else "",
        "link_title": _link_title(shown),
        "expires_at": links.expires_at(shown),
        "letter": shown.letters.order_by("-asked_at").first(),
        "is_mailed": letters.is_set_up() and bool(shown.email),
        "is_self": shown.pk == actor.pk,
        "places": presence.places_of(shown),
        "changes": [_change(entry) for entry in entries[:20]] if actor.may(VIEW_AUDIT) else None,
    }
    answer = render(request, "accounts/user.html", context, status=422 if form and form.errors else 200)
    if kept:
        answer["Cache-Control"] = "no-store"
    return answer


def _link_title(shown: User) -> str:
    if shown.invitation:
        return gettext("Invitation link, shown only now")
    return gettext("New password link, shown only now")


def _change(entry: AuditEntry) -> dict[str, Any]:
    words = ACTIONS.get(entry.action, entry.action)
    if entry.action == "user.roles_changed":
        roles = {"before": _list(entry.before), "after": _list(entry.after)}
        words = gettext("Roles changed: %(before)s → %(after)s") % roles
    return {"words": words, "who": entry.actor_label, "at": entry.at}


def _list(kept: dict[str, Any] | None) -> str:
    names = (kept or {}).get("roles", [])
    return ", ".join(role_words(name) for name in names) or pgettext("roles", "none")


def _roles() -> list[dict[str, Any]]:
    """Say for each role what it may do."""
    return [
        {
            "name": role.name,
            "label": role.label,
            "rights": [right_words(right) for right in RIGHTS if right in role.rights],
        }
        for role in ROLES
    ]
