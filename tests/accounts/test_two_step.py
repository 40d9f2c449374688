"""Two-step sign-in: set up, used, lost, and required."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import two_step
from accounts.models import Session, TwoStep, User
from audit.models import AuditEntry
from tests.targetgroups.views.conftest import SignIn, sign_in, text_of

__all__ = ["sign_in"]
pytestmark = pytest.mark.django_db
PASSWORD = "lamps in the window"
START = "2026-11-02 09:00:00+00:00"


@pytest.fixture
def ann() -> User:
    user = User.objects.create_user("ann", password=PASSWORD)
    user.groups.add(Group.objects.get(name="Reporter"))
    return user


@pytest.fixture
def codes(ann: User) -> list[str]:
    """Two-step sign-in is on; its recovery codes."""
    app = pyotp.TOTP(two_step.begin(ann).secret)
    codes = two_step.confirm(ann, app.at(timezone.now() - timedelta(seconds=30)))
    assert codes
    return codes


def code_of(user: User) -> str:
    return pyotp.TOTP(TwoStep.objects.get(user=user).secret).at(timezone.now())


def after_password() -> Client:
    client = Client()
    answer = client.post("/sign-in/?next=/target-groups/", {"username": "ann", "password": PASSWORD})
    assert answer["Location"] == "/sign-in/code/"
    return client


def test_it_is_set_up_with_the_password_and_a_first_code(ann: User) -> None:
    client, elsewhere = Client(), Client()
    client.force_login(ann)
    elsewhere.force_login(ann)
    wrong = client.post("/preferences/two-step/begin/", {"password": "wrong"})
    assert (wrong.status_code, TwoStep.objects.exists()) == (422, False)
    client.post("/preferences/two-step/begin/", {"password": PASSWORD})
    page = client.get("/preferences/two-step/").content.decode()
    secret = TwoStep.objects.get(user=ann).secret
    assert two_step.in_fours(secret) in page
    assert 'class="qr"' in page
    assert " style=" not in page

    refused = client.post("/preferences/two-step/confirm/", {"code": "000000"})
    assert (refused.status_code, "not right" in refused.content.decode()) == (422, True)
    assert not User.objects.get(pk=ann.pk).has_two_step
    done = client.post("/preferences/two-step/confirm/", {"code": code_of(ann)})
    codes = re.findall(r"<li><code>([a-z0-9]{5}-[a-z0-9]{5})</code>", done.content.decode())
    assert len(set(codes)) == 10
    assert User.objects.get(pk=ann.pk).has_two_step
    assert client.get("/preferences/").status_code == 200
    assert elsewhere.get("/preferences/").status_code == 302, "it began without a code"
    assert secret not in client.get("/preferences/two-step/").content.decode()
    assert AuditEntry.objects.filter(action="user.two_step_on").exists()


def test_r17_neither_secret_nor_recovery_codes_can_be_read_from_the_database(ann: User, codes: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, recovery_codes::text FROM accounts_twostep")
        stored = " ".join(cursor.fetchone())
    assert TwoStep.objects.get().secret not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


def test_a_password_alone_signs_nobody_in_and_the_code_leads_where_they_wanted(ann: User, codes: list[str]) -> None:
    client = after_password()
    assert client.get("/preferences/").status_code == 302
    assert Session.objects.filter(user=ann).count() == 0
    answer = client.post("/sign-in/code/", {"code": code_of(ann)})
    assert answer["Location"] == "/target-groups/"
    assert client.get("/target-groups/").status_code == 200


def test_a_code_is_taken_once(ann: User, codes: list[str]) -> None:
    code = code_of(ann)
    assert after_password().post("/sign-in/code/", {"code": code}).status_code == 302
    assert after_password().post("/sign-in/code/", {"code": code}).status_code == 422


def test_a_clock_that_is_half_a_minute_wrong_is_forgiven_and_one_that_is_far_off_is_not(ann: User) -> None:
    with time_machine.travel(START, tick=False) as clock:
        app = pyotp.TOTP(two_step.begin(ann).secret)
        two_step.confirm(ann, app.at(timezone.now()))
        clock.shift(timedelta(hours=1))
        now = timezone.now()
        assert not two_step.accepts(ann, app.at(now - timedelta(minutes=2)))
        assert two_step.accepts(ann, app.at(now - timedelta(seconds=30)))
        assert two_step.accepts(ann, app.at(now + timedelta(seconds=30)))
        assert not two_step.accepts(ann, app.at(now)), "older than the last one taken"


def test_a_recovery_code_is_taken_once_however_it_is_typed(ann: User, codes: list[str]) -> None:
    assert after_password().post("/sign-in/code/", {"code": codes[0].upper().replace("-", " ")}).status_code == 302
    assert after_password().post("/sign-in/code/", {"code": codes[0]}).status_code == 422
    assert after_password().post("/sign-in/code/", {"code": codes[1]}).status_code == 302


def test_who_has_few_recovery_codes_left_is_told(ann: User, codes: list[str]) -> None:
    for code in codes[:7]:
        assert two_step.accepts(ann, code)
    client = after_password()
    page = client.post("/sign-in/code/", {"code": codes[7]}, follow=True)
    assert "You have 2 recovery codes left" in page.content.decode()


def test_wrong_codes_lock_like_wrong_passwords(ann: User, codes: list[str]) -> None:
    client = after_password()
    answers = [client.post("/sign-in/code/", {"code": "000000"}).status_code for _ in range(5)]
    assert answers == [422, 422, 422, 422, 429]
    assert client.post("/sign-in/code/", {"code": code_of(ann)}).status_code == 429


def test_wrong_codes_from_ever_new_addresses_are_stopped_too(ann: User, codes: list[str]) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(two_step.MOST_FAILURES):
            assert not two_step.accepts(ann, "000000")
        assert two_step.is_paused(ann)
        assert not two_step.accepts(ann, code_of(ann))
        assert after_password().post("/sign-in/code/", {"code": code_of(ann)}).status_code == 429
        clock.shift(two_step.PAUSE + timedelta(seconds=1))
        assert two_step.accepts(ann, code_of(ann))


def test_a_code_that_comes_too_late_or_from_nowhere_begins_again(ann: User, codes: list[str]) -> None:
    assert Client().get("/sign-in/code/")["Location"] == "/sign-in/"
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = after_password()
        clock.shift(timedelta(minutes=6))
        page = client.post("/sign-in/code/", {"code": code_of(ann)}, follow=True)
        assert "Sign in again" in page.content.decode()


def test_who_is_deactivated_between_the_two_steps_does_not_get_in(ann: User, codes: list[str]) -> None:
    client = after_password()
    User.objects.update(is_active=False)
    assert client.post("/sign-in/code/", {"code": code_of(ann)})["Location"] == "/sign-in/"


def test_new_codes_and_switching_off_take_the_password(ann: User, codes: list[str]) -> None:
    client = Client()
    client.force_login(ann)
    for address in ("codes", "off"):
        assert client.post(f"/preferences/two-step/{address}/", {"password": "wrong"}).status_code == 422
    fresh = client.post("/preferences/two-step/codes/", {"password": PASSWORD}).content.decode()
    assert codes[0] not in fresh
    assert not two_step.accepts(ann, codes[0])
    client.post("/preferences/two-step/off/", {"password": PASSWORD})
    assert not TwoStep.objects.exists()
    assert Client().post("/sign-in/", {"username": "ann", "password": PASSWORD})["Location"] == "/"
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"user.recovery_codes", "user.two_step_off"}


def test_an_administrator_resets_it_for_who_lost_everything(ann: User, codes: list[str], sign_in: SignIn) -> None:
    theirs, administrator = Client(), sign_in()
    theirs.force_login(ann)
    assert "On" in text_of(administrator.get("/users/"))
    administrator.post(f"/users/{ann.pk}/reset-two-step/")
    assert theirs.get("/preferences/").status_code == 302
    assert Client().post("/sign-in/", {"username": "ann", "password": PASSWORD})["Location"] == "/"
    assert AuditEntry.objects.get(action="user.two_step_reset").actor_label == "administrator"


def test_where_administrators_must_they_see_no_page_before(sign_in: SignIn, settings: Any) -> None:
    settings.TWO_STEP_FOR_ADMINISTRATORS = True
    client = sign_in()
    user = User.objects.get(username="administrator")
    user.set_password(PASSWORD)
    user.save()
    client.force_login(user)
    assert client.get("/users/")["Location"] == "/preferences/two-step/"
    assert client.post("/target-groups/refresh/")["Location"] == "/preferences/two-step/"
    assert client.get("/", headers={"HX-Request": "true"})["HX-Redirect"] == "/preferences/two-step/"
    assert "Set this up first" in text_of(client.get("/preferences/two-step/"))
    client.post("/preferences/two-step/begin/", {"password": PASSWORD})
    assert client.post("/preferences/two-step/confirm/", {"code": code_of(user)}).status_code == 200
    assert client.get("/users/").status_code == 200
    refused = client.post("/preferences/two-step/off/", {"password": PASSWORD}, follow=True)
    assert "must sign in in two steps" in refused.content.decode()
    assert sign_in("Manager").get("/target-groups/").status_code == 200, "others need not"
