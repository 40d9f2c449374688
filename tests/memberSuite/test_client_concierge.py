"""The Concierge client against the stand-in: reading, writing, and each fault it can play."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from memberSuite import (
    AccessDenied,
    CriterionRefused,
    GeneralException,
    InvalidAccessKey,
    InvalidSecret,
    LookUpUnsupported,
    MemberSuiteClient,
    MemberSuiteError,
    ReadingStopped,
    RedirectRefused,
    RemoteRefused,
    Search,
    SearchGone,
    SearchInvalid,
    SearchNotRunnable,
    ServerTrouble,
    SessionExpired,
    Throttled,
    TotalMissing,
    TransientError,
    UnreadableReply,
)
from memberSuite.standin.server import StandIn
from tests.memberSuite.connecting import clock, concierge, ids, read_all, truth_ids
from tests.memberSuite.fake_http import FakeHttp, Say, Seen

EVERYBODY = "All individuals"
SEVERAL_ROWS = "Registered for a 2026 event"
# Seconds: far from the minute that an unheard stop would wait, and far from what a busy machine takes to hear it.
HANGS = 20.0


@pytest.fixture
def client(standin: StandIn) -> Iterator[MemberSuiteClient]:
    with concierge(standin, page_size=25, in_flight=3) as client:
        yield client


@pytest.fixture
def everybody(standin: StandIn, client: MemberSuiteClient) -> Search:
    return client.get_search(standin.search_id(EVERYBODY))


# -- checking and listing ----------------------------------------------------------------------------------------


def test_a_check_takes_four_steps_and_names_the_association(client: MemberSuiteClient) -> None:
    steps = list(client.check())
    assert [(step.name, step.outcome) for step in steps] == [
        ("reach_host", "ok"),
        ("sign_in", "ok"),
        ("list_searches", "ok"),
        ("read_one_record", "ok"),
    ]
    assert "Lamp Keepers" in steps[1].said


def test_a_check_with_a_wrong_key_says_so_and_skips_the_rest(standin: StandIn) -> None:
    with concierge(standin, access_key_id="WRONG") as client:
        steps = list(client.check())
    assert [step.outcome for step in steps] == ["ok", "failed", "skipped", "skipped"]
    assert steps[1].code == "invalid_access_key"


def test_a_check_says_which_permission_is_missing_and_still_reads_a_record(
    standin: StandIn, client: MemberSuiteClient
) -> None:
    standin.fails("ExecuteMSQL", "AccessDenied")
    standin.fails("ExecuteSearch", "AccessDenied", only="list")
    steps = {step.name: step for step in client.check()}
    assert steps["list_searches"].code == "access_denied"
    assert "permission" in steps["list_searches"].said
    assert steps["read_one_record"].outcome == "ok"


def test_all_public_searches_are_listed_whatever_the_page_size(standin: StandIn) -> None:
    with concierge(standin, page_size=5) as small, concierge(standin) as large:
        listed = small.list_searches()
        assert {search.remote_id for search in listed.searches} == {
            search.remote_id for search in large.list_searches().searches
        }
    assert listed.is_complete
    assert all(search.is_public for search in listed.searches)
    assert "not_people" in {search.not_runnable for search in listed.searches}


@pytest.mark.parametrize("refusal", ["InvalidQuery", "MSQLSyntaxError", "AccessDenied"])
def test_where_msql_is_refused_searches_are_listed_by_a_search(
    standin: StandIn, client: MemberSuiteClient, refusal: str
) -> None:
    by_msql = client.list_searches()
    standin.fails("ExecuteMSQL", refusal)
    by_search = client.list_searches()
    assert {one.remote_id for one in by_search.searches} == {one.remote_id for one in by_msql.searches}


def test_a_server_without_is_active_is_asked_again_without_it(standin: StandIn, client: MemberSuiteClient) -> None:
    standin.fails("ExecuteMSQL", "refuses_is_active")
    assert client.list_searches().is_complete


def test_an_inactive_search_is_listed_as_such(standin: StandIn, client: MemberSuiteClient) -> None:
    standin.deactivate_search(standin.search_id(EVERYBODY))
    listed = {search.name: search for search in client.list_searches().searches}
    assert listed[EVERYBODY].not_runnable == "inactive"


def test_a_list_that_misses_rows_is_not_complete(standin: StandIn, client: MemberSuiteClient) -> None:
    standin.fails("ExecuteMSQL", "wrong_total", by=3)
    assert not client.list_searches().is_complete


# -- one search --------------------------------------------------------------------------------------------------


def test_a_deleted_search_is_gone(standin: StandIn, client: MemberSuiteClient) -> None:
    remote_id = standin.search_id(EVERYBODY)
    standin.delete_search(remote_id)
    with pytest.raises(SearchGone):
        client.get_search(remote_id)


def test_a_search_made_private_is_read_but_not_run(standin: StandIn, client: MemberSuiteClient) -> None:
    remote_id = standin.search_id(EVERYBODY)
    standin.hide_search(remote_id)
    search = client.get_search(remote_id)
    assert search.not_runnable == "not_public"
    with pytest.raises(SearchNotRunnable) as caught:
        client.read_people(search)
    assert caught.value.code == "search_not_public"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Member organizations", "not_people"),
        ("Members in a town of your choice", "needs_parameter"),
        ("Annual Congress 2019 delegates", "inactive"),
    ],
)
def test_a_search_that_cannot_be_run_says_why(
    standin: StandIn, client: MemberSuiteClient, name: str, reason: str
) -> None:
    search = client.get_search(standin.search_id(name))
    assert search.not_runnable == reason
    with pytest.raises(SearchNotRunnable) as caught:
        client.read_people(search)
    assert caught.value.code == f"search_{reason}"


# -- reading people ----------------------------------------------------------------------------------------------


def test_every_search_of_people_is_read_whole(standin: StandIn, client: MemberSuiteClient) -> None:
    """R1, R5: exactly the rows of those whose Do Not Email is No, and the totals agree."""
    for described in client.list_searches().searches:
        search = client.get_search(described.remote_id)
        if search.not_runnable or search.is_limited:
            continue
        reading = client.read_people(search)
        people = read_all(reading)
        assert ids(people) == truth_ids(standin.mailable(search.remote_id)), search.name
        assert reading.is_complete, search.name
        assert not reading.filter_ignored
        assert reading.rows_received == len(people) == reading.total_before == reading.total_after


@pytest.mark.parametrize("in_flight", [1, 2, 8])
def test_any_number_in_flight_reads_the_same(standin: StandIn, in_flight: int) -> None:
    with concierge(standin, page_size=25, in_flight=in_flight) as client:
        search = client.get_search(standin.search_id(SEVERAL_ROWS))
        assert ids(read_all(client.read_people(search))) == truth_ids(standin.mailable(search.remote_id))


def test_several_pages_are_in_flight_at_once(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    standin.fails("ExecuteSearch", "slow", seconds=0.02)
    read_all(client.read_people(everybody))
    assert 2 <= int(str(standin.log()["most_at_once"])) <= 3


def test_a_person_carries_our_columns_and_the_searchs_own(standin: StandIn, client: MemberSuiteClient) -> None:
    search = client.get_search(standin.search_id("London chapter"))
    person = next(person for person in read_all(client.read_people(search)) if "2nd Language__c" in person.attributes)
    known = standin.person(person.remote_id)
    assert person.first_name == known["FirstName"]
    assert person.email == known["EmailAddress"]
    assert person.local_id == known["LocalID"]
    assert person.attributes["2nd Language__c"] == known["2nd Language__c"]
    assert person.attributes["Chapter.Name"] == known["Chapter.Name"]
    assert "FirstName" not in person.attributes


def test_each_page_says_when_it_was_asked_for(client: MemberSuiteClient, everybody: Search) -> None:
    before = clock()
    pages = list(client.read_people(everybody))
    assert all(before <= page.asked_at <= clock() for page in pages)
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))


def test_the_time_of_a_page_is_that_of_the_attempt_that_succeeded(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    standin.fails("ExecuteSearch", "slow", seconds=0.2, times=1)
    standin.fails("ExecuteSearch", "http_503", times=1)
    before = time.monotonic()
    began = clock()
    page = next(iter(client.read_people(everybody)))
    assert (page.asked_at - began).total_seconds() > 0.15
    assert time.monotonic() - before > 0.15


def test_people_without_local_id_are_read_too(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    assert any(person.local_id is None for person in read_all(client.read_people(everybody)))


def test_a_reading_is_read_once(client: MemberSuiteClient, everybody: Search) -> None:
    reading = client.read_people(everybody)
    read_all(reading)
    with pytest.raises(RuntimeError):
        read_all(reading)


def test_totals_are_counted_with_and_without_the_flag(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    summary = standin.summary(everybody.remote_id)
    assert client.count_rows(everybody, only_mailable=False) == summary["rows"]
    assert client.count_rows(everybody, only_mailable=True) == summary["mailable_rows"]


# -- Do Not Email ------------------------------------------------------------------------------------------------


def test_the_second_pass_gives_those_with_the_flag_or_none_and_nothing_else_of_them(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    """R1: their names and addresses are not even asked for."""
    reading = client.read_do_not_email(everybody)
    people = read_all(reading)
    excluded = [member for member in standin.truth(everybody.remote_id) if member["do_not_email"] is not False]
    assert ids(people) == truth_ids(excluded)
    assert {person.do_not_email for person in people} == {True, None}
    assert reading.is_complete
    assert all(person.email is person.first_name is person.last_name is None for person in people)


def test_a_refused_flag_criterion_is_told_apart(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    standin.fails("ExecuteSearch", "refuses_blank_criterion")
    with pytest.raises(CriterionRefused):
        read_all(client.read_do_not_email(everybody))


def test_an_ignored_flag_criterion_is_noticed_and_nobody_is_let_through(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    """R1: the flag is checked again on every row, and nothing of those people is kept."""
    standin.fails("ExecuteSearch", "ignores_do_not_email")
    reading = client.read_people(everybody)
    people = read_all(reading)
    assert reading.filter_ignored
    mailable = [person for person in people if person.do_not_email is False]
    assert ids(mailable) == truth_ids(standin.mailable(everybody.remote_id))
    others = [person for person in people if person.do_not_email is not False]
    assert others
    assert all(person.email is person.first_name is person.modified_at is None for person in others)
    assert not any(person.attributes for person in others)


@pytest.mark.parametrize("fault", ["no_do_not_email_column", "unreadable_do_not_email"])
def test_a_flag_that_is_missing_or_unreadable_is_none(
    standin: StandIn, client: MemberSuiteClient, everybody: Search, fault: str
) -> None:
    """R1: a missing or unreadable flag counts as Yes."""
    standin.fails("ExecuteSearch", fault, only="page")
    reading = client.read_people(everybody)
    blank = [person for person in read_all(reading) if person.do_not_email is None]
    assert blank
    assert not reading.filter_ignored
    assert all(person.email is None for person in blank)


# -- paging under faults -----------------------------------------------------------------------------------------


def test_a_page_cap_loses_nobody(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    standin.fails("ExecuteSearch", "page_cap", rows=7)
    assert ids(read_all(client.read_people(everybody))) == truth_ids(standin.mailable(everybody.remote_id))


@pytest.mark.parametrize("fault", ["ignores_local_id", "ignores_sort"])
def test_an_ignored_criterion_or_sort_starts_over_with_one_offset_reading(
    standin: StandIn, client: MemberSuiteClient, everybody: Search, fault: str
) -> None:
    """Protocol 4.4."""
    standin.fails("ExecuteSearch", fault)
    reading = client.read_people(everybody)
    pages = list(reading)
    starts = [place for place, page in enumerate(pages) if page.starts_over]
    assert len(starts) == 1
    people = [person for page in pages[starts[0] :] for person in page.rows]
    assert ids(people) == truth_ids(standin.mailable(everybody.remote_id))
    assert reading.is_complete
    assert reading.rows_received == len(people)


def test_a_refused_key_criterion_falls_back_to_offset(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    standin.fails("ExecuteSearch", "InvalidQuery", skip=1, times=1)
    assert ids(read_all(client.read_people(everybody))) == truth_ids(standin.mailable(everybody.remote_id))


def test_null_keys_in_a_keyed_page_start_over(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    standin.fails("ExecuteSearch", "null_local_ids", only="page", rows=2)
    assert ids(read_all(client.read_people(everybody))) == truth_ids(standin.mailable(everybody.remote_id))


def test_duplicate_rows_make_the_reading_incomplete(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    """R5: rows are counted before duplicates are dropped."""
    standin.fails("ExecuteSearch", "duplicate_rows", only="page", rows=3)
    reading = client.read_people(everybody)
    read_all(reading)
    assert not reading.is_complete


@pytest.mark.parametrize("fault", ["wrong_total", "zero_total"])
def test_a_total_that_does_not_fit_makes_the_reading_incomplete(
    standin: StandIn, client: MemberSuiteClient, everybody: Search, fault: str
) -> None:
    standin.fails("ExecuteSearch", fault)
    reading = client.read_people(everybody)
    assert ids(read_all(reading)) == truth_ids(standin.mailable(everybody.remote_id))
    assert not reading.is_complete


def test_a_missing_total_fails_the_reading(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    standin.fails("ExecuteSearch", "no_total")
    with pytest.raises(TotalMissing):
        read_all(client.read_people(everybody))


def test_people_who_come_while_it_is_read_stay_within_the_totals(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    standin.fails("ExecuteSearch", "inserts", only="page", every=3, fields={"DoNotEmail": False})
    reading = client.read_people(everybody)
    people = read_all(reading)
    assert reading.is_complete
    assert len(ids(people)) == len(set(ids(people)))


def test_people_who_leave_while_it_is_read_take_nobody_with_them(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    """R5: those who were there before and after are all read."""
    before = truth_ids(standin.mailable(everybody.remote_id))
    standin.fails("ExecuteSearch", "deletes", only="page", every=2)
    people = read_all(client.read_people(everybody))
    standin.clear_faults()
    stayed = set(before) & set(truth_ids(standin.mailable(everybody.remote_id)))
    assert len(stayed) < len(before)
    assert stayed <= set(ids(people))


def test_a_row_without_id_is_rejected_and_the_rest_is_read(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    standin.fails("ExecuteSearch", "rows_without_id", only="page", times=1, rows=2)
    reading = client.read_people(everybody)
    pages = list(reading)
    rejected = [row for page in pages for row in page.rejected]
    assert [row.reason for row in rejected] == ["no_id", "no_id"]
    assert all(row.local_id for row in rejected)
    assert reading.is_complete


@pytest.mark.parametrize("fault", ["table_nil", "document_element", "bom", "upper_ids", "new_session"])
def test_odd_but_legal_replies_are_read(
    standin: StandIn, client: MemberSuiteClient, everybody: Search, fault: str
) -> None:
    standin.fails("ExecuteSearch", fault)
    assert ids(read_all(client.read_people(everybody))) == truth_ids(standin.mailable(everybody.remote_id))


def test_readers_that_hang_do_not_hold_up_the_reading_that_starts_over(standin: StandIn, everybody: Search) -> None:
    with concierge(standin, page_size=25, in_flight=4) as client:
        # Total, first and last key, then one page that hangs while another shows that the key is ignored.
        hangs = standin.holds("ExecuteSearch", only="page", skip=0)
        hangs.fault.times = 1
        standin.fails("ExecuteSearch", "ignores_local_id", only="page")
        people = read_all(client.read_people(everybody))
        hangs.release()
    assert ids(people) == truth_ids(standin.mailable(everybody.remote_id))


# -- limited searches --------------------------------------------------------------------------------------------


def test_a_search_with_top_n_is_run_as_it_is_stored(standin: StandIn, client: MemberSuiteClient) -> None:
    """Protocol 4.9: the flag is filtered here, because a criterion inside the limit selects other people."""
    search = client.get_search(standin.search_id("Fifty newest records"))
    assert search.is_limited
    reading = client.read_people(search)
    people = read_all(reading)
    assert reading.is_limited
    assert reading.is_complete
    assert len(people) == 50
    assert {person.do_not_email for person in people} >= {True, False}
    assert not reading.filter_ignored
    assert all(person.email is None for person in people if person.do_not_email is not False)


def test_people_are_not_looked_up_within_a_limited_search(standin: StandIn, client: MemberSuiteClient) -> None:
    search = client.get_search(standin.search_id("Fifty newest records"))
    with pytest.raises(LookUpUnsupported):
        client.look_up(search, ["x"])
    with pytest.raises(LookUpUnsupported):
        client.read_do_not_email(search)


def test_an_aggregate_search_has_no_people(standin: StandIn, client: MemberSuiteClient) -> None:
    search = client.get_search(standin.search_id("People by town"))
    pages = list(client.read_people(search))
    assert not any(page.rows for page in pages)
    assert all(row.reason == "no_id" for page in pages for row in page.rejected)


# -- looking up --------------------------------------------------------------------------------------------------


def test_candidates_are_asked_for_within_the_search_whatever_their_flag(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    """R5: who still matches stays, and the answer tells the reason."""
    members = standin.truth(everybody.remote_id)
    asked = [str(member["id"]) for member in members[:210]]
    (gone, *_), flagged = standin.delete(ids=[asked[0]]), standin.flip_do_not_email(ids=[asked[1]], to=True)
    pages = list(client.look_up(everybody, [*asked, asked[2].upper()]))
    people = {person.remote_id.lower(): person for page in pages for person in page.rows}
    assert set(people) == {one.lower() for one in asked} - {gone.lower()}
    assert people[flagged[0].lower()].do_not_email is True
    assert people[flagged[0].lower()].email is None


def test_a_look_up_within_a_search_finds_every_row_of_a_person(standin: StandIn, client: MemberSuiteClient) -> None:
    search = client.get_search(standin.search_id(SEVERAL_ROWS))
    members = standin.truth(search.remote_id)
    found = [p.remote_id for page in client.look_up(search, [str(m["id"]) for m in members]) for p in page.rows]
    assert sorted(one.lower() for one in found) == truth_ids(members)


def test_a_record_is_found_outside_its_search(standin: StandIn, client: MemberSuiteClient) -> None:
    search = client.get_search(standin.search_id("London chapter"))
    outside = next(
        str(member["id"])
        for member in standin.truth(standin.search_id(EVERYBODY))
        if str(member["id"]) not in truth_ids(standin.truth(search.remote_id))
    )
    assert not [person for page in client.look_up(search, [outside]) for person in page.rows]
    assert [person.remote_id for page in client.look_up_records([outside]) for person in page.rows] == [outside]


def test_nobody_is_asked_for_when_there_are_no_ids(standin: StandIn, client: MemberSuiteClient) -> None:
    before = standin.calls("ExecuteSearch")
    assert list(client.look_up_records([])) == []
    assert standin.calls("ExecuteSearch") == before


def test_an_answer_that_is_short_of_its_total_proves_no_absence(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    """R5: nobody is removed on doubt."""
    standin.fails("ExecuteSearch", "wrong_total", by=1, only="look_up")
    asked = [str(member["id"]) for member in standin.truth(everybody.remote_id)[:3]]
    with pytest.raises(UnreadableReply):
        list(client.look_up(everybody, asked))


def test_an_answer_that_contradicts_its_total_proves_no_absence(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    """R5: a cap on pages and a total that is too small would hide people."""
    standin.fails("ExecuteSearch", "zero_total", only="look_up")
    asked = [str(member["id"]) for member in standin.truth(everybody.remote_id)[:3]]
    with pytest.raises(UnreadableReply):
        list(client.look_up(everybody, asked))


def test_records_that_were_not_asked_for_prove_no_absence() -> None:
    """R5: a server that ignores the ids answers another question."""
    with FakeHttp(answerer=ignores_ids) as fake, concierge(fake) as client, pytest.raises(CriterionRefused):  # type: ignore[arg-type]
        list(client.look_up_records(["6faf90e4-0006-c1a7-91c2-0b3c0d5e7f01"]))


def ignores_ids(seen: Seen) -> Say:
    operation = "WhoAmI" if b"<WhoAmI" in seen.body else "ExecuteSearch"
    table = (
        '<a:Table><d:diffgram xmlns:d="urn:schemas-microsoft-com:xml-diffgram-v1"><NewDataSet xmlns=""><Table>'
        "<ID>6faf90e4-0006-c1a7-91c2-0b3c0d5e7f02</ID></Table></NewDataSet></d:diffgram></a:Table>"
        "<a:TotalRowCount>1</a:TotalRowCount>"
    )
    return Say(
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><{operation}Response '
        f'xmlns="http://membersuite.com/contracts"><{operation}Result '
        'xmlns:a="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Results"><a:Success>true</a:Success>'
        f"<a:ResultValue>{table}</a:ResultValue></{operation}Result></{operation}Response></s:Body>"
        "</s:Envelope>".encode()
    )


# -- writing -----------------------------------------------------------------------------------------------------


def test_a_written_flag_is_read_back(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    wanted = [str(member["id"]) for member in standin.mailable(everybody.remote_id)[:60]]
    result = client.set_do_not_email(wanted, True)
    assert sorted(result.confirmed) == sorted(wanted)
    assert result.refused == ()
    assert standin.calls("MassUpdate") == 2
    assert all(standin.person(one)["DoNotEmail"] is True for one in wanted)


def test_a_write_that_changes_nothing_is_refused(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    standin.fails("MassUpdate", "changes_nothing")
    wanted = [str(member["id"]) for member in standin.mailable(everybody.remote_id)[:2]]
    result = client.set_do_not_email(wanted, True)
    assert result.confirmed == ()
    assert {reason for _, reason in result.refused} == {"not_changed"}


def test_a_deleted_record_does_not_spoil_the_write_of_the_others(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    wanted = [str(member["id"]) for member in standin.mailable(everybody.remote_id)[:5]]
    standin.delete(ids=[wanted[0]])
    result = client.set_do_not_email(wanted, True)
    assert sorted(result.confirmed) == sorted(wanted[1:])
    assert [remote_id for remote_id, _ in result.refused] == [wanted[0]]


def test_a_record_that_refuses_the_value_says_which_field(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    standin.fails("MassUpdate", "ObjectInvalid", field="DoNotEmail")
    wanted = [str(member["id"]) for member in standin.mailable(everybody.remote_id)[:1]]
    ((_, reason),) = client.set_do_not_email(wanted, True).refused
    assert "DoNotEmail" in reason


# -- sessions ----------------------------------------------------------------------------------------------------


def test_one_session_serves_all_calls_of_a_process(standin: StandIn) -> None:
    for _ in range(2):
        with concierge(standin) as client:
            client.list_searches()
    assert standin.calls("WhoAmI") == 1


def test_a_session_that_expires_in_the_middle_is_renewed_once_for_all_readers(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    reading = client.read_people(everybody)
    pages = iter(reading)
    first = next(pages)
    standin.expire_sessions()
    people = [*first.rows, *(person for page in pages for person in page.rows)]
    assert ids(people) == truth_ids(standin.mailable(everybody.remote_id))
    assert standin.calls("WhoAmI") == 2


def test_a_second_expiry_is_a_failure(standin: StandIn, client: MemberSuiteClient) -> None:
    standin.fails("Get", "session_expires", times=2)
    with pytest.raises(SessionExpired):
        client.get_search(standin.search_id(EVERYBODY))


def test_being_logged_in_nowhere_makes_a_new_session_once(standin: StandIn, client: MemberSuiteClient) -> None:
    standin.fails("Get", "NotLoggedInToAnAssociation", times=1)
    assert client.get_search(standin.search_id(EVERYBODY)).name == EVERYBODY


def test_every_signature_was_good(standin: StandIn, client: MemberSuiteClient, everybody: Search) -> None:
    standin.fails("ExecuteSearch", "new_session")
    read_all(client.read_people(everybody))
    assert standin.log()["bad_signatures"] == 0


def test_a_secret_that_is_no_base64_fails_before_anything_is_sent(standin: StandIn) -> None:
    with concierge(standin, secret_access_key="not base64!") as client, pytest.raises(InvalidSecret):
        client.list_searches()
    assert standin.calls("WhoAmI") == 0


# -- faults of every call ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["soap_fault", "http_429", "http_502", "http_503", "http_504", "cut", "no_answer"])
def test_passing_trouble_is_asked_again(
    standin: StandIn, client: MemberSuiteClient, everybody: Search, fault: str
) -> None:
    standin.fails("ExecuteSearch", fault, times=3)
    assert ids(read_all(client.read_people(everybody))) == truth_ids(standin.mailable(everybody.remote_id))


def test_a_general_exception_twice_and_then_success_is_success(
    standin: StandIn, client: MemberSuiteClient, everybody: Search
) -> None:
    standin.fails("ExecuteSearch", "GeneralException", times=2)
    assert ids(read_all(client.read_people(everybody))) == truth_ids(standin.mailable(everybody.remote_id))


def test_a_general_exception_is_asked_again_three_times_at_most(standin: StandIn, client: MemberSuiteClient) -> None:
    standin.fails("Get", "GeneralException")
    with pytest.raises(GeneralException):
        client.get_search(standin.search_id(EVERYBODY))
    assert standin.calls("Get") == 4


def test_trouble_that_stays_fails_after_five_more_tries(standin: StandIn, client: MemberSuiteClient) -> None:
    standin.fails("Get", "http_503")
    with pytest.raises(ServerTrouble):
        client.get_search(standin.search_id(EVERYBODY))
    assert standin.calls("Get") == 6


def test_a_page_is_halved_after_a_fault(standin: StandIn) -> None:
    with concierge(standin, page_size=200, in_flight=1) as client:
        search = client.get_search(standin.search_id(EVERYBODY))
        standin.fails("ExecuteSearch", "soap_fault", only="page", times=2)
        pages = list(client.read_people(search))
    assert len(pages[0].rows) == 50


def test_a_throttle_that_stays_says_when_to_come_back(standin: StandIn) -> None:
    with concierge(standin, throttle_cap=0.01) as client:
        standin.fails("Get", "http_429", retry_after=7)
        with pytest.raises(Throttled) as caught:
            client.get_search(standin.search_id(EVERYBODY))
    assert caught.value.retry_after == 7


def test_after_a_throttle_one_call_at_a_time_is_made(standin: StandIn) -> None:
    with concierge(standin, page_size=25, in_flight=4) as client:
        search = client.get_search(standin.search_id(EVERYBODY))
        standin.fails("WhoAmI", "http_429", times=1)
        standin.expire_sessions()
        standin.fails("ExecuteSearch", "slow", seconds=0.005)
        read_all(client.read_people(search))
    assert int(str(standin.log()["most_at_once"])) <= 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("InvalidAccessKey", InvalidAccessKey),
        ("AccessDenied", AccessDenied),
        ("InvalidQuery", SearchInvalid),
        ("CannotRunSearch", SearchInvalid),
        ("IllegalParameter", RemoteRefused),
        ("failure_without_errors", RemoteRefused),
        ("success_without_result", UnreadableReply),
        ("malformed", UnreadableReply),
        ("truncated", UnreadableReply),
        ("empty_body", UnreadableReply),
        ("html_200", UnreadableReply),
        ("redirect", RedirectRefused),
    ],
)
def test_what_asking_again_does_not_help_fails_at_once(
    standin: StandIn, client: MemberSuiteClient, everybody: Search, fault: str, error: type[MemberSuiteError]
) -> None:
    before = standin.calls("ExecuteSearch")
    standin.fails("ExecuteSearch", fault)
    with pytest.raises(error) as caught:
        read_all(client.read_people(everybody))
    assert standin.calls("ExecuteSearch") == before + 1
    assert not isinstance(caught.value, TransientError)


def test_the_first_words_of_an_html_answer_are_kept(standin: StandIn, client: MemberSuiteClient) -> None:
    standin.fails("Get", "html_200")
    with pytest.raises(UnreadableReply) as caught:
        client.get_search(standin.search_id(EVERYBODY))
    assert "<" in (caught.value.remote_said or "")
    assert len(caught.value.remote_said or "") <= 300


def test_a_search_that_vanishes_while_it_is_read_fails_or_is_read_whole(
    standin: StandIn, client: MemberSuiteClient
) -> None:
    remote_id = standin.search_id(EVERYBODY)
    standin.fails("Get", "vanishes", search=remote_id)
    with pytest.raises(SearchGone):
        client.get_search(remote_id)


# -- stopping ----------------------------------------------------------------------------------------------------


def test_stopping_interrupts_a_reading_at_once(standin: StandIn) -> None:
    stop = threading.Event()
    with concierge(standin, stop=stop, page_size=25) as client:
        search = client.get_search(standin.search_id(EVERYBODY))
        with standin.holds("ExecuteSearch", only="page") as held:
            threading.Timer(0.1, stop.set).start()
            # Nothing but the stop ends this: the answer is held until afterwards.
            with pytest.raises(ReadingStopped):
                read_all(client.read_people(search))
            held.release()


def test_stopping_interrupts_a_host_that_hangs() -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    with FakeHttp(Say(before=60)) as fake:
        began = time.monotonic()
        with concierge(fake, stop=stop) as client, pytest.raises(ReadingStopped):  # type: ignore[arg-type]
            client.list_searches()
        assert time.monotonic() - began < HANGS


def test_stopping_interrupts_a_wait_between_tries(standin: StandIn) -> None:
    stop = threading.Event()
    with concierge(standin, stop=stop, retry_wait=60.0) as client:
        standin.fails("Get", "http_503")
        threading.Timer(0.1, stop.set).start()
        began = time.monotonic()
        with pytest.raises(ReadingStopped):
            client.get_search(standin.search_id(EVERYBODY))
        assert time.monotonic() - began < HANGS


def test_a_reading_that_nobody_finishes_ends_its_readers(standin: StandIn, client: MemberSuiteClient) -> None:
    search = client.get_search(standin.search_id(EVERYBODY))
    pages = iter(client.read_people(search))
    next(pages)
    pages.close()  # type: ignore[attr-defined]
    until = time.monotonic() + 2
    while _readers() and time.monotonic() < until:
        time.sleep(0.01)
    assert not _readers()


def test_memory_stays_flat_while_nobody_takes_pages(standin: StandIn, client: MemberSuiteClient) -> None:
    """At most the queue and one page a reader are asked for ahead of whoever reads."""
    search = client.get_search(standin.search_id(EVERYBODY))
    pages = iter(client.read_people(search))
    next(pages)
    asked, before = standin.calls("ExecuteSearch"), -1
    while asked != before:  # until the readers wait for somebody to take a page
        time.sleep(0.5)
        asked, before = standin.calls("ExecuteSearch"), asked
    assert asked < 16
    pages.close()  # type: ignore[attr-defined]


def _readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("membersuite-reader")]


# -- what is logged ----------------------------------------------------------------------------------------------


def test_neither_secrets_nor_people_are_logged(
    standin: StandIn, client: MemberSuiteClient, everybody: Search, caplog: pytest.LogCaptureFixture
) -> None:
    """R17, and no personal data."""
    with caplog.at_level(logging.DEBUG):
        standin.fails("ExecuteSearch", "http_503", times=2)
        people = read_all(client.read_people(everybody))
    assert "server_trouble" in caplog.text
    assert standin.secret_access_key not in caplog.text
    assert standin.access_key_id not in caplog.text
    assert not any(person.email and person.email in caplog.text for person in people)
