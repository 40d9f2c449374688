"""Entries go by one way alone: at night, when they are older than AUDIT_DAYS."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts import retention as people_retention
from accounts.models import User
from audit import retention
from audit.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def aged() -> dict[int, AuditEntry]:
    """Entries of some ages in days."""
    about = User.objects.create_user("ann")._meta.label_lower
    given = {"actor_label": "ann", "action": "user.unlocked", "object_type": about, "object_id": "1"}
    now = timezone.now()
    return {days: AuditEntry.objects.create(at=now - timedelta(days=days), **given) for days in (0, 29, 31, 99, 101)}


def kept(aged: dict[int, AuditEntry]) -> list[int]:
    ids = set(AuditEntry.objects.values_list("pk", flat=True))
    return [days for days, entry in aged.items() if entry.pk in ids]


@pytest.mark.parametrize(("days", "left"), [(0, [0, 29, 31, 99, 101]), (100, [0, 29, 31, 99]), (30, [0, 29])])
def test_the_nightly_clean_up_forgets_what_is_older_than_audit_days(
    days: int, left: list[int], aged: dict[int, AuditEntry], settings: Any
) -> None:
    settings.AUDIT_DAYS = days
    people_retention.clean_up()
    assert kept(aged) == left


def test_many_go_in_steps(aged: dict[int, AuditEntry], settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AUDIT_DAYS = 30
    monkeypatch.setattr(retention, "STEP", 2)
    assert retention.forget_old() == 3
    assert kept(aged) == [0, 29]


def test_whatever_a_transaction_says_the_last_30_days_stay(aged: dict[int, AuditEntry]) -> None:
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        retention._open_until_commit(timezone.now().isoformat())
        AuditEntry.objects.filter(pk=aged[29].pk).delete()
    assert kept(aged) == list(aged)


@pytest.mark.django_db(transaction=True)
def test_deleting_is_open_for_one_transaction_alone(aged: dict[int, AuditEntry], settings: Any) -> None:
    settings.AUDIT_DAYS = 100
    assert retention.forget_old() == 1
    with pytest.raises(DatabaseError, match="only ever added"):
        AuditEntry.objects.filter(pk=aged[99].pk).delete()


@pytest.mark.django_db(transaction=True)
def test_r16_the_table_is_never_emptied(aged: dict[int, AuditEntry]) -> None:
    with pytest.raises(DatabaseError, match="only ever added"), connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_auditentry")
    assert kept(aged) == list(aged)
