"""Sign-in: signatures, and sessions and tokens that threads share."""

from __future__ import annotations

import base64
import json
import threading
import time

import pytest
import time_machine

from memberSuite.auth import RestToken, SoapSession, rest_token, signature, signing_key, soap_session, token_end
from memberSuite.concierge.envelope import action
from memberSuite.exceptions import InvalidSecret
from tests.memberSuite.connecting import concierge_settings

SECRET = "ZXhhbXBsZS1zZWNyZXQtZG8tbm90LXVzZS0wMDAwMDE="
ASSOCIATION = "11111111-2222-3333-4444-555555555555"
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
    assert signature(signing_key(SECRET), action(operation), ASSOCIATION, session) == expected


@pytest.mark.parametrize("secret", ["", "   ", "not base64!", "abc", "QUJD=QUJD", "ключ"])
def test_a_secret_that_is_no_base64_is_invalid(secret: str) -> None:
    with pytest.raises(InvalidSecret):
        signing_key(secret)


def test_a_secret_copied_with_a_line_end_is_good() -> None:
    assert signing_key(f" {SECRET}\n") == signing_key(SECRET)


def test_a_session_is_adopted_only_from_a_reply_to_the_present_one() -> None:
    session = SoapSession()
    assert session.ensure(lambda: "one") == "one"
    session.adopt("one", "two")
    session.adopt("one", "late")
    session.adopt("two", None)
    session.adopt("two", "")
    session.adopt(None, "three")
    assert session.session_id == "two"


def test_one_sign_in_serves_all_threads_that_met_the_expiry() -> None:
    session = SoapSession()
    session.ensure(lambda: "old")
    logins: list[int] = []

    def login() -> str:
        logins.append(1)
        time.sleep(0.05)
        return "new"

    threads = [threading.Thread(target=session.renew, args=("old", login)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(logins) == 1
    assert session.session_id == "new"


def test_a_failed_sign_in_leaves_no_session() -> None:
    session = SoapSession()
    session.ensure(lambda: "old")

    def login() -> str:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        session.renew("old", login)
    assert session.session_id is None


def test_sign_ins_are_shared_by_credentials_and_by_nothing_else() -> None:
    one, same = concierge_settings("http://a"), concierge_settings("http://a", page_size=25)
    other = concierge_settings("http://a", access_key_id="other")
    assert soap_session(one.identity()) is soap_session(same.identity())
    assert soap_session(one.identity()) is not soap_session(other.identity())
    assert rest_token(one.identity()) is not rest_token(other.identity())


def jwt(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{payload}.signature"


def test_a_token_lives_as_long_as_it_says_less_a_minute() -> None:
    assert token_end(jwt({"exp": 2000}), now=1000) == 1940


@pytest.mark.parametrize("token", ["opaque", "a.b.c", jwt({}), jwt({"exp": "soon"}), jwt([1]), jwt({"exp": 10})])
def test_a_token_that_does_not_say_its_end_lives_50_minutes(token: str) -> None:
    assert token_end(token, now=1000) == 1000 + 3000


def test_a_token_is_used_until_its_end_and_then_renewed() -> None:
    token = RestToken()
    tokens = iter([jwt({"exp": time.time() + 600}), jwt({"exp": time.time() + 900})])
    first = token.ensure(lambda: next(tokens))
    assert token.ensure(lambda: next(tokens)) == first
    with time_machine.travel(time.time() + 545):
        assert token.ensure(lambda: next(tokens)) != first
