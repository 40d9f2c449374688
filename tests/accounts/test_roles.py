"""The five roles and what each may do (product section 4)."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from accounts import permissions
from accounts.models import User
from accounts.roles import ensure_roles

pytestmark = pytest.mark.django_db


def person_with(role: str) -> User:
    user = User.objects.create_user(username=role.lower())
    user.groups.add(Group.objects.get(name=role))
    return user


def test_the_migration_made_the_five_roles_with_exactly_their_rights() -> None:
    for role in permissions.ROLES:
        codenames = Group.objects.get(name=role.name).permissions.values_list("codename", flat=True)
        assert set(codenames) == role.rights


def test_every_right_is_one_permission_that_no_default_permission_stands_beside() -> None:
    stored = Permission.objects.filter(content_type__app_label="accounts", content_type__model="right")
    assert set(stored.values_list("codename", flat=True)) == set(permissions.RIGHTS)


def test_making_the_roles_again_repairs_them_and_doubles_nothing() -> None:
    Group.objects.get(name="Reporter").permissions.clear()
    ensure_roles(apps)
    ensure_roles(apps)
    assert person_with("Reporter").may(permissions.VIEW_GROUPS)
    assert Group.objects.count() == len(permissions.ROLES)


@pytest.mark.parametrize("role", ["Reporter", "Publisher", "Manager"])
def test_only_subscribers_and_administrators_may_sync(role: str) -> None:
    assert not person_with(role).may(permissions.SYNC)
    assert person_with("Subscribers").may(permissions.SYNC)


@pytest.mark.parametrize("role", ["Reporter", "Publisher", "Subscribers", "Manager"])
def test_only_an_administrator_applies_held_runs_and_edits_bridges(role: str) -> None:
    user = person_with(role)
    assert not user.may(permissions.APPLY_HELD_RUN)
    assert not user.may(permissions.EDIT_BRIDGE)


def test_an_administrator_may_everything_without_being_a_superuser() -> None:
    administrator = person_with("Administrator")
    assert not administrator.is_superuser
    assert all(administrator.may(codename) for codename in permissions.RIGHTS)


def test_asking_for_an_unknown_right_is_an_error_not_a_no() -> None:
    with pytest.raises(KeyError):
        permissions.full_name("fly")
