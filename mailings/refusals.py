"""What a mail server's refusal is about, by its code and words (RFC 5321, RFC 3463). Pure.

One kind alone suppresses an address at once: nobody is there. A refusal by policy (x.7.x) is about the sender or the
message, and a full mailbox (x.2.2) is emptied some day; both leave the address as it is.
"""

import re

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
# Of x.1.x: no such mailbox, no such domain, no possible address, moved away, a domain that takes no mail. Not 7 and 8,
# which are about the sender's address.
_NOBODY_THERE = ("1", "2", "3", "6", "10")
# Some servers say it in words alone, or with a status that means nothing in particular.
_SAYS_NOTHING = ("5.0.0", "5.1.0", "5.5.0", "5.5.4")
_WORDS = re.compile(
    r"user unknown|unknown user|no such (user|mailbox|recipient|address)|(user|mailbox|recipient|address|account) "
    r"(does not|doesn't) exist|(unknown|invalid) recipient|recipient (unknown|not found)|no mailbox (here )?by that"
    r" name|nobody (here )?(by|of) that name|user not found",
    re.IGNORECASE,
)
# Our own mail server does not know where to send it: true of everybody, so of nobody in particular.
_OUR_SIDE = re.compile(r"\brelay", re.IGNORECASE)

# So many answers tell what kind of a mail server it is; nearly all of them refused: one that knows nobody.
ENOUGH_ANSWERS = 20
_NEARLY_ALL = 0.9


def is_refusing_everybody(refused: int, answered: int) -> bool:
    """Say whether so many hard refusals tell of the mail server, and of none of the addresses."""
    return answered >= ENOUGH_ANSWERS and refused >= _NEARLY_ALL * answered


def status_of(words: str) -> str:
    """Find the enhanced status, such as "5.1.1"; empty if there is none."""
    found = _STATUS.search(words)
    return ".".join(found.groups()) if found else ""


def is_nobody_there(code: str, words: str) -> bool:
    """Say whether a server refused for good because there is no such address: a hard bounce."""
    if not code.startswith("5") or _OUR_SIDE.search(words):
        return False
    status = status_of(words)
    if status and status not in _SAYS_NOTHING:
        kind, subject, detail = status.split(".")
        return kind == "5" and subject == "1" and detail in _NOBODY_THERE
    return _WORDS.search(words) is not None


def is_no_hard_bounce(words: str) -> bool:
    """Say whether the words speak against a hard bounce, whatever a provider calls it: policy, or a full mailbox."""
    status = status_of(words)
    return status[1:4] == ".7." or status[1:] == ".2.2"


def is_soft_bounce(code: str, words: str) -> bool:
    """Say whether a message that was given up failed at the mailbox for now: put off too often, or full."""
    status = status_of(words)
    if status[1:4] in (".7.", ".3.", ".5.", ".6."):  # policy, their system, the protocol, the message
        return False
    return code.startswith("4") or status[1:] in (".2.1", ".2.2") or (code == "552" and not status)
