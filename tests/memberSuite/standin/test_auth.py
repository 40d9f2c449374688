import pytest

from memberSuite.standin import auth, data
from memberSuite.standin.names import ACTION_PREFIX
from tests.memberSuite.standin.concierge import Caller

SESSION = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("operation", "session", "expected"),
    [
        ("WhoAmI", None, "y0VQ3xrCvy4QCY2Qg/sF19UxhNc="),
        ("ExecuteMSQL", SESSION, "eEPQdfF6k3Lh5szcn/obfrgs/Ak="),
        ("ExecuteSearch", SESSION, "E/3ct8rT3aHnJFB5Bwx6ZwLLAmc="),
        ("Save", SESSION, "eLKYzLUe1KMaP8qWQdftax5D3GY="),
    ],
)
def test_signatures_are_those_of_the_protocol(operation: str, session: str | None, expected: str) -> None:
    assert auth.signature(ACTION_PREFIX + operation, data.ASSOCIATION_ID, session) == expected


@pytest.mark.parametrize(
    "instead",
    [
        {"Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"AccessKeyId": "AKOTHER"},
        {"AssociationId": "99999999-2222-3333-4444-555555555555"},
    ],
)
def test_a_wrong_signature_key_or_association_is_an_invalid_access_key(reader: Caller, instead: dict[str, str]) -> None:
    reply = reader.call("WhoAmI", **instead)
    assert (reply.status, reply.code, reply.session) == (200, "InvalidAccessKey", "")


def test_a_signature_made_for_another_session_is_refused(reader: Caller) -> None:
    made = reader.header("Get")
    reply = reader.post("Get", made.replace(reader.session or "", SESSION), "")
    assert reply.code == "InvalidAccessKey"


def test_the_log_tells_valid_from_invalid_signatures_and_holds_no_secret(caller: Caller) -> None:
    caller.call("WhoAmI", Signature="bm90IGl0")
    log = caller.standin.log()
    assert log["bad_signatures"] == 1
    assert not {data.SECRET_ACCESS_KEY, "bm90IGl0", caller.session, data.ACCESS_KEY_ID} & set(str(log).split("'"))
