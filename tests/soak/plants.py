"""Planted defects: each takes one protection out of the worker, so that a soak can show that it would notice.

They are put in from outside, in the worker's own process; the product holds none of this. A place that is no longer
there is an error: a plant must never be without effect.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any


def install(name: str) -> None:
    """Plant a defect by its name; none for an empty name."""
    from tests.soak.mail_plants import MAIL_PLANTS

    if name:
        (PLANTS | MAIL_PLANTS)[name]()


def flag_check_skipped() -> None:
    """R1: rows are not checked again, as if MemberSuite's own filter could be trusted."""
    from targetgroups.sync import stage, staged_rows

    original, add_page = staged_rows.exclusion_reason, stage.Stage.add_page
    trusted = {"is": False}

    def add(self: Any, page: Any, reading: int) -> None:
        trusted["is"] = reading != staged_rows.DO_NOT_EMAIL
        add_page(self, page, reading)

    def reason(do_not_email: bool | None, email: str | None) -> Any:
        return original(False if trusted["is"] else do_not_email, email)

    replace(staged_rows, "exclusion_reason", reason)
    replace(stage.Stage, "add_page", add)


def page_dropped() -> None:
    """R5: now and then a page is counted as received but gets lost on its way to the stage."""
    from targetgroups.sync import stage

    add_page = stage.Stage.add_page
    seen = {"pages": os.getpid() % 7}

    def add(self: Any, page: Any, reading: int) -> None:
        seen["pages"] += 1
        if reading != stage.FIRST or seen["pages"] % 7:
            add_page(self, page, reading)

    replace(stage.Stage, "add_page", add)


def stage_resumed() -> None:
    """R9: an attempt goes on with the stage of the attempt before it, and does not stage again whom it finds there."""
    from django.db import connection

    from targetgroups.sync import stage

    create, add_page = stage.Stage.create, stage.Stage.add_page
    make = stage.Stage.__init__

    def init(self: Any, run: Any) -> None:
        make(self, run)
        self.soak_before = [f"sync_stage_{run.pk}_{number}" for number in range(run.attempt - 1, 0, -1)]
        self.soak_known = {}

    def create_and_resume(self: Any) -> None:
        create(self)
        with connection.cursor() as cursor:
            for table in self.soak_before:
                cursor.execute("SELECT to_regclass(%s)", [table])
                if cursor.fetchone()[0] is None:
                    continue
                self.execute(f"INSERT INTO {{stage}} SELECT * FROM {table}")
                for reading, key in self.fetch("SELECT reading, remote_key FROM {stage}"):
                    self.soak_known.setdefault(reading, set()).add(key)
                if self.soak_known:
                    return

    def add(self: Any, page: Any, reading: int) -> None:
        import msgspec

        known = self.soak_known.get(reading, set())
        rows = [person for person in page.rows if person.remote_id.lower() not in known]
        add_page(self, msgspec.structs.replace(page, rows=rows), reading)

    for name, changed in (("__init__", init), ("create", create_and_resume), ("add_page", add)):
        replace(stage.Stage, name, changed)


def no_fence() -> None:
    """R9: a worker that was overtaken may write all the same."""
    from django.db import transaction
    from django.db.models.functions import Now

    from targetgroups.exceptions import Cancelled
    from targetgroups.models import CancelWish, SyncRun
    from targetgroups.sync import single_flight

    def lock_for_writing(run: Any) -> None:
        if CancelWish.objects.filter(run=run).exists():
            raise Cancelled

    def finish(run: Any, status: Any, **values: Any) -> None:
        SyncRun.objects.filter(pk=run.pk).update(status=status, finished_at=Now(), **values)
        transaction.on_commit(lambda: single_flight._after(run, status))

    def check(self: Any) -> None:
        if self.is_cancelled:
            raise Cancelled

    replace(single_flight, "lock_for_writing", lock_for_writing)
    replace(single_flight, "finish", finish)
    replace(single_flight.Heartbeat, "check", check)
    replace(single_flight.Heartbeat, "_lose", lambda self: None)


def no_removal_look_up() -> None:
    """R5: whoever the reading does not show is removed without being asked for again."""
    from targetgroups.choices import RemovalReason
    from targetgroups.sync import checking

    def believe(attempt: Any) -> None:
        for reason, staged in (
            (RemovalReason.NOW_DO_NOT_EMAIL, "do_not_email"),
            (RemovalReason.NOW_NO_ADDRESS, "no_address"),
            (RemovalReason.NOW_MALFORMED_ADDRESS, "malformed_address"),
            (RemovalReason.NO_LONGER_IN_SEARCH, ""),
        ):
            attempt.stage.execute(
                "UPDATE {removals} SET reason = %(reason)s WHERE reason = %(staged)s", reason=reason, staged=staged
            )

    replace(checking, "_look_up", believe)


def stale_read_overwrites() -> None:
    """R14: what was read earlier and written later wins over newer knowledge."""
    from targetgroups.sync import compare, diff

    replace(compare, "_STORED_IS_NEWER", "(%(group)s IS NULL)")
    replace(diff, "exclude_known_do_not_email", lambda *arguments: 0)


PLANTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (
        flag_check_skipped,
        page_dropped,
        stage_resumed,
        no_fence,
        no_removal_look_up,
        stale_read_overwrites,
    )
}


def replace(owner: Any, name: str, value: Any) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner} has no {name} any more: the planted defect would be without effect")
    setattr(owner, name, value)
