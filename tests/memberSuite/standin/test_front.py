"""The pages that a person sees in a browser."""

from __future__ import annotations

import urllib.error
import urllib.request

from memberSuite.standin.server import StandIn


def opened(standin: StandIn, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(standin.url + path) as answer:
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_record_shows_its_fields_escaped_and_in_either_case_of_its_id(standin: StandIn) -> None:
    (remote_id,) = standin.change({"LastName": "<b>O'Neil</b>", "DoNotEmail": None, "DoNotMail": True}, count=1)
    status, page = opened(standin, f"/record/{remote_id.upper()}")
    assert status == 200
    for name, text in (
        ("ID", remote_id),
        ("LastName", "&lt;b&gt;O&#x27;Neil&lt;/b&gt;"),
        ("DoNotEmail", "–"),
        ("DoNotMail", "Yes"),
    ):
        assert f'<tr><th scope="row">{name}</th><td>{text}</td></tr>' in page, name
    assert "<b>" not in page
    assert '<th scope="row">CreatedDate</th><td>20' in page, "a moment is told as a date"


def test_an_unknown_and_a_deleted_record_are_not_there(standin: StandIn) -> None:
    (gone,) = standin.delete(count=1)
    for path in (f"/record/{gone}", "/record/%3Cscript%3E", "/record/", f"/record/{gone}/more"):
        status, page = opened(standin, path)
        assert status == 404, path
        assert "There is no record" in page and "<script>" not in page, path
    assert opened(standin, "/")[0] == 200
