"""The error tree: a stable code for the run, a sentence for the marketer, transient or permanent for the retry."""

from __future__ import annotations

import re
from typing import ClassVar

from memberSuite.words import gettext, gettext_noop

SAID_LIMIT = 300
# Control characters and halves of characters: no database or page takes all of them.
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def fit(text: str) -> str:
    """Return text of a server that can be kept: characters that can't be are replaced."""
    return _UNFIT.sub("\ufffd", text)


class MemberSuiteError(Exception):
    """Base of everything the client raises; `remote_said` is MemberSuite's own text without secrets.

    A class has its sentence in English, an error in the language of the program.
    """

    code: str = "membersuite_error"
    sentence: str = gettext_noop("MemberSuite could not be read. Nothing was changed here.")
    is_transient: ClassVar[bool] = False
    retries: ClassVar[int] = 0

    def __init__(
        self,
        remote_said: str | None = None,
        *,
        retry_after: float | None = None,
        code: str | None = None,
        sentence: str | None = None,
    ) -> None:
        self.remote_said = fit(remote_said[:SAID_LIMIT]) if remote_said else None
        self.retry_after = retry_after
        if code is not None:
            self.code = code
        self.sentence = gettext(self.sentence) if sentence is None else sentence
        super().__init__(self.sentence)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class TransientError(MemberSuiteError):
    """Worth asking again: the client already did, with back-off, before it raised this."""

    code = "temporary_trouble"
    sentence = gettext_noop("MemberSuite had a temporary problem. Try again in a few minutes.")
    is_transient = True
    retries = 5


class PermanentError(MemberSuiteError):
    """Asking again would give the same answer; a person has to act."""


class HostUnreachable(TransientError):
    code = "host_unreachable"
    sentence = gettext_noop(
        "The MemberSuite server could not be reached. Check the service address and this server's network, "
        "then try again."
    )


class TimedOut(TransientError):
    code = "timed_out"
    sentence = gettext_noop(
        "MemberSuite did not answer in time, even after several tries. Try again later, "
        "or choose a smaller page size on Bridge Configuration."
    )


class ConnectionCut(TransientError):
    code = "connection_cut"
    sentence = gettext_noop(
        "The connection to MemberSuite broke off in the middle of an answer. Try again in a few minutes."
    )


class Throttled(TransientError):
    code = "throttled"
    sentence = gettext_noop(
        "MemberSuite asked us to slow down and kept doing so. Try again later, "
        "or lower the number of calls in flight on Bridge Configuration."
    )


class ServerTrouble(TransientError):
    code = "server_trouble"
    sentence = gettext_noop(
        "MemberSuite's server is in trouble at the moment. Try again later; nothing needs to be changed here."
    )


class GeneralException(TransientError):
    code = "general_exception"
    sentence = gettext_noop(
        "MemberSuite reported an internal error several times. Try again later; "
        "if it stays, open the search in MemberSuite and check that it runs there."
    )
    retries = 3


class SessionExpired(PermanentError):
    code = "session_expired"
    sentence = gettext_noop(
        "MemberSuite ended our session, and ended the next one too. Test the connection on Bridge Configuration; "
        "if it stays, ask MemberSuite support about the API user's sessions."
    )


class InvalidAccessKey(PermanentError):
    code = "invalid_access_key"
    sentence = gettext_noop(
        "MemberSuite refused the access key or the signature. Check the Access Key ID, the Secret Access Key "
        "and the Association ID on Bridge Configuration."
    )


class InvalidSecret(PermanentError):
    code = "invalid_secret"
    sentence = gettext_noop(
        "The Secret Access Key is not in the form MemberSuite gives it (base64 text). "
        "Copy it again from MemberSuite into Bridge Configuration."
    )


class LoginRefused(PermanentError):
    code = "login_refused"
    sentence = gettext_noop(
        "MemberSuite refused the sign-in. Check the API user and its password on Bridge Configuration, "
        "and that the user is active in MemberSuite."
    )


class WrongTenant(PermanentError):
    code = "wrong_tenant"
    sentence = gettext_noop(
        "These credentials belong to another MemberSuite association. "
        "Check the Tenant ID or the Association ID on Bridge Configuration."
    )


class AccountNeedsAttention(PermanentError):
    code = "account_needs_attention"
    sentence = gettext_noop(
        "MemberSuite says that this association's trial or licence does not allow this. Contact MemberSuite."
    )


class AccessDenied(PermanentError):
    code = "access_denied"
    sentence = gettext_noop(
        "The API user has no permission for this in MemberSuite. Give it the right to read saved searches "
        "and individuals (and to change individuals if opt-outs are written back)."
    )


class SearchGone(PermanentError):
    code = "search_gone"
    sentence = gettext_noop(
        "This search no longer exists in MemberSuite, or is no longer visible to the API user. "
        "Make it public again there, or choose another target group."
    )


class SearchInvalid(PermanentError):
    code = "search_invalid"
    sentence = gettext_noop(
        "MemberSuite could not run this search. Open it in MemberSuite, correct it there, then sync again."
    )


class SearchNotRunnable(PermanentError):
    code = "search_not_runnable"
    sentence = gettext_noop("This search can't be run from here.")


class CriterionRefused(PermanentError):
    code = "criterion_refused"
    sentence = gettext_noop(
        "MemberSuite did not apply the condition we added to this search, so its answer can't be used."
    )


class LookUpUnsupported(PermanentError):
    code = "look_up_unsupported"
    sentence = gettext_noop(
        "Single people can't be asked for within this search, because it limits or groups its rows."
    )


class TotalMissing(PermanentError):
    code = "total_missing"
    sentence = gettext_noop(
        "MemberSuite did not say how many rows this search has, so we can't tell whether all were read. "
        "Nothing was changed. Try again; if it stays, contact MemberSuite."
    )


class PagingIgnored(PermanentError):
    code = "paging_ignored"
    sentence = gettext_noop(
        "MemberSuite keeps answering the same rows of this search, so it can't be read to its end. "
        "Nothing was changed. Open the search in MemberSuite and check its columns and sort."
    )


class ListEndless(PermanentError):
    code = "list_endless"
    sentence = gettext_noop(
        "MemberSuite's list of saved searches does not end, so it can't be used. Nothing was changed. "
        "Try again; if it stays, contact MemberSuite."
    )


class UnreadableReply(PermanentError):
    code = "unreadable_reply"
    sentence = gettext_noop(
        "MemberSuite's answer could not be read. Nothing was changed. Check the service address; "
        "if it is right, try again later."
    )


class ReplyTooLarge(PermanentError):
    code = "reply_too_large"
    sentence = gettext_noop(
        "MemberSuite's answer is too large: over 64 MiB, or over 750,000 values. "
        "Nothing was changed. Choose a smaller page size on Bridge Configuration."
    )


class AddressPrivate(PermanentError):
    code = "address_private"
    sentence = gettext_noop(
        "The service address leads to a server in a private network, so nothing was sent. Check the service address. "
        "If it is meant, the operator of this program allows it with ALLOW_PRIVATE_ADDRESSES."
    )


class RedirectRefused(PermanentError):
    code = "redirect_refused"
    sentence = gettext_noop(
        "The service address sends us to another address, which we refuse for safety. "
        "Enter MemberSuite's own address on Bridge Configuration."
    )


class AddressWrong(PermanentError):
    code = "address_wrong"
    sentence = gettext_noop(
        "The service address answers, but MemberSuite's service is not there. "
        "Check the address on Bridge Configuration."
    )


class CertificateInvalid(PermanentError):
    code = "certificate_invalid"
    sentence = gettext_noop(
        "The server's certificate could not be verified, so no secret was sent. "
        "Check the service address, and this server's clock and root certificates."
    )


class RemoteRefused(PermanentError):
    code = "remote_refused"
    sentence = gettext_noop(
        "MemberSuite refused this request. Nothing was changed here; MemberSuite's own words say why."
    )

    def __init__(self, remote_said: str | None = None, *, remote_code: str = "", field: str = "") -> None:
        super().__init__(remote_said)
        self.remote_code = fit(remote_code)
        self.field = fit(field)


class ReadingStopped(MemberSuiteError):
    code = "stopped"
    sentence = gettext_noop("The reading was stopped. Nothing was changed.")
