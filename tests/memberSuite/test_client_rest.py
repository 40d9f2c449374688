"""The REST client against the stand-in, and against shapes that nobody has seen on a real wire."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from memberSuite import (
    AccessDenied,
    AddressWrong,
    GeneralException,
    LoginRefused,
    LookUpUnsupported,
    MemberSuiteClient,
    MemberSuiteError,
    ReadingStopped,
    RedirectRefused,
    RemoteRefused,
    Search,
    SearchGone,
    SearchNotRunnable,
    ServerTrouble,
    SessionExpired,
    TransientError,
    UnreadableReply,
    WrongTenant,
    connect,
)
from memberSuite.exceptions import SearchInvalid
from memberSuite.rest import msql
from memberSuite.standin.server import StandIn
from tests.memberSuite.connecting import clock, ids, read_all, rest, rest_settings, truth_ids
from tests.memberSuite.fake_http import FakeHttp, Say, Seen

EVERYBODY = "All individuals"


@pytest.fixture
def client(standin: StandIn) -> Iterator[MemberSuiteClient]:
    with rest(standin, page_size=25, in_flight=3) as client:
        yield client


@pytest.fixture
def everybody(standin: StandIn, client: MemberSuiteClient) -> Search:
    return client.get_search(standin.search_id(EVERYBODY))


# -- signing in and checking -------------------------------------------------------------------------------------


def test_a_check_takes_four_steps(client: MemberSuiteClient, standin: StandIn) -> None:
    steps = list(client.check())
    assert [(step.outcome, step.code) for step in steps] == [("ok", "")] * 4
    assert standin.tenant_id in steps[1].said


def test_a_wrong_password_is_refused_and_never_shown(standin: StandIn) -> None:
    with rest(standin, api_password="s3cret-word") as client:
        steps = list(client.check())
        with pytest.raises(LoginRefused) as caught:
            client.list_searches()
    assert [step.outcome for step in steps] == ["ok", "failed", "skipped", "skipped"]
    assert "s3cret-word" not in repr((steps, caught.value.remote_said))


def test_another_tenants_token_is_refused() -> None:
    def answer(seen: Seen) -> Say:
        if "whoami" in seen.path:
            return say({"tenantId": 50002})
        return say({"idToken": "t", "accessToken": "t", "refreshToken": "r"})

    with FakeHttp(answerer=answer) as fake, fake_client(fake) as client, pytest.raises(WrongTenant):
        client.list_searches()


def test_a_sign_in_that_says_success_false_is_refused() -> None:
    refusal = say({"success": False, "message": "No."})
    with FakeHttp(refusal) as fake, fake_client(fake) as client, pytest.raises(LoginRefused) as caught:
        client.list_searches()
    assert caught.value.remote_said == "No."


def test_a_token_that_dies_is_renewed_once(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    standin.expire_sessions()
    assert ids(read_all(client.read_people(everybody))) == truth_ids(standin.mailable(everybody.remote_id))
    assert standin.calls("loginUser") == 2


def test_a_token_that_dies_at_once_again_is_a_failure(standin: StandIn, client: MemberSuiteClient) -> None:
    standin.fails("savedsearches", "token_dies")
    standin.fails("executeSearch", "token_dies")
    with pytest.raises(SessionExpired):
        client.list_searches()


# -- searches ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [None, "results", "items", "data"])
def test_searches_are_listed_from_an_array_or_an_envelope(
    standin: StandIn, client: MemberSuiteClient, wrap: str | None
) -> None:
    if wrap:
        standin.fails("savedsearches", "enveloped", in_=wrap)
    listed = client.list_searches()
    public = [one for one in standin.searches() if one["is_public"] and not one.get("is_deleted")]
    assert {search.remote_id for search in listed.searches} == {one["id"] for one in public}
    assert listed.is_complete


@pytest.mark.parametrize("fault", ["http_404", "AccessDenied", "html_200"])
def test_where_the_door_fails_searches_are_listed_by_msql(
    standin: StandIn, client: MemberSuiteClient, fault: str
) -> None:
    by_door = {search.remote_id for search in client.list_searches().searches}
    standin.fails("savedsearches", fault)
    by_msql = client.list_searches()
    assert {search.remote_id for search in by_msql.searches} == by_door
    assert by_msql.is_complete
    assert not any(search.not_runnable == "" for search in by_msql.searches)  # their criteria are not told


def test_a_search_with_criteria_names_the_other_transport(standin: StandIn, client: MemberSuiteClient) -> None:
    search = client.get_search(standin.search_id("London chapter"))
    assert search.not_runnable == "not_over_rest"
    with pytest.raises(SearchNotRunnable) as caught:
        client.read_people(search)
    assert caught.value.code == "search_not_over_rest"
    assert "Concierge" in caught.value.sentence


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Member organizations", "not_people"),
        ("Members in a town of your choice", "needs_parameter"),
        ("Annual Congress 2019 delegates", "inactive"),
        ("Fifty newest records", "not_over_rest"),
    ],
)
def test_a_search_that_cannot_be_run_says_why(
    standin: StandIn, client: MemberSuiteClient, name: str, reason: str
) -> None:
    assert client.get_search(standin.search_id(name)).not_runnable == reason


def test_a_search_that_is_not_listed_is_gone(standin: StandIn, client: MemberSuiteClient) -> None:
    standin.delete_search(standin.search_id(EVERYBODY))
    with pytest.raises(SearchGone):
        client.get_search("6faf90e4-00a1-c7d2-8f10-0b3c0d5e9a06")


# -- people ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_flight", [1, 4])
def test_everybody_with_do_not_email_no_is_read(standin: StandIn, in_flight: int) -> None:
    """R1, R5."""
    with rest(standin, page_size=25, in_flight=in_flight) as client:
        search = client.get_search(standin.search_id(EVERYBODY))
        reading = client.read_people(search)
        people = read_all(reading)
    assert ids(people) == truth_ids(standin.mailable(search.remote_id))
    assert reading.is_complete
    assert any(person.local_id is None for person in people)


def test_the_total_of_an_envelope_saves_the_count(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    standin.fails("individuals", "enveloped")
    before = standin.calls("executeSearch")
    assert client.count_rows(everybody, only_mailable=False) == standin.summary(everybody.remote_id)["rows"]
    assert standin.calls("executeSearch") == before


def test_without_a_total_the_keys_are_counted(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    assert client.count_rows(everybody, only_mailable=True) == standin.summary(everybody.remote_id)["mailable_rows"]


def test_a_person_is_read_whole(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    person = read_all(client.read_people(everybody))[0]
    known = standin.person(person.remote_id)
    assert (person.first_name, person.last_name) == (known["FirstName"], known["LastName"])
    assert (person.email, person.local_id) == (known["EmailAddress"], known["LocalID"])
    assert person.modified_at


def test_the_second_pass_gives_ids_and_flags_alone(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    """R1."""
    people = read_all(client.read_do_not_email(everybody))
    excluded = [member for member in standin.truth(everybody.remote_id) if member["do_not_email"] is not False]
    assert ids(people) == truth_ids(excluded)
    assert all(person.email is person.last_name is None for person in people)


def test_an_ignored_flag_is_noticed_and_nobody_is_let_through(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    """R1."""
    standin.fails("executeSearch", "ignores_do_not_email")
    reading = client.read_people(everybody)
    people = read_all(reading)
    assert reading.filter_ignored
    mailable = [person for person in people if person.do_not_email is False]
    assert ids(mailable) == truth_ids(standin.mailable(everybody.remote_id))
    assert all(person.email is None for person in people if person.do_not_email is not False)


def test_an_ignored_key_starts_over(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    standin.fails("individuals", "enveloped")
    standin.fails("executeSearch", "ignores_local_id")
    assert ids(read_all(client.read_people(everybody))) == truth_ids(standin.mailable(everybody.remote_id))


def test_records_are_looked_up_by_id(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    """R5."""
    wanted = [str(member["id"]) for member in standin.truth(everybody.remote_id)[:250]]
    standin.delete(ids=[wanted[0]])
    for pages in (client.look_up(everybody, wanted), client.look_up_records(wanted)):
        found = [person for page in pages for person in page.rows]
        assert ids(found) == sorted(one.lower() for one in wanted[1:])


def test_an_id_that_is_none_is_not_left_out_silently(client: MemberSuiteClient) -> None:
    """R5: a record nobody asked for would look deleted."""
    with pytest.raises(LookUpUnsupported):
        list(client.look_up_records(["x' OR 1=1"]))


# -- writing -----------------------------------------------------------------------------------------------------


def test_a_written_flag_is_read_back_and_nothing_else_changes(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    wanted = str(standin.mailable(everybody.remote_id)[0]["id"])
    before = standin.person(wanted)
    assert client.set_do_not_email([wanted], True).confirmed == (wanted,)
    after = standin.person(wanted)
    changed = {name for name in before if (before[name] or None) != (after[name] or None)}
    assert "DoNotEmail" in changed
    assert changed <= {"DoNotEmail", "LastModifiedDate", "LastModifiedBy"}


def test_a_write_that_changes_nothing_is_refused(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    standin.fails("putIndividual", "changes_nothing")
    wanted = str(standin.mailable(everybody.remote_id)[0]["id"])
    assert client.set_do_not_email([wanted], True).refused == ((wanted, "not_changed"),)


def test_a_deleted_record_is_refused_and_the_others_are_written(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    wanted = [str(member["id"]) for member in standin.mailable(everybody.remote_id)[:3]]
    standin.delete(ids=[wanted[0]])
    result = client.set_do_not_email(wanted, True)
    assert sorted(result.confirmed) == sorted(wanted[1:])
    assert [remote_id for remote_id, _ in result.refused] == wanted[:1]


# -- faults ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["http_429", "http_503", "cut", "no_answer", "GeneralException"])
def test_passing_trouble_is_asked_again(
    standin: StandIn, client: MemberSuiteClient, everybody: Search, fault: str
) -> None:
    standin.fails("executeSearch", fault, times=2)
    assert ids(read_all(client.read_people(everybody))) == truth_ids(standin.mailable(everybody.remote_id))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("AccessDenied", AccessDenied),
        ("InvalidQuery", SearchInvalid),
        ("MSQLSyntaxError", RemoteRefused),
        ("success_false", RemoteRefused),
        ("malformed", UnreadableReply),
        ("truncated", UnreadableReply),
        ("empty_body", UnreadableReply),
        ("html_200", UnreadableReply),
        ("redirect", RedirectRefused),
        ("http_404", AddressWrong),
    ],
)
def test_what_asking_again_does_not_help_fails_at_once(
    standin: StandIn, client: MemberSuiteClient, fault: str, error: type[MemberSuiteError]
) -> None:
    standin.fails("executeSearch", fault)
    with pytest.raises(error) as caught:
        list(client.look_up_records([standin.search_id(EVERYBODY)]))
    assert standin.calls("executeSearch") == 1
    assert not isinstance(caught.value, TransientError)


@pytest.mark.parametrize(("fault", "error"), [("http_503", ServerTrouble), ("GeneralException", GeneralException)])
def test_trouble_that_stays_fails_in_the_end(
    standin: StandIn, client: MemberSuiteClient, fault: str, error: type[MemberSuiteError]
) -> None:
    standin.fails("executeSearch", fault)
    with pytest.raises(error):
        list(client.look_up_records([standin.search_id(EVERYBODY)]))
    assert standin.calls("executeSearch") == 1 + error.retries


def test_a_look_up_beside_one_that_was_refused_is_not_asked_again(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    wanted = [str(member["id"]) for member in standin.truth(everybody.remote_id)[:250]]
    others = set(threading.enumerate())
    with standin.holds("executeSearch") as held:
        held.fault.times = 1
        standin.fails("executeSearch", "http_503", times=1)  # what is held gets this answer
        standin.fails("executeSearch", "AccessDenied", skip=1)
        with pytest.raises(AccessDenied):
            list(client.look_up_records(wanted))
        held.release()
        for reader in set(threading.enumerate()) - others:
            if reader.name.startswith("membersuite-reader"):
                reader.join(60)
    assert standin.calls("executeSearch") == 2


def test_stopping_interrupts_a_reading_at_once(standin: StandIn) -> None:
    stop = threading.Event()
    with rest(standin, stop=stop, page_size=25) as client:
        search = client.get_search(standin.search_id(EVERYBODY))
        with standin.holds("executeSearch") as held:
            threading.Timer(0.1, stop.set).start()
            # Nothing but the stop ends this: the answer is held until afterwards.
            with pytest.raises(ReadingStopped):
                read_all(client.read_people(search))
            held.release()


# -- shapes that nobody has seen ---------------------------------------------------------------------------------


def say(value: Any, status: int = 200) -> Say:
    return Say(json.dumps(value).encode(), status, "application/json")


def fake_client(fake: FakeHttp) -> MemberSuiteClient:
    return connect(rest_settings(fake.url), clock=clock)


def searches_are(records: list[dict[str, Any]]) -> Any:
    def answer(seen: Seen) -> Say:
        if "loginUser" in seen.path:
            return say({"success": True, "data": {"idToken": "t"}})
        if "whoami" in seen.path:
            return say({"tenantId": int(StandIn.tenant_id)})
        return say(records)

    return answer


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ({"type": "Individual", "criteria": []}, ""),
        ({"Type": "Individual", "Criteria": []}, ""),
        ({"type": "Individual"}, "not_over_rest"),
        ({"type": "Individual", "criteria": [], "context": "x"}, "not_over_rest"),
        ({"type": "Individual", "criteria": [], "topN": 5}, "not_over_rest"),
        ({"type": "Individual", "criteria": [], "uniqueResult": True}, "not_over_rest"),
        ({"type": "Individual", "criteria": [{"type": "Equals", "valuesToOperateOn": ["##x##"]}]}, "needs_parameter"),
        ({"type": "Organization", "criteria": []}, "not_people"),
        (None, "not_over_rest"),
    ],
)
def test_only_a_search_that_is_understood_whole_is_run(stored: Any, reason: str) -> None:
    record = {"Id": "s", "name": "n", "isPublic": "true", "applicableType": "Individual", "search": stored}
    with FakeHttp(answerer=searches_are([record])) as fake, fake_client(fake) as client:
        (search,) = client.list_searches().searches
    assert search.not_runnable == reason


def test_the_texts_of_a_search_can_be_kept_by_a_database() -> None:
    odd = {"name": "Lamp\x00 keepers", "description": "a\x01b", "applicableType": "Indi\x00vidual"}
    with FakeHttp(answerer=searches_are([{"id": "s", "isPublic": True} | odd])) as fake, fake_client(fake) as client:
        (search,) = client.list_searches().searches
    assert (search.name, search.description) == ("Lamp\ufffd keepers", "a\ufffdb")
    assert search.not_runnable == "not_people"


def test_a_list_that_ignores_pages_is_not_read_for_ever() -> None:
    record = {"id": "s", "name": "n", "isPublic": True, "applicableType": "Individual"}
    with FakeHttp(answerer=searches_are([record])) as fake, fake_client(fake) as client:
        assert len(client.list_searches().searches) == 1
        assert len(fake.seen) == 4


def test_only_ids_and_plain_names_stand_in_a_statement() -> None:
    with pytest.raises(LookUpUnsupported):
        msql.id_is_one_of(["a' OR 'a'='a"])
    assert not msql.is_column("x FROM y")
    assert msql.is_column("Membership.Type.Name")
