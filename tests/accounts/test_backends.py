"""One query tells what a person may do, by roles and by themselves."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.permissions import SYNC, VIEW_GROUPS, VIEW_SUBSCRIBERS


@pytest.fixture
def mia(db: None) -> User:
    """Mia may see groups through a role, and sync by herself."""
    role = Group.objects.create(name="Viewers")
    role.permissions.add(Permission.objects.get(codename=VIEW_GROUPS))
    user = User.objects.create_user("mia")
    user.groups.add(role)
    user.user_permissions.add(Permission.objects.get(codename=SYNC))
    return User.objects.get(pk=user.pk)


def test_one_query_tells_the_rights_of_roles_and_of_the_person(mia: User) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = [mia.may(right) for right in (VIEW_GROUPS, SYNC, VIEW_SUBSCRIBERS)]
    assert (found, len(captured)) == ([True, True, False], 1)


def test_who_is_switched_off_may_nothing_and_a_superuser_everything(mia: User) -> None:
    mia.is_active = False
    assert not mia.may(VIEW_GROUPS)
    assert User(is_superuser=True, is_active=True).may(VIEW_SUBSCRIBERS)
