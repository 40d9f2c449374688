"""E-mail addresses: which are well-formed, and which are the same mailbox. Nothing is looked up."""

import re
import unicodedata

import idna
from email_validator import EmailNotValidError, validate_email

# What nearly every address looks like, possessive so that each character is looked at once; whatever doesn't match goes
# to the library. A domain with "--" doesn't match: it may be punycode, which the library can judge.
_PLAIN_ADDRESS = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]++(?:\.[\w!#$%&'*+/=?^`{|}~-]++)*+"
    r"@(?:[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+\.)++[A-Za-z][A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+",
    re.ASCII,
).fullmatch
_LONGEST_LOCAL_PART = 64
_LONGEST_LABEL = 63  # a domain that is no longer has no label that is


def is_address(email: str) -> bool:
    """Say whether mail could be addressed so. Nothing is looked up."""
    at = email.find("@")
    is_short = at <= _LONGEST_LOCAL_PART and len(email) - at - 1 <= _LONGEST_LABEL
    return (is_short and _PLAIN_ADDRESS(email) is not None) or _is_unusual_address(email)


def _is_unusual_address(email: str) -> bool:
    try:
        validate_email(email, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        return False
    return True


def address_key(email: str) -> str:
    """Make the key by which two spellings of one mailbox are the same (R13): NFC, trimmed, lower-cased, IDNA domain."""
    if email.isascii():
        return email.strip().lower()
    local, at, domain = unicodedata.normalize("NFC", email).strip().lower().rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError:
            pass  # not a domain name: it is its own key
    return f"{local}{at}{domain}"
