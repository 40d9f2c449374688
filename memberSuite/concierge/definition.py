"""What a stored search says, read from its XML; the XML itself is kept, so that what we do not know survives."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from memberSuite.coerce import to_bool, to_int
from memberSuite.concierge.envelope import SEARCHING_NS
from memberSuite.decode import is_nil, parse_xml, text_of

Q = f"{{{SEARCHING_NS}}}"


@dataclass(frozen=True)
class Definition:
    """A stored search; `children` are its parts as XML texts that declare every prefix they use."""

    search_type: str | None
    criteria: str  # "" when there are none
    group_type: str
    children: dict[str, str]
    columns: tuple[str, ...]  # plain ones
    is_limited: bool
    computed: tuple[str, ...]  # names of columns that hold a sum or a count, never a record's own value
    has_aggregate: bool
    top_n: int | None
    needs_parameter: bool


def kept(value: etree._Element) -> bytes:
    """Return a stored search as bytes that can be read again by themselves.

    The serialiser declares every prefix in scope, used or not: operations are named by prefix in attribute values.
    """
    return etree.tostring(value, with_tail=False)


def read(definition: bytes) -> Definition:
    """Read a stored search as `kept` made it."""
    root = parse_xml(definition)
    children = {child.tag.removeprefix(Q): _text(child) for child in root if child.tag.startswith(Q)}
    criteria = root.find(Q + "Criteria")
    plain, computed, has_aggregate = _columns(root)
    top_n = to_int(text_of(root, Q + "TopN"))
    return Definition(
        search_type=text_of(root, Q + "Type"),
        criteria=children["Criteria"] if criteria is not None and len(criteria) else "",
        group_type=children.get("GroupType", "<q:GroupType>And</q:GroupType>"),
        children=children,
        columns=plain,
        is_limited=bool(top_n) or to_bool(text_of(root, Q + "UniqueResult")) is True or has_aggregate,
        computed=computed,
        has_aggregate=has_aggregate,
        top_n=top_n or None,
        needs_parameter=_needs_parameter(root, criteria),
    )


def _text(element: etree._Element) -> str:
    return etree.tostring(element, with_tail=False).decode("ascii")  # other characters come as numbers


def _columns(root: etree._Element) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Return the plain columns, the computed ones, and whether rows are grouped at all."""
    plain: list[str] = []
    computed: list[str] = []
    has_aggregate = False
    for column in root.iterfind(f"{Q}OutputColumns/{Q}SearchOutputColumn"):
        name = text_of(column, Q + "Name")
        function = text_of(column, Q + "AggregateFunction") or "None"
        has_aggregate = has_aggregate or function != "None"
        if function not in ("None", "GroupBy"):
            computed += [name or "", text_of(column, Q + "DisplayName") or ""]
        elif function == "None" and name and name not in plain:
            plain.append(name)
    return tuple(plain), tuple(computed), has_aggregate


def _needs_parameter(root: etree._Element, criteria: etree._Element | None) -> bool:
    """Say whether the search asks its user for input."""
    if any(to_bool(element.text) is True for element in root.iter(Q + "EnableParameterization")):
        return True
    if criteria is None or is_nil(criteria):
        return False
    texts = (element.text.strip() for element in criteria.iter() if element.text)
    return any(len(text) >= 4 and text.startswith("##") and text.endswith("##") for text in texts)
