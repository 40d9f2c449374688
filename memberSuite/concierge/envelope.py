"""The text of SOAP requests; element order is fixed, and what has no value is left out."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

SOAP_NS = "http://schemas.xmlsoap.org/soap/envelope/"
CONTRACTS_NS = "http://membersuite.com/contracts"
SCHEMAS_NS = "http://membersuite.com/schemas"
TYPES_NS = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types"
SEARCHING_NS = "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching"
OPERATIONS_NS = SEARCHING_NS + ".Operations"
ARRAYS_NS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
XSI_NS = "http://www.w3.org/2001/XMLSchema-instance"
XSD_NS = "http://www.w3.org/2001/XMLSchema"


def action(operation: str) -> str:
    """Return an operation's SOAPAction, which is also what is signed."""
    return f"{CONTRACTS_NS}/IConciergeAPIService/{operation}"


def envelope(*, access_key_id: str, association_id: str, session_id: str | None, signature: str, body: str) -> bytes:
    """Put a body under the header that signs it."""
    session = f"<SessionId>{escape(session_id)}</SessionId>" if session_id else ""
    return (
        f'<s:Envelope xmlns:s="{SOAP_NS}"><s:Header><ConciergeRequestHeader xmlns="{SCHEMAS_NS}">{session}'
        f"<AccessKeyId>{escape(access_key_id)}</AccessKeyId><AssociationId>{escape(association_id)}</AssociationId>"
        f"<Signature>{escape(signature)}</Signature></ConciergeRequestHeader></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def who_am_i() -> str:
    return f'<WhoAmI xmlns="{CONTRACTS_NS}"/>'


def get(record_id: str) -> str:
    return f'<Get xmlns="{CONTRACTS_NS}"><id>{escape(record_id)}</id></Get>'


def execute_msql(statement: str, start: int, most: int) -> str:
    return (
        f'<ExecuteMSQL xmlns="{CONTRACTS_NS}"><msqlStatement>{escape(statement)}</msqlStatement>'
        f"{_rows(start, most)}</ExecuteMSQL>"
    )


def execute_search(search: str, start: int, most: int) -> str:
    """Run a search, given as the children of a Search element in their fixed order."""
    return (
        f'<ExecuteSearch xmlns="{CONTRACTS_NS}" xmlns:i="{XSI_NS}" xmlns:x="{XSD_NS}" xmlns:q="{SEARCHING_NS}" '
        f'xmlns:o="{OPERATIONS_NS}" xmlns:arr="{ARRAYS_NS}"><searchToExecute>{search}</searchToExecute>'
        f"{_rows(start, most)}</ExecuteSearch>"
    )


def mass_update(record_ids: Iterable[str], field: str, value: bool) -> str:
    """Set one flag of several individuals."""
    ids = "".join(f"<arr:string>{escape(record_id)}</arr:string>" for record_id in record_ids)
    return (
        f'<MassUpdate xmlns="{CONTRACTS_NS}" xmlns:i="{XSI_NS}" xmlns:x="{XSD_NS}" xmlns:b="{TYPES_NS}">'
        f'<recordType>Individual</recordType><recordIdentifiers xmlns:arr="{ARRAYS_NS}">{ids}</recordIdentifiers>'
        f"<msoNewValues><b:ClassType>Individual</b:ClassType><b:Fields><b:KeyValueOfstringanyType>"
        f'<b:Key>{field}</b:Key><b:Value i:type="x:boolean">{"true" if value else "false"}</b:Value>'
        f"</b:KeyValueOfstringanyType></b:Fields></msoNewValues></MassUpdate>"
    )


def _rows(start: int, most: int) -> str:
    return f"<startRecord>{start}</startRecord><maximumNumberOfRecordsToReturn>{most}</maximumNumberOfRecordsToReturn>"
