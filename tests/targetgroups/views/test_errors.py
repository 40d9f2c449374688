"""Pages for what goes wrong: each says what happened and that nothing changed."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client

from tests.targetgroups.views.conftest import Rows, SignIn, text_of


def test_a_missing_page_is_designed(rows: Rows, sign_in: SignIn) -> None:
    page = sign_in().get("/target-groups/999/")
    assert page.status_code == 404
    assert "There is no such page" in text_of(page)


def test_an_expired_form_is_designed(db: None) -> None:
    page = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "x", "password": "y"})
    assert page.status_code == 403
    assert "This form has expired" in text_of(page)


@pytest.mark.parametrize("code", [400, 500])
def test_the_last_resort_pages_need_neither_request_nor_database(code: int) -> None:
    assert f"Error {code}" in render_to_string(f"{code}.html")
