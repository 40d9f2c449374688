"""A token opens what its scopes and its user's roles both let it, now; everything else is refused in one form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, User
from accounts.permissions import ROLES
from accounts.scopes import SCOPES, scopes_for
from api import limits
from api.urls import urlpatterns
from tests.api.conftest import API, Program, Programs, Rows, is_problem
from tests.support.pseudo import BEGIN, END, marking

# What others counted for this address is forgotten before each test.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]


def test_without_a_token_nothing_opens(rows: Rows) -> None:
    answer = Client().get(f"{API}/groups")
    assert is_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer ")


def test_a_session_does_not_count(rows: Rows) -> None:
    client = Client()
    user = User.objects.create_user("dana")
    user.groups.set([Group.objects.get(name="Administrator")])
    client.force_login(user)
    assert is_problem(client.get(f"{API}/groups"), 401)


@pytest.mark.parametrize(
    "sent", ["Bearer nothing", "Bearer", "Basic ZGFuYTpkYW5h", "Bearer thrive_abcdefgh_" + "x" * 40]
)
def test_what_is_no_token_opens_nothing(sent: str) -> None:
    assert is_problem(Client().get(f"{API}/groups", headers={"Authorization": sent}), 401)


def test_a_token_with_another_end_opens_nothing(program: Programs) -> None:
    one = program()
    one.text = one.text[:-1] + ("a" if one.text[-1] != "a" else "b")
    assert is_problem(one.get("groups"), 401)


def test_an_expired_token_opens_nothing(program: Programs) -> None:
    one = program()
    assert one.get("groups").status_code == 200
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert is_problem(one.get("groups"), 401)


def test_a_revoked_token_opens_nothing(program: Programs) -> None:
    one = program()
    tokens.revoke(one.token.user, one.token)
    assert is_problem(one.get("groups"), 401)


def test_a_deactivated_user_has_dead_tokens(program: Programs) -> None:
    one = program()
    User.objects.filter(pk=one.token.user_id).update(is_active=False)
    assert is_problem(one.get("groups"), 401)


def test_a_token_may_no_more_than_its_user_may_now(program: Programs) -> None:
    one = program()
    assert one.get("mailings").status_code == 200
    one.token.user.groups.set([Group.objects.get(name="Subscribers")])
    assert is_problem(one.get("mailings"), 403, "missing_right")


def calls() -> list[tuple[str, str, Any]]:
    """Return every call of the API: address, method and what it asks for."""
    found = []
    for pattern in urlpatterns:
        values = dict.fromkeys(pattern.pattern.converters, 1)
        address = reverse(f"api:{pattern.name}", kwargs=values)
        needs = pattern.callback.view_class.needs  # type: ignore[attr-defined]
        found += [(address, method, need) for method, need in needs.items()]
    return found


@pytest.mark.parametrize("role", [role.name for role in ROLES])
def test_each_call_asks_for_its_scopes_and_its_rights(role: str, program: Programs) -> None:
    user = program(role).token.user
    rights = {right for one in ROLES if one.name == role for right in one.rights}
    for address, method, need in calls():
        for lacking in (None, *need.scopes):
            one = Program(user, [scope for scope in SCOPES if scope != lacking])
            answer = one.get(address) if method == "GET" else one.post(address, {})
            is_refused = answer.status_code == 403
            assert is_refused == (lacking is not None or not set(need.rights) <= rights), (address, method, lacking)
            if lacking:
                assert is_problem(answer, 403, "missing_scope") and lacking in answer.json()["detail"]
            tokens.revoke(user, one.token)


def test_every_call_but_the_tokens_own_asks_for_a_scope_and_a_right() -> None:
    assert [address for address, _, need in calls() if not (need.scopes and need.rights)] == [f"{API}/token"]


def test_scopes_of_no_use_are_not_offered() -> None:
    rights = {role.name: set(role.rights) for role in ROLES}
    assert set(scopes_for(rights["Administrator"])) == set(SCOPES)
    assert set(scopes_for(rights["Reporter"])) == {"read:groups", "read:people", "read:mailings"}
    assert "send" in scopes_for(rights["Publisher"]) and "sync" not in scopes_for(rights["Publisher"])


def test_a_program_reads_what_its_token_is_for(program: Programs) -> None:
    told = program(scopes=["read:groups"]).get("token").json()
    assert told["scopes"] == ["read:groups"] and told["name"] == "nightly report"
    assert "digest" not in told


# --- refusals -------------------------------------------------------------------------------------------------------


def test_every_refusal_is_a_problem(program: Programs, rows: Rows) -> None:
    one = program()
    assert is_problem(one.get("groups/999999"), 404)
    assert is_problem(one.get("groups/99999999999999999999999"), 404)
    assert is_problem(one.get("nothing"), 404)
    assert is_problem(one.get("groups/"), 404)
    assert is_problem(one.post("groups", {}), 405)
    assert is_problem(one.client.put(f"{API}/groups", headers=one._headers({})), 405)
    assert is_problem(one.client.options(f"{API}/groups", headers=one._headers({})), 405)
    assert is_problem(one.get("groups", limit="many"), 400, "invalid")
    assert is_problem(one.get("groups", statu="held"), 400, "invalid")
    assert is_problem(one.client.get(f"{API}/groups", headers=one._headers({"Accept": "text/html"})), 406)


def test_all_that_a_refusal_says_to_people_goes_through_gettext(program: Programs, rows: Rows) -> None:
    one, poor = program(), program(scopes=["read:mailings"])
    with marking():
        answers = [
            Client().get(f"{API}/groups"),
            Client().get(f"{API}/nowhere"),
            poor.get("groups"),
            program("Reporter").post("runs", {"kind": "list"}),
            one.get("groups/999999"),
            one.get("groups?nothing=1"),
            one.post("groups", {}),
            one.post("runs", {"kind": "group", "group": "1"}),
            one.post("runs", {"kind": "group"}),
        ]
    for answer in answers:
        told = answer.json()
        said = [told["title"], told["detail"], *(each["detail"] for each in told.get("errors", []))]
        assert all(each.startswith(BEGIN) and each.endswith(END) for each in said), told
        assert BEGIN not in told["code"]


def test_a_fault_of_ours_is_a_problem_and_tells_nothing(program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("ada@example.org")

    monkeypatch.setattr("api.views.groups._present", fail)
    answer = program().get("groups")
    assert is_problem(answer, 500) and b"ada" not in answer.content


def test_pages_keep_their_own_refusals() -> None:
    assert Client().get("/nothing/")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
def test_a_body_of_another_kind_is_refused(kind: str, program: Programs, rows: Rows) -> None:
    one = program()
    answer = one.client.post(f"{API}/subscribers/search", b"text=ada", kind, headers=one._headers({}))
    assert is_problem(answer, 415)


@pytest.mark.parametrize(
    "text", ["{", "[" * 100_000, "NaN", '{"text": "\\ud800"}', "[]", "1" * 5000, '{"text": "a\\u0000"}']
)
def test_a_broken_body_is_refused(text: str, program: Programs, rows: Rows) -> None:
    one = program()
    answer = one.client.post(f"{API}/subscribers/search", text, "application/json", headers=one._headers({}))
    assert is_problem(answer, 400)


def test_a_huge_body_is_refused(program: Programs, rows: Rows) -> None:
    assert is_problem(program().post("subscribers/search", {"text": "a" * 600_000}), 413, "too_large")


def test_no_other_site_can_read_an_answer(program: Programs) -> None:
    one = program()
    answer = one.client.get(f"{API}/groups", headers=one._headers({"Origin": "https://elsewhere.example.org"}))
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert answer["Cache-Control"] == "no-store"


# --- how much may be asked ------------------------------------------------------------------------------------------


def test_a_token_may_ask_so_often_a_minute(program: Programs, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    one, other = program(), program()
    answers = [one.get("token") for _ in range(6)]  # the minute may end in between, once
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and is_problem(refused[0], 429, "too_many_requests")
    assert 0 < int(refused[0]["Retry-After"]) <= 60 and refused[0]["RateLimit-Remaining"] == "0"
    assert answers[0]["RateLimit-Limit"] == "2"
    assert other.get("token").status_code == 200


def test_without_valkey_nobody_is_refused(program: Programs, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    one = program()
    assert [one.get("token").status_code for _ in range(3)] == [200, 200, 200]


def knock(address: str, text: str = "", **more: str) -> Any:
    headers = {"Authorization": f"Bearer {text}"} if text else {}
    return Client(REMOTE_ADDR=address, **more).get(f"{API}/token", headers=headers)


def test_without_a_token_that_works_an_address_is_answered_so_often_a_minute(rows: Rows) -> None:
    tried = ["", "nothing"] * limits.MOST_WITHOUT_TOKEN
    answers = [knock("192.0.2.1", text) for text in (*tried, "nothing")]  # the minute may end in between, once
    assert is_problem(answers[0], 401) and {answer.status_code for answer in answers} == {401, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert is_problem(refused, 429, "too_many_requests") and 0 < int(refused["Retry-After"]) <= 60
    assert knock("192.0.2.2").status_code == 401


def test_a_token_that_works_is_not_held_up_by_others_behind_its_address(
    program: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_WITHOUT_TOKEN", 0)
    one = program()
    assert [knock("192.0.2.1", text).status_code for text in ("nothing", one.text, "", one.text)] == [
        429,
        200,
        429,
        200,
    ]


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_tells(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.PROXY_COUNT = 1
    monkeypatch.setattr(limits, "MOST_WITHOUT_TOKEN", 1)
    monkeypatch.setattr("api.limits.time.time", lambda: 1_700_000_000)
    asked = ["203.0.113.9", "203.0.113.8", "10.0.0.1, 203.0.113.9"]
    answers = [knock("192.0.2.1", HTTP_X_FORWARDED_FOR=address).status_code for address in asked]
    assert answers == [401, 401, 429]


def test_without_valkey_nobody_is_told_to_wait(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(limits, "MOST_WITHOUT_TOKEN", 0)
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert is_problem(knock("192.0.2.1"), 401)


def test_using_a_token_is_noted_to_the_minute(program: Programs) -> None:
    one = program()
    one.get("token")
    first = ApiToken.objects.get().last_used_at
    one.get("token")
    assert first is not None and ApiToken.objects.get().last_used_at == first
