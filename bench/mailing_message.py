"""The message that every contestant of the mailing measurement sends, and to whom.

Plain Python without imports of the project: it also runs in the peers' own virtual environments.
"""

from __future__ import annotations

PLACE = "@@NAME@@"  # where the recipient's name stands
SENDER = "letters@society.example"
SUBJECT = "The annual meeting"
TEXT = f"Hello {PLACE},\n\n" + "The annual meeting takes place in Zürich this spring. Please register.\n" * 40
HTML = (
    f"<html><body><p>Hello {PLACE},</p>"
    + "<p>The annual meeting takes place in Zürich. <a href='https://society.example/x'>Register</a></p>\n" * 60
    + "</body></html>"
)
HEADERS = {
    "List-Unsubscribe": "<https://society.example/opt-out/abc>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Precedence": "bulk",
}


def name(number: int) -> str:
    return f"Member {number}"


def address(number: int) -> str:
    return f"m{number}@members.example"


def text(number: int) -> str:
    return TEXT.replace(PLACE, name(number))


def html(number: int) -> str:
    return HTML.replace(PLACE, name(number))
