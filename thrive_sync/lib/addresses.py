"""E-mail addresses: which are well-formed, and which are the same mailbox. Nothing is looked up."""

import re
import unicodedata

import idna
from email_validator import EmailNotValidError, validate_email

# What nearly every address looks like; whatever doesn't match goes to the library.
_PLAIN_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
).fullmatch
_LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64


def is_address(email: str) -> bool:
    """Say whether mail could be addressed so. Nothing is looked up."""
    local, _, domain = email.rpartition("@")
    # A domain with "--" may be punycode, which the library can judge.
    is_plain = len(email) <= _LONGEST_ADDRESS and len(local) <= _LONGEST_LOCAL_PART and "--" not in domain
    return (is_plain and _PLAIN_ADDRESS(email) is not None) or _is_unusual_address(email)


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
