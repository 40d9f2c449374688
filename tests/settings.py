"""The settings of the tests: the real ones, with fewer delays."""

import os
import re

_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if _worker:  # each process of a parallel run has a broker database of its own, as it has a PostgreSQL one
    _number = int(re.sub(r"\D", "", _worker)) + 1
    os.environ["REDIS_URL"] = re.sub(r"(?<=db=)\d+|(?<=virtual_host=)\d+|(?<=\d/)\d+$", str(_number), os.environ["REDIS_URL"])

from thrive_sync.settings import *  # noqa: E402, F403
from thrive_sync.settings import MIDDLEWARE, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files come from their folders: there is no collectstatic before a test.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("whitenoise.")]
