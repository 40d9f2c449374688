"""The published client membersuite-api-client 1.1.5, unchanged but for the address of its service description."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import zeep
from membersuite_api_client import client as third_party
from membersuite_api_client.mixins import ChunkQueryMixin
from membersuite_api_client.models import MemberSuiteObject
from membersuite_api_client.utils import submit_msql_object_query
from zeep.transports import Transport

from memberSuite.standin import StandIn


@pytest.fixture(scope="module")
def concierge(still: StandIn) -> Iterator[Any]:
    with requests.Session() as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            third_party,
            "Client",
            lambda _address: zeep.Client(f"{still.url}/mex", transport=Transport(session=session)),
        )
        found = third_party.ConciergeClient(still.access_key_id, still.secret_access_key, still.association_id)
        found.request_session()
        yield found


def test_it_signs_in(concierge: Any) -> None:
    assert concierge.session_id


def test_it_is_refused_with_a_wrong_key(concierge: Any) -> None:
    other = object.__new__(third_party.ConciergeClient)
    vars(other).update(vars(concierge) | {"access_key": "AKOTHER", "session_id": None})
    with pytest.raises(third_party.MembersuiteLoginError, match="InvalidAccessKey"):
        other.request_session()


def test_it_reads_the_saved_searches(concierge: Any, still: StandIn) -> None:
    found = submit_msql_object_query("SELECT OBJECTS() FROM SavedSearch WHERE IsPublic = 1", concierge)
    assert {one.membersuite_id for one in found} == {one["id"] for one in still.searches() if one["is_public"]}


def test_it_reads_one_person(concierge: Any, still: StandIn) -> None:
    wanted = still.mailable(still.search_id("All individuals"))[3]
    (found,) = submit_msql_object_query(f"SELECT OBJECT() FROM Individual WHERE ID = '{wanted['id']}'", concierge)
    assert (found.email_address, found.last_name) == (wanted["email"], wanted["last_name"])
    assert found.primary_organization_id is None or len(found.primary_organization_id) == 36


class PeopleService(ChunkQueryMixin):
    """The client's own way to read many records, page after page."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def ms_object_to_model(self, ms_obj: Any) -> MemberSuiteObject:
        return MemberSuiteObject(ms_obj)


def test_it_reads_all_people_page_by_page(concierge: Any, still: StandIn) -> None:
    found = PeopleService(concierge).get_long_query("SELECT OBJECTS() FROM Individual ORDER BY LocalID", limit_to=75)
    everybody = still.truth(still.search_id("All individuals"))
    assert sorted(one.membersuite_id for one in found) == sorted(str(one["id"]) for one in everybody)
