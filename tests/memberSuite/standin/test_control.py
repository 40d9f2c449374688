import json
from typing import Any

from memberSuite.standin import StandIn
from tests.memberSuite.standin.concierge import Caller, send


def ask(standin: StandIn, method: str, path: str, **body: object) -> Any:
    reply = send(standin, method, f"/control/{path}", json.dumps(body).encode() if body else b"")
    return json.loads(reply.body)


def status(standin: StandIn, method: str, path: str, body: bytes = b"") -> int:
    return send(standin, method, f"/control/{path}", body).status


def test_faults_are_set_listed_and_cleared(standin: StandIn) -> None:
    made = ask(standin, "POST", "faults", operation="WhoAmI", **{"with": "http_503"}, times=1)
    assert Caller(standin).call("WhoAmI").status == 503
    assert [(one["id"], one["fired"]) for one in ask(standin, "GET", "faults")] == [(made["id"], 1)]
    assert ask(standin, "DELETE", f"faults/{made['id']}") == {"faults": 0}
    assert "page_cap" in ask(standin, "GET", "fault-kinds")["kinds"]


def test_members_of_a_search_are_streamed_one_a_line(standin: StandIn) -> None:
    wanted = standin.search_id("Registered for a 2026 event")
    lines = send(standin, "GET", f"/control/searches/{wanted}/members?mailable=1").body.decode().splitlines()
    assert [json.loads(line) for line in lines] == standin.mailable(wanted)
    figures = ask(standin, "GET", f"searches/{wanted}")["summary"]
    assert figures["mailable_rows"] == sum(json.loads(line)["rows"] for line in lines) > len(lines)


def test_people_are_changed_flipped_deleted_and_inserted(standin: StandIn) -> None:
    one = ask(standin, "POST", "people/change", percent=10, fields={"LastName": "Renamed {n}"})
    assert one["changed"] == 30
    assert str(ask(standin, "GET", f"people/{one['ids'][0]}")["LastName"]).startswith("Renamed ")
    readers = standin.search_id("Newsletter readers")
    assert ask(standin, "POST", "people/flip", search=readers, to=True)["changed"] == len(standin.truth(readers))
    assert not standin.mailable(readers)
    gone = ask(standin, "POST", "people/delete", count=3)["ids"]
    assert status(standin, "GET", f"people/{gone[0]}") == 404
    made = ask(standin, "POST", "people/insert", count=2, fields={"EmailAddress": "new{n}@lamps.example"})["ids"]
    assert len({standin.person(key)["EmailAddress"] for key in made}) == 2


def test_a_person_is_found_by_local_id_and_changed_by_it(standin: StandIn) -> None:
    key = next(one["local_id"] for one in standin.truth(standin.search_id("All individuals")) if one["local_id"])
    ask(standin, "POST", "people/change", ids=[key], fields={"EmailAddress": None})
    assert ask(standin, "GET", f"people/{key}")["EmailAddress"] is None


def test_searches_are_made_renamed_hidden_and_deleted(standin: StandIn) -> None:
    made = ask(standin, "POST", "searches", name="Again", like=standin.search_id("Lapsed 2025"))
    assert ask(standin, "POST", f"searches/{made['id']}", name="Once more", is_public=False)["is_public"] is False
    assert ask(standin, "DELETE", f"searches/{made['id']}")["is_deleted"] is True
    assert Caller(standin).call("Get", f"<id>{made['id']}</id>").code == "RecordNotFound"
    assert ask(standin, "POST", f"searches/{made['id']}", deleted=False)["name"] == "Once more"


def test_requests_that_make_no_sense_are_refused_with_a_reason(standin: StandIn) -> None:
    assert status(standin, "POST", "faults", b'{"with": "nothing"}') == 400
    assert status(standin, "POST", "people/change", b'{"fields": {"City": "x"}}') == 400
    assert status(standin, "POST", "people/change", b'{"fields": {"Wings": 2}, "count": 1}') == 404
    assert status(standin, "POST", "people/delete", b"[") == 400
    assert status(standin, "GET", "searches/none") == 404
    assert status(standin, "GET", "nothing") == 404


def test_the_log_counts_calls_and_keeps_the_last_ones(standin: StandIn) -> None:
    Caller(standin).sign_in().page()
    log = ask(standin, "GET", "log")
    assert log["calls"] == {"WhoAmI": 1, "ExecuteSearch": 1}
    assert log["last"][-1]["tags"] == ["page"]
    assert log["last"][-1]["signature_valid"] is True
    assert ask(standin, "DELETE", "log")["total"] == 0


def test_a_reset_puts_everything_back(standin: StandIn) -> None:
    before = standin.truth(standin.search_id("All individuals"))
    standin.delete(count=5)
    standin.fails("*", with_="http_503")
    ask(standin, "POST", "settings", latency_ms=1)
    assert ask(standin, "POST", "reset") == {"people": 300, "seed": 1}
    assert standin.truth(standin.search_id("All individuals")) == before
    assert ask(standin, "GET", "")["faults"] == []
    assert ask(standin, "POST", "reset", people=50, seed=2)["people"] == 50


def test_the_start_page_tells_what_this_is(standin: StandIn) -> None:
    page = send(standin, "GET", "/")
    assert page.headers["content-type"].startswith("text/html")
    for part in ("Stand-in MemberSuite", "Board of directors", "session_expires", standin.access_key_id):
        assert part in page.body.decode()
