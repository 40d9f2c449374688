"""Two-step sign-in: its second page, and where a person sets it up."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import audit
from accounts import lockout, presence, two_step
from accounts.forms import BeginForm, CodeForm, CodesForm, OffForm
from accounts.models import TwoStep, User
from accounts.permissions import MANAGE_USERS
from thrive_sync.lib.words import number


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """Take the code after the right password; wrong ones count and lock like wrong passwords."""
    waiting = two_step.who_waits(request)
    if waiting is None:
        messages.warning(request, gettext("That took too long, or began elsewhere. Sign in again."))
        return redirect("accounts:sign_in")
    user, target = waiting
    form = CodeForm(request.POST or None)
    if request.method == "POST":
        if lockout.is_locked(request, user) or two_step.is_paused(user):
            return lockout.locked_page(request)
        if form.is_valid():
            if two_step.accepts(user, form.cleaned_data["code"]):
                return _enter(request, user, target)
            lockout.count_failure(request, user)
            said = gettext("This code is not right, or was used already. Wait for the next one and try again.")
            form.add_error("code", said)
    return render(request, "accounts/sign_in_code.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@login_required
@require_GET
def two_step_page(request: HttpRequest) -> HttpResponse:
    return _page(request)


@sensitive_post_parameters()
@login_required
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """After the password, make the secret that the next page shows."""
    user, form = cast(User, request.user), BeginForm(request, request.POST)
    if user.has_two_step:
        return redirect("accounts:two_step")
    if not form.is_valid():
        return _page(request, begin_form=form)
    two_step.begin(user)
    return redirect("accounts:two_step")


@sensitive_post_parameters()
@never_cache
@login_required
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Switch it on with a first code, and show the recovery codes this once."""
    user, form = cast(User, request.user), CodeForm(request.POST)
    if not form.is_valid():
        return _page(request, code_form=form)
    with transaction.atomic():
        codes = two_step.confirm(user, form.cleaned_data["code"])
        if codes:
            audit.record(user, "user.two_step_on", user)
            presence.end_all(user, but=request.session.session_key)  # they began without a code
    if not codes:
        said = gettext("This code is not right. Does the clock of your phone go right? Try the next one.")
        form.add_error("code", said)
        return _page(request, code_form=form)
    request.session[two_step.PASSED] = True
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "is_new": True})


@sensitive_post_parameters()
@never_cache
@login_required
@require_POST
def new_codes(request: HttpRequest) -> HttpResponse:
    user, form = cast(User, request.user), CodesForm(request, request.POST)
    if not form.is_valid():
        return _page(request, codes_form=form)
    codes = two_step.renew_codes(user)
    if not codes:
        return redirect("accounts:two_step")
    audit.record(user, "user.recovery_codes", user)
    return render(request, "accounts/recovery_codes.html", {"codes": codes})


@sensitive_post_parameters()
@login_required
@require_POST
def switch_off(request: HttpRequest) -> HttpResponse:
    user, form = cast(User, request.user), OffForm(request, request.POST)
    if _must(user):
        messages.error(request, gettext("Administrators of this site must sign in in two steps."))
        return redirect("accounts:two_step")
    if not form.is_valid():
        return _page(request, off_form=form)
    with transaction.atomic():
        if two_step.switch_off(user):
            audit.record(user, "user.two_step_off", user)
            messages.success(request, gettext("Two-step sign-in is off: your password alone is enough."))
    request.session.pop(two_step.PASSED, None)
    return redirect("accounts:preferences")


def _enter(request: HttpRequest, user: User, target: str) -> HttpResponse:
    request.session.pop(two_step.WAITING, None)
    presence.sign_in(request, user, **{two_step.PASSED: True})
    left = len(TwoStep.objects.get(user=user).recovery_codes)
    if left < 3:
        messages.warning(request, _left(left))
    return redirect(target)


def _left(count: int) -> str:
    if not count:
        return gettext("You have no recovery codes left. Make new ones in Preferences.")
    said = ngettext(
        "You have %(count)s recovery code left. Make new ones in Preferences.",
        "You have %(count)s recovery codes left. Make new ones in Preferences.",
        count,
    )
    return said % {"count": number(count)}


def _page(request: HttpRequest, **forms: Any) -> HttpResponse:
    user = cast(User, request.user)
    kept = TwoStep.objects.filter(user=user).select_related("user").first()
    context: dict[str, Any] = {
        "kept": kept,
        "must": _must(user),
        "begin_form": BeginForm(request),
        "code_form": CodeForm(),
        "codes_form": CodesForm(request),
        "off_form": OffForm(request),
    }
    if kept and kept.confirmed_at is None:
        context |= {
            "picture": mark_safe(two_step.picture_of(kept)),  # noqa: S308 - drawn here, holds nothing that was typed
            "address": two_step.address_of(kept),
            "secret": two_step.in_fours(kept.secret),
        }
    is_wrong = any(form.errors for form in forms.values())
    return render(request, "accounts/two_step.html", context | forms, status=422 if is_wrong else 200)


def _must(user: User) -> bool:
    return bool(settings.TWO_STEP_FOR_ADMINISTRATORS) and user.may(MANAGE_USERS)
