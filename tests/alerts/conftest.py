"""Rows of the rooms below, and a sweep that is asked for by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from alerts import letters, sweep
from alerts.models import Alert, AlertState, Swept
from tests.mailings.views.conftest import Desk, desk, mailbox
from tests.targetgroups.views.conftest import Rows, SignIn, rows, sign_in

__all__ = ["Desk", "Rows", "SignIn", "desk", "mailbox", "rows", "sign_in"]


class Watch:
    """Looks as the clock does, and lets time pass for what waits."""

    def look(self) -> list[str]:
        """Sweep and send; return the open alerts in words."""
        sweep.sweep()
        letters.send_due()
        return [str(alert) for alert in Alert.objects.filter(recovered_at__isnull=True).order_by("id")]

    def let_settle(self) -> None:
        """Let whatever is good again have been so for long enough."""
        for state in AlertState.objects.filter(good_since__isnull=False):
            AlertState.objects.filter(pk=state.pk).update(good_since=state.good_since - timedelta(hours=1))


@pytest.fixture
def watch(rows: Rows, settings: Any) -> Watch:
    settings.EMAIL_FROM = "thrive@lamps.example"
    watch = Watch()
    watch.look()
    return watch


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    def make(role: str, **fields: Any) -> User:
        user = User.objects.create_user(role.lower(), email=f"{role.lower()}@lamps.example", **fields)
        user.groups.set([Group.objects.get(name=role)])
        return user

    return make


def runs_looked_at() -> int:
    return Swept.objects.get().run_id
