"""What stands in a message, read back by Python's own e-mail parser; nothing breaks out of a header."""

from __future__ import annotations

import re
import uuid
from email.header import decode_header, make_header
from email.headerregistry import Address
from typing import Any
from unittest.mock import patch

import pytest
from django.utils import translation

from mailings.models import Mailing
from mailings.send import render as render_module
from mailings.send.render import NotAHeader, NotAnAddress, Rendered, ascii_address, render, tame
from tests.support.post import Post
from tests.support.pseudo import marking

LINK = "https://thrive.example.org/opt-out/17.abc/"
POSTAL = "Society of Lamp Keepers, 1 Quay Street, Harbour Town"
# Of names that have gone out: no version may change it.
NAMESPACE = uuid.UUID("5a0ce56e-1e0c-4c2f-9d15-3f7ad2b0f1c4")
LONG = "lamp " * 600
HOYER = "Høyer, " * 10 + "Jr."


def rendered(
    email: str = "ada@lamps.example", name: str = "Ada Keeper", values: dict[str, str] | None = None, **fields: str
) -> Rendered:
    given = {"from_name": "Keepers", "from_email": "letters@lamps.example", "subject": "Lamps", "text": "Lit."}
    mailing = Mailing(pk=5, **given | fields)
    site = "https://thrive.example.org"
    addresses = {"opt_out_link": LINK, "postal_address": POSTAL, "site": site}
    return render(mailing, pk=17, email=email, name=name, values=values, **addresses)


@pytest.mark.parametrize("break_", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x00"])
@pytest.mark.parametrize("field", ["subject", "from_name", "reply_to"])
def test_a_line_break_in_a_header_of_the_mailing_is_refused_and_its_value_not_told(field: str, break_: str) -> None:
    with pytest.raises(NotAHeader) as refusal:
        rendered(**{field: f"Lamps{break_}Bcc: everybody@lamps.example"})
    assert "Bcc" not in str(refusal.value)


def test_a_persons_name_can_break_out_of_nothing() -> None:
    assert tame("Ada\r\nBcc: x@lamps.example\u2028\x00 Keeper ") == "Ada Bcc: x@lamps.example Keeper"
    assert rendered(name='Ada "The Lamp" \\ Keeper').to_header == '"Ada \\"The Lamp\\" \\\\ Keeper" <ada@lamps.example>'
    assert len(tame(LONG)) <= 100
    assert rendered(name=" \n ").to_header == "ada@lamps.example"
    assert tame("👩‍🚀 Åsa") == "👩‍🚀 Åsa", "what only looks like a control character stays"


@pytest.mark.parametrize(
    ("email", "written"),
    [
        ("ada@lamps.example", "ada@lamps.example"),
        (" Ada@Lamps.example ", "Ada@Lamps.example"),
        ("ada@Straße.example", "ada@xn--strae-oqa.example"),
        ("ada@MÜNCHEN.example", "ada@xn--mnchen-3ya.example"),
        ("o'hara+lamps@lamps.example", "o'hara+lamps@lamps.example"),
    ],
)
def test_an_address_is_written_in_ascii(email: str, written: str) -> None:
    assert ascii_address(email) == written


@pytest.mark.parametrize("email", ["jörg@lamps.example", "lamps.example", "@lamps.example", "a@", "a\n@lamps.example"])
def test_an_address_that_cannot_be_written_is_refused_without_being_told(email: str) -> None:
    with pytest.raises(NotAnAddress) as refusal:
        ascii_address(email)
    assert email not in str(refusal.value)


def test_the_message_id_is_the_same_on_a_second_try_and_nobody_elses() -> None:
    first = rendered().headers["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f-]{36}@lamps\.example>", first)
    assert rendered(subject="Changed").headers["Message-ID"] == first
    assert first.startswith(f"<{uuid.uuid5(NAMESPACE, 'https://thrive.example.org 5 17')}@")
    other = render(
        Mailing(pk=5, from_email="letters@lamps.example"),
        pk=18,
        email="ada@lamps.example",
        name="",
        opt_out_link=LINK,
        postal_address="",
        site="https://thrive.example.org",
    )
    assert other.headers["Message-ID"] != first


def test_html_gets_the_same_footer_inside_its_body() -> None:
    html = rendered(html="<html><body><p>Lit.</p></body></html>").html
    assert html.index("Lit.") < html.index(POSTAL) < html.index(LINK) < html.index("</body>")
    assert rendered().html == ""


def test_the_footer_is_in_the_sites_language_and_looked_up_once_for_all_messages(settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    with marking(), translation.override("en"):
        message = rendered(html="<p>Lit.</p>")
        assert f"⟦Do not want these e-mails? Opt out here:⟧\n{LINK}" in message.text
        assert f'⟦Do not want these e-mails? <a href="{LINK}">Opt out here</a>.⟧' in message.html
        assert message.html.startswith('<!doctype html>\n<html lang="de">')
        with patch.object(render_module, "gettext", side_effect=AssertionError("looked up again")):
            assert rendered(html="<p>Lit.</p>", name="Bo").text == message.text


def test_a_message_is_written_for_each_person_in_both_parts_and_the_subject() -> None:
    fields = {"subject": "{{ first_name }}, lamps", "preheader": "For {{ first_name }}", "text": ""}
    source = "<style>p { color: red }</style><p>Dear {{ first_name | default: 'friend' }}</p><script>x()</script>"
    values = {"first_name": "<Ada>\r\nBcc: x"}
    message = rendered(html=source, values=values, **fields)
    assert message.subject == "<Ada> Bcc: x, lamps"
    assert message.text.startswith("Dear <Ada>\nBcc: x")
    assert "Dear &lt;Ada&gt;" in message.html
    assert message.html.index("display:none") < message.html.index("For &lt;Ada&gt;") < message.html.index("Dear ")
    assert 'style="color:red' in message.html
    assert "x()" not in message.html
    for part in (message.text, message.html):
        assert POSTAL in part
        assert LINK in part
    assert rendered(html=source, **fields).text.startswith("Dear friend\n")


def test_a_written_text_part_is_not_made_anew() -> None:
    assert rendered(html="<p>One</p>", text="Two").text.startswith("Two\n")


def test_what_arrives_is_what_was_written_whatever_the_letters(post: Post) -> None:
    subject = f"Grüße – ランプ {LONG}".strip()[:300]
    text = f"Liebe Åsa,\n.ein Punkt\n..zwei\nFrom here on\n{LONG}\n👩‍🚀\nEnde."
    mailing = post.mailing(
        post.group(), subject=subject, text=text, from_name='Bund der "Wärter", e.V.', reply_to="antwort@lamps.example"
    )
    group = mailing.target_groups.get()
    post.join(group, [post.person("åsa@lamps.example".replace("å", "a"), first_name="Åsa", last_name=f"O'{HOYER}")])
    post.join(group, [post.person("leuchte@straße.example")])
    post.freeze(mailing)
    post.work(mailing)

    message = post.sink.to("asa@lamps.example")
    assert not message.defects
    assert message["Subject"] == subject
    assert message["From"].addresses == (Address('Bund der "Wärter", e.V.', "letters", "lamps.example"),)
    # Read by the older parser: the newer one puts a space between two encoded words of one name.
    assert str(make_header(decode_header(dict(message.raw_items())["To"]))) == f"Åsa O'{HOYER} <asa@lamps.example>"
    assert message["Reply-To"].addresses == (Address("", "antwort", "lamps.example"),)
    assert message["Message-ID"].endswith("@lamps.example>")
    body = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert body.startswith(f"{text}\n\n-- \nSociety of Lamp Keepers, 1 Quay Street, Harbour Town\n")
    link = re.fullmatch(r"<(https://thrive\.example\.org/opt-out/[^/<>]+/)>", message["List-Unsubscribe"])
    assert link
    assert link[1] in body
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    content = post.sink.letters[0].content
    head = content.partition(b"\r\n\r\n")[0]
    assert not re.search(rb"^[\w-]+: *\r\n", head, re.MULTILINE), "no header begins with an empty line"
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert post.sink.copies()["leuchte@xn--strae-oqa.example"] == 1
