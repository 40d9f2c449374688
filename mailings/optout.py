"""Opting out, and in again, by the link in a message: suppression and audit entry in one transaction (R11).

The link is `{SITE_URL}` + the page `mailings:opt_out` with a token. A GET of it only shows; a POST acts, and so does
the one-click POST of a mail program (RFC 8058), which has neither a session nor a CSRF token.
"""

import functools
import hmac
from typing import Literal

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, gettext_lazy

import audit
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from thrive_sync.lib.words import Words

from .models import Mailing, Recipient

How = Literal["page", "one_click"]
_NOTES: dict[How, Words] = {
    "page": gettext_lazy("mailing %(mailing)s, on the page of its link"),
    # Translators: "one click" is a mail program's own button to unsubscribe.
    "one_click": gettext_lazy("mailing %(mailing)s, by one click in the mail program"),
}

# A dot does not need escaping in a path. The token names one recipient, never an address.
_SALT, _SEPARATOR = "mailings.optout", "."
_signer = signing.Signer(salt=_SALT, sep=_SEPARATOR)
_LONGEST_TOKEN = 100
_TEST = "test-"


def token_for(recipient: Recipient) -> str:
    """Give the token that stands in this recipient's links. It holds as long as SECRET_KEY (or a fallback) does."""
    return _signer.sign(str(recipient.pk))


def link_for(recipient: Recipient) -> str:
    """Give the address in List-Unsubscribe and in the footer."""
    return link_with(token_of(recipient.pk))


def link_with(token: str) -> str:
    """Give the address of the page that a token opens."""
    before, after = _around_token()
    return f"{settings.SITE_URL}{before}{token}{after}"


def token_of(pk: int) -> str:
    """Give the token by the recipient's ID, as `token_for` does, and faster: of letters, digits, ".", "-" and "_"."""
    mac = _mac_of_nothing().copy()
    mac.update(b"%d" % pk)
    signature: bytes = signing.b64_encode(mac.digest())
    return f"{pk}{_SEPARATOR}{signature.decode()}"


@functools.cache
def _mac_of_nothing() -> hmac.HMAC:
    """Begin as the signer begins each token: to derive its key anew takes longer than all the rest."""
    return salted_hmac(f"{_SALT}signer", "", _signer.key, algorithm=_signer.algorithm)


@functools.cache
def _around_token() -> tuple[str, str]:
    before, _, after = reverse("mailings:opt_out", args=["token"]).partition("token")
    return before, after


def test_token(mailing_id: int) -> str:
    """Give the token that stands in a test of a mailing: its page says so, and nothing of it acts."""
    return _signer.sign(f"{_TEST}{mailing_id}")


def test_link(mailing_id: int) -> str:
    """Give the address in such a test."""
    return link_with(test_token(mailing_id))


def find_test(token: str) -> Mailing | None:
    """Find the mailing whose test a token stands in; None if it is another token."""
    word = _unsigned(token)
    if word is None or not word.startswith(_TEST):
        return None
    return Mailing.objects.filter(pk=int(word.removeprefix(_TEST))).first()


def find(token: str) -> Recipient | None:
    """Find whom a token stands for; None if it is not one of ours or the mailing is gone."""
    word = _unsigned(token)
    if word is None or not word.isdigit():
        return None
    return Recipient.objects.select_related("mailing").filter(pk=int(word)).first()


def _unsigned(token: str) -> str | None:
    if len(token) > _LONGEST_TOKEN:
        return None
    try:
        return _signer.unsign(token)
    except signing.BadSignature:
        return None


def is_opted_out(recipient: Recipient) -> bool:
    """Say whether an opt-out of this address is in force."""
    return suppression.in_force(recipient.email).filter(cause=SuppressionCause.OPT_OUT).exists()


@transaction.atomic
def opt_out(recipient: Recipient, how: How) -> None:
    """Keep the recipient's address from being mailed. The second time nothing more happens."""
    _lock(recipient)
    if is_opted_out(recipient):
        return
    with translation.override(settings.LANGUAGE_CODE):  # it is kept, for everybody
        note = str(_NOTES[how]) % {"mailing": recipient.mailing_id}
    added = suppression.add(recipient.email, SuppressionCause.OPT_OUT, note, mailing_id=recipient.mailing_id)
    if added is not None:
        audit.record("recipient", "opt_out", added, None, {"recipient": recipient.pk, "how": how})


@transaction.atomic
def opt_in(recipient: Recipient) -> None:
    """End the opt-out of the recipient's address; other causes stay. The second time nothing more happens."""
    _lock(recipient)
    ended = suppression.in_force(recipient.email).filter(cause=SuppressionCause.OPT_OUT).first()
    if ended is None:
        return
    with translation.override(settings.LANGUAGE_CODE):
        because = gettext("the person opted in again, by the link")
    suppression.lift(recipient.email, SuppressionCause.OPT_OUT, because=because)
    audit.record("recipient", "opt_in", ended, None, {"recipient": recipient.pk})


def _lock(recipient: Recipient) -> None:
    """Let two clicks on one link come one after the other."""
    Recipient.objects.select_for_update(no_key=True).only("pk").get(pk=recipient.pk)
