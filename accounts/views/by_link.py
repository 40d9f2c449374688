"""What people open by a link, signed in or not: an invitation, a new password."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import letters, links, people
from accounts.exceptions import NotAllowedNow
from accounts.forms import AcceptForm, ForgotForm, NewPasswordForm
from accounts.models import Letter, User


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Let an invited person set name and password."""
    user = links.invited_by_token(token)
    if user is None or links.is_expired(user):
        return render(request, "accounts/no_such_link.html", {"is_expired": user is not None}, status=410)
    form = AcceptForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            people.accept(user, given["new_password1"], given["first_name"], given["last_name"])
        except NotAllowedNow:
            return render(request, "accounts/no_such_link.html", {"is_expired": False}, status=410)
        said = gettext("Your account is ready. Sign in as %(name)s.") % {"name": user.username}
        return _to_sign_in(request, said)
    status = 422 if form.errors else 200
    return render(request, "accounts/invitation.html", {"form": form, "invited": user}, status=status)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def set_password(request: HttpRequest, user_id: int, token: str) -> HttpResponse:
    user = links.asks_for_password(user_id, token)
    if user is None:
        return render(request, "accounts/no_such_link.html", {"is_password": True}, status=410)
    form = NewPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        people.set_password(user, form.cleaned_data["new_password1"])
        return _to_sign_in(request, gettext("Your password was changed. Sign in with the new one."))
    status = 422 if form.errors else 200
    return render(request, "accounts/set_password.html", {"form": form, "of": user}, status=status)


@require_http_methods(["GET", "POST"])
def forgot(request: HttpRequest) -> HttpResponse:
    """Send a link to a new password. The answer is the same whether or not anybody has the address."""
    form, is_asked = ForgotForm(request.POST or None), False
    if request.method == "POST" and form.is_valid() and letters.is_set_up():
        is_asked = True
        for user in User.objects.filter(email__iexact=form.cleaned_data["email"], is_active=True)[:3]:
            if not letters.was_just_asked_for(user, Letter.Kind.PASSWORD):
                letters.ask_for(user, Letter.Kind.PASSWORD)
    context = {"form": form, "is_asked": is_asked, "is_mailed": letters.is_set_up()}
    return render(request, "accounts/forgot.html", context, status=422 if form.errors else 200)


def _to_sign_in(request: HttpRequest, said: str) -> HttpResponse:
    if request.user.is_authenticated:
        logout(request)  # whoever was signed in on this machine need not be the one whom the link is for
    messages.success(request, said)
    return redirect("accounts:sign_in")
