"""The service description at /mex: the part of the Concierge contract that the stand-in plays."""
# ruff: noqa: E501 - markup reads better unbroken

from functools import cache

from memberSuite.standin import names
from memberSuite.standin.names import words

URIS = {
    "c": names.CONTRACTS,
    "h": names.HEADERS,
    "r": names.RESULTS,
    "e": names.CONCIERGE,
    "t": names.TYPES,
    "q": names.SEARCHING,
    "o": names.OPERATIONS,
    "a": names.ARRAYS,
}
# A member is "name:type"; "!" in front: not nillable, "*" behind: any number.
PAGING = "!startRecord:xs:int maximumNumberOfRecordsToReturn:xs:int"
OPERATIONS = {
    "WhoAmI": ("", "LoginResult"),
    "ExecuteMSQL": (f"msqlStatement:xs:string {PAGING}", "MSQLResult"),
    "ExecuteSearch": (f"searchToExecute:q:Search {PAGING}", "SearchResult"),
    "Get": ("id:xs:string", "MemberSuiteObject"),
    "Save": ("objectToSave:t:MemberSuiteObject", "MemberSuiteObject"),
    "MassUpdate": ("recordType:xs:string recordIdentifiers:a:ArrayOfstring msoNewValues:t:MemberSuiteObject", ""),
}
# name, members, base type
TYPES: dict[str, list[tuple[str, str, str]]] = {
    "h": [
        ("ConciergeMessageHeader", "BrowserId:xs:string SessionId:xs:string", ""),
        (
            "ConciergeRequestHeader",
            "AccessKeyId:xs:string AssociationId:xs:string Signature:xs:string",
            "h:ConciergeMessageHeader",
        ),
        ("ConciergeResponseHeader", "", "h:ConciergeMessageHeader"),
    ],
    "a": [("ArrayOfstring", "string:xs:string*", ""), ("ArrayOfanyType", "anyType:xs:anyType*", "")],
    "e": [
        ("ConciergeError", "Code:xs:string ID:xs:string Message:xs:string OffendingField:xs:string", ""),
        ("ArrayOfConciergeError", "ConciergeError:e:ConciergeError*", ""),
    ],
    "t": [
        (
            "MemberSuiteObject",
            "ClassType:xs:string Fields:t:MemberSuiteFieldsDictionary ParentTypes:a:ArrayOfstring",
            "",
        ),
        ("ArrayOfMemberSuiteObject", "MemberSuiteObject:t:MemberSuiteObject*", ""),
    ],
    "q": [
        (
            "SearchOperation",
            "!EnableParameterization:xs:boolean FieldName:xs:string ID:xs:string ValuesToOperateOn:a:ArrayOfanyType",
            "",
        ),
        ("ArrayOfSearchOperation", "SearchOperation:q:SearchOperation*", ""),
        ("SearchOperationGroup", "Criteria:q:ArrayOfSearchOperation !GroupType:xs:string", "q:SearchOperation"),
        (
            "SearchOutputColumn",
            "AggregateFunction:xs:string ColumnWidth:xs:int DisplayName:xs:string Hidden:xs:boolean Name:xs:string",
            "",
        ),
        ("ArrayOfSearchOutputColumn", "SearchOutputColumn:q:SearchOutputColumn*", ""),
        ("SearchSortColumn", "IsDescending:xs:boolean Name:xs:string", ""),
        ("ArrayOfSearchSortColumn", "SearchSortColumn:q:SearchSortColumn*", ""),
        (
            "Search",
            (
                "Commands:xs:anyType !ConsistentRead:xs:boolean Context:xs:string CountField:xs:string Label:xs:string Module:xs:string "
                "OutputColumns:q:ArrayOfSearchOutputColumn OutputFormat:xs:string !Override:xs:boolean RowLevelCommands:xs:anyType "
                "SortColumns:q:ArrayOfSearchSortColumn TopN:xs:int Type:xs:string !UniqueResult:xs:boolean"
            ),
            "q:SearchOperationGroup",
        ),
    ],
    "r": [
        (
            "ConciergeResult",
            (
                "!Cacheable:xs:boolean Errors:e:ArrayOfConciergeError !NotModified:xs:boolean !Success:xs:boolean "
                "WorkflowExecutionID:xs:string WorkflowRunID:xs:string"
            ),
            "",
        ),
        (
            "LoginResult",
            (
                "AccessibleEntities:xs:anyType Association:t:MemberSuiteObject AutoLoginHash:xs:string ConsoleMetadata:xs:anyType "
                "Customer:t:MemberSuiteObject KeyChain:xs:anyType Locale:xs:string MemberSuiteVersion:xs:anyType "
                "PortalEntity:t:MemberSuiteObject PortalUser:t:MemberSuiteObject SessionID:xs:string User:t:MemberSuiteObject "
                "UserPreferences:xs:anyType"
            ),
            "",
        ),
        ("ObjectSearchResult", "Objects:t:ArrayOfMemberSuiteObject !TotalRowCount:xs:int", ""),
        (
            "MSQLResult",
            "ObjectSearchResult:r:ObjectSearchResult SearchResult:r:SearchResult SingleObject:t:MemberSuiteObject",
            "",
        ),
    ],
}
PLAIN_OPERATIONS = words(
    "Equals Contains DoesNotContain StartsWith DoesNotStartWith EndsWith DoesNotEndWith ContainsOneOfTheFollowing "
    "DoesNotContainOneOfTheFollowing StartsWithOneOfTheFollowing DoesNotStartWithOneOfTheFollowing EndsWithOneOfTheFollowing "
    "DoesNotEndWithOneOfTheFollowing IsBlank IsNotBlank IsBetween IsNotBetween IsOneOfTheFollowing IsNotOneOfTheFollowing "
    "IsGreaterThan IsGreaterThanOrEqualTo IsLessThan IsLessThanOrEqual Keyword NoKeyword SpecialOperation WhereClause"
)
IMPORTS = {"h": "", "a": "", "e": "", "t": "a", "q": "a", "o": "q", "r": "et", "c": "rqta"}
DICTIONARY = (
    '<xs:complexType name="MemberSuiteFieldsDictionary"><xs:sequence><xs:element name="KeyValueOfstringanyType" minOccurs="0" '
    'maxOccurs="unbounded"><xs:complexType><xs:sequence><xs:element name="Key" type="xs:string" nillable="true"/>'
    '<xs:element name="Value" type="xs:anyType" nillable="true"/></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType>'
)
# A table is an optional schema, then a diffgram.
SEARCH_RESULT = (
    '<xs:complexType name="SearchResult"><xs:sequence>{before}<xs:element name="Table" minOccurs="0" nillable="true"><xs:complexType>'
    f'<xs:sequence><xs:any namespace="{names.SCHEMA}" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>'
    f'<xs:any namespace="{names.DIFFGRAM}" processContents="lax"/></xs:sequence></xs:complexType></xs:element>'
    "{after}</xs:sequence></xs:complexType>"
)


def member(text: str) -> str:
    name, _, kind = text.removeprefix("!").removesuffix("*").partition(":")
    nillable = "" if text.startswith("!") else ' nillable="true"'
    many = ' maxOccurs="unbounded"' if text.endswith("*") else ""
    return f'<xs:element name="{name}" type="{kind}" minOccurs="0"{many}{nillable}/>'


def members(text: str) -> str:
    return "".join(map(member, text.split()))


def complex_type(name: str, text: str, base: str) -> str:
    inner = f"<xs:sequence>{members(text)}</xs:sequence>"
    if base:
        inner = f'<xs:complexContent><xs:extension base="{base}">{inner}</xs:extension></xs:complexContent>'
    return f'<xs:complexType name="{name}">{inner}</xs:complexType>'


def schema(prefix: str, extra: str = "") -> str:
    imports = "".join(f'<xs:import namespace="{URIS[other]}"/>' for other in IMPORTS[prefix])
    types = "".join(complex_type(*one) for one in TYPES.get(prefix, []))
    return f'<xs:schema targetNamespace="{URIS[prefix]}" elementFormDefault="qualified">{imports}{types}{extra}</xs:schema>'


def operation_elements() -> str:
    return "".join(
        f'<xs:element name="{name}"><xs:complexType><xs:sequence>{members(inputs)}</xs:sequence></xs:complexType></xs:element>'
        f'<xs:element name="{name}Response"><xs:complexType><xs:sequence>'
        f'<xs:element name="{name}Result" type="r:ConciergeResult{"Of" + value if value else ""}" minOccurs="0" nillable="true"/>'
        "</xs:sequence></xs:complexType></xs:element>"
        for name, (inputs, value) in OPERATIONS.items()
    )


def schemas() -> str:
    headers = "".join(f'<xs:element name="{name}" type="h:{name}"/>' for name, _, base in TYPES["h"] if base)
    operations = "".join(complex_type(name, "", "q:SearchOperation") for name in PLAIN_OPERATIONS)
    operations += complex_type("DoesNotEqual", "", "o:Equals")
    values = dict.fromkeys(value for _, value in OPERATIONS.values() if value)
    results = SEARCH_RESULT.format(
        before=members("ColumnMetadata:xs:anyType ID:xs:string SearchManifest:xs:anyType"),
        after=members("!TotalRowCount:xs:int Type:xs:string"),
    )
    results += "".join(
        complex_type(
            f"ConciergeResultOf{name}",
            f"ResultValue:{'t' if name == 'MemberSuiteObject' else 'r'}:{name}",
            "r:ConciergeResult",
        )
        for name in values
    )
    extra = {"h": headers, "t": DICTIONARY, "o": operations, "r": results, "c": operation_elements()}
    return "".join(schema(prefix, extra.get(prefix, "")) for prefix in IMPORTS)


def messages() -> str:
    parts = [("ReqH", "header", "h:ConciergeRequestHeader"), ("ResH", "header", "h:ConciergeResponseHeader")]
    for name in OPERATIONS:
        parts += [(f"{name}In", "parameters", f"c:{name}"), (f"{name}Out", "parameters", f"c:{name}Response")]
    return "".join(
        f'<wsdl:message name="{name}"><wsdl:part name="{part}" element="{element}"/></wsdl:message>'
        for name, part, element in parts
    )


def port_type() -> str:
    return "".join(
        f'<wsdl:operation name="{n}"><wsdl:input message="c:{n}In"/><wsdl:output message="c:{n}Out"/></wsdl:operation>'
        for n in OPERATIONS
    )


def binding() -> str:
    def side(name: str, header: str) -> str:
        return f'<wsdl:{name}><soap:header message="c:{header}" part="header" use="literal"/><soap:body use="literal"/></wsdl:{name}>'

    return "".join(
        f'<wsdl:operation name="{n}"><soap:operation soapAction="{names.ACTION_PREFIX}{n}" style="document"/>'
        f"{side('input', 'ReqH')}{side('output', 'ResH')}</wsdl:operation>"
        for n in OPERATIONS
    )


@cache
def document(address: str) -> str:
    """Return the WSDL whose service stands at this address."""
    prefixes = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in URIS.items())
    return (
        '<?xml version="1.0" encoding="utf-8"?><wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" '
        f'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="{names.SCHEMA}"{prefixes} targetNamespace="{names.CONTRACTS}">'
        f'<wsdl:types>{schemas()}</wsdl:types>{messages()}<wsdl:portType name="IConciergeAPIService">{port_type()}</wsdl:portType>'
        '<wsdl:binding name="PublicAPI" type="c:IConciergeAPIService"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>'
        f'{binding()}</wsdl:binding><wsdl:service name="ConciergeAPIService"><wsdl:port name="PublicAPI" binding="c:PublicAPI">'
        f'<soap:address location="{address}/"/></wsdl:port></wsdl:service></wsdl:definitions>'
    )
