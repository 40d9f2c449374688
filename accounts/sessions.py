"""Sessions that know whose they are, in which browser, since when, and when they were last used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

BROWSER = "browser"  # what the person's browser calls itself, in the session's data


class SessionStore(DatabaseStore):
    """Django's own store, over a table with a row's person and times; a session ends 12 hours after it began."""

    created_at: datetime | None = None
    seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        from accounts.models import Session  # models can't be imported while settings name this module

        return Session

    def _get_session_from_db(self) -> Any:
        row = super()._get_session_from_db()  # type: ignore[misc]  # the stubs leave it out
        if row is not None:
            self.created_at, self.seen_at = row.created_at, row.seen_at
        return row

    def create(self) -> None:
        self.created_at = self.seen_at = None
        super().create()

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        now = timezone.now()
        self.created_at, self.seen_at = self.created_at or now, self.seen_at or now
        row: Any = super().create_model_instance(data)
        row.created_at, row.seen_at = self.created_at, self.seen_at
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.browser = str(data.get(BROWSER, ""))[:100]
        return row

    def get_session_cookie_age(self) -> int:
        """Return what is left of the 12 hours: saving a session does not make it longer."""
        if self.created_at is None:
            return settings.SESSION_COOKIE_AGE
        spent = (timezone.now() - self.created_at).total_seconds()
        return max(1, int(settings.SESSION_COOKIE_AGE - spent))
