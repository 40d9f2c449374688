from collections.abc import Iterator

import pytest

from memberSuite.standin import StandIn
from tests.memberSuite.standin.concierge import Caller


@pytest.fixture(scope="module")
def still() -> Iterator[StandIn]:
    """A stand-in that the tests of a module share and don't change."""
    with StandIn(people=300, seed=1) as standin:
        yield standin


@pytest.fixture
def reader(still: StandIn) -> Caller:
    return Caller(still).sign_in()


@pytest.fixture
def caller(standin: StandIn) -> Caller:
    return Caller(standin).sign_in()
