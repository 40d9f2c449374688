"""The settings of the tests: the real ones, with fewer delays."""

import os
import re

from thrive_sync.stack.throwaway import MARKER

if MARKER not in os.environ:
    import pytest

    raise pytest.UsageError(
        "The tests need their own PostgreSQL and Valkey. `make test` starts both and runs all; to run some:\n"
        "    .venv/bin/python -m thrive_sync.stack run -- .venv/bin/python -m pytest tests/accounts"
    )

_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if _worker:  # each process of a parallel run has a broker database of its own, as it has a PostgreSQL one
    _number = str(int(re.sub(r"\D", "", _worker)) + 1)
    os.environ["REDIS_URL"] = re.sub(r"(db=|virtual_host=|\d/)\d+$", rf"\g<1>{_number}", os.environ["REDIS_URL"])

from thrive_sync.settings import *  # noqa: E402, F403
from thrive_sync.settings import MIDDLEWARE, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files come from their folders: no collectstatic runs before a test.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("whitenoise.")]
# What no mail may go out without.
SITE_URL = "https://thrive.example.org"
MAIL_POSTAL_ADDRESS = "Society of Lamp Keepers, 1 Quay Street, Harbour Town"
