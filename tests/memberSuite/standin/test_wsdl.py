import base64
import hmac
from collections.abc import Iterator
from hashlib import sha1
from typing import Any

import pytest
import requests
import zeep
from zeep.transports import Transport

from memberSuite.standin import StandIn
from tests.memberSuite.standin.concierge import ACTION


@pytest.fixture(scope="module")
def client(still: StandIn) -> Iterator[Any]:
    with requests.Session() as session:
        yield zeep.Client(f"{still.url}/mex", transport=Transport(session=session))


def headers(client: Any, still: StandIn, operation: str) -> list[Any]:
    text = f"{ACTION}{operation}{still.association_id}".encode()
    signed = base64.b64encode(hmac.new(base64.b64decode(still.secret_access_key), text, sha1).digest()).decode()
    element = client.get_element("{http://membersuite.com/schemas}ConciergeRequestHeader")
    return [element(AccessKeyId=still.access_key_id, AssociationId=still.association_id, Signature=signed)]


def test_the_description_names_every_operation_and_the_stand_ins_address(client: Any, still: StandIn) -> None:
    port = client.wsdl.services["ConciergeAPIService"].ports["PublicAPI"]
    assert set(port.binding.all()) == {"WhoAmI", "ExecuteMSQL", "ExecuteSearch", "Get", "Save", "MassUpdate"}
    assert port.binding_options["address"] == f"{still.url}/"


def test_a_typed_search_made_from_the_description_is_answered(client: Any, still: StandIn) -> None:
    searching = client.type_factory("http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching")
    operations = client.type_factory("http://schemas.datacontract.org/2004/07/MemberSuite.SDK.Searching.Operations")
    arrays = client.type_factory("http://schemas.microsoft.com/2003/10/Serialization/Arrays")
    flag = zeep.xsd.AnyObject(zeep.xsd.Boolean(), False)
    mailable = operations.Equals(FieldName="DoNotEmail", ValuesToOperateOn=arrays.ArrayOfanyType([flag]))
    search = searching.Search(
        Criteria=searching.ArrayOfSearchOperation([mailable]),
        GroupType="And",
        OutputColumns=searching.ArrayOfSearchOutputColumn([searching.SearchOutputColumn(Name="LastName")]),
        SortColumns=searching.ArrayOfSearchSortColumn([searching.SearchSortColumn(Name="LocalID", IsDescending=True)]),
        Type="Individual",
    )
    reply = client.service.ExecuteSearch(
        searchToExecute=search,
        startRecord=0,
        maximumNumberOfRecordsToReturn=5,
        _soapheaders=headers(client, still, "ExecuteSearch"),
    )
    value = reply.body.ExecuteSearchResult.ResultValue
    assert value.TotalRowCount == len(still.mailable(still.search_id("All individuals")))
