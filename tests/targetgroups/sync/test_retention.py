"""What is kept for a while goes at night, figures stay for good."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F

from targetgroups.models import Exclusion, RunOutcome, SyncRun
from targetgroups.sync import retention, stage
from targetgroups.sync.single_flight import take
from tests.support import truth
from tests.support.engine import raw_connection

if TYPE_CHECKING:
    import pytest

    from tests.support.engine import Engine

NAME = "Current members"


def test_old_outcomes_and_ended_exclusions_go_and_figures_stay(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_STEP", 2)
    engine.sync(NAME)
    engine.standin.flip_do_not_email(ids=sorted(engine.members(NAME))[:3], to=True)
    run = engine.sync(NAME)
    engine.standin.flip_do_not_email(ids=sorted(engine.excluded(NAME, "do_not_email"))[:3], to=False)
    engine.sync(NAME)
    present = Exclusion.objects.filter(until_run_id__isnull=True).count()
    retention.clean_up()
    assert RunOutcome.objects.filter(run=run).count() == 3
    ended = Exclusion.objects.filter(until_run_id__isnull=False)
    assert ended.count() == 3

    RunOutcome.objects.update(recorded_at=F("recorded_at") - timedelta(days=91))
    ended.update(ended_at=F("ended_at") - timedelta(days=91))
    retention.clean_up()
    assert not RunOutcome.objects.exists()
    assert Exclusion.objects.count() == present
    assert SyncRun.objects.get(pk=run.pk).figures["removed"] == 3


def test_a_held_run_keeps_its_people_until_somebody_decides(engine: Engine) -> None:
    engine.sync("All individuals")
    engine.standin.flip_do_not_email(percent=90, to=True)
    held = engine.sync("All individuals")
    RunOutcome.objects.update(recorded_at=F("recorded_at") - timedelta(days=91))
    retention.clean_up()
    assert RunOutcome.objects.filter(run=held).count() == held.figures["would_remove"]


def test_stages_of_living_runs_are_left_alone(engine: Engine) -> None:
    from targetgroups import enqueue

    run = take(enqueue.request_sync(engine.group(NAME), "resync_now").pk)
    assert run is not None
    stage.Stage(run).create()
    retention.clean_up()
    assert len(truth.stages(raw_connection())) == 2


def test_what_one_run_excluded_can_still_be_told_after_later_runs(engine: Engine) -> None:
    first = engine.sync(NAME)
    excluded = engine.excluded(NAME, "do_not_email")
    engine.standin.flip_do_not_email(ids=sorted(excluded)[:4], to=False)
    engine.sync(NAME)
    told = Exclusion.objects.filter(reason="do_not_email", from_run_id__lte=first.pk).exclude(
        until_run_id__lte=first.pk
    )
    assert set(told.values_list("remote_key", flat=True)) == excluded
    assert len(engine.excluded(NAME, "do_not_email")) == len(excluded) - 4
