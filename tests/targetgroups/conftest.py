"""A bridge to a stand-in, and an engine that does runs in the test's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client

from targetgroups.models import Bridge, SyncRun
from targetgroups.sync import stage
from tests.support.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from pytest_django.fixtures import SettingsWrapper

    from memberSuite.standin.server import StandIn


@pytest.fixture
def bridge(transactional_db: None, standin: StandIn) -> Bridge:
    return make_bridge(standin)


def make_bridge(standin: StandIn, **fields: object) -> Bridge:
    return Bridge.objects.create(
        **{
            "name": "Society of Lamp Keepers",
            "service_address": standin.url,
            "association_id": standin.association_id,
            "access_key_id": standin.access_key_id,
            "secret_access_key": standin.secret_access_key,
            "tenant_id": standin.tenant_id,
            "api_user": standin.api_user,
            "api_password": standin.api_password,
            **fields,
        }
    )


@pytest.fixture
def engine(bridge: Bridge, standin: StandIn, broker: redis.Redis, settings: SettingsWrapper) -> Iterator[Engine]:
    settings.MEMBERSUITE_RETRY_WAIT_SECONDS = 0.01
    yield Engine(standin, bridge)
    SyncRun.objects.all().delete()
    stage.sweep()  # between two tests tables are emptied and none is dropped
    connections.close_all()


@pytest.fixture
def sync_user(transactional_db: None) -> Client:
    """A signed-in person who may see groups and sync them."""
    user = get_user_model().objects.create_user("mia", password="long enough 1")
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_groups", "sync"]))
    client = Client()
    client.force_login(user)
    return client
