"""Who a program is, and what it may: by its token alone. No session counts here, so no other site can use one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.utils import timezone
from django.utils.translation import gettext
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import tokens
from accounts.models import ApiToken, User
from accounts.permissions import right_words

_SCHEME = "bearer"


@dataclass(frozen=True)
class Need:
    """What a call asks for: every one of these scopes of the token, and of these rights of its user."""

    scopes: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()


def token_of(request: Request) -> ApiToken:
    """Return the token of a request; `ScopeAndRight` has seen to it that there is one."""
    return cast(ApiToken, request.auth)


def user_of(request: Request) -> User:
    return cast(User, request.user)


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != _SCHEME:
            return None
        token = tokens.find(text.strip())
        if token is None:  # one answer for all: expired, revoked, never made
            raise AuthenticationFailed(code="invalid_token")
        tokens.mark_used(token, timezone.now())
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="thrive-sync"'


class ScopeAndRight(BasePermission):
    """Asks the token for its scopes and its user for the rights, as both are at this moment."""

    def has_permission(self, request: Request, view: Any) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken):
            return False
        need: Need = view.need_for(request.method)
        for scope in need.scopes:
            if scope not in token.scopes:
                said = gettext("This token lacks the scope “%(scope)s”.") % {"scope": scope}
                raise PermissionDenied(said, code="missing_scope")
        for right in need.rights:
            if not token.user.may(right):
                # Translators: %(right)s is one of the rights in the list of roles, as "start and cancel syncs".
                said = gettext("The role of the token's user does not let it %(right)s.")
                raise PermissionDenied(said % {"right": right_words(right)}, "missing_right")
        return True
