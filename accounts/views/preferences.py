"""Account > Preferences: what a person chooses for themselves, their password, and where they are signed in."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

import audit
from accounts import presence
from accounts.forms import OwnPasswordForm, PreferencesForm
from accounts.models import User
from thrive_sync.lib.words import number


@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = PreferencesForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, gettext("Your preferences were saved."))
        return redirect("accounts:preferences")
    return _page(request, form=form)


@sensitive_post_parameters()
@login_required
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """Change the person's own password; their other sessions end with the old one."""
    user = cast(User, request.user)
    form = OwnPasswordForm(request, request.POST)
    if not form.is_valid():
        return _page(request, password_form=form)
    with transaction.atomic():
        form.save()
        audit.record(user, "user.password_changed", user)
        presence.end_all(user, but=request.session.session_key)
    update_session_auth_hash(request, user)
    said = gettext("Your password was changed. Wherever else you were signed in, you no longer are.")
    messages.success(request, said)
    return redirect("accounts:preferences")


@login_required
@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """Sign out one other session, or all others."""
    user, handle = cast(User, request.user), request.POST.get("session", "")
    here = request.session.session_key
    count = presence.end(user, handle) if handle else presence.end_all(user, but=here)
    audit.record(user, "user.signed_out_elsewhere", user, None, {"count": count})
    said = ngettext("Signed out in %(count)s other place.", "Signed out in %(count)s other places.", count)
    messages.success(request, said % {"count": number(count)})
    return redirect("accounts:preferences")


def _page(request: HttpRequest, **forms: Any) -> HttpResponse:
    user = cast(User, request.user)
    stored = User.objects.get(pk=user.pk) if "form" not in forms else user
    context = {
        "form": PreferencesForm(instance=stored),
        "password_form": OwnPasswordForm(request),
        "idle_minutes": settings.SESSION_IDLE_MINUTES,
        "places": presence.places_of(user, here=request.session.session_key),
    }
    is_wrong = any(form.errors for form in forms.values())
    return render(request, "accounts/preferences.html", context | forms, status=422 if is_wrong else 200)
