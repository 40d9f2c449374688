"""What the tests of the client share."""

import pytest
from hypothesis import settings

from memberSuite.auth import forget_sign_ins

# How long an example takes depends on the machine; an example that never ends is seen without a deadline too.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")


@pytest.fixture(autouse=True)
def _signed_in_nowhere() -> None:
    """Begin without sign-ins: a stand-in may have the port of one before, and does not know its sessions."""
    forget_sign_ins()
