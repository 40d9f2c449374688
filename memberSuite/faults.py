"""MemberSuite's own error names and numbers, mapped to our errors in one place."""

from __future__ import annotations

from memberSuite import exceptions as e
from memberSuite.coerce import to_int

# The number is how REST says it, the name how Concierge does.
NAMES = [
    "GeneralException",
    "SessionExpired",
    "InvalidAccessKey",
    "UnableToLocateMetadata",
    "TimestampMismatch",
    "RecordNotCreateable",
    "RecordNotFound",
    "LanguageNotSupported",
    "LoginInvalid",
    "UserAccountInactive",
    "CannotDeleteLockedRecord",
    "ObjectInvalid",
    "InvalidQuery",
    "CannotRunSearch",
    "IllegalParameter",
    "AccessDenied",
    "RecordAlreadyExists",
    "IllegalOperation",
    "CreditCardAuthorizationFailed",
    "SetupRequired",
    "NotLoggedInToAnAssociation",
    "ProductSoldOut",
    "TrialExpired",
    "LicenseViolation",
    "DiscountCodeNotAuthorized",
    "DiscountCodeUsageLimitExceeded",
    "MSQLSyntaxError",
    "SimulatedException",
    "PaymentDeclined",
    "IncompatibleCurrency",
    "ExchangeRateInappropriatelySpecified",
]

_CLASSES: dict[str, type[e.MemberSuiteError]] = {
    "GeneralException": e.GeneralException,
    "SimulatedException": e.GeneralException,
    "SessionExpired": e.SessionExpired,
    "NotLoggedInToAnAssociation": e.SessionExpired,
    "InvalidAccessKey": e.InvalidAccessKey,
    "LoginInvalid": e.LoginRefused,
    "UserAccountInactive": e.LoginRefused,
    "InvalidQuery": e.SearchInvalid,
    "CannotRunSearch": e.SearchInvalid,
    "UnableToLocateMetadata": e.SearchInvalid,
    "AccessDenied": e.AccessDenied,
    "TrialExpired": e.AccountNeedsAttention,
    "LicenseViolation": e.AccountNeedsAttention,
}

_LONGEST_NAME = 100  # of what a server may call an error

# These say that the session is of no use: a new one is made once, then they are failures.
SESSION_CODES = ("SessionExpired", "NotLoggedInToAnAssociation")


def name_of(code: str | int | None) -> str:
    """Return the name of a code that may come as a name or as a number."""
    place = to_int(code)
    if place is not None and 0 <= place < len(NAMES):
        return NAMES[place]
    return code.strip()[:_LONGEST_NAME] if isinstance(code, str) else "" if place is None else str(place)


def refusal(code: str | int | None, message: str | None, field: str | None = None) -> e.MemberSuiteError:
    """Return our error for one of MemberSuite's; names nobody knows keep their text and are not retried."""
    name = name_of(code)
    said = ": ".join(part for part in (name, message) if part)
    if field:
        said = f"{said} (field {field})"
    known = _CLASSES.get(name)
    if known is not None:
        return known(said or None)
    return e.RemoteRefused(said or None, remote_code=name, field=field or "")
