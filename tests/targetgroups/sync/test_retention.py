"""What is kept for a while goes at night, figures stay for good."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from targetgroups.models import Exclusion, RunOutcome, RunProgress, SyncRequest, SyncRun
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

    RunOutcome.objects.update(recorded_at=F("recorded_at") - timedelta(days=92))
    ended.update(ended_at=F("ended_at") - timedelta(days=92))
    retention.clean_up()
    assert not RunOutcome.objects.exists()
    assert Exclusion.objects.count() == present
    assert SyncRun.objects.get(pk=run.pk).figures["removed"] == 3


def test_the_clean_up_takes_many_small_steps_of_which_each_is_its_own_transaction(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_STEP", 2)
    engine.sync(NAME)
    engine.standin.flip_do_not_email(ids=sorted(engine.members(NAME))[:7], to=True)
    run = engine.sync(NAME)
    RunOutcome.objects.update(recorded_at=F("recorded_at") - timedelta(days=92))
    with CaptureQueriesContext(connection) as captured:
        retention.clean_up()
    said = "".join("D" if "DELETE" in query["sql"] else query["sql"][0] for query in captured)
    assert said.count("D") >= 4
    assert not re.search("B[^C]*D[^C]*D", said)  # between BEGIN and COMMIT there is one DELETE at most
    assert not run.outcomes.exists()


def test_nothing_goes_while_a_page_still_offers_it(engine: Engine) -> None:
    run = _run_that_removed_somebody(engine)
    almost = timezone.now() - timedelta(days=90) + timedelta(minutes=5)
    RunOutcome.objects.update(recorded_at=almost - timedelta(hours=12))
    SyncRun.objects.filter(pk=run.pk).update(finished_at=almost)
    run.refresh_from_db()
    retention.clean_up()
    assert run.keeps_people(timezone.now())
    assert run.outcomes.count() == 1


def test_who_started_a_run_stays_and_who_joined_it_goes(engine: Engine) -> None:
    run = _run_that_removed_somebody(engine)
    young = engine.sync(NAME)
    for one in (run, young):
        SyncRequest.objects.create(run=one, trigger="info")
    RunProgress.objects.get(run=run)
    long_ago = timezone.now() - timedelta(days=92)
    SyncRequest.objects.filter(run=run).update(requested_at=long_ago)
    SyncRun.objects.filter(pk=run.pk).update(finished_at=long_ago)
    retention.clean_up()
    assert [request.trigger for request in run.requests.all()] == ["resync_now"]
    assert young.requests.count() == 2
    assert not RunProgress.objects.filter(run=run).exists()
    assert RunProgress.objects.filter(run=young).exists()


def _run_that_removed_somebody(engine: Engine) -> SyncRun:
    engine.sync(NAME)
    engine.standin.flip_do_not_email(ids=sorted(engine.members(NAME))[:1], to=True)
    return engine.sync(NAME)


def test_a_held_run_keeps_its_people_until_somebody_decides(engine: Engine) -> None:
    engine.sync("All individuals")
    engine.standin.flip_do_not_email(percent=90, to=True)
    held = engine.sync("All individuals")
    RunOutcome.objects.update(recorded_at=F("recorded_at") - timedelta(days=92))
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
