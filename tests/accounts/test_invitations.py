"""From an invitation to the first sign-in, and every way in which a link works no more."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client

from accounts import letters, links, people
from accounts.exceptions import NotAllowedNow
from accounts.models import Letter, User
from audit.models import AuditEntry
from tests.support.pseudo import naming
from tests.targetgroups.views.conftest import SignIn, sign_in, text_of

__all__ = ["sign_in"]
pytestmark = pytest.mark.django_db
PASSWORD = "lamps in the window"
FORM = {"first_name": "Mia", "last_name": "Wick", "new_password1": PASSWORD, "new_password2": PASSWORD}


@pytest.fixture
def mailed(settings: Any) -> None:
    settings.EMAIL_FROM = "thrive@lamps.example"


def role(name: str = "Publisher") -> Group:
    return Group.objects.get(name=name)


def invite(client: Client, email: str = "Mia@Lamps.example", *roles: str) -> Any:
    return client.post("/users/invite/", {"email": email, "roles": roles or ["Publisher"]}, follow=True)


def test_letters_are_written_in_the_language_of_whom_they_are_for(mailed: None) -> None:
    invited = people.invite("command", "mia@lamps.example", [role()])
    other = User.objects.create_user("ann", email="ann@lamps.example", language="en-au")
    User.objects.filter(pk=invited.pk).update(language="en-gb")
    people.send_password_link(other, other)
    with naming():
        letters.send_due()
    first, second = sorted(mail.outbox, key=lambda letter: letter.to, reverse=True)
    assert first.subject == "en-gb:You are invited to thrive-sync"
    assert second.subject == "en-au:Your password at thrive-sync"
    assert "en-gb:" in first.body and "en:" not in first.body


def test_an_invitation_says_its_day_as_the_language_writes_it(mailed: None) -> None:
    with time_machine.travel("2026-11-20T12:00:00Z"):
        for name, language in (("mia", "en-gb"), ("ann", "")):
            invited = people.invite("command", f"{name}@lamps.example", [role()])
            User.objects.filter(pk=invited.pk).update(language=language)
        letters.send_due()
    bodies = {letter.to[0][:3]: letter.body for letter in mail.outbox}
    assert "until 27 Nov 2026." in bodies["mia"] and "until Nov 27, 2026." in bodies["ann"]


def shown_link(page: Any) -> str:
    found = re.search(r'id="once" readonly value="https://thrive\.example\.org([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def test_without_e_mail_the_link_is_shown_once_and_leads_to_the_first_sign_in(sign_in: SignIn) -> None:
    administrator = sign_in()
    page = invite(administrator)
    link = shown_link(page)
    assert page["Cache-Control"] == "no-store"
    user = User.objects.get(email="mia@lamps.example")
    assert 'id="once"' not in administrator.get(f"/users/{user.pk}/").content.decode(), "shown once"

    client = Client()
    assert "mia@lamps.example" in client.get(link).content.decode()
    done = client.post(link, FORM, follow=True)
    assert "Your account is ready" in done.content.decode()
    signed = client.post("/sign-in/", {"username": "mia@lamps.example", "password": PASSWORD})
    assert signed.status_code == 302
    user.refresh_from_db()
    assert (user.get_full_name(), user.may("send_mailing"), user.invitation) == ("Mia Wick", True, "")


def test_a_used_link_works_no_more(sign_in: SignIn) -> None:
    link = shown_link(invite(sign_in()))
    Client().post(link, FORM)
    again = Client().post(link, FORM | {"first_name": "Eve"})
    assert again.status_code == 410
    assert "used already" in again.content.decode()
    assert User.objects.get(email="mia@lamps.example").first_name == "Mia"


def test_an_expired_link_says_so_and_inviting_again_makes_a_new_one(sign_in: SignIn) -> None:
    with time_machine.travel("2026-11-02 09:00:00+00:00", tick=False) as clock:
        link = shown_link(invite(sign_in()))
        clock.shift(timedelta(days=7, seconds=1))
        answer = Client().get(link)
        assert (answer.status_code, "Its time is over" in answer.content.decode()) == (410, True)
        administrator = sign_in()
        user = User.objects.get(email="mia@lamps.example")
        assert "Invitation expired" in text_of(administrator.get("/users/"))
        fresh = shown_link(administrator.post(f"/users/{user.pk}/invite-again/", follow=True))
        assert Client().get(link).status_code == 410, "the one before it ends"
        assert Client().get(fresh).status_code == 200


def test_a_withdrawn_invitation_leaves_nobody(sign_in: SignIn) -> None:
    administrator = sign_in()
    link = shown_link(invite(administrator))
    user = User.objects.get(email="mia@lamps.example")
    administrator.post(f"/users/{user.pk}/withdraw/")
    assert Client().get(link).status_code == 410
    assert not User.objects.filter(email="mia@lamps.example").exists()
    assert AuditEntry.objects.filter(action="user.invitation_withdrawn", object_label="mia@lamps.example").exists()


@pytest.mark.parametrize("token", ["nothing", "WzEsIngiXQ:1abc:signature", "e30"])
def test_a_made_up_link_is_told_like_a_used_one(token: str) -> None:
    assert Client().get(f"/invitation/{token}/").status_code == 410


def test_one_opening_wins_when_two_use_a_link_at_once(sign_in: SignIn) -> None:
    invited = people.invite("command", "mia@lamps.example", [role()])
    stale = User.objects.get(pk=invited.pk)
    people.accept(invited, PASSWORD, "Mia", "")
    with pytest.raises(NotAllowedNow):
        people.accept(stale, "another phrase entirely", "Eve", "")


def test_the_invited_can_not_sign_in_before_and_has_no_password(sign_in: SignIn) -> None:
    user = people.invite("command", "mia@lamps.example", [role()])
    assert not user.is_active and not user.has_usable_password()
    assert Client().post("/sign-in/", {"username": user.username, "password": ""}).status_code == 200


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"email": "ann@lamps.example"}, "is here already"),
        ({"email": "ANN@lamps.example"}, "is here already"),
        ({"email": "no address"}, "valid email address"),
        ({"roles": []}, "Choose at least one role"),
        ({"roles": ["Emperor"]}, "not one of the available choices"),
    ],
)
def test_an_invitation_that_can_not_be_says_why(values: dict[str, Any], said: str, sign_in: SignIn) -> None:
    User.objects.create_user("ann", email="ann@lamps.example")
    answer = sign_in().post("/users/invite/", {"email": "mia@lamps.example", "roles": ["Reporter"]} | values)
    assert answer.status_code == 422
    assert said in answer.content.decode()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"new_password2": "another phrase entirely"}, "not the same"),
        ({"new_password1": "1234567890", "new_password2": "1234567890"}, "too common"),
        ({"first_name": "Lampkeeper", "new_password1": "lampkeeper", "new_password2": "lampkeeper"}, "too similar"),
        ({"first_name": ""}, "required"),
    ],
)
def test_what_is_wrong_with_the_form_is_told_and_the_link_still_works(
    values: dict[str, str], said: str, sign_in: SignIn
) -> None:
    link = links.invitation_link(people.invite("command", "mia@lamps.example", [role()]))
    answer = Client().post(link, FORM | values)
    assert (answer.status_code, said in answer.content.decode()) == (422, True)
    assert Client().post(link, FORM).status_code == 302


def test_with_e_mail_the_link_goes_out_and_is_not_shown(mailed: None, sign_in: SignIn) -> None:
    page = invite(sign_in())
    assert 'id="once"' not in page.content.decode()
    assert letters.send_due() == 1
    letter = mail.outbox[0]
    assert (letter.to, letter.from_email) == (["mia@lamps.example"], "thrive@lamps.example")
    link = re.search(r"https://thrive\.example\.org(/invitation/\S+)", letter.body)
    assert link and Client().get(link[1]).status_code == 200
    assert letters.send_due() == 0, "sent once"


def test_a_letter_that_the_mail_server_refuses_is_told_and_tried_again(
    mailed: None, sign_in: SignIn, settings: Any
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = 9, 2
    with time_machine.travel("2026-11-02 09:00:00+00:00", tick=False) as clock:
        administrator = sign_in()
        invite(administrator)
        assert letters.send_due() == 0
        user = User.objects.get(email="mia@lamps.example")
        assert "could not be sent (ConnectionRefusedError" in text_of(administrator.get(f"/users/{user.pk}/"))
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert letters.send_due() == 0, "not at once"
        clock.shift(timedelta(minutes=3))
        assert letters.send_due() == 1


def test_a_letter_whose_invitation_is_over_is_not_sent(mailed: None) -> None:
    user = people.invite("command", "mia@lamps.example", [role()])
    User.objects.filter(pk=user.pk).update(invitation="")
    assert letters.send_due() == 0
    assert not Letter.objects.exists() and not mail.outbox
