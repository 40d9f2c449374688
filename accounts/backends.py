from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Permission
from django.db.models import Q


class OneQueryBackend(ModelBackend):
    """Django's own backend, which asks twice for each request: for the person's permissions and for their roles'."""

    def get_all_permissions(self, user_obj: AbstractBaseUser | AnonymousUser, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        kept: dict[str, Any] = user_obj.__dict__  # where Django's own backend keeps them, too
        if "_perm_cache" not in kept:
            kept["_perm_cache"] = _permissions_of(user_obj)
        found: set[str] = kept["_perm_cache"]
        return found


def _permissions_of(user: Any) -> set[str]:
    permissions = Permission.objects.order_by()
    if not user.is_superuser:
        permissions = permissions.filter(Q(group__user=user) | Q(user=user))
    return {f"{label}.{codename}" for label, codename in permissions.values_list("content_type__app_label", "codename")}
