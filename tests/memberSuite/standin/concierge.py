"""A caller of the Concierge protocol made for these tests alone, so that neither side is tested by its own code."""

import base64
import hmac
from dataclasses import dataclass, field
from hashlib import sha1
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from memberSuite.standin import StandIn

CONTRACTS = "http://membersuite.com/contracts"
ACTION = f"{CONTRACTS}/IConciergeAPIService/"
NS = {
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "a": "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Results",
    "e": "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Concierge",
    "t": "http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types",
    "h": "http://membersuite.com/schemas",
    "d": "urn:schemas-microsoft-com:xml-diffgram-v1",
}
PREFIXES = (
    'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema" '
    'xmlns:q="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching" '
    'xmlns:o="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching.Operations" '
    'xmlns:arr="http://schemas.microsoft.com/2003/10/Serialization/Arrays"'
)
COLUMNS = ("ID", "LocalID", "FirstName", "LastName", "EmailAddress", "DoNotEmail", "LastModifiedDate")


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    root: Any = None

    def text(self, path: str) -> str | None:
        return self.root.findtext(f".//{path}", namespaces=NS)

    @property
    def code(self) -> str | None:
        return self.text("e:Code")

    @property
    def session(self) -> str | None:
        return self.text("h:SessionId")

    @property
    def total(self) -> int:
        return int(self.text("a:TotalRowCount") or -1)

    @property
    def rows(self) -> list[dict[str, str | None]]:
        return [{cell.tag: cell.text for cell in row} for row in self.root.iterfind(".//d:diffgram/*/*", NS)]

    def record(self) -> dict[str, str | None]:
        pairs = self.root.iterfind(".//t:KeyValueOfstringanyType", NS)
        return {pair.findtext("t:Key", namespaces=NS): pair.findtext("t:Value", namespaces=NS) for pair in pairs}


@dataclass
class Caller:
    standin: StandIn
    session: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def header(self, operation: str, **instead: str) -> str:
        parts = {"SessionId": self.session or "", "AccessKeyId": self.standin.access_key_id}
        parts |= {"AssociationId": self.standin.association_id, **instead}
        text = f"{ACTION}{operation}{parts['AssociationId']}{parts['SessionId']}"
        key = base64.b64decode(self.standin.secret_access_key)
        parts.setdefault("Signature", base64.b64encode(hmac.new(key, text.encode(), sha1).digest()).decode())
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items() if value)
        return f'<ConciergeRequestHeader xmlns="http://membersuite.com/schemas">{inner}</ConciergeRequestHeader>'

    def call(self, operation: str, inner: str = "", *, quoted: bool = True, **instead: str) -> Reply:
        body = f'<{operation} xmlns="{CONTRACTS}" {PREFIXES}>{inner}</{operation}>'
        return self.post(operation, self.header(operation, **instead), body, quoted=quoted)

    def post(self, operation: str, header: str, body: str, *, quoted: bool = True) -> Reply:
        envelope = f'<s:Envelope xmlns:s="{NS["s"]}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
        action = f'"{ACTION}{operation}"' if quoted else f"{ACTION}{operation}"
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action, **self.headers}
        return send(self.standin, "POST", "/", envelope.encode(), headers)

    def sign_in(self) -> "Caller":
        self.session = self.call("WhoAmI").session
        return self

    def msql(self, statement: str, start: int = 0, most: int | None = 200) -> Reply:
        limit = "" if most is None else f"<maximumNumberOfRecordsToReturn>{most}</maximumNumberOfRecordsToReturn>"
        inner = f"<msqlStatement>{statement}</msqlStatement><startRecord>{start}</startRecord>{limit}"
        return self.call("ExecuteMSQL", inner)

    def search(self, search: str, start: int = 0, most: int = 200) -> Reply:
        return self.call(
            "ExecuteSearch",
            f"<searchToExecute>{search}</searchToExecute><startRecord>{start}</startRecord>"
            f"<maximumNumberOfRecordsToReturn>{most}</maximumNumberOfRecordsToReturn>",
        )

    def page(self, *criteria: str, start: int = 0, most: int = 200, sort: str = "LocalID", down: bool = False) -> Reply:
        return self.search(people(*criteria, sort=sort, down=down), start, most)


def people(
    *criteria: str, sort: str = "LocalID", down: bool = False, columns: tuple[str, ...] = COLUMNS, kind: str = "And"
) -> str:
    outputs = "".join(f"<q:SearchOutputColumn><q:Name>{name}</q:Name></q:SearchOutputColumn>" for name in columns)
    return (
        f"<q:Criteria>{''.join(criteria)}</q:Criteria><q:GroupType>{kind}</q:GroupType>"
        f"<q:OutputColumns>{outputs}</q:OutputColumns><q:SortColumns><q:SearchSortColumn>"
        f"<q:IsDescending>{str(down).lower()}</q:IsDescending><q:Name>{sort}</q:Name></q:SearchSortColumn>"
        "</q:SortColumns><q:Type>Individual</q:Type>"
    )


def criterion(operation: str, name: str, *values: str, kind: str = "") -> str:
    typed = f' i:type="x:{kind}"' if kind else ""
    listed = "".join(f"<arr:anyType{typed}>{value}</arr:anyType>" for value in values)
    return (
        f'<q:SearchOperation i:type="o:{operation}"><q:FieldName>{name}</q:FieldName>'
        f"<q:ValuesToOperateOn>{listed}</q:ValuesToOperateOn></q:SearchOperation>"
    )


def group(kind: str, *criteria: str) -> str:
    return (
        f'<q:SearchOperation i:type="q:SearchOperationGroup"><q:Criteria>{"".join(criteria)}</q:Criteria>'
        f"<q:GroupType>{kind}</q:GroupType></q:SearchOperation>"
    )


def send(
    standin: StandIn,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    timeout: float = 10,
) -> Reply:
    """Send one request on a connection of its own."""
    connection = HTTPConnection(urlsplit(standin.url).netloc, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer: HTTPResponse = connection.getresponse()
        content = answer.read()
        reply = Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, content)
    finally:
        connection.close()
    if "xml" in reply.headers.get("content-type", "") and "content-encoding" not in reply.headers:
        try:
            reply.root = etree.fromstring(reply.body)
        except etree.XMLSyntaxError:
            reply.root = None
    return reply
