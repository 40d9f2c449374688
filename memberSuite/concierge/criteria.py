"""The children of a Search element that we send: the search's own criteria untouched, and ours beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from xml.sax.saxutils import escape

from memberSuite.concierge.definition import Definition

# A Search's children in the only order a server reads them (protocol section 2.5).
ORDER = [
    "EnableParameterization",
    "FieldName",
    "ID",
    "ValuesToOperateOn",
    "Criteria",
    "GroupType",
    "Commands",
    "ConsistentRead",
    "Context",
    "CountField",
    "Label",
    "Module",
    "OutputColumns",
    "OutputFormat",
    "Override",
    "RowLevelCommands",
    "SortColumns",
    "TopN",
    "Type",
    "UniqueResult",
]


def flag_is(value: bool) -> str:
    return _operation("Equals", "DoNotEmail", "boolean", ["true" if value else "false"])


def flag_is_not_false() -> str:
    """Match people whose flag is true or blank: under SQL rules, unequal alone misses the blank ones."""
    return group(
        [_operation("DoesNotEqual", "DoNotEmail", "boolean", ["false"]), _operation("IsBlank", "DoNotEmail")], "Or"
    )


def is_public() -> str:
    return _operation("Equals", "IsPublic", "boolean", ["true"])


def id_is_one_of(remote_ids: Iterable[str]) -> str:
    return _operation("IsOneOfTheFollowing", "ID", "string", remote_ids)


def key_between(low: int | None, high: int | None) -> list[str]:
    """Bound the LocalID, half open."""
    bounds = []
    if low is not None:
        bounds.append(_operation("IsGreaterThanOrEqualTo", "LocalID", "long", [str(low)]))
    if high is not None:
        bounds.append(_operation("IsLessThan", "LocalID", "long", [str(high)]))
    return bounds


def key_is_blank() -> str:
    return _operation("IsBlank", "LocalID")


def group(operations: Sequence[str], group_type: str) -> str:
    return (
        f'<q:SearchOperation i:type="q:SearchOperationGroup"><q:Criteria>{"".join(operations)}</q:Criteria>'
        f"<q:GroupType>{group_type}</q:GroupType></q:SearchOperation>"
    )


def search(
    definition: Definition | None,
    *,
    own_criteria: Sequence[str] = (),
    columns: tuple[str, ...],
    sort: Sequence[tuple[str, bool]],
    search_type: str = "Individual",
) -> str:
    """Build a new search: the original group whole under an And root, then our criteria, columns and sort."""
    criteria = list(own_criteria)
    context = ""
    if definition is not None:
        if definition.criteria:
            original = f"{definition.criteria}{definition.group_type}"
            criteria.insert(0, f'<q:SearchOperation i:type="q:SearchOperationGroup">{original}</q:SearchOperation>')
        context = definition.children.get("Context", "")
        search_type = definition.search_type or search_type
    filled = f"<q:Criteria>{''.join(criteria)}</q:Criteria>" if criteria else ""
    return (
        f"{filled}<q:GroupType>And</q:GroupType>{context}{output_columns(columns)}{sort_columns(sort)}"
        f"<q:Type>{escape(search_type)}</q:Type>"
    )


def as_stored(definition: Definition, columns: tuple[str, ...]) -> str:
    """Return a limited search as it is stored; only plain columns may be asked for besides its own."""
    children = dict(definition.children)
    if columns:
        children["OutputColumns"] = output_columns(columns)
    return "".join(children[name] for name in ORDER if name in children)


@lru_cache(64)  # every page of a reading asks for the same
def output_columns(names: tuple[str, ...]) -> str:
    """Ask for columns under their own names, so that the names in the reply are known."""
    return "<q:OutputColumns>{}</q:OutputColumns>".format(
        "".join(
            "<q:SearchOutputColumn><q:AggregateFunction>None</q:AggregateFunction><q:ColumnWidth>0</q:ColumnWidth>"
            f"<q:DisplayName>{escape(name)}</q:DisplayName><q:Hidden>false</q:Hidden><q:Name>{escape(name)}</q:Name>"
            "</q:SearchOutputColumn>"
            for name in names
        )
    )


def sort_columns(sort: Sequence[tuple[str, bool]]) -> str:
    return "<q:SortColumns>{}</q:SortColumns>".format(
        "".join(
            f"<q:SearchSortColumn><q:IsDescending>{'true' if is_descending else 'false'}</q:IsDescending>"
            f"<q:Name>{escape(name)}</q:Name></q:SearchSortColumn>"
            for name, is_descending in sort
        )
    )


def _operation(kind: str, field: str, value_type: str = "", values: Iterable[str] = ()) -> str:
    filled = "".join(f'<arr:anyType i:type="x:{value_type}">{escape(value)}</arr:anyType>' for value in values)
    operands = f"<q:ValuesToOperateOn>{filled}</q:ValuesToOperateOn>" if filled else ""
    return f'<q:SearchOperation i:type="o:{kind}"><q:FieldName>{field}</q:FieldName>{operands}</q:SearchOperation>'
