"""A message from the mould is, for whoever reads it, the message that Django makes of the same values."""

from __future__ import annotations

import email
import re
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from django.conf import settings

from mailings import optout
from mailings.models import Mailing, Recipient
from mailings.send.letter import letter
from mailings.send.mould import Marks, Mould, cut, open_quoted, quoted
from mailings.send.press import Press
from mailings.send.render import Rendered, render
from mailings.send.smtp import stuffed
from mailings.send.tally import Moved

# These differ between any two messages.
ITS_OWN = ("Date", "Content-Type", "Content-Transfer-Encoding")
TEXTS = {
    "plain": "Dear keeper,\n\nthe lamps are lit.\n",
    "dots": ".\n..\n.dot\n\n.\n.",
    "long": "lamp " * 800 + "\n" + "x" * 3_000,
    "spaces": "one \ntwo\t\n  three\n\n\n= and =3D\n",
    "letters": "Grüße – ランプ 👩‍🚀\nΛύχνοι " * 60,
    "crlf": "one\r\ntwo\rthree\r\n",
    "from": "From here on\n>From there\n--boundary\n",
}
NAMES = {
    "ascii": ("Ada", "Keeper"),
    "quotes": ('Ada "The Lamp"', "\\Keeper, Jr."),
    "accents": ("Åsa", "O'Høyer"),
    "kanji": ("灯台守", "ランプ" * 20),
    "astronaut": ("👩‍🚀", ""),
    "none": ("", ""),
    "control": ("Ada\r\nBcc: x@lamps.example", "\x00Keeper"),
}


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def headers(content: bytes) -> dict[str, str]:
    """Read the headers by the older parser: the newer one puts a space between two encoded words of one name."""
    raw = email.message_from_bytes(content, policy=policy.compat32)
    found = {name: str(make_header(decode_header(str(value)))) for name, value in raw.items()}
    return {name: re.sub(r"\s+", " ", value) for name, value in found.items() if name not in ITS_OWN}


def bodies(content: bytes) -> list[tuple[str, str]]:
    return [
        (part.get_content_type(), part.get_content().replace("\r\n", "\n"))
        for part in parsed(content).walk()
        if not part.is_multipart()
    ]


def opened(text: bytes) -> bytes:
    """Take a message out of what DATA has, as a mail server does."""
    message = text.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
    assert text == stuffed(message), "each dot at the beginning of a line is doubled, and no other"
    return message


def both(mailing: Mailing, first: str, last: str, values: dict[str, str] | None = None) -> tuple[bytes, bytes]:
    """Give the mould's message and Django's."""
    recipient = Moved(17, "in_flight", "ada@lamps.example", first, last, 1)
    from_mould = opened(Press(mailing).parcel(recipient, values or {}).message)
    rendered = render(
        mailing,
        pk=17,
        email=recipient.email,
        name=f"{first} {last}",
        opt_out_link=optout.link_for(Recipient(pk=17)),
        postal_address=settings.MAIL_POSTAL_ADDRESS,
        site=settings.SITE_URL,
        values=values,
    )
    return from_mould, letter(rendered).message().as_bytes(linesep="\r\n")


def well_formed(content: bytes) -> bool:
    lines = content.split(b"\r\n")
    is_bare = b"\n" in content.replace(b"\r\n", b"") or b"\r" in content.replace(b"\r\n", b"")
    body = content.partition(b"\r\n\r\n")[2].split(b"\r\n")
    return not is_bare and max(map(len, lines)) <= 998 and max(map(len, body)) <= 76


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("text", TEXTS)
def test_every_text_arrives_as_django_would_bring_it(text: str, html: bool) -> None:
    page = f"<html><body><pre>{TEXTS[text]}</pre></body></html>" if html else ""
    mailing = Mailing(pk=5, from_email="letters@lamps.example", subject="Lamps", text=TEXTS[text], html=page)
    ours, djangos = both(mailing, "Ada", "Keeper")
    assert well_formed(ours)
    assert b"base64" not in ours
    assert not parsed(ours).defects
    assert (headers(ours), bodies(ours)) == (headers(djangos), bodies(djangos))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_and_subject_arrives_as_django_would_bring_it(name: str) -> None:
    first, last = NAMES[name]
    subject = f"Grüße an {'alle ' * 40}"
    mailing = Mailing(
        pk=5,
        from_name='Bund der "Wärter", e.V.',
        from_email="letters@straße.example",
        reply_to="antwort@lamps.example",
        subject=subject,
        text="Lit.",
    )
    ours, djangos = both(mailing, first, last)
    assert not re.search(rb"^[\w-]+: *\r\n", ours.partition(b"\r\n\r\n")[0], re.MULTILINE)
    assert headers(ours) == headers(djangos)
    [to], [djangos_to] = parsed(ours)["To"].addresses, parsed(djangos)["To"].addresses
    assert to.addr_spec == djangos_to.addr_spec
    assert "".join(to.display_name.split()) == "".join(djangos_to.display_name.split())


@pytest.mark.parametrize("name", ["", "Åsa & <b>Bo</b>", "ランプ " * 60, ".", "=\n.\n"])
@pytest.mark.parametrize("html", ["", "<p>Dear {{ name | default: 'friend' }}{% if name %}!{% endif %}</p>"])
def test_a_message_that_speaks_to_each_person_arrives_as_django_would_bring_it(name: str, html: str) -> None:
    mailing = Mailing(
        pk=5,
        from_email="letters@lamps.example",
        subject="{{ name }}: Grüße",
        preheader="For {{ name }}",
        text="Dear {{ name }},\n{% if name %}.yes{% endif %}\n" + "lamp " * 80,
        html=html,
    )
    ours, djangos = both(mailing, "Ada", "Keeper", {"name": name})
    assert well_formed(ours)
    assert (headers(ours), bodies(ours)) == (headers(djangos), bodies(djangos))


@pytest.mark.parametrize("name", ["", "Åsa & <b>'Bo'</b>", "ランプ " * 60, ".", "=", "a\r\n.\rb", "x" * 200])
@pytest.mark.parametrize("end", ["", "\n.\n", "{{ City }}", " {{ City }} \n", "\r\n{{ name | default: '.' }}\r\n."])
def test_a_text_that_only_writes_fields_arrives_as_django_would_bring_it(name: str, end: str) -> None:
    mailing = Mailing(
        pk=5,
        from_email="letters@lamps.example",
        subject="Lit",
        text=f".{{{{ name }}}}{{{{ name | default: '<nobody>' }}}},\r\n{'lamp ' * 80}{end}",
        html=f"<p>{{{{ name }}}}, <a href='{{{{ Home }}}}'>é{{{{ name | default: '<b>Bo</b>' }}}}</a></p>\n{end}",
    )
    ours, djangos = both(mailing, "Ada", "Keeper", {"name": name, "Home": "https://lamps.example/?a=1&b"})
    assert well_formed(ours)
    assert (headers(ours), bodies(ours)) == (headers(djangos), bodies(djangos))


def test_names_are_known_without_asking_and_columns_are_not() -> None:
    written = {"pk": 5, "from_email": "letters@lamps.example", "subject": "Lit"}
    assert not Press(Mailing(text="Dear {{ first_name }}, {{ email }}", **written))._asks
    assert Press(Mailing(text="Dear {{ first_name }} of {{ City }}", **written))._asks
    ours = Press(Mailing(text="Dear {{ name }} at {{ email }}.", **written)).parcel(
        Moved(17, "in_flight", "ada@lamps.example", "Ada", " Keeper", 1)
    )
    assert bodies(opened(ours.message))[0][1].startswith("Dear Ada  Keeper at ada@lamps.example.")


@pytest.mark.parametrize("value", ["Ada", "", "Åsa & <b>Bo</b>", "ランプ " * 60, ".", "=", " a ", "x" * 200, "a\nb"])
def test_a_personal_value_is_quoted_for_its_place(value: str) -> None:
    marks = Marks()
    name = marks["first_name"]

    def rendered(name: str, escaped: str) -> Rendered:
        page = f"<p>Dear {escaped}, {'the lamps ' * 20}<a href='?{escaped}'>are</a> lit, {escaped}</p>"
        text = f"{name}\nDear {name}, {'x' * 70}{name}{name}\n.{name}.\n{name}"
        headers = {"Message-ID": "<1@lamps.example>"}
        return Rendered("a@lamps.example", "b@lamps.example", (), f"Für {name}: Lamps", text, page, headers)

    mould = cut(lambda each: letter(each).message(), rendered(name, name), marks)
    content = opened(mould.fill({"first_name": value}))
    assert well_formed(content)
    [plain, page] = bodies(content)
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    expected = rendered(value, escaped)
    assert (plain[1], page[1]) == (expected.text, expected.html)
    assert headers(content)["Subject"] == " ".join(expected.subject.split())


@pytest.mark.parametrize("length", range(70, 80))
@pytest.mark.parametrize("end", ["", " ", "=", "é", "\n", "."])
def test_no_line_of_quoted_printable_is_too_long_wherever_it_is_cut(length: int, end: str) -> None:
    text = "x" * length + end
    for written in (quoted(text), open_quoted(text) + quoted("behind"), open_quoted(text) + open_quoted(text)):
        assert max(map(len, written.split(b"\r\n"))) <= 76
    assert open_quoted("") == b""


def test_a_mark_is_nobodys_word() -> None:
    first, second = Marks(), Marks()
    assert second.split(f"Dear {first['name']}") == [f"Dear {first['name']}"]
    assert first.split(f"Dear {first['name']}!") == ["Dear ", "name", "!"]


@pytest.mark.parametrize("first", ["", "a\r\n", ".a\r\n", "a\r\n.b\r\n"])
@pytest.mark.parametrize("value", ["", ".", "..", "a.b", "a\r\n.b", "a\r\n"])
@pytest.mark.parametrize("behind", ["", "a", ".", "\r\n", ".\r\n", "a\r\n.b\r\n"])
def test_wherever_a_line_begins_with_a_dot_it_is_doubled(first: str, value: str, behind: str) -> None:
    mould = Mould(first.encode(), ((lambda values: values["it"].encode(), behind.encode()),))
    assert mould.fill({"it": value}) == stuffed(f"{first}{value}{behind}".encode())
