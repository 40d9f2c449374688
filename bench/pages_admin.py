"""Django's admin over the product's subscribers: `python -m bench.pages_admin`, a process with settings of its own.

It reads lines, each the query of an address ("o=1&p=3", or "-" for none), and answers each with the milliseconds of
the whole page: view and template, without a socket, a session or a query for permissions.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import django
from django.conf import settings

PER_PAGE = 50


def set_up() -> None:
    """Take the product's settings, and what the admin needs beside them."""
    from thrive_sync import settings as product

    own = {name: getattr(product, name) for name in dir(product) if name.isupper()}
    own["INSTALLED_APPS"] = [*product.INSTALLED_APPS, "django.contrib.admin"]
    own["STORAGES"] = product.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.configure(**own)
    django.setup()


def changelist() -> Any:
    """Register the subscribers as a site would that lists them by their fields."""
    from django.contrib import admin
    from django.urls import path

    from targetgroups.models import Subscriber

    class SubscriberAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
        list_display = ("email", "first_name", "last_name", "remote_id", "created_at", "changed_at")
        search_fields = ("email", "first_name", "last_name")
        list_per_page = PER_PAGE
        list_max_show_all = PER_PAGE

    admin.site.register(Subscriber, SubscriberAdmin)
    settings.ROOT_URLCONF = (path("admin/", admin.site.urls),)
    return admin.site.get_model_admin(Subscriber).changelist_view


def timed(view: Any, query: str) -> float:
    from django.contrib.messages.storage.cookie import CookieStorage
    from django.test import RequestFactory

    from accounts.models import User

    request = RequestFactory().get(f"/admin/targetgroups/subscriber/?{query}")
    request.user = User(pk=1, username="bench", is_staff=True, is_superuser=True)
    request.session = {}  # type: ignore[assignment]
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    began = time.perf_counter()
    response = view(request).render()
    took = (time.perf_counter() - began) * 1000
    if response.status_code != 200:
        raise RuntimeError(f"the admin answered {response.status_code}")
    return took


def main() -> int:
    set_up()
    view = changelist()
    for line in sys.stdin:
        print(timed(view, line.strip().removeprefix("-")), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
