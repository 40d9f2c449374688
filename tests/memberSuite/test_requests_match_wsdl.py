"""Every request we send fits the service's own schema, and the stored criteria survive the trip."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from memberSuite import MemberSuiteClient
from memberSuite.concierge import criteria, definition, envelope
from memberSuite.standin.server import StandIn
from tests.memberSuite.connecting import concierge, read_all
from tests.memberSuite.fake_http import FakeHttp, Say, Seen

XS = "{http://www.w3.org/2001/XMLSchema}"
S = "{http://schemas.xmlsoap.org/soap/envelope/}"
Q = "{http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

# A stored search of operations that nobody here knows, its prefixes declared where a copy may lose them.
ODD = b"""<b:Value xmlns:b="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Types"
  xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema" i:type="zz:Search"
  xmlns:zz="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching"
  xmlns:o="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching.Operations"
  xmlns:arr="http://schemas.microsoft.com/2003/10/Serialization/Arrays">
  <zz:Criteria><zz:SearchOperation i:type="o:Keyword"><zz:FieldName>Na&amp;me</zz:FieldName></zz:SearchOperation>
  <zz:SearchOperation xmlns:inner="http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching.Operations"
   i:type="inner:WhereClause"><zz:FieldName>caf\xc3\xa9</zz:FieldName><zz:ValuesToOperateOn><arr:anyType
   xmlns:y="http://www.w3.org/2001/XMLSchema" i:type="y:string">a &lt; b</arr:anyType></zz:ValuesToOperateOn>
  </zz:SearchOperation></zz:Criteria><zz:GroupType>Or</zz:GroupType><zz:Context>ctx</zz:Context>
  <zz:Type>Individual</zz:Type></b:Value>"""


@pytest.fixture
def schema(standin: StandIn, tmp_path: Path) -> etree.XMLSchema:
    """Build one schema of those inside the WSDL, which import each other without saying where they are."""
    with urllib.request.urlopen(standin.url + "/mex") as answer:
        wsdl = etree.fromstring(answer.read())
    schemas = list(wsdl.iter(XS + "schema"))
    files = {one.get("targetNamespace"): f"{place}.xsd" for place, one in enumerate(schemas)}
    for one in schemas:
        for imported in one.iter(XS + "import"):
            imported.set("schemaLocation", files[imported.get("namespace")])
        (tmp_path / files[one.get("targetNamespace")]).write_bytes(etree.tostring(one))
    imports = "".join(f'<import namespace="{name}" schemaLocation="{file}"/>' for name, file in files.items())
    (tmp_path / "all.xsd").write_text(f'<schema xmlns="http://www.w3.org/2001/XMLSchema">{imports}</schema>')
    return etree.XMLSchema(etree.parse(tmp_path / "all.xsd"))


@pytest.fixture
def recorder(standin: StandIn) -> Iterator[FakeHttp]:
    """A server between the client and the stand-in that keeps what was sent."""

    def forward(seen: Seen) -> Say:
        headers = {name: seen.headers[name] for name in ("Content-Type", "SOAPAction") if name in seen.headers}
        request = urllib.request.Request(standin.url + seen.path, seen.body or None, headers, method=seen.method)
        with urllib.request.urlopen(request) as answer:
            return Say(answer.read())

    with FakeHttp(answerer=forward) as server:
        yield server


def do_everything(client: MemberSuiteClient, standin: StandIn) -> None:
    client.list_searches()
    for name in ("All individuals", "Fifty newest records", "People by town", "Members abroad or of unknown country"):
        read_all(client.read_people(client.get_search(standin.search_id(name))))
    search = client.get_search(standin.search_id("London chapter"))
    people = read_all(client.read_people(search))
    read_all(client.read_do_not_email(search))
    wanted = [person.remote_id for person in people[:2]]
    list(client.look_up(search, wanted))
    client.set_do_not_email(wanted, True)
    standin.fails("ExecuteMSQL", "AccessDenied")
    client.list_searches()


def test_every_request_fits_the_schema(standin: StandIn, schema: etree.XMLSchema, recorder: FakeHttp) -> None:
    with concierge(recorder, page_size=100) as client:
        do_everything(client, standin)
    operations = set()
    for seen in recorder.seen:
        root = etree.fromstring(seen.body)
        header, body = root.find(S + "Header"), root.find(S + "Body")
        assert header is not None
        assert body is not None
        schema.assertValid(etree.ElementTree(header[0]))
        schema.assertValid(etree.fromstring(etree.tostring(body[0])))
        operations.add(etree.QName(body[0]).localname)
    assert operations == {"WhoAmI", "ExecuteMSQL", "ExecuteSearch", "Get", "MassUpdate"}


def sent(own: list[str]) -> etree._Element:
    """Return the Search element that goes out for the odd stored search, read again as the server does."""
    kept = definition.read(definition.kept(etree.fromstring(ODD)))
    text = envelope.execute_search(
        criteria.search(kept, own_criteria=own, columns=("ID",), sort=[("LocalID", False)]), 0, 5
    )
    search = etree.fromstring(text).find("{http://membersuite.com/contracts}searchToExecute")
    assert search is not None
    return search


def test_stored_criteria_go_out_whole_under_an_and_of_ours(schema: etree.XMLSchema) -> None:
    """R1: an Or of the search must never swallow the Do Not Email criterion."""
    search = sent([criteria.flag_is(False)])
    assert search.findtext(Q + "GroupType") == "And"
    original, flag = search.iterfind(f"{Q}Criteria/*")
    assert original.findtext(Q + "GroupType") == "Or"
    assert flag.findtext(Q + "FieldName") == "DoNotEmail"
    before = etree.fromstring(ODD).find(Q + "Criteria")
    assert before is not None
    assert canonical(original.find(Q + "Criteria")) == canonical(before)
    assert search.findtext(Q + "Context") == "ctx"


def canonical(element: etree._Element | None) -> list[object]:
    """Return what an element says, each prefix in a type or a value replaced by its namespace."""
    assert element is not None
    attributes = {}
    for name, value in element.items():
        if name == XSI_TYPE:
            prefix, _, local = value.rpartition(":")
            value = f"{{{element.nsmap[prefix or None]}}}{local}"
        attributes[name] = value
    text = (element.text or "").strip()
    return [element.tag, attributes, text, [canonical(child) for child in element]]


def test_the_children_of_a_search_keep_their_order() -> None:
    names = [etree.QName(child).localname for child in sent([criteria.flag_is(False)])]
    assert names == sorted(names, key=criteria.ORDER.index)


def test_a_search_without_criteria_sends_no_empty_group() -> None:
    text = criteria.search(None, columns=("ID",), sort=[("ID", False)])
    assert "Criteria" not in text


def test_names_that_are_no_names_cannot_break_out_of_the_request() -> None:
    text = envelope.get('x</id><id>"&')
    assert etree.fromstring(text)[0].text == 'x</id><id>"&'


@pytest.mark.parametrize(
    "spoiled",
    [
        ODD.replace(b"a &lt; b", b"##Town##"),
        ODD.replace(b"<zz:Criteria>", b"<zz:EnableParameterization>true</zz:EnableParameterization><zz:Criteria>"),
        ODD.replace(b"<zz:FieldName>caf", b"<zz:EnableParameterization>1</zz:EnableParameterization><zz:FieldName>caf"),
    ],
)
def test_a_search_that_asks_its_user_is_seen(spoiled: bytes) -> None:
    assert definition.read(spoiled).needs_parameter
    assert not definition.read(ODD).needs_parameter


@pytest.mark.parametrize(
    ("inserted", "is_limited"),
    [
        (b"", False),
        (b'<zz:TopN i:nil="true"/>', False),
        (b"<zz:UniqueResult>false</zz:UniqueResult>", False),
        (b"<zz:TopN>5</zz:TopN>", True),
        (b"<zz:UniqueResult>true</zz:UniqueResult>", True),
    ],
)
def test_a_limited_search_is_seen(inserted: bytes, is_limited: bool) -> None:
    assert definition.read(ODD.replace(b"</b:Value>", inserted + b"</b:Value>")).is_limited is is_limited
