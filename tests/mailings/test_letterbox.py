"""The messages in the box: each passes every check, and says what it says to anybody in both parts."""

from __future__ import annotations

import pytest

from mailings.letterbox import BEGINNINGS, Beginning, beginning
from mailings.markup import clean
from mailings.message import findings
from mailings.models import Mailing
from mailings.personal import CORE_FIELDS
from mailings.send.render import render


@pytest.mark.parametrize("start", BEGINNINGS, ids=lambda start: start.word)
def test_a_message_of_the_box_has_nothing_to_be_told(start: Beginning) -> None:
    typed = {"subject": start.subject, "preheader": start.preheader, "html": start.html, "text": ""}
    assert findings(typed, CORE_FIELDS) == []
    assert clean(start.html).removed == ()
    assert beginning(start.word) is start


@pytest.mark.parametrize("values", [{}, {"first_name": "Ada"}], ids=["nobody", "Ada"])
@pytest.mark.parametrize("start", BEGINNINGS, ids=lambda start: start.word)
def test_a_message_of_the_box_is_written_in_both_parts(start: Beginning, values: dict[str, str]) -> None:
    mailing = Mailing(pk=5, from_email="a@lamps.example", subject=start.subject, preheader=start.preheader)
    mailing.html = start.html
    addresses = {"opt_out_link": "https://lamps.example/out", "postal_address": "1 Quay Street", "site": ""}
    message = render(mailing, pk=1, email="a@lamps.example", name="", values=values, **addresses)
    for part in (message.text, message.html):
        assert values.get("first_name", "Dear ") in part
        assert "https://www.example.org/" in part
        assert "{" not in part
        assert "1 Quay Street" in part
    assert "<style" not in message.html
    assert "max-width:600px" in message.html
