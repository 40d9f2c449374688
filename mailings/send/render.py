"""What one recipient's message says. Pure: values in, values out; no database, no clock.

What this program adds to the author's words is in the site's language, whoever looks at it.
"""

import hashlib
import html
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import idna
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy

from ..markup import clean
from ..models import Mailing
from ..personal import compiled

NOT_ASCII = gettext_lazy(
    "Mail servers refuse a sender with other letters than a to z before the @. Choose another address."
)
# Stands for the address of somebody of whom nothing is known; nothing can be sent there.
NO_ADDRESS = "nobody@example.invalid"
_NOT_ONE_LINE = {
    "subject": gettext_lazy("The subject must be one line without control characters."),
    "from_name": gettext_lazy("The from name must be one line without control characters."),
    "reply_to": gettext_lazy("The reply-to must be one line without control characters."),
}
_LONGEST_NAME = 100
# Control characters, line and paragraph separators, half of a surrogate pair.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Shown by an inbox beside the subject, never in the message; the filler keeps the message's first words from following.
_HIDDEN = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px"
_FILLER = "&#847;&zwnj;&nbsp;" * 60
_FOOTER = "padding:16px;text-align:center;font-family:sans-serif;font-size:13px;line-height:1.5"
_NAMESPACE = uuid.UUID("5a0ce56e-1e0c-4c2f-9d15-3f7ad2b0f1c4")


class NotAHeader(ValueError):
    """A value of the mailing that would break out of its header line. It names the field, never the value."""


class NotAnAddress(ValueError):
    """An address that can't be written so that every mail server takes it."""


@dataclass(frozen=True)
class Rendered:
    """A message for one person, ready for Django's e-mail backends."""

    from_header: str
    to_header: str
    reply_to: tuple[str, ...]
    subject: str
    text: str
    html: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Words:
    """What the author wrote, as one person reads it; both parts of the HTML are HTML already, None if there is none."""

    subject: str
    text: str
    preheader: str = ""
    html: str | None = None


def render(
    mailing: Mailing,
    *,
    pk: int | str,
    email: str,
    name: str,
    opt_out_link: str,
    postal_address: str,
    site: str,
    values: Mapping[str, str] | None = None,
) -> Rendered:
    """Write a mailing's message for one recipient.

    Args:
        pk: the recipient's; with the mailing's it makes the Message-ID, which a second try repeats.
        name: the recipient's, as received: whatever can't stand in a header becomes a space.
        site: this site's address, so that no other site makes the same Message-ID.
        values: what the message may say of the recipient, by field; a field that is not there is empty.

    Raises NotATemplate if the message can't be personalised, NotAHeader if the mailing's own subject or names hold a
    line break, and NotAnAddress if `email` can't be written in ASCII.
    """
    words = words_for(mailing, values or {})
    return frame(
        mailing,
        words,
        to_header=with_name(tame(name), ascii_address(email)),
        name=message_id(mailing, pk, site),
        opt_out_link=opt_out_link,
        postal_address=postal_address,
    )


def words_for(mailing: Mailing, values: Mapping[str, str]) -> Words:
    """Write what the author wrote for one person. Raises NotATemplate, NotAHeader."""
    subject, text = subject_for(mailing, values), plain(compiled(text_of(mailing)).fill(values))
    if not mailing.html.strip():
        return Words(subject, text)
    html = compiled(clean(mailing.html).html, is_html=True).fill(values)
    return Words(subject, text, preheader_for(mailing, values), html)


def subject_for(mailing: Mailing, values: Mapping[str, str]) -> str:
    """Write the subject for one person. Raises NotATemplate, NotAHeader."""
    template = compiled(_one_line("subject", mailing.subject))
    return _flat(template.fill({field: _flat(value) for field, value in values.items()}))


def preheader_for(mailing: Mailing, values: Mapping[str, str]) -> str:
    """Write what an inbox shows beside the subject, as HTML. Raises NotATemplate."""
    first = compiled(mailing.preheader, is_html=True).fill(values).strip()
    return f'<div style="{_HIDDEN}">{first}{_FILLER}</div>' if first else ""


def plain(text: str) -> str:
    """Write a text part with one kind of line end, and nothing after its last word."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()


def frame(
    mailing: Mailing, words: Words, *, to_header: str, name: str, opt_out_link: str, postal_address: str
) -> Rendered:
    """Put the headers and the footers around somebody's words; `name` is the Message-ID."""
    sender = ascii_address(mailing.from_email)
    reply_to = (_one_line("reply_to", mailing.reply_to),) if mailing.reply_to else ()
    return Rendered(
        from_header=with_name(_one_line("from_name", mailing.from_name), sender),
        to_header=to_header,
        reply_to=tuple(ascii_address(address) for address in reply_to),
        subject=words.subject,
        text=_text(words.text, opt_out_link, postal_address),
        html=_html(mailing, words, opt_out_link, postal_address) if words.html is not None else "",
        headers={
            "Message-ID": name,
            "List-Unsubscribe": f"<{opt_out_link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "bulk",
        },
    )


def text_of(mailing: Mailing) -> str:
    """Give the template of the text part: what the author wrote, or else what the HTML says."""
    return mailing.text if mailing.text.strip() else clean(mailing.html).text


def message_id(mailing: Mailing, pk: int | str, site: str) -> str:
    """Name one recipient's message of a mailing; a second try repeats the name."""
    return namer(mailing, site)(pk)


def namer(mailing: Mailing, site: str) -> Callable[[int | str], str]:
    """Give what names a mailing's messages, each by a UUID of version 5; what all share is worked out once."""
    domain = ascii_address(mailing.from_email).rpartition("@")[2]
    shared = hashlib.sha1(_NAMESPACE.bytes + f"{site} {mailing.pk} ".encode(), usedforsecurity=False)

    def name(pk: int | str) -> str:
        own = shared.copy()
        own.update(str(pk).encode())
        # Written by hand: to make a UUID of it takes as long as all the rest of a short message.
        word = own.hexdigest()
        variant = "89ab"[int(word[16], 16) & 3]
        return f"<{word[:8]}-{word[8:12]}-5{word[13:16]}-{variant}{word[17:20]}-{word[20:32]}@{domain}>"

    return name


def smtp_address(email: str) -> str:
    """Write an address as mail servers take it: the domain by IDNA. Raises NotAnAddress."""
    local, _, domain = email.strip().rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        raise NotAnAddress(gettext("Its domain is not a domain name.")) from None
    address = f"{local}@{ascii_domain}"
    if not local or not ascii_domain or not is_one_line(address) or " " in ascii_domain:
        raise NotAnAddress(gettext("It is not a complete address."))
    return address


def ascii_address(email: str) -> str:
    """Write an address in ASCII, which every mail server takes. Raises NotAnAddress."""
    address = smtp_address(email)
    if not address.isascii():
        raise NotAnAddress(gettext("It has letters before the @ that only few mail servers take."))
    return address


def is_ascii_address(email: str) -> bool:
    """Say whether mail can be sent from an address: nobody knows which servers on the way take other letters."""
    try:
        ascii_address(email)
    except NotAnAddress:
        return False
    return True


def is_one_line(value: str) -> bool:
    """Say whether a value holds neither line breaks nor other control characters."""
    return _CONTROL.search(value) is None


def tame(name: str) -> str:
    """Make a person's name fit for a header: one line, no control characters, not endless."""
    return _flat(name)[:_LONGEST_NAME].strip()


def _flat(value: str) -> str:
    return " ".join(_CONTROL.sub(" ", value).split())


def _one_line(field: str, value: str) -> str:
    if not is_one_line(value):
        raise NotAHeader(str(_NOT_ONE_LINE[field]))
    return value.strip()


def with_name(name: str, address: str) -> str:
    if not name:
        return address
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


@lru_cache
def footer_words(language: str) -> tuple[str, str]:
    """Look up what stands above and around the opt-out link, as text and as HTML: once for however many messages."""
    with translation.override(language):
        return (
            # Translators: at the end of every message; the address of the opt-out page follows on a line of its own.
            gettext("Do not want these e-mails? Opt out here:"),
            # Translators: at the end of every message.
            gettext('Do not want these e-mails? <a href="%(link)s">Opt out here</a>.'),
        )


def _text(body: str, opt_out_link: str, postal_address: str) -> str:
    question, _ = footer_words(settings.LANGUAGE_CODE)
    return f"{body}\n\n-- \n{postal_address}\n{question}\n{opt_out_link}\n"


def _html(mailing: Mailing, words: Words, opt_out_link: str, postal_address: str) -> str:
    """Put the cleaned HTML into a whole page: what an inbox shows before the message, the message, the footer."""
    title = html.escape(mailing.subject if "{" not in mailing.subject else mailing.from_name)
    _, question = footer_words(settings.LANGUAGE_CODE)
    address = html.escape(postal_address).replace("\n", "<br>")
    return (
        f'<!doctype html>\n<html lang="{settings.LANGUAGE_CODE}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title></head>'
        f'<body style="margin:0">{words.preheader}{words.html}<div style="{_FOOTER}"><p>{address}<br>'
        f"{question % {'link': html.escape(opt_out_link)}}</p></div></body></html>"
    )
