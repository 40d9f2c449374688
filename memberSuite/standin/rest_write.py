"""Write REST replies: flat records with camel-case names."""

import re

from memberSuite.standin.columns import Kind, Value, moment_text
from memberSuite.standin.criteria import Group, Node
from memberSuite.standin.searches import SavedSearch
from memberSuite.standin.soap_write import Field


def camel(name: str) -> str:
    """Return the JSON name of a field: its first letter group in small letters."""
    match = re.match(r"[A-Z]+(?![a-z])|[A-Z]", name)
    return name if match is None else match[0].lower() + name[match.end() :]


def plain(value: Value, kind: Kind) -> object:
    if kind == "moment" and isinstance(value, int):
        return moment_text(value)
    return list(value) if isinstance(value, tuple) else value


def flat(fields: list[Field]) -> dict[str, object]:
    found = {camel(n): search_json(v) if isinstance(v, SavedSearch) else plain(v, k) for n, k, v in fields}
    return {name: ([] if name == "optOuts" and value is None else value) for name, value in found.items()}


def search_json(search: SavedSearch) -> dict[str, object]:
    query = search.query
    columns = [{"name": column.name, "aggregateFunction": column.aggregate} for column in query.columns]
    sorts = [{"name": name, "isDescending": descending} for name, descending in query.sort]
    return {
        "type": query.type,
        "context": search.context,
        **_group_json(query.where),
        "topN": query.top,
        "uniqueResult": query.unique,
        "outputColumns": columns,
        "sortColumns": sorts,
    }


def _group_json(group: Group) -> dict[str, object]:
    return {"groupType": group.kind, "criteria": list(map(_node_json, group.criteria))}


def _node_json(node: Node) -> dict[str, object]:
    if isinstance(node, Group):
        return {"type": "SearchOperationGroup", **_group_json(node)}
    return {
        "type": node.operation,
        "fieldName": node.field,
        "valuesToOperateOn": [_typed(v) for v in node.values],
    }


def _typed(value: str | None) -> object:
    return value == "true" if value in ("true", "false") else value
