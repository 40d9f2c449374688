"""Write Concierge replies by joining text, with exactly the prefixes s, a, b, diffgr and c."""
# ruff: noqa: E501 - markup reads better unbroken

import re
from collections.abc import Callable, Iterable, Sequence
from uuid import uuid4
from zlib import crc32

from memberSuite.standin import names
from memberSuite.standin.columns import Kind, Value, moment_text
from memberSuite.standin.criteria import Criterion, Group, Node
from memberSuite.standin.errors import RemoteError
from memberSuite.standin.query import Answer
from memberSuite.standin.searches import SavedSearch

Field = tuple[str, Kind, Value | SavedSearch]
XSI = f'xmlns:i="{names.INSTANCE}"'
XSD = f'xmlns:x="{names.SCHEMA}"'
XML_TYPES: dict[Kind, str] = {
    "text": "string",
    "number": "long",
    "flag": "boolean",
    "moment": "dateTime",
    "ids": "string",
}
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]")
ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|^[^A-Za-z_\u00c0-\uffff]|[^\w.\-\u00b7]")
NIL_RESULT = '<a:ResultValue i:nil="true"/>'


def escape(text: str) -> str:
    if SPECIAL.search(text) is None:
        return text
    return ILLEGAL.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def encode_name(name: str) -> str:
    """Encode a column name as .NET does for an element: an odd character becomes _xHHHH_."""
    return ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", name)


def flag_text(value: Value) -> str:
    # Anything else than a boolean only comes from a fault.
    return ("true" if value else "false") if isinstance(value, bool) else escape(str(value))


def date_text(value: Value) -> str:
    return moment_text(value) if isinstance(value, int) else escape(str(value))


def plain_text(value: Value) -> str:
    return escape(str(value))


WRITERS: dict[Kind, Callable[[Value], str]] = {
    "text": plain_text,
    "number": plain_text,
    "flag": flag_text,
    "moment": date_text,
    "ids": plain_text,
}


def nil(name: str, text: str | None) -> str:
    return f'<{name} i:nil="true"/>' if text is None else f"<{name}>{escape(text)}</{name}>"


def envelope(session: str | None, browser: str | None, body: str) -> str:
    return (
        f'<s:Envelope xmlns:s="{names.ENVELOPE}"><s:Header><ConciergeResponseHeader xmlns="{names.HEADERS}" {XSI}>'
        f"{nil('BrowserId', browser)}{nil('SessionId', session)}</ConciergeResponseHeader></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def result(operation: str, value: str, errors: Iterable[RemoteError] = (), *, success: bool | None = None) -> str:
    """Write the frame that every result has; `value` is the ResultValue element or nothing."""
    listed = "".join(
        f"<b:ConciergeError><b:Code>{escape(e.code)}</b:Code><b:ID>{uuid4()}</b:ID><b:Message>{escape(e.message)}</b:Message>"
        f"{nil('b:OffendingField', e.field)}</b:ConciergeError>"
        for e in errors
    )
    ok = not listed if success is None else success
    return (
        f'<{operation}Response xmlns="{names.CONTRACTS}"><{operation}Result xmlns:a="{names.RESULTS}" {XSI}><a:Cacheable>false</a:Cacheable>'
        + (
            f'<a:Errors xmlns:b="{names.CONCIERGE}">{listed}</a:Errors>'
            if listed
            else f'<a:Errors xmlns:b="{names.CONCIERGE}"/>'
        )
        + f"<a:NotModified>false</a:NotModified><a:Success>{'true' if ok else 'false'}</a:Success>"
        f'<a:WorkflowExecutionID i:nil="true"/><a:WorkflowRunID i:nil="true"/>{value}</{operation}Result></{operation}Response>'
    )


def fault(text: str = "The server was unable to process the request due to an internal error.") -> str:
    dispatch = "http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher"
    return (
        f'<s:Envelope xmlns:s="{names.ENVELOPE}"><s:Body><s:Fault><faultcode xmlns:f="{dispatch}">f:InternalServiceFault</faultcode>'
        f'<faultstring xml:lang="en-US">{escape(text)}</faultstring></s:Fault></s:Body></s:Envelope>'
    )


# -- tables ---------------------------------------------------------------------------------------------------------


def search_result(answer: Answer, *, schema: bool = True, root: str = "NewDataSet") -> str:
    """Write the inside of a SearchResult."""
    tags = [encode_name(name) for name in answer.names]
    head = table_schema(tags, answer.kinds) if schema else ""
    total = "" if answer.total is None else f"<a:TotalRowCount>{answer.total}</a:TotalRowCount>"
    return (
        '<a:ColumnMetadata/><a:ID i:nil="true"/><a:SearchManifest i:nil="true"/>'
        f"<a:Table>{head}{diffgram(tags, answer, root)}</a:Table>{total}<a:Type>{escape(answer.type)}</a:Type>"
    )


def table_schema(tags: Sequence[str], kinds: Sequence[Kind]) -> str:
    columns = "".join(
        f'<xs:element name="{t}" type="xs:{XML_TYPES[k]}" minOccurs="0"/>' for t, k in zip(tags, kinds, strict=True)
    )
    return (
        f'<xs:schema id="NewDataSet" xmlns="" xmlns:xs="{names.SCHEMA}" xmlns:msdata="{names.MSDATA}">'
        '<xs:element name="NewDataSet" msdata:IsDataSet="true" msdata:MainDataTable="Table" msdata:UseCurrentLocale="true">'
        '<xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded"><xs:element name="Table"><xs:complexType><xs:sequence>'
        f"{columns}</xs:sequence></xs:complexType></xs:element></xs:choice></xs:complexType></xs:element></xs:schema>"
    )


def diffgram(tags: Sequence[str], answer: Answer, root: str) -> str:
    opening = f'<diffgr:diffgram xmlns:diffgr="{names.DIFFGRAM}" xmlns:msdata="{names.MSDATA}"'
    if not answer.rows:
        return opening + "/>"
    cells = [(f"<{tag}>", f"</{tag}>", WRITERS[kind]) for tag, kind in zip(tags, answer.kinds, strict=True)]
    parts: list[str] = []
    for number, row in enumerate(answer.rows):
        parts.append(f'<Table diffgr:id="Table{number + 1}" msdata:rowOrder="{number}">')
        for (start, end, write), value in zip(cells, row, strict=True):
            if value is not None:
                parts += (start, write(value), end)
        parts.append("</Table>")
    return f'{opening}><{root} xmlns="">{"".join(parts)}</{root}></diffgr:diffgram>'


# -- records --------------------------------------------------------------------------------------------------------


def record(class_type: str, fields: Iterable[Field], parents: str = "") -> str:
    """Write the inside of a MemberSuiteObject."""
    pairs = "".join(
        f"<b:KeyValueOfstringanyType><b:Key>{escape(key)}</b:Key>{_field_value(kind, value)}</b:KeyValueOfstringanyType>"
        for key, kind, value in fields
    )
    above = f'<b:ParentTypes xmlns:c="{names.ARRAYS}"><c:string>{parents}</c:string></b:ParentTypes>' if parents else ""
    return f"<b:ClassType>{class_type}</b:ClassType><b:Fields>{pairs}</b:Fields>{above}"


def _field_value(kind: Kind, value: Value | SavedSearch) -> str:
    if value is None:
        return '<b:Value i:nil="true"/>'
    if isinstance(value, SavedSearch):
        return definition(value)
    if isinstance(value, tuple):
        items = "".join(f"<c:string>{escape(item)}</c:string>" for item in value)
        return f'<b:Value i:type="c:ArrayOfstring" xmlns:c="{names.ARRAYS}">{items}</b:Value>'
    return f'<b:Value i:type="x:{XML_TYPES[kind]}" {XSD}>{WRITERS[kind](value)}</b:Value>'


def definition(search: SavedSearch, tag: str = "b:Value") -> str:
    """Write a saved search's Search in the schema's order."""
    query = search.query
    outputs = "".join(
        f"<q:SearchOutputColumn><q:AggregateFunction>{c.aggregate}</q:AggregateFunction><q:ColumnWidth>0</q:ColumnWidth>"
        f"<q:DisplayName>{escape(c.display or c.name)}</q:DisplayName><q:Hidden>false</q:Hidden><q:Name>{escape(c.name)}</q:Name></q:SearchOutputColumn>"
        for c in query.columns
    )
    sorts = "".join(
        f"<q:SearchSortColumn><q:IsDescending>{'true' if descending else 'false'}</q:IsDescending><q:Name>{escape(name)}</q:Name></q:SearchSortColumn>"
        for name, descending in query.sort
    )
    top = '<q:TopN i:nil="true"/>' if query.top is None else f"<q:TopN>{query.top}</q:TopN>"
    return (
        f'<{tag} i:type="q:Search" xmlns:q="{names.SEARCHING}" xmlns:o="{names.OPERATIONS}" xmlns:arr="{names.ARRAYS}" {XSD}>'
        f"{_operation_head(search.needs_parameter, None, ())}{_criteria(query.where)}<q:ConsistentRead>false</q:ConsistentRead>"
        f"{nil('q:Context', search.context)}<q:OutputColumns>{outputs}</q:OutputColumns><q:Override>false</q:Override>"
        f"<q:SortColumns>{sorts}</q:SortColumns>{top}<q:Type>{escape(query.type)}</q:Type>"
        f"<q:UniqueResult>{'true' if query.unique else 'false'}</q:UniqueResult></{tag}>"
    )


def _operation_head(asks: bool, name: str | None, values: Sequence[str | None]) -> str:
    listed = "".join(
        '<arr:anyType i:nil="true"/>' if v is None else f'<arr:anyType i:type="x:{_guess(v)}">{escape(v)}</arr:anyType>'
        for v in values
    )
    return (
        f"<q:EnableParameterization>{'true' if asks else 'false'}</q:EnableParameterization>{nil('q:FieldName', name)}"
        f"<q:ID>c0ffee00-0000-4000-8000-{crc32(f'{name}{values}'.encode()):012x}</q:ID>"
        + (f"<q:ValuesToOperateOn>{listed}</q:ValuesToOperateOn>" if listed else "<q:ValuesToOperateOn/>")
    )


def _guess(value: str) -> str:
    if value in ("true", "false"):
        return "boolean"
    if value.isascii() and value.isdigit():
        return "int"
    return "dateTime" if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+", value) else "string"


def _criteria(group: Group) -> str:
    inner = "".join(map(_node, group.criteria))
    return (
        f"<q:Criteria>{inner}</q:Criteria>" if inner else "<q:Criteria/>"
    ) + f"<q:GroupType>{group.kind}</q:GroupType>"


def _node(node: Node) -> str:
    if isinstance(node, Criterion):
        head = _operation_head(node.needs_parameter, node.field, node.values)
        return f'<q:SearchOperation i:type="o:{node.operation}">{head}</q:SearchOperation>'
    head = _operation_head(False, None, ())
    return f'<q:SearchOperation i:type="q:SearchOperationGroup">{head}{_criteria(node)}</q:SearchOperation>'
