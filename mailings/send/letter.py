"""A rendered message as Python's and Django's e-mail objects. It makes messages and sends none."""

from __future__ import annotations

from email.header import Header
from typing import Any

from django.core.mail import EmailMultiAlternatives

from .render import Rendered


class Letter(EmailMultiAlternatives):
    """Django's message, whose headers begin on their first line.

    Django folds a long subject without counting the header's name, and Python a link that is too long for a line: the
    first line would be empty then, which is legal and looks like spam.
    """

    def message(self, **options: Any) -> Any:
        message: Any = super().message(**options)
        message.policy = message.policy.clone(max_line_length=998)  # what is folded already stays so
        subject = str(self.subject)
        if not subject.isascii():
            message.replace_header("Subject", Header(subject, "utf-8", header_name="Subject").encode())
        return message


def letter(rendered: Rendered) -> Letter:
    message = Letter(
        rendered.subject,
        rendered.text,
        rendered.from_header,
        [rendered.to_header],
        reply_to=rendered.reply_to,
        headers=rendered.headers,
    )
    if rendered.html:
        message.attach_alternative(rendered.html, "text/html")
    return message
