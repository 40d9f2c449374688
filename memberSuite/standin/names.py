"""Namespaces of the Concierge protocol, and a way to write lists of names."""

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
CONTRACTS = "http://membersuite.com/contracts"
HEADERS = "http://membersuite.com/schemas"
RESULTS = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Results"
CONCIERGE = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Concierge"
TYPES = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types"
SEARCHING = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching"
OPERATIONS = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching.Operations"
ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
DIFFGRAM = "urn:schemas-microsoft-com:xml-diffgram-v1"
MSDATA = "urn:schemas-microsoft-com:xml-msdata"
ACTION_PREFIX = f"{CONTRACTS}/IConciergeAPIService/"


def words(text: str) -> list[str]:
    """Return the words of a text: a list of names without forty quotes."""
    return text.split()
