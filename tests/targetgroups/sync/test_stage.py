"""The stage keeps every value as it was read, whatever characters it has."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from memberSuite import PeoplePage, Person, RejectedRow
from targetgroups import enqueue
from targetgroups.sync.single_flight import take
from targetgroups.sync.stage import Stage
from targetgroups.sync.staged_rows import FIRST

if TYPE_CHECKING:
    from tests.support.engine import Engine

ASKED_AT = datetime(2026, 11, 25, 8, 30, 0, 123456, tzinfo=UTC)
# Each means something to COPY, to JSON or to SQL.
STRANGE = ("\\N", "\\", "a\tb", "a\nb", "a\r\nb", "\\.", 'say "so"', "it's %s {x}", "\x01\x7f", "NULL", "Zoë 名", "")


def test_values_that_mean_something_to_copy_or_json_arrive_as_they_were_read(engine: Engine) -> None:
    people = [
        Person(
            remote_id=f"ID-{number}",
            local_id=number or None,
            first_name=text,
            last_name=f"{text}!",
            email=f"p{number}@lamps.example",
            do_not_email=False,
            attributes={"City": text, text or "Empty": "x"},
        )
        for number, text in enumerate(STRANGE)
    ]
    staged = _staged(engine, PeoplePage(people, [], ASKED_AT, False, 1))
    expected = [
        (f"id-{n}", n or None, text, f"{text}!", {"City": text, text or "Empty": "x"}, ASKED_AT)
        for n, text in enumerate(STRANGE)
    ]
    assert staged == expected


def test_nul_is_left_out_everywhere_and_an_impossible_id_is_a_rejected_row(engine: Engine) -> None:
    people = [
        Person("A-1", 1, "A\0da", "Lo\0ve", "a\0da@lamps.example", False, None, {"Ci\0ty": "Ba\0th", "Own": "\\u0000"}),
        Person("B" * 101, 2, "Too", "Long", "too@lamps.example", False),
        Person("\u0130" * 60, 3, "Longer", "In small letters", "three@lamps.example", False),
    ]
    stage = _stage(engine, PeoplePage(people, [], ASKED_AT, False, 1))
    ((first_name, last_name, email, attributes),) = stage.fetch(
        "SELECT first_name, last_name, email, attributes FROM {stage} WHERE reason = ''"
    )
    assert (first_name, last_name, email) == ("Ada", "Love", "ada@lamps.example")
    assert json.loads(attributes) == {"City": "Bath", "Own": "\\u0000"}
    assert stage.fetch("SELECT local_id, remote_key FROM {stage} WHERE reason = 'unreadable_row' ORDER BY 1") == [
        (2, ""),
        (3, ""),
    ]
    assert stage.has_rejects
    stage.drop()


def test_a_row_that_the_client_rejected_is_staged_with_its_reason(engine: Engine) -> None:
    stage = _stage(engine, PeoplePage([], [RejectedRow("X-1", 7, "tab\there")], ASKED_AT, False, 1))
    assert stage.fetch("SELECT remote_key, local_id, detail FROM {stage}") == [("x-1", 7, "tab\there")]
    assert stage.has_rejects
    stage.drop()


def _staged(engine: Engine, page: PeoplePage) -> list[tuple[object, ...]]:
    stage = _stage(engine, page)
    rows = stage.fetch(
        """
        SELECT remote_key, local_id, first_name, last_name, attributes, asked_at FROM {stage}
        ORDER BY local_id NULLS FIRST
        """
    )
    stage.drop()
    return [(*row[:4], json.loads(row[4]), row[5]) for row in rows]


def _stage(engine: Engine, page: PeoplePage) -> Stage:
    run = take(enqueue.request_sync(engine.group("Current members"), "resync_now").pk)
    assert run is not None
    stage = Stage(run)
    stage.create()
    stage.add_page(page, FIRST)
    return stage
