from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.translation import gettext

from accounts.permissions import full_name, right_words

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def requires(*codenames: str) -> Callable[[View[P]], View[P]]:
    """Let a view run only for a signed-in person who has every one of these permissions.

    Anonymous: to the sign-in page. Signed in without the permission: the 403 page, which names what is missing.
    """
    names = {codename: full_name(codename) for codename in codenames}

    def decorate(view: View[P]) -> View[P]:
        @functools.wraps(view)
        def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            for codename, name in names.items():
                if not request.user.has_perm(name):
                    # Translators: %(right)s is one of the rights in the list of roles, as "start and cancel syncs".
                    said = gettext("Your role does not let you %(right)s.") % {"right": right_words(codename)}
                    raise PermissionDenied(said)
            return view(request, *args, **kwargs)

        checked.required_codenames = codenames  # type: ignore[attr-defined]  # tests list which view asks for what
        return checked

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        # A polled part must not receive the sign-in page in its place: the whole page goes there.
        came_from = urlsplit(request.headers.get("HX-Current-URL", ""))
        target = redirect_to_login(came_from.path or "/", resolve_url(settings.LOGIN_URL))
        return HttpResponse(status=401, headers={"HX-Redirect": target.url})
    # After a POST there is nothing to come back to: a GET of its address would be refused.
    next_page = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    return redirect_to_login(next_page, resolve_url(settings.LOGIN_URL))
