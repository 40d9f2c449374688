"""What all tests share. Their servers are started by `make test`; see tests/settings.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.broker import client
from tests.support.workers import Worker

if TYPE_CHECKING:
    import redis
    from pytest_django.plugin import DjangoDbBlocker

    from memberSuite.standin.server import StandIn


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The migrated database, which every test leaves as it found it."""
    from tests.support.emptying import what_the_migrations_made_is_kept

    with ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(what_the_migrations_made_is_kept())
        yield


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """A MemberSuite of 300 people, always the same ones, that one test has to itself."""
    from memberSuite.standin.server import StandIn

    with StandIn(people=300, seed=1) as server:
        yield server


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    """This process's own database of the broker, empty before and after."""
    with client() as connection:
        connection.flushdb()
        yield connection
        connection.flushdb()


@pytest.fixture
def start_worker(transactional_db: None, broker: redis.Redis) -> Iterator[Callable[..., Worker]]:
    """Start real workers on the test's own database and broker; whatever still lives at the end is killed."""
    with ExitStack() as stack:

        def start(*queues: str, **how: Any) -> Worker:
            worker = Worker(*(queues or ("interactive", "scheduled")), **how)
            stack.callback(worker.kill)
            return worker.wait_until_ready()

        yield start
