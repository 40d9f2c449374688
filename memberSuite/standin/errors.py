"""The errors a MemberSuite answers with: a name on SOAP, a number on REST."""

from memberSuite.standin.names import words

# In the order of their numbers.
CODES = words("""
    GeneralException SessionExpired InvalidAccessKey UnableToLocateMetadata TimestampMismatch RecordNotCreateable
    RecordNotFound LanguageNotSupported LoginInvalid UserAccountInactive CannotDeleteLockedRecord ObjectInvalid
    InvalidQuery CannotRunSearch IllegalParameter AccessDenied RecordAlreadyExists IllegalOperation
    CreditCardAuthorizationFailed SetupRequired NotLoggedInToAnAssociation ProductSoldOut TrialExpired
    LicenseViolation DiscountCodeNotAuthorized DiscountCodeUsageLimitExceeded MSQLSyntaxError SimulatedException
    PaymentDeclined IncompatibleCurrency ExchangeRateInappropriatelySpecified
""")

MESSAGES = {
    "GeneralException": "An unexpected error has occurred.",
    "SessionExpired": "Your session has expired.",
    "InvalidAccessKey": "The access key or its signature is not valid.",
    "AccessDenied": "You do not have permission to use this object.",
    "RecordNotFound": "The record could not be found.",
    "InvalidQuery": "The query is not valid.",
    "MSQLSyntaxError": "The MSQL statement has a syntax error.",
    "CannotRunSearch": "The search cannot be run.",
}


class RemoteError(Exception):
    """A business error: HTTP 200 with Success=false on SOAP, 400 with a number on REST."""

    def __init__(self, code: str, message: str = "", field: str | None = None) -> None:
        super().__init__(code)
        self.code, self.field = code, field
        self.message = message or MESSAGES.get(code, f"The call failed: {code}.")

    @property
    def number(self) -> int:
        return CODES.index(self.code) if self.code in CODES else 31
