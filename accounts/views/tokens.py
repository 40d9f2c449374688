"""Preferences > API tokens, and the administrators' list of everybody's."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from accounts import tokens
from accounts.decorators import requires
from accounts.exceptions import NotAllowedNow
from accounts.forms import TokenForm
from accounts.models import ApiToken, User
from accounts.permissions import MANAGE_USERS
from accounts.scopes import scope_words

PAGE = 100


@login_required
@require_GET
def own_tokens(request: HttpRequest) -> HttpResponse:
    return _page(request)


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Make a token and show it this once, on the answer itself: no session and no address holds it."""
    user, form = cast(User, request.user), TokenForm(request, request.POST)
    if not form.is_valid():
        return _page(request, form=form)
    given = form.cleaned_data
    try:
        made, text = tokens.create(user, given["name"], given["scopes"], int(given["days"]))
    except NotAllowedNow as error:
        form.add_error(None, error.sentence)
        return _page(request, form=form)
    return _page(request, made=made, text=text)


@login_required
@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    user = cast(User, request.user)
    _revoke(request, get_object_or_404(ApiToken, pk=token_id, user=user))
    return redirect("accounts:tokens")


@requires(MANAGE_USERS)
@require_GET
def all_tokens(request: HttpRequest) -> HttpResponse:
    rows = ApiToken.objects.select_related("user").order_by("revoked_at", "user__username", "-pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "lines": [_line(token) for token in page.object_list]}
    return render(request, "accounts/all_tokens.html", context)


@requires(MANAGE_USERS)
@require_POST
def revoke_any(request: HttpRequest, token_id: int) -> HttpResponse:
    _revoke(request, get_object_or_404(ApiToken, pk=token_id))
    return redirect("accounts:all_tokens")


def _revoke(request: HttpRequest, token: ApiToken) -> None:
    if tokens.revoke(cast(User, request.user), token):
        said = gettext("The token “%(name)s” is revoked. A program that uses it gets no answer any more.")
        messages.success(request, said % {"name": token.name})
    else:
        messages.info(request, gettext("The token “%(name)s” was revoked already.") % {"name": token.name})


def _page(request: HttpRequest, form: TokenForm | None = None, **made: Any) -> HttpResponse:
    rows = ApiToken.objects.filter(user=cast(User, request.user)).order_by("-pk")
    context = {"form": form or TokenForm(request), "lines": [_line(token) for token in rows], **made}
    return render(request, "accounts/tokens.html", context, status=422 if form and form.errors else 200)


def _line(token: ApiToken) -> dict[str, Any]:
    is_over = token.expires_at <= timezone.now()
    tone, icon, word = "ok", "check-circle-fill", pgettext("token", "Works")
    if token.revoked_at:
        tone, icon, word = "quiet", "slash-circle", gettext("Revoked")
    elif is_over:
        tone, icon, word = "quiet", "stopwatch", gettext("Expired")
    elif not token.user.is_active:
        tone, icon, word = "warn", "person-x", gettext("User deactivated")
    return {
        "token": token,
        "scopes": [scope_words(scope) for scope in token.scopes],
        "is_live": not is_over and token.revoked_at is None,
        "tone": tone,
        "icon": icon,
        "word": word,
    }
