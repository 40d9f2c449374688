import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from memberSuite.standin import StandIn
from tests.memberSuite.standin.concierge import Reply, send


class Visitor:
    """A caller of the REST doors."""

    def __init__(self, standin: StandIn) -> None:
        self.standin, self.token = standin, ""

    def ask(self, method: str, path: str, body: object = None, scheme: str = "Bearer ") -> Reply:
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = scheme + self.token
        return send(self.standin, method, path, content, headers)

    def get(self, path: str, **query: object) -> Any:
        return json.loads(self.ask("GET", f"{path}?{urlencode(query)}" if query else path).body)

    def msql(self, statement: str) -> Any:
        return json.loads(self.ask("POST", "/platform/v2/dataSuite/executeSearch", {"msql": statement}).body)

    def sign_in(self) -> "Visitor":
        known = {"email": self.standin.api_user, "password": self.standin.api_password}
        reply = self.ask("POST", f"/platform/v2/loginUser/{self.standin.tenant_id}", known)
        self.token = json.loads(reply.body)["data"]["idToken"]
        return self


@pytest.fixture
def visitor(standin: StandIn) -> Visitor:
    return Visitor(standin).sign_in()


def test_a_token_says_when_it_dies(visitor: Visitor) -> None:
    claims = json.loads(base64.urlsafe_b64decode(visitor.token.split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] == 3600


def test_a_wrong_password_and_another_association_are_refused(standin: StandIn) -> None:
    wrong = {"email": standin.api_user, "password": "x"}
    assert Visitor(standin).ask("POST", f"/platform/v2/loginUser/{standin.tenant_id}", wrong).status == 401
    right = {"email": standin.api_user, "password": standin.api_password}
    assert Visitor(standin).ask("POST", "/platform/v2/loginUser/40002", right).status == 401


def test_the_other_doors_give_tokens_that_work(standin: StandIn) -> None:
    tenant = standin.tenant_id
    form = urlencode({"username": standin.api_user, "password": standin.api_password, "clientID": "x"}).encode()
    by_form = json.loads(send(standin, "POST", f"/platform/v2/authdata/{tenant}", form).body)["idToken"]
    user = {"username": standin.api_user, "password": standin.api_password}
    bare = json.loads(Visitor(standin).ask("POST", f"/platform/v2/authtoken/{tenant}", user).body)
    key = {
        "accessKeyId": standin.access_key_id,
        "associationId": standin.association_id,
        "secretAccessKey": standin.secret_access_key,
    }
    by_key = json.loads(Visitor(standin).ask("POST", f"/platform/v2/msc_authdata/{tenant}", key).body)["idToken"]
    for token in (by_form, bare, by_key):
        visitor = Visitor(standin)
        visitor.token = token
        assert visitor.get("/platform/v2/whoami")["tenantId"] == 40001


@pytest.mark.parametrize("scheme", ["Bearer ", "AuthToken ", ""])
def test_a_token_is_taken_in_three_spellings(visitor: Visitor, scheme: str) -> None:
    assert visitor.ask("GET", "/platform/v2/whoami", scheme=scheme).status == 200


def test_without_a_token_the_door_is_shut(standin: StandIn) -> None:
    reply = Visitor(standin).ask("GET", "/platform/v2/whoami")
    assert (reply.status, reply.body.decode().split(".")[0]) == (401, "Authorization denied")


def test_msql_answers_flat_rows_with_small_first_letters(visitor: Visitor) -> None:
    found = visitor.msql(
        "SELECT TOP 3 ID, LocalID, FirstName, DoNotEmail, LastModifiedDate, Membership.Type.Name FROM Individual "
        "WHERE DoNotEmail = 0 AND LocalID > 1041 ORDER BY LocalID"
    )
    assert found["success"] is True
    assert len(found["data"]) == 3
    assert list(found["data"][0]) == [
        "id", "localID", "firstName", "doNotEmail", "lastModifiedDate", "membership.Type.Name",
    ]  # fmt: skip
    assert found["data"][0]["doNotEmail"] is False


def test_people_are_read_by_key_to_the_end(visitor: Visitor) -> None:
    seen: list[str] = []
    last = 0
    where = "DoNotEmail = 0 AND LocalID > {} ORDER BY LocalID"
    while rows := visitor.msql(f"SELECT TOP 40 ID, LocalID FROM Individual WHERE {where.format(last)}")["data"]:
        seen += [row["id"] for row in rows]
        last = rows[-1]["localID"]
    expected = visitor.standin.mailable(visitor.standin.search_id("All individuals"))
    assert seen == [one["id"] for one in expected if one["local_id"]]


def test_lists_are_paged_from_one_and_are_bare_unless_wrapped(visitor: Visitor) -> None:
    msql = "SELECT ID FROM Individual WHERE DoNotEmail = 0"
    path = f"/crm/v1/individuals/40001?msql={quote(msql)}&pageSize=50&page="
    first, second = (json.loads(visitor.ask("GET", path + page).body) for page in "12")
    assert len(first) == 50
    assert first[0]["optOuts"] == []
    assert not {one["id"] for one in first} & {one["id"] for one in second}
    visitor.standin.fails("individuals", with_="enveloped", in_="items")
    wrapped = json.loads(visitor.ask("GET", path + "1").body)
    assert wrapped["items"] == first
    assert wrapped["totalCount"] == len(visitor.standin.mailable(visitor.standin.search_id("All individuals")))


def test_a_whole_record_is_put_back_with_one_field_changed(visitor: Visitor) -> None:
    wanted = visitor.standin.mailable(visitor.standin.search_id("All individuals"))[0]["id"]
    record = visitor.get(f"/crm/v1/individuals/{wanted}")
    reply = visitor.ask("PUT", f"/crm/v1/individuals/{wanted}", {**record, "doNotEmail": True})
    after = visitor.get(f"/crm/v1/individuals/{wanted}")
    assert reply.status == 200
    changed = {name for name in after if after[name] != record[name]}
    assert changed == {"doNotEmail", "lastModifiedDate", "systemTimestamp"}


def test_saved_searches_come_with_their_criteria(visitor: Visitor) -> None:
    found = {one["name"]: one for one in visitor.get("/platform/v2/savedsearches/40001", page=1, pageSize=100)}
    assert found["Current members"]["search"]["criteria"][0]["valuesToOperateOn"] == [True]
    assert found["Students and graduates"]["search"]["groupType"] == "Or"
    assert found["Fifty newest records"]["search"]["topN"] == 50
    assert found["Staff only: fees to chase"]["isPublic"] is False


@pytest.mark.parametrize(
    ("statement", "code"), [("SELECT Wings FROM Individual", 12), ("SELECT", 26), ("SELECT ID FROM Dragon", 12)]
)
def test_errors_are_numbers(visitor: Visitor, statement: str, code: int) -> None:
    assert visitor.msql(statement)["code"] == code


def test_an_unknown_person_is_not_found(visitor: Visitor) -> None:
    reply = visitor.ask("GET", "/crm/v1/individuals/6faf90e4-0006-c000-0000-0b3c00000000")
    assert (reply.status, json.loads(reply.body)["code"]) == (404, 6)


def test_success_false_comes_with_status_200(visitor: Visitor) -> None:
    visitor.standin.fails("executeSearch", with_="success_false", times=1)
    assert visitor.msql("SELECT ID FROM Individual")["success"] is False
    assert visitor.msql("SELECT ID FROM Individual")["success"] is True


def test_a_token_dies_after_so_many_calls(visitor: Visitor) -> None:
    visitor.standin.fails("whoami", with_="token_dies", skip=2, times=1)
    assert [visitor.ask("GET", "/platform/v2/whoami").status for _ in range(4)] == [200, 200, 401, 401]
    assert visitor.sign_in().ask("GET", "/platform/v2/whoami").status == 200
