import gzip
import re

from memberSuite.standin import StandIn
from tests.memberSuite.standin.concierge import CONTRACTS, NS, Caller, criterion, group, people, send


def test_who_am_i_gives_a_session_in_header_and_result(reader: Caller) -> None:
    reply = reader.call("WhoAmI")
    assert reply.session
    assert reply.session == reply.text("a:SessionID")
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"


def test_the_action_may_stand_without_quotes_and_the_body_be_empty(still: StandIn) -> None:
    caller = Caller(still)
    assert caller.post("WhoAmI", caller.header("WhoAmI"), "", quoted=False).session


def test_foreign_headers_are_ignored_and_the_browser_id_comes_back(reader: Caller) -> None:
    header = reader.header("WhoAmI").replace("<AccessKeyId>", "<BrowserId>b-1</BrowserId><AccessKeyId>")
    reply = reader.post("WhoAmI", "<Action>x</Action><To>y</To>" + header, "")
    assert reply.text("h:BrowserId") == "b-1"


def test_calls_without_a_session_are_answered(still: StandIn) -> None:
    assert Caller(still).msql("SELECT ID FROM SavedSearch WHERE IsPublic = 1").rows


def test_an_unknown_session_has_expired(still: StandIn) -> None:
    assert Caller(still, session="no-such-session").call("Get", "<id>x</id>").code == "SessionExpired"


def test_every_reply_has_all_six_members_and_only_the_known_prefixes(reader: Caller) -> None:
    for reply in (reader.call("WhoAmI"), reader.msql("SELECT * FROM SavedSearch"), reader.call("Get", "<id>x</id>")):
        names = ("Cacheable", "Errors", "NotModified", "Success", "WorkflowExecutionID", "WorkflowRunID")
        assert all(reply.root.find(f".//a:{name}", NS) is not None for name in names)
        used = set(re.findall(r"</?([a-z]+):", reply.body.decode()))
        assert used <= {"s", "a", "b", "c", "diffgr", "xs"}


def test_the_list_of_searches_holds_private_ones_only_when_asked(reader: Caller) -> None:
    public = reader.msql("SELECT ID, Name, IsPublic FROM SavedSearch WHERE IsPublic = 1 ORDER BY Name")
    every = reader.msql("SELECT ID, Name, IsPublic FROM SavedSearch ORDER BY Name")
    assert {row["IsPublic"] for row in public.rows} == {"true"}
    assert public.total == every.total - 1


def test_no_rows_make_all_three_members_of_an_msql_result_nil(reader: Caller) -> None:
    reply = reader.msql("SELECT ID FROM SavedSearch WHERE Name = 'no such name'")
    value = reply.root.find(".//a:ResultValue", NS)
    assert [member.get("{http://www.w3.org/2001/XMLSchema-instance}nil") for member in value] == ["true"] * 3


def test_get_answers_a_search_with_its_definition_in_the_schemas_order(reader: Caller) -> None:
    reply = reader.call("Get", f"<id>{reader.standin.search_id('Current members').upper()}</id>")
    assert reply.record()["Name"] == "Current members"
    inside = re.findall(
        r"<q:(Criteria|GroupType|OutputColumns|SortColumns|TopN|Type|UniqueResult)\b", reply.body.decode()
    )
    assert inside[-6:] == ["GroupType", "OutputColumns", "SortColumns", "TopN", "Type", "UniqueResult"]


def test_get_of_an_unknown_record_is_not_found(reader: Caller) -> None:
    assert reader.call("Get", "<id>6faf90e4-00a1-0000-0000-000000000000</id>").code == "RecordNotFound"


def test_a_definition_can_be_sent_back_as_it_came(reader: Caller) -> None:
    for name in ("Current members", "Lapsed 2025", "Members abroad or of unknown country", "Chapter officers"):
        got = reader.call("Get", f"<id>{reader.standin.search_id(name)}</id>").body.decode()
        inner = re.search(r'<b:Value i:type="q:Search"[^>]*>(.*?)</b:Value>', got, re.DOTALL)
        assert inner is not None
        assert reader.search(inner[1], most=1).total == len(reader.standin.truth(reader.standin.search_id(name)))


def test_elements_out_of_order_are_skipped_as_a_real_server_does(reader: Caller) -> None:
    right = people(criterion("Equals", "DoNotEmail", "false"))
    wrong = right.replace("<q:Type>Individual</q:Type>", "")
    reply = reader.search(f"<q:Type>Individual</q:Type>{wrong}")
    assert reply.total > reader.search(right).total
    assert "Criteria" in str(reader.standin.log()["last"])


def test_a_null_cell_is_left_out_of_its_row(reader: Caller) -> None:
    rows = reader.page(criterion("IsBlank", "EmailAddress")).rows
    assert any("EmailAddress" not in row for row in rows)


def test_odd_column_names_are_encoded(reader: Caller) -> None:
    reply = reader.search(people(criterion("IsNotBlank", "2nd Language__c"), columns=("ID", "2nd Language__c")))
    assert "_x0032_nd_x0020_Language__c" in reply.rows[0]


def test_without_a_maximum_the_server_serves_up_to_its_cap(reader: Caller) -> None:
    assert len(reader.msql("SELECT ID FROM Individual", most=None).rows) == 300


def test_replies_are_zipped_when_asked(reader: Caller) -> None:
    reader.headers["Accept-Encoding"] = "gzip"
    reply = reader.page()
    assert reply.headers["content-encoding"] == "gzip"
    assert b"TotalRowCount" in gzip.decompress(reply.body)


def test_a_body_that_is_not_soap_is_a_fault(still: StandIn) -> None:
    reply = send(still, "POST", "/", b"hello", {"SOAPAction": "x"})
    assert (reply.status, reply.text("faultcode")) == (500, "f:InternalServiceFault")


def test_a_byte_order_mark_and_other_prefixes_are_accepted(still: StandIn) -> None:
    header = (
        Caller(still).header("WhoAmI").replace("ConciergeRequestHeader xmlns=", "k:ConciergeRequestHeader xmlns:k=")
    )
    header = re.sub(r"<(/?)(\w+Id|Signature)>", r"<\1k:\2>", header).replace("</Conc", "</k:Conc")
    body = f'<E:Envelope xmlns:E="{NS["s"]}"><E:Header>{header}</E:Header><E:Body/></E:Envelope>'
    action = {"SOAPAction": f"{CONTRACTS}/IConciergeAPIService/WhoAmI"}
    assert send(still, "POST", "/", b"\xef\xbb\xbf" + body.encode(), action).session


def test_mass_update_changes_one_field_and_the_row_version(caller: Caller) -> None:
    wanted = str(caller.standin.mailable(caller.standin.search_id("All individuals"))[0]["id"])
    before = caller.call("Get", f"<id>{wanted}</id>").record()
    reply = mass_update(caller, wanted)
    after = caller.call("Get", f"<id>{wanted}</id>").record()
    assert reply.text("a:Success") == "true"
    assert reply.root.find(".//a:ResultValue", NS) is None
    assert {name for name in after if after[name] != before[name]} == {
        "DoNotEmail", "LastModifiedDate", "SystemTimestamp",
    }  # fmt: skip


def test_mass_update_of_an_unknown_record_changes_nobody(caller: Caller) -> None:
    wanted = str(caller.standin.mailable(caller.standin.search_id("All individuals"))[0]["id"])
    assert mass_update(caller, wanted, "6faf90e4-0006-c000-0000-0b3c00000000").code == "RecordNotFound"
    assert caller.standin.person(wanted)["DoNotEmail"] is False


def mass_update(caller: Caller, *ids: str):
    types = f'xmlns:b="{NS["t"]}"'
    listed = "".join(f"<arr:string>{one}</arr:string>" for one in ids)
    value = '<b:Value i:type="x:boolean">true</b:Value>'
    return caller.call(
        "MassUpdate",
        f"<recordType>Individual</recordType><recordIdentifiers>{listed}</recordIdentifiers>"
        f"<msoNewValues {types}><b:ClassType>Individual</b:ClassType><b:Fields><b:KeyValueOfstringanyType>"
        f"<b:Key>DoNotEmail</b:Key>{value}</b:KeyValueOfstringanyType></b:Fields></msoNewValues>",
    )


def save(caller: Caller, fields: dict[str, str | None]):
    pairs = "".join(
        f"<b:KeyValueOfstringanyType><b:Key>{key}</b:Key><b:Value>{value}</b:Value></b:KeyValueOfstringanyType>"
        for key, value in fields.items()
        if value is not None
    )
    inner = f"<b:ClassType>Individual</b:ClassType><b:Fields>{pairs}</b:Fields>"
    return caller.call("Save", f'<objectToSave xmlns:b="{NS["t"]}">{inner}</objectToSave>')


def test_save_replaces_the_whole_record_so_what_is_left_out_is_blanked(caller: Caller) -> None:
    wanted = str(caller.standin.mailable(caller.standin.search_id("All individuals"))[0]["id"])
    assert save(caller, {"ID": wanted, "LastName": "Alone", "DoNotEmail": "true"}).record()["LastName"] == "Alone"
    person = caller.standin.person(wanted)
    assert (person["EmailAddress"], person["DoNotEmail"]) == (None, True)


def test_save_refuses_transient_and_unknown_fields_by_name(caller: Caller) -> None:
    wanted = str(caller.standin.truth(caller.standin.search_id("All individuals"))[0]["id"])
    reply = save(caller, {"ID": wanted, "MembershipAge__transient": "3"})
    assert (reply.code, reply.text("e:OffendingField")) == ("ObjectInvalid", "MembershipAge__transient")


def test_groups_inside_groups_are_answered(reader: Caller) -> None:
    either = group("Or", criterion("Equals", "City", "London"), criterion("Equals", "City", "Leeds"))
    both = reader.page(either, criterion("Equals", "DoNotEmail", "false", kind="boolean"))
    alone = [
        reader.page(criterion("Equals", "City", c), criterion("Equals", "DoNotEmail", "0")).total
        for c in ("London", "leeds")
    ]
    assert both.total == sum(alone) > 0
