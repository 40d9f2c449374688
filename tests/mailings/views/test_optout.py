"""The public opt-out page: no sign-in, no script, and looking changes nothing (R11)."""

from __future__ import annotations

import pytest
from django.test import Client

from mailings import optout
from mailings.models import Recipient
from mailings.views.optout import masked
from targetgroups.models import Suppression
from tests.mailings.views.conftest import Desk, text_of
from tests.targetgroups.views.conftest import Rows


@pytest.fixture
def recipient(rows: Rows, desk: Desk) -> Recipient:
    return desk.frozen(rows.group(), sent=1).recipients.get()


@pytest.fixture
def address(recipient: Recipient) -> str:
    return f"/opt-out/{optout.token_for(recipient)}/"


def in_force() -> list[str]:
    return list(Suppression.objects.filter(lifted_at__isnull=True).values_list("address", flat=True))


def test_looking_changes_nothing_and_shows_no_whole_address(client: Client, address: str) -> None:
    page = client.get(address)
    assert client.head(address).status_code == 200
    assert "Unsubscribe?" in text_of(page)
    assert "s•••@example.org will get no more mailings from Society of Lamp Keepers." in text_of(page)
    assert "sent00@example.org" not in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert in_force() == []


def test_the_button_works_without_cookies_or_script_and_can_be_taken_back(client: Client, address: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    done = strict.post(address, follow=True)
    assert "You have been unsubscribed" in text_of(done)
    assert in_force() == ["sent00@example.org"]
    strict.post(address)  # twice is once
    assert in_force() == ["sent00@example.org"]
    back = client.post(f"{address}undo/", follow=True)
    assert "Unsubscribe?" in text_of(back)
    assert in_force() == []


def test_a_mail_program_opts_out_with_one_request(address: str) -> None:
    program = Client(enforce_csrf_checks=True)
    answer = program.post(address, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "You have been unsubscribed" in text_of(answer)
    assert "by one click" in Suppression.objects.get().note


def test_only_the_opt_out_itself_goes_without_the_csrf_check(address: str) -> None:
    assert Client(enforce_csrf_checks=True).post(f"{address}undo/").status_code == 403


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: f"9{token}", lambda _token: "x" * 300])
def test_a_wrong_token_leads_to_a_page_that_says_what_to_do(change, client: Client, recipient: Recipient) -> None:
    wrong = f"/opt-out/{change(optout.token_for(recipient))}/"
    for answer in (client.get(wrong), client.post(wrong), client.post(f"{wrong}undo/")):
        assert answer.status_code == 404
        assert "This link does not work" in text_of(answer)
    assert in_force() == []


@pytest.mark.parametrize(
    ("address", "shown"), [("ada@example.org", "a•••@example.org"), ("@example.org", "•••@example.org"), ("", "•••")]
)
def test_an_address_is_masked(address: str, shown: str) -> None:
    assert masked(address) == shown
