"""What the tests of the client share."""

from hypothesis import settings

# How long an example takes depends on the machine; an example that never ends is seen without a deadline too.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")
