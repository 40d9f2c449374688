"""A new password by link, for who asks for it and for whom an administrator makes one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client

from accounts import letters, links, lockout
from accounts.models import Session, User
from audit.models import AuditEntry
from tests.targetgroups.views.conftest import SignIn, sign_in, text_of

__all__ = ["sign_in"]
pytestmark = pytest.mark.django_db
OLD, NEW = "lamps in the window", "a quite different phrase"
FORM = {"new_password1": NEW, "new_password2": NEW}


@pytest.fixture(autouse=True)
def ann(settings: Any) -> User:
    settings.EMAIL_FROM = "thrive@lamps.example"
    return User.objects.create_user("ann", email="ann@lamps.example", password=OLD)


def asked(email: str = "ann@lamps.example") -> str:
    return text_of(Client().post("/password/", {"email": email}))


def mailed_link() -> str:
    letters.send_due()
    found = re.search(r"https://thrive\.example\.org(/password/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_the_link_sets_a_new_password_and_ends_every_session(ann: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(ann)
    asked("ANN@lamps.example")
    link = mailed_link()
    assert Client().get(link).status_code == 200
    assert "Your password was changed" in Client().post(link, FORM, follow=True).content.decode()
    ann.refresh_from_db()
    assert ann.check_password(NEW)
    assert elsewhere.get("/preferences/").status_code == 302
    assert not Session.objects.filter(user=ann).exists()
    assert AuditEntry.objects.get(action="user.password_set_by_link").after is None


def test_nobody_learns_whether_an_address_is_known(ann: User) -> None:
    User.objects.create_user("off", email="off@lamps.example", is_active=False)
    answers = {re.sub(r"csrf\S+", "", asked(address)) for address in ("ann@lamps.example", "nobody@x.example")}
    answers.add(re.sub(r"csrf\S+", "", asked("off@lamps.example")))
    assert len(answers) == 1
    letters.send_due()
    assert [letter.to for letter in mail.outbox] == [["ann@lamps.example"]]


def test_asking_again_and_again_fills_no_mailbox() -> None:
    for _ in range(3):
        asked()
        letters.send_due()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("after", ["used", "expired", "changed meanwhile", "deactivated", "somebody else's"])
def test_a_link_that_works_no_more_says_so(after: str, ann: User) -> None:
    with time_machine.travel("2026-11-02 09:00:00+00:00", tick=False) as clock:
        link = links.password_link(ann)
        if after == "used":
            Client().post(link, FORM)
        elif after == "expired":
            clock.shift(timedelta(hours=2, seconds=1))
        elif after == "changed meanwhile":
            ann.set_password("something else again")
            ann.save()
        elif after == "deactivated":
            User.objects.update(is_active=False)
        else:
            other = User.objects.create_user("ben", password=OLD)
            link = link.replace(f"/{ann.pk}/", f"/{other.pk}/")
        answer = Client().post(link, FORM | {"new_password1": "x" * 12 + "yz", "new_password2": "x" * 12 + "yz"})
        assert (answer.status_code, "works no more" in answer.content.decode()) == (410, True)


def test_a_new_password_unlocks() -> None:
    for _ in range(5):
        Client().post("/sign-in/", {"username": "ann", "password": "wrong"})
    assert lockout.locked_names() == {"ann"}
    asked()
    Client().post(mailed_link(), FORM)
    assert Client().post("/sign-in/", {"username": "ann", "password": NEW}).status_code == 302


def test_without_e_mail_the_page_says_whom_to_ask_and_an_administrator_sees_the_link_once(
    ann: User, settings: Any, sign_in: SignIn
) -> None:
    settings.EMAIL_FROM = ""
    assert "Ask an administrator" in text_of(Client().get("/password/"))
    page = sign_in().post(f"/users/{ann.pk}/link/", follow=True).content.decode()
    found = re.search(r'value="https://thrive\.example\.org(/password/[^"]+)"', page)
    assert found and Client().post(found[1], FORM).status_code == 302


def test_an_administrator_has_a_link_sent(ann: User, sign_in: SignIn) -> None:
    page = sign_in().post(f"/users/{ann.pk}/link/", follow=True).content.decode()
    assert 'id="once"' not in page
    assert Client().get(mailed_link()).status_code == 200
