"""Makes a mailing's messages, each from the same mould. Pure but for the fields that it asks for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings

from .. import optout
from ..choices import Outcome
from ..markup import clean
from ..personal import Compiled, compiled, is_personal, values_of
from ..slots import Slot
from .lease import Verdict
from .letter import letter
from .line import Parcel
from .mould import Marks, Mould, cut, header_words
from .render import (
    NotAnAddress,
    Words,
    ascii_address,
    frame,
    namer,
    plain,
    preheader_for,
    smtp_address,
    subject_for,
    tame,
    text_of,
    with_name,
    words_for,
)
from .smtp import Envelope
from .values import values_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..models import Mailing
    from .tally import Moved

# What is known of every recipient without asking.
_AT_HAND = {"first_name", "last_name", "name", "email"}


class Press:
    """A subject or a preheader that is personal is filled in whole; a text that only writes fields, only there."""

    def __init__(
        self,
        mailing: Mailing,
        *,
        token_of: Callable[[int], str] = optout.token_of,
        key_of: Callable[[int], int | str] = int,
    ) -> None:
        """Args: `token_of` gives the token of the opt-out link, `key_of` what the Message-ID is made of, both by the
        recipient's ID.
        """
        self._mailing, self._token_of, self._key_of = mailing, token_of, key_of
        self._name_of = namer(mailing, settings.SITE_URL)
        self._sender = ascii_address(mailing.from_email)
        self._is_personal = is_personal(mailing.subject, mailing.preheader, mailing.html, mailing.text)
        self._marks = Marks()
        self._slots: dict[str, Slot] = {}
        # Texts that do more than write fields, by their mark.
        self._whole: dict[str, Compiled] = {}
        self._lines: dict[str, Callable[[Mailing, Mapping[str, str]], str]] = {}
        self._asks = False
        self._mould = self._make()

    def _make(self) -> Mould:
        rendered = frame(
            self._mailing,
            self._marked() if self._is_personal else words_for(self._mailing, {}),
            to_header=self._marks["to"],
            name=self._marks["message_id"],
            opt_out_link=optout.link_with(self._marks["token"]),
            postal_address=settings.MAIL_POSTAL_ADDRESS,
        )
        is_html = {"preheader", "html", "token", *(name for name, slot in self._slots.items() if slot.is_html)}
        return cut(lambda each: letter(each).message(), rendered, self._marks, is_html=is_html)

    def _marked(self) -> Words:
        """Write marks wherever the words are a person's own."""
        mailing = self._mailing
        text, subject = compiled(text_of(mailing)), compiled(mailing.subject)
        asking = [text, subject]
        words = Words(self._own("subject", subject_for), self._text(text))
        if mailing.html.strip():
            html = compiled(clean(mailing.html).html, is_html=True)
            asking += [html, compiled(mailing.preheader, is_html=True)]
            words = Words(words.subject, words.text, self._own("preheader", preheader_for), self._places("html", html))
        self._asks = not {name for each in asking for name, _ in each.variables} <= _AT_HAND
        return words

    def _own(self, field: str, written: Callable[[Mailing, Mapping[str, str]], str]) -> str:
        """Write a mark where the field is personal, and what everybody reads where it is not."""
        if not is_personal(getattr(self._mailing, field)):
            return written(self._mailing, {})
        self._lines[field] = written
        return self._marks[field]

    def _text(self, text: Compiled) -> str:
        """Write the text with marks: space at its end is cut off, so what stands there must be known."""
        if not text.pieces or not isinstance(text.pieces[-1], str) or not text.pieces[-1].strip():
            self._whole["text"] = text
            return self._marks["text"]
        return self._places("text", text).rstrip()

    def _places(self, part: str, template: Compiled) -> str:
        if template.pieces is None:
            self._whole[part] = template
            return self._marks[part]
        written = []
        for number, piece in enumerate(template.pieces):
            if isinstance(piece, Slot):
                self._slots[f"{part}{number}"] = piece
                written.append(self._marks[f"{part}{number}"])
            else:
                written.append(piece)
        return "".join(written)

    def parcels(self, recipients: Sequence[Moved]) -> Iterator[tuple[int, Parcel | Verdict]]:
        """Address the messages of some recipients, or say who can't get one."""
        values = values_for(self._mailing, [recipient.pk for recipient in recipients]) if self._asks else {}
        for recipient in recipients:
            try:
                yield recipient.pk, self.parcel(recipient, values.get(recipient.pk))
            except NotAnAddress as error:
                yield recipient.pk, Verdict(Outcome.FAILED, "address", str(error))

    def parcel(self, recipient: Moved, values: Mapping[str, str] | None = None) -> Parcel:
        """Address one recipient's message; what is known without asking need not be given. Raises NotAnAddress.

        It is written when a connection is ready for it, on the thread of the connections, while PostgreSQL keeps the
        thread of the books waiting.
        """
        address = smtp_address(recipient.email)
        return Parcel(recipient.pk, Envelope(self._sender, address), partial(self._write, recipient, address, values))

    def _write(self, recipient: Moved, address: str, values: Mapping[str, str] | None) -> bytes:
        name = tame(f"{recipient.first_name} {recipient.last_name}")
        fillings = {
            "to": with_name(name, address) if name.isascii() else f"{header_words(name, 'To').decode()} <{address}>",
            "message_id": self._name_of(self._key_of(recipient.pk)),
            "token": self._token_of(recipient.pk),
        }
        if self._is_personal:
            if values is None:
                values = values_of(recipient.first_name, recipient.last_name, recipient.email, "", {})
            fillings |= self._own_words(values)
        return self._mould.fill(fillings)

    def _own_words(self, values: Mapping[str, str]) -> dict[str, str]:
        fillings = {name: slot.fill(values) for name, slot in self._slots.items()}
        for field, written_by in self._lines.items():
            fillings[field] = written_by(self._mailing, values)
        for part, template in self._whole.items():
            written = template.fill(values)
            fillings[part] = plain(written) if part == "text" else written
        return fillings
