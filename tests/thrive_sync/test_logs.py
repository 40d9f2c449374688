"""R17: no secret in a log; and no person in one either."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from thrive_sync.lib.logs import JsonFormatter, RedactingFormatter, about, redact


@pytest.mark.parametrize(
    "line",
    [
        "cannot reach redis://worker:hunter2@host:6379/0",
        "password=hunter2&user=x",
        "{'api_password': 'hunter2', 'page': 1}",
        '{"secret_access_key": "hunter2"}',
        "<SecretAccessKey>hunter2</SecretAccessKey>",
        "Authorization: AuthToken hunter2hunter2",
        "header was Bearer hunter2.hunter2",
        "SessionId: hunter2",
    ],
)
def test_a_secret_is_hidden_in_each_shape_that_it_comes_in(line: str) -> None:
    assert "hunter2" not in redact(line)


@pytest.mark.parametrize("address", ["ada@lamps.example", "o'neil+news@mail.lamps.example", "jürgen@größl.example"])
def test_an_address_is_hidden(address: str) -> None:
    assert redact(f"no such member: {address}, skipped").endswith("[address], skipped")


def test_the_row_that_the_database_refused_is_hidden() -> None:
    told = redact('duplicate key value violates "unique_key"\nDETAIL:  Key (name)=(Ada Byron) already exists.')
    assert "Ada" not in told
    assert "duplicate key value" in told


def test_a_traceback_and_arguments_are_redacted_too() -> None:
    try:
        raise ValueError("bad row of ada@lamps.example")
    except ValueError:
        error = sys.exc_info()
    record = logging.LogRecord("name", logging.ERROR, "path", 1, "token=%s", ("hunter2",), error)
    told = RedactingFormatter().format(record)
    assert "ValueError" in told
    assert "hunter2" not in told
    assert "lamps.example" not in told


def test_an_ordinary_line_stays_as_it_is() -> None:
    line = "run 17 of group 4: 1,200 of 5,000 rows at 10:30:00, 3 pages in flight"
    assert redact(line) == line


def test_a_json_line_says_what_it_is_about_and_nobody_and_no_secret() -> None:
    said = "bad row of ada@lamps.example\nDETAIL:  Key (name)=(Ada Byron) exists."
    try:
        raise ValueError(said)
    except ValueError:
        error = sys.exc_info()
    record = logging.LogRecord("targetgroups.sync", logging.ERROR, "path", 1, "token=%s", ("hunter2",), error)
    with about(run_id=17), about(mailing_id=4):
        line = JsonFormatter().format(record)
    told = json.loads(line)
    assert "\n" not in line
    assert (told["run_id"], told["mailing_id"], told["level"], told["error"]) == (17, 4, "ERROR", "ValueError")
    assert told["time"].endswith("+00:00")
    for hidden in ("hunter2", "lamps.example", "Ada"):
        assert hidden not in line
    assert "run_id" not in json.loads(JsonFormatter().format(record)), "the mark ends with what it was about"
