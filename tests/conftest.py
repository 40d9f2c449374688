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


# What takes longest. A browser works all the time, and its tests one after the other would take as long as all others
# together: each half has a process. What starts programs waits for most of its own time.
LONGEST = (
    ("tests/e2e/test_looks.py", "tests/e2e/test_mailings.py"),
    ("tests/e2e/",),
    (
        "tests/soak/test_soak.py",
        "tests/stack/",
        "tests/mailings/send/test_killed.py",
        "tests/targetgroups/sync/test_workers.py",
    ),
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest, each kind in a process of its own: at the end all are busy with what is short.

    A process gets tests that stand beside each other, and others take from the end of what it still has.
    """
    share = len(items) // getattr(config, "workerinput", {}).get("workercount", 1)
    kinds: dict[tuple[str, ...], list[pytest.Item]] = {kind: [] for kind in (*LONGEST, ())}
    for item in items:
        kinds[next(kind for kind in kinds if not kind or item.nodeid.startswith(kind))].append(item)
    kinds[LONGEST[-1]].sort(key=lambda item: not item.nodeid.startswith(LONGEST[-1][0]))
    rest, items[:] = kinds.pop(()), []
    for longest in kinds.values():
        more = max(share - len(longest), 0)
        items += [*longest, *rest[:more]]
        rest = rest[more:]
    items += rest


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """What several processes need is migrated once."""
    from tests.support.template import one_migration_for_all

    run: str | None = getattr(request.config, "workerinput", {}).get("testrunuid")
    with ExitStack() as stack:
        if run is not None:
            with django_db_blocker.unblock():
                stack.enter_context(one_migration_for_all(run))
        yield
        with django_db_blocker.unblock():
            stack.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The migrated database, which every test leaves as it found it."""
    from django.db import connection

    from tests.support.emptying import what_the_migrations_made_is_kept

    with ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(what_the_migrations_made_is_kept())
        yield
    # A process or thread that a test has ended may not have let go yet: the database could not be dropped.
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


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
