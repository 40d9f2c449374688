import threading
import time
from http.client import HTTPException

import pytest

from memberSuite.standin import StandIn
from memberSuite.standin.faults import KINDS, UnknownFault
from tests.memberSuite.standin.concierge import Caller, Reply, criterion, group, people, send

MAILABLE = criterion("Equals", "DoNotEmail", "false")


def ids(reply: Reply) -> list[str | None]:
    return [row.get("ID") for row in reply.rows]


def after(local_id: str | None) -> str:
    return criterion("IsGreaterThan", "LocalID", local_id or "0")


# -- when a fault strikes -------------------------------------------------------------------------------------------


def test_a_fault_strikes_so_many_times_and_then_no_more(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="http_503", times=2)
    assert [caller.page().status for _ in range(3)] == [503, 503, 200]
    assert caller.call("WhoAmI").status == 200


def test_a_fault_strikes_every_nth_call_from_where_it_starts(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="soap_fault", every=3, skip=1)
    assert [caller.page(most=5).status for _ in range(7)] == [200, 200, 200, 500, 200, 200, 500]


def test_a_fault_on_a_page_does_not_count_totals_and_look_ups(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="http_504", on_page=2)
    someone = criterion("Equals", "ID", "x")
    replies = [caller.page(), caller.page(most=1), caller.page(someone), caller.page(), caller.page()]
    assert [reply.status for reply in replies] == [200, 200, 200, 504, 200]


def test_a_fault_may_strike_one_search_alone(caller: Caller) -> None:
    caller.standin.fails("*", with_="CannotRunSearch", search=caller.standin.search_id("Newsletter readers"))
    readers = group("And", criterion("Equals", "NewsletterReader__c", "true"))
    assert caller.page(readers, MAILABLE).code == "CannotRunSearch"
    assert caller.page(MAILABLE).code is None


@pytest.mark.parametrize(
    ("operation", "kind", "limits"),
    [("Dance", "http_503", {}), ("Get", "http_99", {}), ("Get", "no_such", {}), ("Get", "cut", {"only": "x"})],
)
def test_a_fault_that_does_not_exist_is_refused(
    still: StandIn, operation: str, kind: str, limits: dict[str, str]
) -> None:
    with pytest.raises(UnknownFault):
        still.fails(operation, kind, only=limits.get("only"))


# -- transport ------------------------------------------------------------------------------------------------------


def test_throttling_says_when_to_come_back_if_told_to(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="http_429", times=1, retry_after=3)
    reply = caller.page()
    assert (reply.status, reply.headers["retry-after"]) == (429, "3")
    assert reply.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("kind", ["cut", "no_answer"])
def test_a_connection_is_cut(caller: Caller, kind: str) -> None:
    caller.standin.fails("ExecuteSearch", with_=kind, times=1)
    with pytest.raises((HTTPException, OSError)):
        caller.page()
    assert caller.page().total == 300


def test_a_compressed_answer_is_cut_too(caller: Caller) -> None:
    caller.headers["Accept-Encoding"] = "gzip"
    caller.standin.fails("ExecuteSearch", with_="cut")
    with pytest.raises((HTTPException, OSError)):
        caller.page()


@pytest.mark.parametrize("kind", ["malformed", "truncated", "empty_body", "html_200"])
def test_a_body_is_spoilt(caller: Caller, kind: str) -> None:
    caller.standin.fails("ExecuteSearch", with_=kind, times=1)
    reply = caller.page()
    assert (reply.status, reply.root) == (200, None)


def test_a_redirect_a_byte_order_mark_and_a_huge_body(caller: Caller) -> None:
    caller.standin.fails("Get", with_="redirect", times=1)
    assert caller.call("Get").headers["location"] == "https://elsewhere.example/"
    caller.standin.fails("Get", with_="bom", times=1)
    assert caller.call("Get").body.startswith(b"\xef\xbb\xbf<")
    caller.standin.fails("Get", with_="huge", times=1, megabytes=2)
    assert len(caller.call("Get").body) == 2 << 20


def test_held_requests_wait_for_their_release_while_others_are_answered(caller: Caller) -> None:
    replies: list[Reply] = []
    held = caller.standin.holds("ExecuteSearch", on_page=2)
    assert caller.page().total == 300
    waiting = threading.Thread(target=lambda: replies.append(caller.page()))
    waiting.start()
    assert held.wait_until_held()
    assert caller.page(most=1).total == 300
    assert send(caller.standin, "GET", "/control/").status == 200
    assert not replies
    held.release()
    waiting.join(5)
    assert replies[0].total == 300


def test_a_slow_answer_comes_after_others_asked_later(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="slow", times=1, seconds=0.3)
    order: list[str] = []
    slow = threading.Thread(target=lambda: order.append(f"slow {caller.page().total}"))
    slow.start()
    while caller.standin.calls("ExecuteSearch") == 0:
        time.sleep(0.005)
    assert caller.call("WhoAmI").status == 200
    order.append("quick")
    slow.join(5)
    assert order == ["quick", "slow 300"]


# -- sessions and business errors -----------------------------------------------------------------------------------


def test_a_session_expires_in_the_middle_and_a_new_one_works(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="session_expires", skip=1, times=1)
    assert [caller.page().code, caller.page().code, caller.page().code] == [None, "SessionExpired", "SessionExpired"]
    assert caller.sign_in().page().total == 300


def test_each_reply_may_bring_a_new_session(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="new_session")
    first, second = caller.page().session, caller.page().session
    assert len({caller.session, first, second}) == 3
    assert Caller(caller.standin, session=second).page().code is None


def test_a_business_error_strikes_twice_then_all_is_well(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="GeneralException", times=2)
    assert [caller.page().code for _ in range(3)] == ["GeneralException", "GeneralException", None]


def test_access_to_saved_searches_is_denied_but_not_to_people(caller: Caller) -> None:
    caller.standin.fails("ExecuteMSQL", with_="AccessDenied", only="list")
    assert caller.msql("SELECT ID FROM SavedSearch").code == "AccessDenied"
    assert caller.msql("SELECT ID FROM Individual").code is None


def test_success_without_a_result_and_failure_without_an_error(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="success_without_result", times=1, empty="absent")
    caller.standin.fails("ExecuteSearch", with_="failure_without_errors", skip=1, times=1)
    empty, failed = caller.page(), caller.page()
    assert (empty.text("a:Success"), b"ResultValue" in empty.body) == ("true", False)
    assert (failed.text("a:Success"), failed.code) == ("false", None)


# -- data -----------------------------------------------------------------------------------------------------------


def test_a_page_cap_serves_less_than_asked(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="page_cap", rows=30)
    reply = caller.page()
    assert (len(reply.rows), reply.total) == (30, 300)


def test_the_order_shifts_from_page_to_page(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="shifting_order")
    first, second = caller.page(most=1000), caller.page(most=1000)
    assert ids(first) != ids(second)
    assert sorted(map(str, ids(first))) == sorted(map(str, ids(second)))


def test_the_key_or_the_sort_is_ignored(caller: Caller) -> None:
    whole = caller.page()
    caller.standin.fails("ExecuteSearch", with_="ignores_local_id", times=1)
    assert ids(caller.page(after("1200"))) == ids(whole)
    caller.standin.fails("ExecuteSearch", with_="ignores_sort", times=1)
    unsorted = caller.page()
    assert ids(unsorted) != ids(whole)


def test_rows_come_back_do_not_email_although_no_was_asked(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="ignores_do_not_email", times=1)
    assert {row.get("DoNotEmail") for row in caller.page(MAILABLE, most=1000).rows} == {"true", "false", None}


def test_the_flag_is_left_out_or_unreadable(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="no_do_not_email_column", times=1)
    caller.standin.fails("ExecuteSearch", with_="unreadable_do_not_email", skip=1, times=1, rows=2)
    assert not any("DoNotEmail" in row for row in caller.page(MAILABLE).rows)
    assert [row["DoNotEmail"] for row in caller.page(MAILABLE).rows].count("maybe") == 2


def test_a_blank_flag_cannot_be_asked_for(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="refuses_blank_criterion")
    blank = criterion("IsBlank", "DoNotEmail")
    assert caller.page(group("Or", criterion("DoesNotEqual", "DoNotEmail", "false"), blank)).code == "InvalidQuery"
    assert caller.page(MAILABLE).code is None


def test_rows_are_repeated_or_lack_an_id_or_a_local_id_or_shout(caller: Caller) -> None:
    for number, (kind, more) in enumerate({"duplicate_rows": 3, "rows_without_id": 2, "null_local_ids": 2}.items()):
        caller.standin.fails("ExecuteSearch", with_=kind, skip=number, times=1, rows=more)
    caller.standin.fails("ExecuteSearch", with_="upper_ids", skip=3, times=1)
    twice, without_id, without_key, shouted = (caller.page(after("0"), most=50) for _ in range(4))
    assert len(twice.rows) == 53
    assert ids(without_id).count(None) == 2
    assert sum("LocalID" not in row for row in without_key.rows) == 2
    assert all(str(one) == str(one).upper() for one in ids(shouted))


def test_totals_are_wrong_zero_or_absent(caller: Caller) -> None:
    for number, kind in enumerate(("wrong_total", "zero_total", "no_total")):
        caller.standin.fails("ExecuteSearch", with_=kind, skip=number, times=1)
    assert [caller.page().total for _ in range(4)] == [307, 0, -1, 300]


def test_people_come_go_and_change_between_pages(caller: Caller) -> None:
    for kind in ("inserts", "deletes", "changes", "flips"):
        caller.standin.fails("ExecuteSearch", with_=kind, times=1, people=5 if kind == "inserts" else 2)
    everybody = caller.standin.search_id("All individuals")
    before = {one["id"]: one for one in caller.standin.truth(everybody)}
    assert caller.page().total == 303
    now = {one["id"]: one for one in caller.standin.truth(everybody)}
    assert len(set(now) - set(before)) == 5
    assert any(before[key] != now[key] for key in set(before) & set(now))


def test_a_search_vanishes_or_goes_private_between_list_and_run(caller: Caller) -> None:
    readers, lapsed = caller.standin.search_id("Newsletter readers"), caller.standin.search_id("Lapsed 2025")
    caller.standin.fails("Get", with_="vanishes", times=1, search=readers)
    caller.standin.fails("Get", with_="goes_private", times=1, search=lapsed)
    assert caller.call("Get", f"<id>{readers}</id>").code == "RecordNotFound"
    assert caller.call("Get", f"<id>{lapsed}</id>").record()["IsPublic"] == "false"


def test_an_empty_table_is_nil_and_rows_have_another_parent(caller: Caller) -> None:
    caller.standin.fails("ExecuteSearch", with_="table_nil")
    caller.standin.fails("ExecuteSearch", with_="document_element")
    nobody = caller.page(criterion("Equals", "City", "Atlantis"))
    assert b'<a:Table i:nil="true"/>' in nobody.body
    reply = caller.page(most=3)
    assert b"<DocumentElement" in reply.body
    assert len(reply.rows) == 3


def test_a_write_says_success_and_changes_nothing(caller: Caller) -> None:
    wanted = caller.standin.mailable(caller.standin.search_id("All individuals"))[0]["id"]
    caller.standin.fails("MassUpdate", with_="changes_nothing")
    types = 'xmlns:b="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types"'
    pair = "<b:KeyValueOfstringanyType><b:Key>DoNotEmail</b:Key><b:Value>true</b:Value></b:KeyValueOfstringanyType>"
    reply = caller.call(
        "MassUpdate",
        f"<recordType>Individual</recordType><recordIdentifiers><arr:string>{wanted}</arr:string></recordIdentifiers>"
        f"<msoNewValues {types}><b:ClassType>Individual</b:ClassType><b:Fields>{pair}</b:Fields></msoNewValues>",
    )
    assert reply.text("a:Success") == "true"
    assert caller.standin.person(str(wanted))["DoNotEmail"] is False


def test_every_fault_the_list_names_can_be_set(standin: StandIn) -> None:
    for kind in KINDS:
        standin.fails("Get", {"http_NNN": "http_502", "<error name>": "IllegalOperation"}.get(kind, kind))
    assert len(standin.world.faults.all()) == len(KINDS)
    standin.clear_faults()
    assert Caller(standin).sign_in().search(people()).total == 300
