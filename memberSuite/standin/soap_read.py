"""Read a Concierge request: its header, a Search, a record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lxml import etree

from memberSuite.standin import names
from memberSuite.standin.criteria import Criterion, Group, Node
from memberSuite.standin.query import Output, Query

Element = etree._Element
OPERATION_ORDER = ("EnableParameterization", "FieldName", "ID", "ValuesToOperateOn")
GROUP_ORDER = (*OPERATION_ORDER, "Criteria", "GroupType")
SEARCH_ORDER = (
    *GROUP_ORDER,
    *names.words("Commands ConsistentRead Context CountField Label Module OutputColumns OutputFormat Override"),
    *names.words("RowLevelCommands SortColumns TopN Type UniqueResult"),
)
OUTPUT_ORDER = ("AggregateFunction", "ColumnWidth", "DisplayName", "Hidden", "Name")
SORT_ORDER = ("IsDescending", "Name")
TRUE = frozenset({"true", "1"})


class NotSoap(Exception):
    """The body is not a SOAP envelope."""


@dataclass
class SoapRequest:
    header: dict[str, str | None]
    body: Element | None


@dataclass
class ReadSearch:
    query: Query
    # Elements skipped because they stood out of the schema's order, as a DataContract reader skips them.
    skipped: list[str] = field(default_factory=list)


def local(element: Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def children(element: Element) -> Iterator[Element]:
    return (child for child in element if isinstance(child.tag, str))


def is_nil(element: Element) -> bool:
    return element.get(f"{{{names.INSTANCE}}}nil", "").strip() in TRUE


def text_of(element: Element | None) -> str | None:
    return None if element is None or is_nil(element) else (element.text or "")


def named(element: Element, name: str) -> Element | None:
    return next((child for child in children(element) if local(child) == name), None)


def parse(body: bytes) -> SoapRequest:
    """Parse an envelope without touching entities or DTDs; NotSoap when it is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise NotSoap(str(error)) from error
    if root.tag != f"{{{names.ENVELOPE}}}Envelope":
        raise NotSoap("no envelope")
    header: dict[str, str | None] = {}
    for block in root.iterchildren(f"{{{names.ENVELOPE}}}Header"):
        for concierge in block.iterchildren(f"{{{names.HEADERS}}}ConciergeRequestHeader"):
            header = {local(child): text_of(child) for child in children(concierge)}
    content = root.find(f"{{{names.ENVELOPE}}}Body")
    return SoapRequest(header, None if content is None else next(children(content), None))


class SearchReader:
    """Reads a Search in the schema's order."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def members(self, element: Element, order: Sequence[str]) -> dict[str, Element]:
        """Return the known children by name, those out of order left out."""
        found: dict[str, Element] = {}
        position = 0
        for child in children(element):
            name = etree.QName(child)
            if name.namespace != names.SEARCHING or name.localname not in order:
                continue
            if order.index(name.localname) < position:
                self.skipped.append(name.localname)
                continue
            position = order.index(name.localname)
            found[name.localname] = child
        return found

    def node(self, element: Element) -> Node:
        operation = type_name(element)
        if operation in ("SearchOperationGroup", "Search"):
            return self.group(self.members(element, GROUP_ORDER))
        members = self.members(element, OPERATION_ORDER)
        values = members.get("ValuesToOperateOn")
        listed = () if values is None else tuple(text_of(value) for value in children(values))
        return Criterion(
            operation, text_of(members.get("FieldName")) or "", listed, _is_true(members.get("EnableParameterization"))
        )

    def group(self, members: dict[str, Element]) -> Group:
        criteria = members.get("Criteria")
        kind = text_of(members.get("GroupType")) or "And"
        return Group(kind, () if criteria is None else tuple(self.node(child) for child in children(criteria)))

    def search(self, element: Element) -> Query:
        members = self.members(element, SEARCH_ORDER)
        outputs = [self.members(child, OUTPUT_ORDER) for child in children_of(members.get("OutputColumns"))]
        sorts = [self.members(child, SORT_ORDER) for child in children_of(members.get("SortColumns"))]
        top = text_of(members.get("TopN"))
        columns = [
            Output(
                text_of(o.get("Name")) or "",
                text_of(o.get("AggregateFunction")) or "None",
                text_of(o.get("DisplayName")) or "",
            )
            for o in outputs
            if not _is_true(o.get("Hidden"))
        ]
        return Query(
            text_of(members.get("Type")) or "",
            self.group(members),
            tuple(columns),
            tuple((text_of(s.get("Name")) or "", _is_true(s.get("IsDescending"))) for s in sorts),
            int(top) if top and top.strip() else None,
            _is_true(members.get("UniqueResult")),
        )


def _is_true(element: Element | None) -> bool:
    return (text_of(element) or "").strip().lower() in TRUE


def children_of(element: Element | None) -> Iterator[Element]:
    return iter(()) if element is None else children(element)


def type_name(element: Element) -> str:
    """Return the local name of an xsi:type; its prefix means whatever it means at this element."""
    text = element.get(f"{{{names.INSTANCE}}}type", "").strip()
    prefix, _, name = text.rpartition(":")
    namespace = element.nsmap.get(prefix or None)
    return name if namespace in (names.SEARCHING, names.OPERATIONS) else ""


def read_search(element: Element) -> ReadSearch:
    reader = SearchReader()
    return ReadSearch(reader.search(element), reader.skipped)


def read_record(element: Element) -> tuple[str, dict[str, str | list[str] | None]]:
    """Return a MemberSuiteObject's class and fields."""
    fields: dict[str, str | list[str] | None] = {}
    for pair in children_of(named(element, "Fields")):
        key, value = text_of(named(pair, "Key")), named(pair, "Value")
        if key and value is not None:
            items = list(children(value))
            fields[key] = [text_of(item) or "" for item in items] if items else text_of(value)
    return text_of(named(element, "ClassType")) or "", fields
