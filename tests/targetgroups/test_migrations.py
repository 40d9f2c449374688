"""What migrations fill in from what was there: their own statements, over rows as they were before."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection
from django.db.migrations import RunSQL

import audit
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Bridge, Suppression

pytestmark = pytest.mark.django_db


def fill_in(name: str) -> None:
    """Run what a migration fills in."""
    operations = import_module(f"targetgroups.migrations.{name}").Migration.operations
    with connection.cursor() as cursor:
        for operation in operations:
            if isinstance(operation, RunSQL):
                cursor.execute(operation.sql)


def test_0012_finds_in_the_audit_log_who_suppressed_and_who_lifted_and_why() -> None:
    ada, bo, cy, dee = [
        suppression.suppress(f"{name}@lamps.example", SuppressionCause.OPT_OUT) for name in ("ada", "bo", "cy", "dee")
    ]
    Suppression.objects.update(added_by="", lifted_by="", lifted_because="")
    other = Bridge.objects.create(pk=ada.pk, name="Not a suppression")
    for actor, action, row, after in (
        ("mia", "opt_out", ada, None),
        ("ben", "opt_in", ada, {"reason": "x" * 600}),
        ("recipient", "opt_out", bo, None),
        ("recipient", "opt_in", bo, {"reason": "by the link"}),
        ("command", "opt_out", cy, {}),
        ("ben", "opt_in", cy, None),
        ("somebody", "opt_out", other, None),
        ("somebody", "suppressed", dee, None),
    ):
        audit.record(actor, action, row, None, after)
    fill_in("0012_suppressions")
    found = Suppression.objects.order_by("pk").values_list("added_by", "lifted_by", "lifted_because")
    assert list(found) == [("mia", "ben", "x" * 500), ("", "", ""), ("command", "ben", ""), ("", "", "")]
