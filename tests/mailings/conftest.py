"""A mail server, a bridge, and what people and workers do with mailings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connections

from targetgroups.models import Bridge
from tests.support.post import Post
from tests.support.sink import Sink
from tests.targetgroups.conftest import bridge, engine  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from pytest_django.fixtures import SettingsWrapper


@pytest.fixture(scope="session")
def mail_server() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.stop()


@pytest.fixture
def sink(mail_server: Sink, settings: SettingsWrapper) -> Iterator[Sink]:
    """A mail server that takes everything, and the settings that lead to it."""
    mail_server.behave()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_server.port
    settings.EMAIL_TIMEOUT = 5
    yield mail_server
    mail_server.behave()


@pytest.fixture
def post(transactional_db: None, sink: Sink, broker: redis.Redis) -> Iterator[Post]:
    """Mailings of a bridge that nobody reaches: its groups are made by hand."""
    yield Post(Bridge.objects.create(name="Society of Lamp Keepers", service_address="http://127.0.0.1:9/"), sink)
    connections.close_all()
